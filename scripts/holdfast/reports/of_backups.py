"""Exports, restores, verifications and the status, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from holdfast.model import DAMAGED, LeftOut, Opening, Rung, SkippedTable, is_above
from holdfast.outcomes import (
    BackupOnFile,
    ExportAllReport,
    ExportReport,
    RestoreReport,
    StatusReport,
    VerifiedBackup,
    VerifyReport,
)
from holdfast.reports.of_many import exported_lines, lines_of_all
from holdfast.reports.of_prunes import prune_lines
from holdfast.reports.of_schedules import schedule_line
from holdfast.reports.of_stores import copy_lines, store_line
from holdfast.reports.words import RUNGS, broken_text, counted, name_of, size_text, tables_by_reason
from holdfast.times import ago, moment

_HEADLINE_TABLES = 8


def export_lines(report: ExportReport) -> Iterator[str]:
    """Yield the lines of a report."""
    filled = {name: count for name, count in report.counts.items() if count}
    facts = [f"{counted(len(report.counts), 'table')}", counted(sum(filled.values()), "row")]
    if report.bytes is not None:
        facts += [size_text(report.bytes), "verified" if report.verified else "not verified"]
    names = ", ".join(_headline(filled, report.headline)) or "no rows"
    yield f"Backup saved: {names} ({', '.join(facts)}). {report.path or ''}".rstrip()
    yield f"Database: {report.database.path} ({report.database.reason})."
    if report.others:
        yield f"Not backed up: {', '.join(report.others)}. A plain export takes every database."
    if report.missing_tables:
        yield f"Not there: {', '.join(report.missing_tables)}."
    if report.part:
        yield f"This is a part of it: {report.part}."
    yield from left_out_lines(report.left_out, report.skipped_tables)
    if report.encrypted:
        here = "" if report.opens_here else " No key at hand opens it: it was proven before."
        yield f"Encrypted {report.encrypted}.{here}"
    if report.secrets:
        rows = ", ".join(f"{name} ({counted(n, 'row')})" for name, n in report.secrets.items())
        if report.is_redacted:
            yield f"Secrets replaced by a marker: {rows}."
        elif report.encrypted:
            yield f"Secrets in it: {rows}."
        else:
            yield f"Secrets in clear: {rows}. Keep the file to yourself, or use --redact."
    yield from copy_lines(report.copies)
    if report.pruned:
        yield next(prune_lines(report.pruned))


def export_all_lines(report: ExportAllReport) -> Iterator[str]:
    """Yield the lines of a report: all that there is to say of one, a line for each of several."""
    if len(report.databases) > 1:
        yield from exported_lines(report)
        return
    for each in report.databases:
        if each.name:
            yield f"{each.name}:"
        if each.report:
            yield from export_lines(each.report)
        else:
            yield f"NO backup: {each.problem}."
            yield f"  {each.hint}"


def left_out_lines(left_out: LeftOut, skipped_tables: Iterable[SkippedTable]) -> Iterator[str]:
    """Yield what a backup leaves out: tables by reason, rows, links, references and columns."""
    for reason, names in tables_by_reason(skipped_tables).items():
        yield f"Left out: {', '.join(names)}, {reason}."
    for title, counts in (
        ("Rows left out", left_out.rows),
        ("Links to rows outside left out", left_out.links),
        ("References to what is left out, now empty", left_out.references),
    ):
        if counts:
            found = ", ".join(f"{count:,} of {name}" for name, count in counts.items())
            yield f"{title}: {found}."
    if left_out.columns:
        names = [f"{name}.{each}" for name, columns in left_out.columns.items() for each in columns]
        yield f"Columns left out: {', '.join(names)}."


def _headline(counts: Mapping[str, int], first: tuple[str, ...]) -> Iterator[str]:
    """Yield the tables to name: those the profile puts first, then the fullest ones."""
    ordered = [name for name in first if name in counts]
    ordered += sorted(counts.keys() - set(ordered), key=lambda name: (-counts[name], name))
    for name in ordered[:_HEADLINE_TABLES]:
        yield f"{counts[name]:,} {name.replace('_', ' ').strip()}"
    if len(ordered) > _HEADLINE_TABLES:
        yield f"and {len(ordered) - _HEADLINE_TABLES} more tables"


def status_lines(report: StatusReport) -> Iterator[str]:
    """Yield the lines of a report."""
    if len(report.databases) > 1:
        yield from lines_of_all(report)
    else:
        age = "never" if report.age_seconds is None else ago(report.age_seconds)
        yield f"Last backup: {age}. {counted(len(report.backups), 'backup file')} found."
        for backup in report.backups:
            yield f"  {_backup_line(backup, report)}"
    yield f"Folder: {report.folder}"
    for store in report.stores:
        yield store_line(store, moment(report.checked_at))
    if report.database:
        yield f"Database: {report.database.path} ({report.database.reason})."
    if report.schedule:
        yield schedule_line(report.schedule)
    yield f"SQLite {report.sqlite_version}."


def _backup_line(backup: BackupOnFile, report: StatusReport) -> str:
    facts = [f"partial ({backup.part})"] if backup.part else []
    facts.append(size_text(backup.bytes))
    made, now = moment(backup.created_at), moment(report.checked_at)
    if made and now:
        facts.append(ago((now - made).total_seconds()))
    if backup.row_count is not None:
        facts.append(counted(backup.row_count, "row"))
    if backup.opening:
        facts.append(_OPENINGS[backup.opening])
    if backup.verified == DAMAGED:
        facts.append("DAMAGED")
    elif is_above(backup.verified, Rung.WHOLE):
        facts.append(f"verified ({RUNGS[Rung(backup.verified)]}{_when(backup, now)})")
    elif backup.is_changed:
        facts.append("changed since it was verified")
    else:
        facts.append("to be verified again" if backup.is_unsure else "not verified here")
    return f"{backup.path.name}: {', '.join(facts)}"


_OPENINGS = {
    Opening.OPENS: "encrypted",
    Opening.UNTRIED: "encrypted with a passphrase",
    Opening.CLOSED: "encrypted, and no key at hand opens it",
}


def _when(backup: BackupOnFile, now: datetime | None) -> str:
    """Say when a backup was verified, unless that was when it was made."""
    then = moment(backup.verified_at)
    if then is None or now is None or backup.verified_at == backup.created_at:
        return ""
    return f", {ago((now - then).total_seconds())}"


def restore_lines(report: RestoreReport) -> Iterator[str]:
    """Yield the lines of a report."""
    proof = "proven equal" if report.is_proven else "from a backup that nothing proves"
    if not report.verified:
        proof = "not verified"
    rows = counted(sum(report.counts.values()), "row")
    yield (
        f"Restored: {counted(len(report.counts), 'table')}, {rows}, {size_text(report.bytes)},"
        f" {proof}. {report.database}"
    )
    yield f"From {name_of(report.backup)} of {report.backup_date or 'an unknown date'}."
    if report.part:
        yield f"The backup held a part of its database: {report.part}."
    yield from left_out_lines(report.left_out, report.skipped_tables)
    if report.redacted:
        yield (
            f"Secrets were replaced when the backup was made: {', '.join(report.redacted)}."
            " Enter them anew."
        )
    if report.broken_references:
        yield f"{broken_text(report.broken_references)}, as in the backup."
    if report.set_aside:
        yield f"What was there is kept at {report.set_aside}"


def verify_lines(report: VerifyReport) -> Iterator[str]:
    """Yield the lines of a report."""
    for backup in report.backups:
        yield f"{name_of(backup.path)}: {', '.join(_verified_facts(backup))}."
        if backup.problem:
            yield f"  {backup.problem}."
        if backup.hint:
            yield f"  {backup.hint}"


def _verified_facts(backup: VerifiedBackup) -> Iterator[str]:
    proof = "; ".join(RUNGS[rung] for rung in backup.rungs)
    if backup.problem:
        yield f"FAILED after: {proof}" if proof else "FAILED"
    elif Rung.CONTENTS in backup.rungs:
        yield f"verified ({proof}), {counted(backup.row_count, 'row')}"
    else:
        yield f"{proof}, {counted(backup.row_count, 'row')}, but nothing proves it"
    if backup.broken_references:
        yield broken_text(backup.broken_references)
    if backup.differing:
        yield f"the database has changed since in {', '.join(backup.differing)}"
    elif backup.differing is not None:
        yield "the database is unchanged since"
