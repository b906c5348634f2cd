"""The databases of this machine, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.found import DiscoverReport, DoctorReport, FoundDatabase
from holdfast.reports.words import counted, size_text
from holdfast.times import ago, moment


def discover_lines(report: DiscoverReport) -> Iterator[str]:
    """Yield the lines of a report."""
    found = report.databases
    backed_up = sum(each.last_backup_at is not None for each in found)
    known = f", {backed_up} of them backed up" if report.knows_backups else ""
    yield (
        f"{counted(len(found), 'database')} found{known} (looked for those of"
        f" {report.looked_for} tools)."
    )
    for each in found:
        yield f"  {each.name}: {', '.join(_facts(each, report))}"
        yield f"    {each.path}"
        for companion in each.goes_with:
            gone = "" if companion.is_there else " (not there)"
            yield f"    Goes with it: {companion.path}{gone}, {companion.why}."
    if report.added:
        yield (f"Added to {report.settings}: {', '.join(report.added)}. Back them up with /backup.")
    elif any(not each.is_configured and not each.problem for each in found):
        yield "To back them up from now on: discover --add NAME, or --add all."
    elif not found:
        yield "To back up any SQLite database: export --db PATH"


def _facts(found: FoundDatabase, report: DiscoverReport) -> Iterator[str]:
    yield found.tool or "no tool that is known"
    yield size_text(found.bytes)
    if found.problem:
        yield f"cannot be read: {found.problem}"
        return
    if found.row_count is not None:
        yield counted(found.row_count, "row")
    if found.changed_at:
        yield f"changed {_ago(found.changed_at, report)}"
    if found.last_backup_at:
        yield f"backed up {_ago(found.last_backup_at, report)}"
    elif report.knows_backups:
        yield "never backed up"
    if found.secrets:
        yield "holds secrets"
    if found.rebuildable:
        yield f"can be made anew from {found.rebuildable}"


def _ago(when: str, report: DiscoverReport) -> str:
    then, now = moment(when), moment(report.checked_at)
    return ago((now - then).total_seconds()) if then and now else "at an unknown time"


def doctor_lines(report: DoctorReport) -> Iterator[str]:
    """Yield the lines of a report."""
    looked = f"{counted(len(report.databases), 'database')} and {report.folder}"
    if not report.findings:
        yield f"Looked at {looked}: nothing to do. SQLite {report.sqlite_version}."
        return
    yield f"Looked at {looked}: {counted(len(report.findings), 'finding')}."
    for finding in report.findings:
        yield f"  {finding.about}: {finding.what}."
        yield f"    Why it matters: {finding.why}."
        yield f"    What to do: {finding.advice.rstrip('.')}."
