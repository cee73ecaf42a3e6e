"""Zabbix: webhook media types."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.zabbix.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="zabbix",
    title="Zabbix",
    parse=parse,
    severities=SEVERITIES,
    docs=r"""
In Zabbix: Alerts (or Administration), Media types, Create media type, type Webhook. Parameters:

    URL           https://handrail.example/in/<source>
    Token         <token>
    event_id      {EVENT.ID}
    trigger_id    {TRIGGER.ID}
    hostname      {HOST.NAME}
    trigger       {EVENT.NAME}
    severity      {EVENT.SEVERITY}
    value         {EVENT.VALUE}
    ack           {EVENT.ACK.STATUS}
    item          {EVENT.OPDATA}
    tags          {EVENT.TAGSJSON}
    date          {EVENT.DATE}
    time          {EVENT.TIME}
    recovery_date {EVENT.RECOVERY.DATE}
    recovery_time {EVENT.RECOVERY.TIME}
    zone          +00:00          (the offset of the Zabbix server's clock; its times carry none)
    link          {$ZABBIX.URL}/tr_events.php?triggerid={TRIGGER.ID}&eventid={EVENT.ID}

Script:

    var params = JSON.parse(value), request = new HttpRequest();
    request.addHeader('Content-Type: application/json');
    request.addHeader('Authorization: Bearer ' + params.Token);
    var url = params.URL;
    delete params.URL;
    delete params.Token;
    var answer = request.post(url, JSON.stringify(params));
    if (request.getStatus() < 200 || request.getStatus() > 299) {
        throw 'Handrail answered ' + request.getStatus() + ': ' + answer;
    }
    return 'OK';

Tick “Process tags” off, add message templates for problem, problem recovery and problem update, give the media to a
user, and in the action tick recovery and update operations.

One trigger is one alert, by its id, else by the event's id (also read from the link), else by host and name. PROBLEM
fires, OK and RESOLVED resolve, an acknowledged problem is acknowledged. Severity: Disaster is critical, High high,
Average medium, Warning low, Information info; a number from 0 to 5 is read too. A macro that Zabbix left unfilled
(“{EVENT.ID}”, “*UNKNOWN*”) counts as missing. The media type with `hostname`, `severity`, `status`, `item`,
`trigger` and `link` alone is read as well.
""",
)
