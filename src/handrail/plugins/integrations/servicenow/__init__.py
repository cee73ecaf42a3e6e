"""ServiceNow: incident records, as a business rule sends them."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.servicenow.parse import PRIORITIES, parse

INTEGRATION = Integration(
    name="servicenow",
    title="ServiceNow",
    parse=parse,
    severities=PRIORITIES,
    docs=r"""
In ServiceNow: System Definition, Business Rules, New, on the table Incident, after insert and update, Advanced:

    (function executeRule(current, previous) {
        var request = new sn_ws.RESTMessageV2(), fields = {};
        ['sys_id', 'number', 'short_description', 'description', 'state', 'priority', 'impact', 'urgency',
         'business_service', 'cmdb_ci', 'correlation_id', 'assigned_to', 'opened_at', 'resolved_at',
         'sys_updated_on'].forEach(function (name) {
            fields[name] = {value: current.getValue(name), display_value: current.getDisplayValue(name)};
        });
        fields.instance = gs.getProperty('glide.servlet.uri');
        request.setEndpoint('https://handrail.example/in/<source>');
        request.setHttpMethod('POST');
        request.setRequestHeader('Authorization', 'Bearer <token>');
        request.setRequestHeader('Content-Type', 'application/json');
        request.setRequestBody(JSON.stringify(fields));
        request.executeAsync();
    })(current, previous);

A record of the Table API (fields as values, as {value, display_value} or as {link, value}, alone or within `result`)
is read as well. One incident is one alert, by its sys_id, else its number. New fires, In Progress and On Hold are
acknowledged, Resolved, Closed and Canceled resolve. Severity: the priority 1 to 5, else the worse of impact and
urgency. Service: the business service, else the configuration item. Times are UTC, as the values are.
""",
)
