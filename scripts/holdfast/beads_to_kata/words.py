"""The words of an issue of Beads in those of kata: its labels, its footer, its times, its uid."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from holdfast.errors import BackupDamaged
from holdfast.times import moment

Row = dict[str, Any]

SOURCE = "beads"
_LONGEST_LABEL = 64
_BASE_32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# What has a place of its own in kata or in the first lines of the footer; all else that an
# issue says follows them.
_PLACED = frozenset(
    {
        *("_type", "id", "title", "description", "status", "priority", "owner", "assignee"),
        *("created_by", "labels", "dependencies", "comments", "content_hash"),
        *("issue_type", "created_at", "updated_at", "closed_at", "close_reason"),
    }
)


def dependencies_of(issue: Row) -> Iterator[Row]:
    """Yield what an issue says of others; BackupDamaged when one of it names no other."""
    for each in issue.get("dependencies") or ():
        if not isinstance(each, dict) or not each.get("depends_on_id"):
            raise BackupDamaged(
                f"a dependency of {issue['id']} names no issue", hint="Export again with bd."
            )
        yield each


def labels_of(issue: Row) -> set[str]:
    """Return an issue's labels as kata takes them, with its id and its status among them."""
    names = [*(issue.get("labels") or ()), f"beads-id:{issue['id']}"]
    if issue.get("status"):
        names.append(f"beads-status:{issue['status']}")
    return {clean_label(str(name)) for name in names}


def clean_label(name: str) -> str:
    """Write a label with the characters and in the length that kata takes."""
    label = re.sub(r"[^a-z0-9._:-]", "-", name.lower())
    if len(label) <= _LONGEST_LABEL:
        return label
    suffix = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{label[: _LONGEST_LABEL - len(suffix) - 1]}-{suffix}"


def footer_of(issue: Row) -> str:
    """Say where an issue is from, and all that kata has no column for."""
    comments = issue.get("comments") or ()
    facts: dict[str, Any] = {
        "id": issue["id"],
        "type": issue.get("issue_type"),
        "original_labels": ", ".join(map(str, issue.get("labels") or ())),
        "created_at": issue.get("created_at"),
        "updated_at": issue.get("updated_at"),
        "closed_at": issue.get("closed_at"),
        "close_reason": issue.get("close_reason"),
        "comment_count": len(comments),
    }
    if issue.get("priority") is not None and issue["priority"] not in range(5):
        facts["priority"] = issue["priority"]
    if issue.get("owner") and issue.get("assignee") not in (None, issue["owner"]):
        facts["assignee"] = issue["assignee"]
    for each in dependencies_of(issue):
        kind = each.get("type") or "blocks"
        if kind != "blocks":
            word = "parent" if kind == "parent-child" else str(kind)
            facts[word] = ", ".join(filter(None, [facts.get(word), str(each["depends_on_id"])]))
    facts |= {name: issue[name] for name in sorted(issue.keys() - _PLACED)}
    lines = [f"beads_{name}: {_shown(value)}" for name, value in facts.items() if value]
    if not comments:
        lines.append("beads_comment_count: 0")
    return "\n".join(["Imported from Beads", *lines])


def _shown(value: object) -> str:
    """Write a value on one line, or on several of which all but the first are indented."""
    if isinstance(value, str):
        return value.replace("\n", "\n  ")
    return json.dumps(value, ensure_ascii=False)


def kata_time(text: object) -> str:
    """Write a time as kata does, in UTC to the millisecond; one that cannot be read as it is."""
    found = moment(str(text or ""))
    if found is None:
        return str(text or "")
    return found.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_uid(project_uid: str, kind: str, name: str, created_at: object) -> str:
    """Make a ULID: the moment, and what tells one thing of Beads from all others."""
    found = moment(str(created_at or ""))
    milliseconds = max(0, int(found.timestamp() * 1000)) if found else 0
    whose = f"{SOURCE}\0{project_uid}\0{kind}\0{name}".encode()
    number = (milliseconds << 80) | int.from_bytes(hashlib.sha256(whose).digest()[:10])
    return "".join(_BASE_32[(number >> shift) & 31] for shift in range(125, -1, -5))
