"""One set of sensible parameters for each action, which the shared tests of the contract use. `{}` stands for the
address of a server; an action that is called otherwise needs none."""

from collections.abc import Mapping

from handrail.domain.catalog import Catalog, Service

SECRETS = {"token": "tok-5f1e8a77c0", "routing": "rk-b0ae55d1f2"}

PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "deploy.rollback": {"service": "payments", "to_version": "2.4.0", "from_version": "2.4.1"},
    "http.request": {
        "service": "payments", "method": "POST", "url": "{}/pools/{pool}/drain", "values": '{"pool": "eu/1"}',
        "headers": '{"x-api-key": "{secret:routing}"}', "body": '{"pool": "{pool}", "note": "{key}"}',
        "probe_url": "{}/acts/{key}", "probe_not_done": "404",
        "undo_method": "DELETE", "undo_url": "{}/pools/{pool}/drain",
    },
    "pagerduty.page": {
        "service": "payments", "routing_key": "routing", "summary": "Card payments fail in eu-1",
        "server": "{}", "rest_server": "{}",
    },
    "flag.off": {
        "service": "payments", "document_url": "{}/flags.json", "flag": "new-checkout", "from_variant": "on",
    },
    "github.workflow_dispatch": {
        "service": "payments", "repository": "shop/payments", "workflow": "drain.yml", "ref": "main",
        "inputs": '{"pool": "eu-1", "force": true}', "marker_input": "handrail_key", "server": "{}",
    },
    "github.rollback": {
        "service": "payments", "repository": "shop/payments", "workflow": "deploy.yml", "ref": "main",
        "to_version": "2.4.0", "from_version": "2.4.1", "marker_input": "handrail_key", "server": "{}",
    },
    "gitlab.pipeline_trigger": {
        "service": "payments", "project": "shop/payments", "ref": "main", "variables": '{"JOB": "drain"}',
        "server": "{}",
    },
}  # fmt: skip


def example(name: str, url: str = "https://api.example") -> dict[str, str]:
    return {key: value.replace("{}", url) for key, value in PARAMETERS[name].items()}


def credentials(place: str = "api.example") -> dict[str, str]:
    return {place: SECRETS["token"], f"routing@{place}": SECRETS["routing"]}


def catalog(url: str = "https://api.example") -> Catalog:
    return Catalog(
        {
            "orders": Service("orders", "Orders", "team-orders", depends_on=("payments",)),
            "payments": Service("payments", "Payments", "team-payments", control_url=url),
        }
    )
