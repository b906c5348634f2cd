"""The form of an import, read as an order; old spellings of its options too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

import msgspec

from holdfast.web.orders import ImportOrder, Mode
from holdfast.web.problems import HttpProblem

_LISTS = {"tables", "groups", "keys", "without"}
_FIELDS = {each.name for each in dataclasses.fields(ImportOrder)}
_FLAGS = {each.name for each in dataclasses.fields(ImportOrder) if each.default is False}
# As Open Agentic names them: what is false is left out.
_PARTS = {
    "import_agents": "agents",
    "import_workflows": "workflows",
    "import_tools": "tools",
    "import_scheduled_tasks": "scheduled_tasks",
    "import_memory": "memory",
}


def import_order(fields: Mapping[str, Sequence[str]]) -> ImportOrder:
    """
    Read an order from a form's fields: each of its own, or all in `options` as JSON.

    An empty field says nothing. Lists have commas, or their field several times; keys, which have
    commas in themselves, only the latter.

    Raises: HttpProblem for a field that there is not, or a value that it cannot have.
    """
    said: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, values in fields.items():
        given = [value for value in values if value]
        if not given:
            continue
        if name == "options":
            options = _options(given[-1])
        elif name in _LISTS:
            said[name] = [
                part.strip()
                for value in given
                for part in ([value] if name == "keys" else value.split(","))
                if part.strip()
            ]
        elif name in _FLAGS:
            if given[-1] not in ("true", "false"):
                raise _refused(f"{name} is true or false.")
            said[name] = given[-1] == "true"
        elif name in _FIELDS:
            said[name] = given[-1]
        else:
            raise _refused(f"There is no field {name[:40]!r}.")
    twice = sorted(said.keys() & options.keys())
    if twice:
        raise HttpProblem(
            HTTPStatus.CONFLICT, f"{twice[0]} stands in the options, too.", "Send it once."
        )
    try:
        return msgspec.convert(said | options, ImportOrder)
    except msgspec.ValidationError as error:
        raise _refused(f"{error}.") from error


def _options(text: str) -> dict[str, Any]:
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _refused(f"options is no JSON object: {error}.") from error
    said: dict[str, Any] = {}
    without = []
    for name, value in given.items():
        if name in (*_PARTS, "overwrite_existing") and not isinstance(value, bool):
            raise _refused(f"{name} is true or false.")
        if name in _PARTS:
            without += [_PARTS[name]] if value is False else []
        elif name == "overwrite_existing":
            said.setdefault("mode", "overwrite" if value else "merge")
        elif name in _FIELDS:
            said[name] = value
        else:
            raise _refused(f"There is no option {name[:40]!r}.")
    named = said.get("without", [])
    if without and isinstance(named, list):
        said["without"] = [*named, *without]
    return said


def _refused(detail: str) -> HttpProblem:
    return HttpProblem(
        HTTPStatus.UNPROCESSABLE_ENTITY, detail, "The fields are described at /docs."
    )


def _form() -> dict[str, Any]:
    """Describe the form to the API's document."""
    text, flag = {"type": "string"}, {"type": "boolean"}
    own: dict[str, Any] = dict.fromkeys(("backup", "database", "confirm"), text)
    own |= {name: text | {"description": "with commas between"} for name in sorted(_LISTS)}
    own["keys"] = text | {"description": "such as contacts:12,15; several times for several tables"}
    own["mode"] = {"enum": [*get_args(Mode), ""]}
    listed = {name: {"type": "array", "items": text} for name in _LISTS}
    options = (
        own
        | {"mode": {"enum": list(get_args(Mode))}}
        | listed
        | dict.fromkeys((*_FLAGS, *_PARTS, "overwrite_existing"), flag)
    )
    fields = {
        "file": {"type": "string", "format": "binary"},
        "upload": text | {"description": "instead of file: the upload of a job, sent before"},
        "options": {
            "type": "object",
            "description": "the other fields as JSON, and those that Open Agentic has",
            "properties": options,
            "additionalProperties": False,
        },
        **own,
        **{name: {"enum": ["true", "false", ""]} for name in _FLAGS},
    }
    shape = {"type": "object", "properties": fields, "additionalProperties": False}
    return {"required": True, "content": {"multipart/form-data": {"schema": shape}}}


IMPORT_FORM = _form()
