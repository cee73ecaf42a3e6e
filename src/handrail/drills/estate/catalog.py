"""The estate's catalogue, as its teams would keep it: Backstage entities with Handrail's own facts as annotations."""

from collections.abc import Mapping

from handrail.drills.estate.topology import SERVICES, Spec


def catalog_text(urls: Mapping[str, str], monitor: str) -> str:
    """The text of `catalog-info.yaml` for services that answer at `urls`, watched by the monitor at `monitor`."""
    components = [_component(spec, urls[spec.name], monitor) for spec in SERVICES.values()]
    groups = [_group(spec) for spec in SERVICES.values()]
    return "---\n".join(components + groups)


def _component(spec: Spec, url: str, monitor: str) -> str:
    depends = f"  dependsOn:\n    - component:default/{spec.dependency}\n" if spec.dependency in SERVICES else ""
    return f"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {spec.name}
  title: {spec.title}
  annotations:
    handrail.dev/tier: "{spec.tier}"
    handrail.dev/functions: {spec.functions}
    handrail.dev/control-url: {url}
    handrail.dev/signal-url: {monitor}/signal/{spec.name}
spec:
  type: service
  lifecycle: production
  owner: {spec.owner}
{depends}"""


def _group(spec: Spec) -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: {spec.owner}
  title: Team {spec.title}
spec:
  type: team
  children: []
"""
