"""Form-encoded requests as the objects that their JSON would be: some senders offer only that, or call it an option.

A form with one field that holds JSON (“payload={...}”) is that JSON. Pure.
"""

from typing import Any
from urllib.parse import parse_qsl

from handrail.kernel.errors import BadInput
from handrail.kernel.limits import Limits
from handrail.kernel.payload import read_json


def read_form(body: bytes, limits: Limits) -> Any:
    """An object of the form's fields, with a list for a name that comes more than once. Raises BadInput with the codes
    of `read_json`."""
    try:
        pairs = parse_qsl(
            body.decode("ascii").strip("& \t\r\n"), keep_blank_values=True, strict_parsing=True, errors="strict",
            max_num_fields=limits.json_keys,
        )  # fmt: skip
    except UnicodeError:
        raise BadInput("The form is not UTF-8 in percent signs; send it so, or send JSON.", "json_encoding") from None
    except ValueError:
        raise BadInput(
            f"The body is no form of at most {limits.json_keys} fields (name=value&...); send JSON.", "json_invalid"
        ) from None
    if not pairs:
        raise BadInput("The form is empty; send its fields, or send JSON.", "json_invalid")
    if len(pairs) == 1 and pairs[0][1].lstrip().startswith(("{", "[")):
        return read_json(pairs[0][1].encode(), limits)
    return _fields(pairs, limits)


def _fields(pairs: list[tuple[str, str]], limits: Limits) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise BadInput("A field of the form holds a NUL character; send it without.", "json_string")
        if max(len(name), len(value)) > limits.json_string_chars:
            raise BadInput(f"A field of the form has more than {limits.json_string_chars} characters.", "json_string")
        if name not in fields:
            fields[name] = value
        elif type(fields[name]) is list:
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields
