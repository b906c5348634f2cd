"""Issues as rows; which of them are there already, and which Beads has changed since."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from holdfast.beads_to_kata.project import TABLES, KataProject
from holdfast.beads_to_kata.words import (
    SOURCE,
    Row,
    dependencies_of,
    footer_of,
    kata_time,
    labels_of,
    new_uid,
)
from holdfast.errors import BackupDamaged, ImportRefused
from holdfast.formats.beads import kind_of

_CLOSED = frozenset({"closed", "done", "merged", "wontfix", "duplicate", "resolved"})
_REASONS = frozenset({"done", "wontfix", "duplicate"})
_SHORTEST_ID = 4
_COLUMNS = (
    *("id", "uid", "project_id", "short_id", "title", "body", "status", "closed_reason"),
    *("owner", "author", "priority", "created_at", "updated_at", "closed_at"),
)


class Mapped(Struct):
    """The rows that issues become, by table, parents first, and what is to be said of them."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def map_issues(records: Sequence[Row], project: KataProject, actor: str) -> Mapped:
    """
    Turn what Beads exports into rows; those of issues that are there have their ids and uids.

    An issue that Beads has not changed since it was imported comes out as it is in kata.

    Args: actor: the author of what names none.

    Raises: ImportRefused for a dependency on what is not there; BackupDamaged for an issue
        without a title.
    """
    mapper = _Mapper(project, actor)
    by_kind: dict[str, list[Row]] = {}
    for record in records:
        kind = kind_of(record)
        is_gone = kind == "issue" and record.get("status") == "tombstone"
        by_kind.setdefault("deleted" if is_gone else kind, []).append(record)
    issues = by_kind.pop("issue", [])
    gone = {str(each["id"]) for each in by_kind.get("deleted", [])}
    for issue in issues:
        mapper.add_issue(issue)
    for issue in issues:
        mapper.add_links(issue, gone)
    if by_kind:
        found = ", ".join(f"{len(each):,} {kind}" for kind, each in sorted(by_kind.items()))
        mapper.mapped.notes.append(f"records of Beads that are no issues are left out: {found}.")
    return mapper.mapped


class _Mapper:
    def __init__(self, project: KataProject, actor: str) -> None:
        self._project = project
        self._actor = actor
        self._ids = dict(project.next_ids)
        self._by_uid = {row["uid"]: row for row in project.issues.values()}
        self._short_ids = {row["short_id"] for row in project.issues.values()}
        self._rows: dict[str, Row] = {}  # of issues by their id in Beads
        self._settled: set[str] = set()  # issues that Beads has not changed since
        self.mapped = Mapped({table: [] for table in TABLES})
        self._put("projects", project.row)

    def add_issue(self, issue: Row) -> None:
        """Add an issue with its labels and comments."""
        name, title = str(issue["id"]), issue.get("title")
        if not isinstance(title, str) or not title.strip():
            raise BackupDamaged(
                f"the issue {name} of Beads has no title", hint="Give it one with bd."
            )
        if name in self._rows:
            raise BackupDamaged(f"Beads names the issue {name} twice", hint="Use another file.")
        mapping = self._project.mappings.get(("issue", name), {})
        uid = self._uid("issue", name, issue.get("created_at"))
        stored = self._project.issues.get(mapping.get("issue_id", 0)) or self._by_uid.get(uid)
        updated_at = kata_time(issue.get("updated_at") or issue.get("created_at"))
        if stored and (stored.get("deleted_at") or _is_settled(mapping, updated_at)):
            row = {name: stored[name] for name in _COLUMNS if name in stored}
            self._settled.add(name)
        else:
            row = self._issue_row(issue, stored or self._new_issue(uid), updated_at)
        self._rows[name] = row
        self._put("issues", row)
        if name not in self._settled:
            self._map("issue", name, row, None, updated_at)
            for label in sorted(labels_of(issue)):
                self._add_label(row, label)
        for number, comment in enumerate(issue.get("comments") or ()):
            self._add_comment(name, row, comment, number)

    def _new_issue(self, uid: str) -> Row:
        length = _SHORTEST_ID
        while uid[-length:].lower() in self._short_ids and length < len(uid):
            length += 1
        short_id = uid[-length:].lower()
        self._short_ids.add(short_id)
        return {"id": self._next("issues"), "uid": uid, "short_id": short_id}

    def _issue_row(self, issue: Row, known: Row, updated_at: str) -> Row:
        is_closed = issue.get("status") in _CLOSED
        reason = issue.get("close_reason")
        priority = issue.get("priority")
        closed_at = kata_time(issue.get("closed_at")) or updated_at
        return {
            "id": known["id"],
            "uid": known["uid"],
            "project_id": self._project.row["id"],
            "short_id": known["short_id"],
            "title": issue["title"],
            "body": "\n\n".join(filter(None, [issue.get("description"), footer_of(issue)])),
            "status": "closed" if is_closed else "open",
            "closed_reason": (reason if reason in _REASONS else "done") if is_closed else None,
            "owner": issue.get("owner") or issue.get("assignee"),
            "author": issue.get("created_by") or self._actor,
            "priority": priority if priority in range(5) else None,
            "created_at": kata_time(issue.get("created_at")) or updated_at,
            "updated_at": updated_at,
            "closed_at": closed_at if is_closed else None,
        }

    def _add_label(self, issue: Row, label: str) -> None:
        if (issue["id"], label) not in self._project.labels:
            row = {"issue_id": issue["id"], "label": label, "author": issue["author"]}
            self._put("issue_labels", row | {"created_at": issue["updated_at"]})

    def _add_comment(self, name: str, issue: Row, comment: Row, number: int) -> None:
        body = str(comment.get("text") or comment.get("body") or "")
        author = comment.get("author") or self._actor
        external = f"{name}/{comment.get('id', number)}"
        if (issue["id"], author, body) in self._project.comments:
            return
        if ("comment", external) in self._project.mappings:
            return
        created_at = kata_time(comment.get("created_at")) or issue["created_at"]
        row = {
            "id": self._next("comments"),
            "uid": self._uid("comment", external, created_at),
            "issue_id": issue["id"],
            "author": author,
            "body": body,
            "created_at": created_at,
        }
        self._put("comments", row)
        self._map("comment", external, issue, row["id"], created_at)

    def add_links(self, issue: Row, gone: set[str]) -> None:
        """Add a link for each issue that one depends on."""
        name = str(issue["id"])
        row = self._rows[name]
        for other in dict.fromkeys(str(each["depends_on_id"]) for each in dependencies_of(issue)):
            if other in gone or name in self._settled or other == name:
                continue
            blocker = self._rows.get(other) or self._known(other)
            if blocker is None:
                raise ImportRefused(
                    f"{name} depends on {other}, which Beads did not export",
                    hint="Nothing was changed. Export all issues, or remove the dependency.",
                )
            if (blocker["id"], row["id"]) not in self._project.links:
                self._put(
                    "links",
                    {
                        "id": self._next("links"),
                        "project_id": self._project.row["id"],
                        "from_issue_id": blocker["id"],
                        "to_issue_id": row["id"],
                        "from_issue_uid": blocker["uid"],
                        "to_issue_uid": row["uid"],
                        "type": "blocks",
                        "author": row["author"],
                        "created_at": row["updated_at"],
                    },
                )

    def _known(self, name: str) -> Row | None:
        mapping = self._project.mappings.get(("issue", name), {})
        return self._project.issues.get(mapping.get("issue_id", 0))

    def _map(
        self, kind: str, external: str, issue: Row, comment_id: int | None, updated_at: str
    ) -> None:
        """Remember what something is in Beads."""
        known = self._project.mappings.get((kind, external))
        at = ("imported_at", "created_at")
        times = {name: known.get(name) for name in at} if known else dict.fromkeys(at, updated_at)
        self._put(
            "import_mappings",
            times
            | {
                "id": known["id"] if known else self._next("import_mappings"),
                "source": SOURCE,
                "external_id": external,
                "object_type": kind,
                "project_id": self._project.row["id"],
                "issue_id": issue["id"],
                "comment_id": comment_id,
                "source_updated_at": updated_at,
            },
        )

    def _next(self, table: str) -> int:
        self._ids[table] += 1
        return self._ids[table] - 1

    def _put(self, table: str, row: Row) -> None:
        """Add a row, without what the database has no column for."""
        known = self._project.columns[table]
        self.mapped.tables[table].append({name: row[name] for name in row if name in known})

    def _uid(self, kind: str, name: str, created_at: object) -> str:
        return new_uid(str(self._project.row["uid"]), kind, name, created_at)


def _is_settled(mapping: Row, updated_at: str) -> bool:
    return bool(updated_at) and str(mapping.get("source_updated_at") or "") >= updated_at
