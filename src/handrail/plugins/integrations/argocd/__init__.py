"""Argo CD's notifications, with the template that is shown in the docs or with the whole application."""

from handrail.plugins.integrations.argocd.parse import parse
from handrail.plugins.integrations.contract import Integration

INTEGRATION = Integration(
    name="argocd",
    title="Argo CD notifications",
    parse=parse,
    docs="""
Argo CD sends whatever a template says. In the config map `argocd-notifications-cm`:

    service.webhook.handrail: |
      url: https://handrail.example/in/<source>
      headers:
        - {name: Authorization, value: Bearer $handrail-token}
        - {name: Content-Type, value: application/json}
    template.handrail: |
      webhook:
        handrail:
          method: POST
          body: |
            {"app": {{toJson .app}}, "context": {{toJson .context}}}
    trigger.on-handrail: |
      - when: app.status.operationState.phase in ['Succeeded']
        oncePer: app.status.operationState.syncResult.revision
        send: [handrail]
    subscriptions: |
      - {recipients: [handrail], triggers: [on-handrail]}

Put the token into `argocd-notifications-secret` under `handrail-token`. A flat body is read as well: app, project,
phase, revision, previous_revision, finished_at, environment (or namespace), author, link.

A sync that succeeded is a change, known by application, revision and the time that it finished; a sync of an older
revision of the history is a rollback. Syncs that failed, run, or were a dry run are no change.
Service: the application's label app.kubernetes.io/name, else its name. Version: the first image tag or the revision.
""",
)
