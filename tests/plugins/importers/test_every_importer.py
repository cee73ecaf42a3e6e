"""What holds for every importer: pure, bounded, and honest with whatever it is given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.domain import catalog
from handrail.domain.catalog import Catalog
from handrail.kernel.errors import BadInput, NotFound, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.kernel.yamls import load_yaml
from handrail.plugins.importers.merge import merge
from handrail.plugins.importers.registry import importer, importers

NAMES = ("aws-tags", "backstage", "csv", "kubernetes", "otel-traces")
each = pytest.mark.parametrize("name", NAMES)
_KEYS = st.sampled_from((
    "kind", "metadata", "name", "spec", "items", "labels", "annotations", "dependsOn", "owner", "tags", "resourceSpans",
    "resource", "attributes", "scopeSpans", "spans", "key", "value", "stringValue", "ResourceTagMappingList", "Tags",
    "Key", "Value", "ResourceARN", "selector", "template", "traceId", "spanId", "parentSpanId",
))  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=25,
)


def test_the_folders_are_the_importers() -> None:
    assert tuple(importers()) == NAMES
    with pytest.raises(NotFound, match="aws-tags, backstage, csv"):
        importer("nagios")


@each
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[]", b"null", b"\x00", b"[" * 100_000, b"a: &x [1]\nb: *x"])
def test_what_is_not_its_format_is_refused_and_nothing_else_happens(name: str, body: bytes) -> None:
    with pytest.raises(BadInput):
        importer(name).read(body)


@each
def test_a_file_above_the_limit_is_not_read(name: str) -> None:
    with pytest.raises(TooLarge):
        importer(name).read(b" " * (LIMITS.catalog_import_bytes + 1))


@each
@settings(max_examples=40, deadline=None)
@given(value=JSON)
def test_odd_shapes_never_break_an_importer_and_what_comes_out_reads_without_fault(name: str, value: object) -> None:
    import json

    wrapped = {
        "backstage": {"kind": "Component", "metadata": {"name": "a"}, "spec": value},
        "kubernetes": {"kind": "Deployment", "metadata": {"name": "a", "labels": value}, "spec": value},
        "aws-tags": {"ResourceTagMappingList": [value, {"ResourceARN": "arn:aws:s3:::x", "Tags": value}]},
        "otel-traces": {"resourceSpans": [value, {"resource": value, "scopeSpans": value}]},
        "csv": value,
    }[name]
    try:
        imported = importer(name).read(json.dumps(wrapped).encode())
    except BadInput:
        return
    merged = merge(Catalog(), imported)
    assert catalog.read(load_yaml(merged.text))[1] == []
