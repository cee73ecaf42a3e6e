"""Jira's webhooks: issues as alerts."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.jira.parse import PRIORITIES, parse
from handrail.plugins.integrations.jira.verify import verify

INTEGRATION = Integration(
    name="jira",
    title="Jira",
    parse=parse,
    verify=verify,
    severities=PRIORITIES,
    docs=r"""
In Jira: Settings, System, WebHooks, Create a WebHook.

    URL:    https://handrail.example/in/<source>
    Secret: the source's signing secret (Jira Cloud; it signs each request)
    Events: issue created, updated, deleted
    JQL:    name the issues that are incidents, for instance  issuetype = Incident

Jira Data Center does not sign: end the address with /<token>. An automation rule (“Send web request”, with the issue's
data in either format) is read as well; put the token into its header Authorization, as “Bearer <token>”.

One issue is one alert, by its id. The category of its status tells the state: To Do fires, In Progress is
acknowledged, Done resolves; a resolution resolves too, and so does the deletion. Severity: the priority (Highest and
Blocker critical, High and Major high, Medium medium, Low and Minor low, Lowest and Trivial info). Service: the first
component, else the project. Events without an issue, or that do not tell its status, are taken and change nothing.
""",
)
