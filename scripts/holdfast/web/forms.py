"""The form of an import, read as an order; old spellings of its options too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from holdfast.web.orders import ImportOrder
from holdfast.web.problems import HttpProblem

_LISTS = {"tables", "groups", "keys", "without"}
_FIELDS = {each.name for each in dataclasses.fields(ImportOrder)}
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
    for name, values in fields.items():
        given = [value for value in values if value]
        if not given:
            continue
        if name == "options":
            said |= _options(given[-1])
        elif name in _LISTS:
            said[name] = [
                part.strip()
                for value in given
                for part in ([value] if name == "keys" else value.split(","))
                if part.strip()
            ]
        elif name in _FIELDS:
            said[name] = given[-1]
        else:
            raise _refused(f"There is no field {name[:40]!r}.")
    try:
        return msgspec.convert(said, ImportOrder, strict=False)
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
        if name in _PARTS:
            without += [_PARTS[name]] if value is False else []
        elif name == "overwrite_existing":
            said["mode"] = "overwrite" if value else "merge"
        elif name in _FIELDS:
            said[name] = value
        else:
            raise _refused(f"There is no option {name[:40]!r}.")
    return said | ({"without": without} if without else {})


def _refused(detail: str) -> HttpProblem:
    return HttpProblem(
        HTTPStatus.UNPROCESSABLE_ENTITY, detail, "The fields are described at /docs."
    )
