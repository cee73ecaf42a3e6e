"""What each importer takes from a file as its system writes it, and what it says that it left out."""

import json

import pytest

from handrail.domain import catalog
from handrail.domain.catalog import Catalog
from handrail.domain.resolution import Said, resolve
from handrail.domain.service import Service
from handrail.kernel.errors import BadInput
from handrail.kernel.yamls import load_yaml
from handrail.plugins.importers.contract import UNOWNED, Imported
from handrail.plugins.importers.merge import merge
from handrail.plugins.importers.registry import importer

BACKSTAGE = b"""\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  title: Checkout
  tags: [java]
  annotations:
    handrail.dev/tier: "1"
    handrail.dev/functions: card payments
    backstage.io/kubernetes-id: checkout
    jira/project-key: CHK
spec:
  type: service
  lifecycle: production
  owner: group:default/shop
  system: shop
  dependsOn: ["resource:default/orders-db", "api:default/stock"]
  consumesApis: [ledger-api, lost-api]
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: ledger}
spec: {type: service, lifecycle: experimental, owner: finance, providesApis: [ledger-api]}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: orders-db}
spec: {type: database}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: ledger-api}
spec: {type: openapi, owner: finance, definition: x}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: here}
spec: {targets: []}
"""


def services(imported: Imported) -> dict[str, Service]:
    return {one.name: one for one in imported.services}


def words(imported: Imported) -> str:
    return "\n".join(f"{loss.where}: {loss.what}" for loss in imported.losses)


def test_backstage_components_and_resources_become_services_and_apis_become_dependencies() -> None:
    found = importer("backstage").read(BACKSTAGE)
    by_name = services(found)
    assert set(by_name) == {"checkout", "ledger", "orders-db"}
    checkout = by_name["checkout"]
    assert (checkout.title, checkout.owner, checkout.tier, checkout.environment) == (
        "Checkout", "shop", 1, "production",
    )  # fmt: skip
    assert (checkout.depends_on, checkout.learned) == (("orders-db", "ledger"), ())
    assert checkout.functions == ("card payments",)
    assert checkout.labels == {"backstage.io/kubernetes-id": "checkout"}
    assert by_name["orders-db"].owner == UNOWNED


def test_backstage_says_everything_that_it_left_out() -> None:
    said = words(importer("backstage").read(BACKSTAGE))
    for part in ("tag java", "annotation jira/project-key", "API lost-api", "API stock", "lifecycle experimental",
                 "A Location has no place", "owner finance is no Group", "owner of orders-db"):  # fmt: skip
        assert part in said


def test_a_table_of_a_spreadsheet_is_read_by_its_headings() -> None:
    text = (
        "\ufeffService;Team;Criticality;Env;Dependencies;Labels;Cost centre\r\n"
        'checkout;shop;critical;production;"orders, ledger";app=checkout;47\r\n'
        ";;;;;;\r\norders;shop;9;;;broken;\r\nledger;finance;2;;;;\r\n"
    )
    found = importer("csv").read(text.encode())
    checkout = services(found)["checkout"]
    assert (checkout.owner, checkout.tier, checkout.environment) == ("shop", 1, "production")
    assert (checkout.depends_on, checkout.labels) == (("orders", "ledger"), {"app": "checkout"})
    assert services(found)["orders"].tier == 3 and services(found)["ledger"].tier == 2
    for part in ("cost_centre", "“9” is no tier", "“broken” is no label"):
        assert part in words(found)


def test_a_table_without_names_or_with_an_open_quote_is_refused() -> None:
    for text in ("owner,tier\nx,1\n", 'name,owner\n"a,b\n'):
        with pytest.raises(BadInput):
            importer("csv").read(text.encode())


def workload(name: str, kind: str = "Deployment", **labels: str) -> dict[str, object]:
    return {
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"template": {"metadata": {"labels": {"app": name}}}},
    }  # fmt: skip


def kube_service(name: str, selector: dict[str, str]) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": selector}}  # fmt: skip


KUBERNETES = {
    "apiVersion": "v1", "kind": "List",
    "items": [
        workload("checkout-web", **{"app.kubernetes.io/name": "checkout", "app.kubernetes.io/part-of": "shop",
                                    "team": "shop", "topology.kubernetes.io/region": "eu-1"}),
        workload("checkout-web-worker", **{"app.kubernetes.io/name": "worker"}),
        workload("checkout-db", "StatefulSet", **{"app.kubernetes.io/name": "checkout"}),
        kube_service("checkout-http", {"app": "checkout-web"}), kube_service("outside", {}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}},
    ],
}  # fmt: skip


def test_kubernetes_workloads_become_services_and_their_alerts_find_them() -> None:
    imported = importer("kubernetes").read(json.dumps(KUBERNETES).encode())
    assert set(services(imported)) == {"checkout", "outside", "worker"}
    checkout = services(imported)["checkout"]
    assert (checkout.owner, checkout.region) == ("shop", "eu-1")
    assert "ConfigMap has no place" in words(imported) and "part of shop" in words(imported)
    held = catalog.read(load_yaml(merge(Catalog(), imported).text))[0]
    for labels, service in (
        ({"namespace": "shop", "deployment": "checkout-web"}, "checkout"),
        ({"namespace": "shop", "statefulset": "checkout-db"}, "checkout"),
        ({"namespace": "shop", "pod": "checkout-web-6f7-x2"}, "checkout"),
        ({"namespace": "shop", "pod": "checkout-web-worker-6f7-x2"}, "worker"),
        ({"namespace": "shop", "service": "checkout-http"}, "checkout"),
        ({"namespace": "other", "pod": "checkout-web-6f7-x2"}, None),
    ):
        assert resolve(held, Said(labels=labels)).service == service, labels


def test_kubernetes_is_read_from_yaml_documents_as_well() -> None:
    text = "".join(f"---\n{json.dumps(item)}\n" for item in KUBERNETES["items"])
    assert importer("kubernetes").read(text.encode()) == importer("kubernetes").read(json.dumps(KUBERNETES).encode())


def test_aws_resources_belong_to_the_service_of_their_tag() -> None:
    arn = "arn:aws:rds:eu-central-1:123456789012:db:checkout"
    listed = {
        "PaginationToken": "more",
        "ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": "Service", "Value": "check out"}, {"Key": "Owner", "Value": "shop"},
                                          {"Key": "Data Classification", "Value": "personal"}]},
            {"ResourceARN": "arn:aws:s3:::logs", "Tags": []},
            {"ResourceARN": arn.replace("central", "west"), "Tags": [{"Key": "app", "Value": "check out"}]},
        ],
    }  # fmt: skip
    imported = importer("aws-tags").read(json.dumps(listed).encode())
    one = services(imported)["check-out"]
    assert (one.owner, one.region, one.data_classes) == ("shop", "eu-central-1", ("personal",))
    for part in ("named check-out here", "No tag names its service", "list goes on", "region of check-out is"):
        assert part in words(imported)
    held = catalog.read(load_yaml(merge(Catalog(), imported).text))[0]
    assert resolve(held, Said(resource=arn)).service == "check-out"


def resource(name: str, *spans: dict[str, object]) -> dict[str, object]:
    attributes = [{"key": "service.name", "value": {"stringValue": name}}]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}


def span(own: str, parent: str, kind: object, **attributes: str) -> dict[str, object]:
    said = [{"key": key.replace("_", "."), "value": {"stringValue": value}} for key, value in attributes.items()]
    return {"traceId": "t1", "spanId": own, "parentSpanId": parent, "kind": kind, "attributes": said}


TRACES = [
    {"resourceSpans": [resource("checkout", span("a", "", 2), span("b", "a", 3), span("p", "a", 4),
                                span("d", "a", 3, peer_service="postgres"), span("n", "a", 3))]},
    {"resourceSpans": [resource("ledger", span("c", "b", "SPAN_KIND_SERVER"), span("x", "zz", 2)),
                       resource("mailer", span("q", "p", 5))]},
]  # fmt: skip


def test_traces_show_learned_dependencies_and_say_what_they_do_not_show() -> None:
    lines = "\n".join(json.dumps(export) for export in TRACES).encode()
    imported = importer("otel-traces").read(lines)
    checkout = services(imported)["checkout"]
    assert set(services(imported)) == {"checkout", "ledger", "mailer", "postgres"}
    assert checkout.depends_on == checkout.learned == ("ledger", "postgres")
    assert services(imported)["mailer"].depends_on == ()
    for part in ("1 server spans whose caller", "1 messages over a queue", "1 client spans that do not say"):
        assert part in words(imported)


def test_what_was_declared_stays_declared_and_nothing_known_is_lost() -> None:
    known = Catalog(
        {
            "checkout": Service("checkout", "Checkout", "shop", 1, ("ledger",), functions=("card payments",)),
            "ledger": Service("ledger", "ledger", "finance"),
        }
    )
    lines = "\n".join(json.dumps(export) for export in TRACES).encode()
    merged = merge(known, importer("otel-traces").read(lines))
    held, faults = catalog.read(load_yaml(merged.text))
    assert faults == []
    checkout = held.services["checkout"]
    assert (checkout.owner, checkout.tier, checkout.functions) == ("shop", 1, ("card payments",))
    assert (checkout.depends_on, checkout.learned) == (("ledger", "postgres"), ("postgres",))
    assert (merged.added, merged.changed) == (("mailer", "postgres"), ("checkout",))


def test_a_dependency_that_nobody_knows_is_a_loss_and_no_fault() -> None:
    merged = merge(Catalog(), importer("csv").read(b"name,owner,depends_on\na,x,gone\n"))
    assert catalog.read(load_yaml(merged.text))[1] == []
    assert [loss.what for loss in merged.losses] == ["a depends on gone, which is not in the catalogue."]
