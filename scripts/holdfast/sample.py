"""The sample database: an invented person's contacts, projects and mail, always the same."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from holdfast import database

_json = partial(json.dumps, ensure_ascii=False)
T = TypeVar("T")
Row = dict[str, object]
Words = dict[str, Any]  # what data/sample/words.json says of one language

FIRST_DAY = datetime.fromisoformat("2024-03-04 08:00:00")
DAYS_COVERED = 900
LANGUAGE_COUNT = 12
COMPANY_COUNT = 36  # the contacts that come first
CONTACT_IDS = [n for n in range(1, 215) if n not in (58, 131, 132, 200)]  # some are deleted
NO_DOUBLE = 2**53 + 1  # the first integer that is lost where JSON numbers are doubles


class Sample:
    """The rows made so far, the words to make more of, and repeatable choices."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.words = json.loads(_definition("words.json"))
        # The one method that promises the same numbers in every version of Python.
        self.random = Random(20240304).random

    def chance(self, share: float) -> bool:
        return self.random() < share

    def number(self, low: int, high: int) -> int:
        return low + int(self.random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]

    def moment(self, n: int, count: int) -> datetime:
        """A time in the n-th of `count` equal parts of the days covered."""
        minutes = (n + self.random()) / count * DAYS_COVERED * 24 * 60
        return FIRST_DAY + timedelta(minutes=int(minutes))

    def language(self, n: int) -> Words:
        language: Words = self.words["languages"][n % LANGUAGE_COUNT]
        return language

    def remark(self, language: Words) -> object:
        return self.pick([None, "", *language["sentences"]])

    def id_of(self, table: str) -> object:
        return self.pick(self.rows[table])["id"]

    def person(self, n: int | None = None) -> tuple[Row, Words]:
        """The n-th contact that is not a company, or any, with the words of its language."""
        people = len(self.rows["contacts"]) - COMPANY_COUNT
        position = COMPANY_COUNT + (self.number(0, people - 1) if n is None else n % people)
        return self.rows["contacts"][position], self.language(position)


def sample_rows() -> Iterator[tuple[str, list[Row]]]:
    """Every table with its rows, referenced tables first; the same at every call."""
    sample = Sample()
    yield from sample.words["tables"].items()
    schema = _definition("schema.sql")
    for table, (row_count, make_row) in TABLES.items():
        definition = schema.split(f"CREATE TABLE {table} (")[1].split(");\n")[0]
        columns = re.findall(r"^    ([a-z_]+) ", definition, re.MULTILINE)
        values = (make_row(sample, n) for n in range(row_count))
        sample.rows[table] = [dict(zip(columns, row, strict=True)) for row in values]
        yield table, sample.rows[table]


def build_sample(path: Path) -> None:
    """Make the sample database at `path`, whole or not at all; WriteFailed when `path` exists."""
    database.create_database(path, schema_sql=_definition("schema.sql"), tables=sample_rows())


def _definition(name: str) -> str:
    package = Path(__file__).resolve().parent
    installed = package / "data" / "sample"
    folder = installed if installed.is_dir() else package.parents[1] / "data" / "sample"
    return (folder / name).read_text(encoding="utf-8")


def _contact(sample: Sample, n: int) -> tuple[object, ...]:
    known = str(sample.moment(n, 210))
    phone = sample.pick([None, "", f"+1 202 555 01{n % 100:02d}"])
    status = sample.pick(["active", "active", "active", "inactive", "archived"])
    picture: str | None = sample.pick(sample.words["avatars"])
    avatar = None if picture is None else base64.b64decode(picture)
    turn, language = n // LANGUAGE_COUNT, sample.language(n)
    role = company = None
    if n >= COMPANY_COUNT:  # 5 given, 3 family names: 15 turns without a repetition
        given, given_ascii = list(language["given"].items())[turn % 5]
        family, family_ascii = list(language["family"].items())[turn % 3]
        name = f"{family} {given}" if language["family_first"] else f"{given} {family}"
        endings = [".com", ".org", ".net"] * 3
        addresses = [f"{given_ascii}.{family_ascii}@example{ending}" for ending in endings]
        kind, email = "individual", sample.pick([None, "", *addresses])
        role = sample.pick([None, *language["roles"]])
        company = sample.pick(CONTACT_IDS[:COMPANY_COUNT]) if sample.chance(0.7) else None
    else:
        name, domain = list(language["companies"].items())[turn]
        kind, email = "company", f"info@{domain}.example"
    person = name, email, phone, kind, company, role, status
    return CONTACT_IDS[n], *person, avatar, known, known


def _project(sample: Sample, n: int) -> tuple[object, ...]:
    language, start = sample.language(n), sample.moment(n, 24)
    name, description = language["projects"][n // LANGUAGE_COUNT], sample.remark(language)
    client = sample.person()[0]["id"] if sample.chance(0.8) else None
    state = sample.pick(["planning", "active", "paused", "completed"])
    priority = sample.pick(["low", "medium", "high"])
    budget = None if n == 1 else 900 + sample.random() * 90000 if n else 0.1 + 0.2
    dates = str(start.date()), str((start + timedelta(days=120)).date()), str(start)
    return n + 1, name, description, client, state, priority, budget, *dates


def _task(sample: Sample, n: int) -> tuple[object, ...]:
    language, made = sample.language(n % 24), sample.moment(n, 340)
    parent = n - 23 if n >= 24 and sample.chance(0.3) else None  # a task of the same project
    assignee = sample.person()[0]["id"] if sample.chance(0.5) else None
    state = sample.pick(["done", "done", "in_progress", "todo"])
    completed = str(made + timedelta(days=9)) if state == "done" else None
    content = sample.pick(language["tasks"]), sample.remark(language), state, assignee
    hours = sample.number(1, 40) / 4 if n % 3 else None
    due = str((made + timedelta(days=14)).date())
    return n + 1, n % 24 + 1, parent, *content, hours, due, completed, str(made)


def _milestone(sample: Sample, n: int) -> tuple[object, ...]:
    target, name = str(sample.moment(n, 62).date()), sample.words["milestones"][n // 24]
    state, completed = sample.pick([("completed", target), ("pending", None)])
    return n + 1, n % 24 + 1, name, target, completed, state


def _email(sample: Sample, n: int) -> tuple[object, ...]:
    contact, language = sample.person()
    digest = hashlib.sha256(b"email %d" % n).digest()
    fingerprint = int.from_bytes(digest[8:16], "big", signed=True)
    fingerprint = {0: -(2**63), 1: 2**63 - 1, 2: NO_DOUBLE}.get(n, fingerprint)
    project = sample.id_of("projects") if sample.chance(0.3) else None
    ends = [contact["email"] or "unknown@mail.invalid", "me@example.com"]
    direction = sample.pick(["inbound", "inbound", "outbound"])
    sender, receiver = ends if direction == "inbound" else reversed(ends)
    subject = sample.pick(["", "Re: ", "AW: "]) + sample.pick(language["subjects"])
    labels = sample.pick([None, "[]", _json(["INBOX", "IMPORTANT"])])
    key = digest[:8].hex(), f"thread-{n // 4:05d}", fingerprint, contact["id"], project
    content = direction, sender, _json([receiver]), subject, sample.remark(language), labels
    return n + 1, *key, *content, int(sample.chance(0.9)), str(sample.moment(n, 1480))


def _calendar_event(sample: Sample, n: int) -> tuple[object, ...]:
    contact, language = sample.person()
    start = sample.moment(n, 330).replace(minute=30)
    times = (f"{time.isoformat()}+02:00" for time in (start, start + timedelta(minutes=45)))
    content = sample.pick(language["subjects"]), sample.remark(language)
    place = sample.pick([None, "https://meet.example/room", "☕ Café Exemple"])
    attendees = [{"email": contact["email"], "name": contact["name"], "accepted": True}]
    project = sample.id_of("projects") if sample.chance(0.3) else None
    key = f"{n * 7919:08x}@calendar.example"
    return n + 1, key, *content, place, *times, int(n % 20 == 0), _json(attendees), project


def _interaction(sample: Sample, n: int) -> tuple[object, ...]:
    contact, language = sample.person()
    kind = sample.pick(["email", "call", "meeting", "message", "other"])
    direction = sample.pick(["inbound", "outbound"])
    content = sample.pick(language["subjects"]), sample.remark(language)
    return n + 1, contact["id"], kind, direction, *content, str(sample.moment(n, 456))


def _relationship(sample: Sample, n: int) -> tuple[object, ...]:
    contact, language = sample.person(n)
    other, _ = sample.person(n + 5 + n % 3)
    kind = sample.pick(["colleague", "friend", "sibling", "introduced by", "reports to"])
    made = str(sample.moment(n, 110))
    return n + 1, contact["id"], other["id"], kind, sample.remark(language), made


def _follow_up(sample: Sample, n: int) -> tuple[object, ...]:
    contact, language = sample.person()
    made = sample.moment(n, 96)
    state = sample.pick(["pending", "completed", "skipped"])
    due = made + timedelta(days=sample.number(2, 60))
    completed = str(due) if state == "completed" else None
    content = str(due.date()), sample.remark(language), state, completed
    return n + 1, contact["id"], *content, str(made)


def _entity_tag(sample: Sample, n: int) -> tuple[object, ...]:
    made = str(sample.moment(n, 388))
    if n < 340:
        return "contact", CONTACT_IDS[n % 210], n % 24 + 1, made
    return "project", n % 24 + 1, (n + n // 24) % 24 + 1, made


def _note(sample: Sample, n: int) -> tuple[object, ...]:
    table = sample.pick(["contacts", "contacts", "projects", "tasks"])
    made = sample.moment(n, 230)
    dates = str(made), str(made + timedelta(days=n % 4))
    odd_texts, sentences = sample.words["odd_texts"], sample.language(n)["sentences"]
    lines = range(500 if n % 50 == 49 else sample.number(1, 5))
    text = "\n".join(f"{line + 1}. {sample.pick(sentences)}" for line in lines)
    content = odd_texts[n] if n < len(odd_texts) else text
    return n + 1, table[:-1], sample.id_of(table), content, *dates


def _transcript(sample: Sample, n: int) -> tuple[object, ...]:
    language = sample.language(n)
    text = "\n".join(
        f"[00:{minute:02d}] Speaker {sample.number(1, 3)}: {sample.pick(language['sentences'])}"
        for minute in range(sample.number(8, 55))
    )
    content = sample.pick(language["subjects"]), text, sample.remark(language)
    email = sample.id_of("emails") if sample.chance(0.3) else None
    event = sample.id_of("calendar_events") if sample.chance(0.6) else None
    return n + 1, *content, 5 + sample.random() * 50, email, event, str(sample.moment(n, 40))


def _participant(sample: Sample, n: int) -> tuple[object, ...]:
    contact = sample.person(n)[0]["id"] if n % 3 else None
    return n + 1, n // 3 + 1, contact, f"Speaker {n % 3 + 1}", int(n % 3 == 0)


def _commitment(sample: Sample, n: int) -> tuple[object, ...]:
    owner, language = sample.person()
    deadline = str(sample.moment(n, 96).date()) if sample.chance(0.6) else None
    state = sample.pick(["open", "completed", "overdue"])
    task = sample.id_of("tasks") if sample.chance(0.4) else None
    return n + 1, n % 40 + 1, owner["id"], sample.pick(language["tasks"]), deadline, state, task


def _metrics(sample: Sample, n: int) -> tuple[object, ...]:
    participants = [row for row in sample.rows["transcript_participants"] if not row["is_user"]]
    contact, words = participants[n]["contact_id"], sample.number(20, 9000)
    return n + 1, n // 2 + 1, contact, sample.random(), words, sample.number(0, 30)


def _insight(sample: Sample, n: int) -> tuple[object, ...]:
    contact, language = sample.person()
    kind = sample.pick(["pattern", "risk", "strength"])
    points = _json({"quotes": language["sentences"][n % 6 :], "weight": n / 7})
    odd = sample.words["odd_reals"]
    sentiment = odd[n] if n < len(odd) else sample.random() * 2 - 1
    content = kind, sample.pick(language["sentences"]), points, sentiment
    return n + 1, sample.id_of("transcripts") if n % 5 else None, contact["id"], *content


def _relationship_score(sample: Sample, n: int) -> tuple[object, ...]:
    contact, trajectory = sample.person(n)[0]["id"], sample.pick([None, "rising", "falling"])
    return n + 1, contact, f"2026-0{6 + n // 174}-30", sample.random() * 100, trajectory


def _activity(sample: Sample, n: int) -> tuple[object, ...]:
    table = sample.pick(["contacts", "projects", "tasks", "emails"])
    action = sample.pick(["created", "updated", "viewed", "status_changed"])
    change = _json({"field": "status", "by": sample.person()[0]["name"], "step": n / 8})
    details = sample.pick([None, "", change])
    return n + 1, table[:-1], sample.id_of(table), action, details, str(sample.moment(n, 640))


# Row count, and what makes row 0, 1, 2, ...: its values in the order of the columns in
# schema.sql. A table comes after those that its rows refer to.
TABLES: dict[str, tuple[int, Callable[[Sample, int], tuple[object, ...]]]] = {
    "contacts": (210, _contact),
    "projects": (24, _project),
    "tasks": (340, _task),
    "milestones": (62, _milestone),
    "emails": (1480, _email),
    "calendar_events": (330, _calendar_event),
    "contact_interactions": (456, _interaction),
    "contact_relationships": (110, _relationship),
    "follow_ups": (96, _follow_up),
    "entity_tags": (388, _entity_tag),
    "notes": (230, _note),
    "transcripts": (40, _transcript),
    "transcript_participants": (120, _participant),
    "commitments": (96, _commitment),
    "conversation_metrics": (80, _metrics),
    "communication_insights": (60, _insight),
    "relationship_scores": (180, _relationship_score),
    "activity_log": (640, _activity),
}
