"""Plain values, as YAML gives them, to frozen records; every complaint names its key."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Struct
from msgspec.structs import FieldInfo, fields

LABELS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    date: "a date such as 2026-11-20",
    tuple: "a list",
    Mapping: "names with their values",
    Path: "a path",
}
UNIONS = (Union, UnionType)  # X | None is one or the other, as X is Annotated or a class


class Complaint(ValueError):
    """A value is wrong; `key` says which, such as groups.crm.tables[2]."""

    def __init__(self, key: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.hint = hint


class Text(Struct, frozen=True):
    """What a text stands for, in words that follow "give", and what all of it must match."""

    means: str
    pattern: str = r"(?s).*\S.*"
    may_repeat: bool = False  # in a list of such texts


ShortName = Annotated[
    str, Text("a short name of letters, digits, - and _", r"[A-Za-z0-9][A-Za-z0-9_-]*")
]


def shape(value: Any, wanted: Any, key: str, base: Path) -> Any:
    """
    Turn a plain value into what a type wants, strictly: 1 is no truth value, 7 no name.

    Args:
        value: of any type, for it is what a person wrote.
        wanted: a Struct, or one of the types its fields may have: a key of LABELS,
            `tuple[X, ...]`, `Mapping[X, Y]`, `Annotated[str, Text(...)]`, or a union of these.
            A Struct with a class variable `shorthand` also takes a text: that field's value.
        key: where the value stands; "" for the whole file.
        base: the folder where relative paths start.

    Raises:
        Complaint: the value does not fit.
    """
    if get_origin(wanted) in UNIONS:
        fitting = [member for member in get_args(wanted) if fits(value, member)]
        wanted = fitting[0] if fitting else wanted
    if isinstance(value, str) and hasattr(wanted, "shorthand"):
        value = {wanted.shorthand: value}
    if not fits(value, wanted):
        raise mismatch(value, wanted, key)
    origin = get_origin(wanted)
    if origin is tuple:
        return shape_items(value, get_args(wanted)[0], key, base)
    if origin is Mapping:
        name_type, value_type = get_args(wanted)
        return shape_mapping(value, name_type, value_type, key, base)
    if is_record(wanted):
        return shape_record(value, wanted, key, base)
    if origin is Annotated and not re.fullmatch(wanted.__metadata__[0].pattern, value):
        raise mismatch(value, wanted, key)
    if wanted is Path:
        return shape_path(value, key, base)
    return value


def shape_items(values: list[Any], wanted: Any, key: str, base: Path) -> tuple[Any, ...]:
    if not values:
        raise Complaint(key, "an empty list", hint="Name at least one, or leave the key out.")
    items = []
    for index, value in enumerate(values):
        item = shape(value, wanted, f"{key}[{index}]", base)
        if item in items and not may_repeat(wanted):
            raise Complaint(f"{key}[{index}]", f"{shown(value)} is in the list twice")
        items.append(item)
    return tuple(items)


def may_repeat(wanted: Any) -> bool:
    return get_origin(wanted) is Annotated and bool(wanted.__metadata__[0].may_repeat)


def shape_mapping(
    values: dict[Any, Any], name_type: Any, value_type: Any, key: str, base: Path
) -> dict[str, Any]:
    shaped = {}
    for name, value in values.items():
        at = below(key, name)
        shaped[shape(name, name_type, at, base)] = shape(value, value_type, at, base)
    return shaped


def shape_record(values: dict[Any, Any], wanted: Any, key: str, base: Path) -> Any:
    known = fields_of(wanted)
    for name in values:
        if name not in known:
            raise unknown_key(name, list(known), key)
    arguments = {}
    for name, field in known.items():
        if values.get(name) is not None:
            arguments[name] = shape(values[name], field.type, below(key, name), base)
        elif name in values and NoneType in get_args(field.type):
            arguments[name] = None
        elif field.required:
            raise Complaint(below(key, name), f"missing: give {label(field.type)}")
    try:
        return wanted(**arguments)
    except Complaint as complaint:
        at = below(key, complaint.key)
        raise Complaint(at, str(complaint), hint=complaint.hint) from None


@functools.cache
def fields_of(record: Any) -> dict[str, FieldInfo]:
    """The fields of a Struct by name; their types are worked out anew each time it is asked."""
    return {field.name: field for field in fields(record)}


def shape_path(value: str, key: str, base: Path) -> Path:
    if not value.strip() or "\0" in value:
        raise mismatch(value, Path, key)
    try:
        return base / Path(value).expanduser()
    except RuntimeError as error:  # ~name of nobody on this machine
        raise Complaint(key, f"there is no home folder for {shown(value)}") from error


def fits(value: Any, wanted: Any) -> bool:
    return type(value) is plain_type(wanted)


def plain_type(wanted: Any) -> type | None:
    """The type that YAML gives where `wanted` is wanted; None for a union: it has several."""
    origin = get_origin(wanted)
    if origin is tuple:
        return list
    if origin is Mapping or is_record(wanted):
        return dict
    if origin is Annotated or wanted is Path:
        return str
    return wanted if isinstance(wanted, type) else None


def is_record(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Struct)


def label(wanted: Any) -> str:
    if get_origin(wanted) in UNIONS:
        members = [member for member in get_args(wanted) if member is not NoneType]
        return " or ".join(label(member) for member in members)
    if get_origin(wanted) is Annotated:
        return str(wanted.__metadata__[0].means)
    if is_record(wanted):
        keys = "the keys " + ", ".join(fields_of(wanted))
        return f"the {wanted.shorthand} or {keys}" if hasattr(wanted, "shorthand") else keys
    return LABELS[get_origin(wanted) or wanted]


def is_secret_key(text: str) -> bool:
    """Tell whether a text is, or holds, the secret half of a key of age or of ssh."""
    return re.search("AGE-SECRET-KEY-|PRIVATE KEY", text, re.IGNORECASE) is not None


def shown(value: Any) -> str:
    """A value in the words of YAML, short enough for a message; no secret key."""
    if isinstance(value, str) and is_secret_key(value):
        return "a secret key"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "keys and values"
    if value is None:
        return "nothing"
    plain = isinstance(value, str | bool | int | float)
    text = json.dumps(value, ensure_ascii=False) if plain else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def below(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def mismatch(value: Any, wanted: Any, key: str) -> Complaint:
    hint, found = "", shown(value)
    wants_list = get_origin(wanted) is tuple and isinstance(value, str)
    # An address or a command may hold a token, and a message is relayed in a chat.
    is_key = isinstance(value, str) and is_secret_key(value)
    may_be_secret = isinstance(value, str) and (
        is_key or "://" in value or (wants_list and " " in value)
    )
    if may_be_secret and not is_key:
        found = "what is there"
    if wants_list:
        hint = f"Write it as a list: [{'one, two' if may_be_secret else value}]."
    elif plain_type(wanted) is str and not isinstance(value, str | list | dict):
        hint = "Put it in quotes if it is meant as text."
    return Complaint(key, f"give {label(wanted)}, not {found}", hint=hint)


def unknown_key(name: object, known: list[str], key: str) -> Complaint:
    import difflib  # which most commands do without

    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"The keys here are {', '.join(known)}."
    return Complaint(below(key, name), "there is no such key", hint=hint)
