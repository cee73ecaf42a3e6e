"""HCP Terraform and Terraform Enterprise: which run changed infrastructure."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.terraform_cloud.parse import parse, verify

INTEGRATION = Integration(
    name="terraform_cloud",
    title="HCP Terraform (Terraform Cloud)",
    parse=parse,
    verify=verify,
    docs="""
In the workspace: Settings, Notifications, Create a notification, Webhook. Webhook URL:
https://handrail.example/in/<source>. Token: the source's signing secret; each notification is then signed with
HMAC-SHA512 (`X-TFE-Notification-Signature`). Triggers: Completed is enough. The verification that is sent when the
notification is enabled is answered and says nothing.

A run that was applied is a change of kind “infrastructure”, known by its run id. Plans, runs that wait, runs without
changes, failed, cancelled and discarded ones are no change. A failed apply may have changed a part of what it meant to:
its notification says so to the people in your channels, and is no change here.
Service: the workspace. Author: who started the run.
""",
)
