"""AWS tags: what `aws resourcegroupstaggingapi get-resources` prints.

Resources with a tag that names a service belong to it; a rule leads alerts of each such ARN there.
"""

from collections.abc import Mapping

from handrail.domain.service import Match
from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import Imported, Importer
from handrail.plugins.importers.draft import Draft
from handrail.plugins.importers.reading import items, mapping, read_json, read_text, word

_SERVICE = ("handrail:service", "service", "service-name", "application", "app", "awsapplication-name")
_OWNER = ("owner", "team", "owning-team")
_ENVIRONMENT = ("environment", "env", "stage")
_TIER = ("tier", "criticality")
_DATA = ("data-classification", "data-class", "dataclassification")
_FUNCTION = ("regulated-function", "function")


def read(body: bytes) -> Imported:
    """Services of tagged resources. Raises BadInput where there is no ResourceTagMappingList."""
    top = mapping(read_json(read_text(body)))
    if not isinstance(top.get("ResourceTagMappingList"), list):
        raise BadInput("The file has no ResourceTagMappingList.", "import_unreadable")
    draft = Draft()
    if word(top.get("PaginationToken")):
        draft.lose("PaginationToken", "The list goes on after this page; what follows is not here.")
    for item in top["ResourceTagMappingList"]:
        arn = word(mapping(item).get("ResourceARN")) or "a resource without ARN"
        tags = {
            _plain(key): value
            for tag in items(mapping(item).get("Tags"))
            if (key := word(mapping(tag).get("Key"))) and (value := word(mapping(tag).get("Value")))
        }
        _take(draft, arn, tags)
    return draft.done()


def _take(draft: Draft, arn: str, tags: Mapping[str, str]) -> None:
    said = _first(tags, _SERVICE)
    if said is None:
        draft.lose(arn, "No tag names its service (service, application or app).")
        return
    name = draft.service(said, arn)
    if name is None:
        return
    parts = arn.split(":")
    draft.say(name, "owner", _first(tags, _OWNER), arn)
    draft.say(name, "environment", _first(tags, _ENVIRONMENT), arn)
    draft.say(name, "region", parts[3] if len(parts) > 5 and parts[0] == "arn" else None, arn)
    draft.tier(name, _first(tags, _TIER), arn)
    for key, names in (("data_classes", _DATA), ("functions", _FUNCTION)):
        if (value := _first(tags, names)) is not None:
            draft.add(name, key, [value], arn)
    if parts[0] == "arn":
        draft.rule(name, (Match("resource", "equals", arn),))


def _first(tags: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((tags[name] for name in names if name in tags), None)


def _plain(key: str) -> str:
    return key.strip().lower().replace("_", "-").replace(" ", "-")


IMPORTER = Importer("aws-tags", "AWS tags", "aws resourcegroupstaggingapi get-resources, as JSON", read)
