"""The protobuf messages of remote write 1.0 and 2.0, as far as they are read; other fields are passed over.

Field numbers are those of prometheus/prompb/types.proto, remote.proto and io/prometheus/write/v2/types.proto.
"""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_TYPES = {
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "string": FieldDescriptorProto.TYPE_STRING,
}
_SAMPLE = "double value=1; int64 timestamp=2"
_HISTOGRAM = "uint64 count_int=1; double count_float=2; double sum=3; int64 timestamp=15"
_MESSAGES = {
    "V1Label": "string name=1; string value=2",
    "V1Metadata": "int32 type=1; string metric_family_name=2",
    "Sample": _SAMPLE,
    "Histogram": _HISTOGRAM,
    "V1Series": "V1Label* labels=1; Sample* samples=2; Histogram* histograms=4",
    "V1Request": "V1Series* timeseries=1; V1Metadata* metadata=3",
    "V2Metadata": "int32 type=1",
    "V2Series": "uint32* labels_refs=1; Sample* samples=2; Histogram* histograms=3; V2Metadata metadata=5",
    "V2Request": "string* symbols=4; V2Series* timeseries=5",
}
_PACKAGE = "handrail.remote_write"


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="handrail_remote_write.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for declared in fields.split("; "):
            kind, _, rest = declared.partition(" ")
            field, _, number = rest.partition("=")
            _add_field(message.field.add(), kind, field, int(number))
    return file


def _add_field(field: FieldDescriptorProto, kind: str, name: str, number: int) -> None:
    plain = kind.removesuffix("*")
    field.name, field.number = name, number
    field.label = FieldDescriptorProto.LABEL_REPEATED if kind.endswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
    if plain in _TYPES:
        field.type = _TYPES[plain]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"


def _message(name: str) -> type[Message]:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


# A pool of its own: a client of Prometheus in the same process may have registered the real files.
_POOL = DescriptorPool()
_POOL.Add(_file())

V1_REQUEST = _message("V1Request")
V2_REQUEST = _message("V2Request")
