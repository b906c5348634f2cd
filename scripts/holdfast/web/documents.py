"""The API's own document: what FastAPI finds, and the shapes of what the operations return."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from holdfast.web.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What is wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "hint", "exit_code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "what to do about it"},
        "exit_code": {
            "type": ["integer", "null"],
            "description": "that the script would end with; null: it has no such error",
        },
        "report": {"description": "what was found all the same, such as the new plan"},
    },
}
_REFERENCE = "#/components/schemas/{name}"

_SHAPES: dict[str, type] = {}  # of all answers, by name
Responses = dict[int | str, dict[str, Any]]


def answer(shape: type, status: int = 200, description: str = "") -> Responses:
    """Describe a path's answer by the record that is encoded into it."""
    _SHAPES[shape.__name__] = shape
    content = {"application/json": {"schema": {"x-shape": shape.__name__}}}
    return {status: {"description": description or (shape.__doc__ or ""), "content": content}}


def problems(*statuses: int) -> Responses:
    """Describe the problems that a path may answer with, besides those that each may."""
    schema = {"$ref": _REFERENCE.format(name="Problem")}
    return {
        status: {"description": "A problem", "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def other_answer(media_type: str, schema: dict[str, Any], description: str) -> Responses:
    """Describe an answer that is no record of JSON."""
    return {200: {"description": description, "content": {media_type: {"schema": schema}}}}


def with_reports(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return what makes the document once, with the shapes of all answers in it."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    return openapi


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    shaped = list(_shaped(document["paths"]))
    names = list(dict.fromkeys(each["x-shape"] for each in shaped))
    found, components = msgspec.json.schema_components(
        [_SHAPES[name] for name in names], schema_hook=_schema_of, ref_template=_REFERENCE
    )
    schemas |= components | {"Problem": _PROBLEM}
    for each in shaped:
        each.update(found[names.index(each.pop("x-shape"))])
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "that serve printed"}
    }
    document["security"] = [{"token": []}]
    for path in document["paths"].values():
        for operation in path.values():
            if not operation["responses"].get("422", {}).get("content", {}).get(MEDIA_TYPE):
                operation["responses"].pop("422", None)
            operation["responses"] |= {
                str(status): each for status, each in problems(401, 403, 421).items()
            }
    return document


def _shaped(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if "x-shape" in value:
            yield value
        for each in value.values():
            yield from _shaped(each)
    elif isinstance(value, list):
        for each in value:
            yield from _shaped(each)


def _schema_of(kind: type) -> dict[str, Any]:
    if kind is Path:
        return {"type": "string", "title": "a path"}
    if kind is msgspec.Raw:
        return {}
    raise NotImplementedError
