"""Jenkins, through its notification plugin: which build of a deploy job succeeded."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.jenkins.parse import parse

INTEGRATION = Integration(
    name="jenkins",
    title="Jenkins (notification plugin)",
    parse=parse,
    docs="""
Install the notification plugin. In each job that deploys: Job Notifications, Add Endpoint. Format: JSON. Protocol:
HTTP. Event: Job Completed (or All Events). URL: https://handrail.example/in/<source>/<token>; the plugin can send no
header and signs nothing, so the token stands in the address. Add the endpoint to jobs that deploy only: the plugin
tells of every build of a job.

A build that completed with SUCCESS is a change: rollback, release, configuration and so on by the job's name, else
deploy. COMPLETED and FINALIZED of one build are one change. Builds that failed, are unstable, were aborted, or only
queued or started are no change, and neither are jobs that call themselves tests or checks.

Service: the build parameter SERVICE, APP, APPLICATION or COMPONENT, else the job's name. Version: VERSION, TAG,
IMAGE_TAG, RELEASE or REVISION, else the commit. Environment: ENVIRONMENT, ENV, TARGET_ENV, DEPLOY_ENV or STAGE.
""",
)
