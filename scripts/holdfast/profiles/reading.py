"""YAML files, read strictly: no key given twice, no value that does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.errors import HoldfastError, SettingsError
from holdfast.profiles.shape import Complaint, shape

if TYPE_CHECKING:
    import yaml

Record = TypeVar("Record")


def read_record(
    path: Path, wanted: type[Record], error_class: type[HoldfastError], base: Path
) -> Record:
    """
    Read a YAML file into a Struct; an empty file has no keys.

    Args:
        error_class: what is raised for whatever is wrong with the file.
        base: the folder where relative paths start.

    Raises:
        FileNotFoundError: there is no such file.
        HoldfastError: of `error_class`; names the file and the key, or the line.
    """
    hint = f"Make {path} a file that you may read, or move it away."
    try:
        if path.is_symlink() and not path.exists():
            raise error_class(f"{path.name}: a link to a file that is gone", hint=hint)
        if path.exists() and not (path.is_file() or path.is_dir()):  # it might have no end
            raise error_class(f"{path.name}: it is no file", hint=hint)
        values = parse(path.read_bytes().decode("utf-8-sig"))
        record: Record = shape({} if values is None else values, wanted, "", base)
    except Complaint as complaint:
        where = f"{path.name}: {complaint.key}" if complaint.key else path.name
        page = "settings" if error_class is SettingsError else "profiles"
        hint = f"{complaint.hint} docs/{page}.md explains every key; the file is {path}."
        raise error_class(f"{where}: {complaint}", hint=hint.lstrip()) from complaint
    except UnicodeDecodeError as error:
        hint = f"Save {path} as UTF-8."
        raise error_class(f"{path.name}: not UTF-8 at byte {error.start}", hint=hint) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise error_class(f"{path.name}: cannot read it: {error.strerror}", hint=hint) from error
    return record


def parse(text: str) -> Any:
    """The one document of a YAML text as plain values; Complaint names the line."""
    import yaml  # takes longer to import than all the rest of a short command

    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_class(text)
        root = loader.get_single_node()
        if root is None:
            return None
        refuse_repeated_keys(root)
        return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        hint = "Indent with spaces, never tabs; put text that has : or # in it in quotes."
        raise Complaint(f"line {line}", f"not valid YAML: {error.problem}", hint=hint) from error
    except yaml.YAMLError as error:
        raise Complaint("", "not valid YAML: it has a control character") from error
    except Complaint:
        raise
    except (AttributeError, LookupError, RecursionError, ValueError) as error:
        # PyYAML lets these out for a value that its kind cannot have, such as 2026-13-45.
        raise Complaint("", f"not valid YAML: a value cannot be read: {error}") from error


def refuse_repeated_keys(root: yaml.Node) -> None:
    """YAML forbids a key given twice, PyYAML takes the last: Complaint names both lines."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node.value, list):
            continue
        seen.add(id(node))
        lines: dict[tuple[str, str], int] = {}
        for child in node.value:
            pair = child if isinstance(child, tuple) else (child,)
            waiting.extend(pair)
            if len(pair) == 2 and isinstance(pair[0].value, str):
                key, line = (pair[0].tag, pair[0].value), pair[0].start_mark.line + 1
                if key in lines:
                    raise Complaint(f"line {line}", f"{key[1]}: already given in line {lines[key]}")
                lines[key] = line
