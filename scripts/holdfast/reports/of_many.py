"""Several databases in lines for people: one over all, and one for each."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.concerns import DatabaseState, Safety
from holdfast.outcomes import ExportAllReport, ExportReport, StatusReport
from holdfast.reports.words import counted, size_text
from holdfast.times import duration, moment

_NAMED = 5  # of those that are not safe, in the first line


def lines_of_all(report: StatusReport) -> Iterator[str]:
    """Yield a line over all databases that names those that are not safe, and one for each."""
    yield _summary(report)
    for each in report.databases:
        facts = [each.text]
        if each.backup_count:
            facts += [counted(each.backup_count, "backup file"), f"the newest {each.newest_backup}"]
        yield f"  {each.name}: {', '.join(facts)}"
    files = len(report.backups)
    if others := files - sum(each.backup_count for each in report.databases):
        yield f"  {counted(others, 'backup file')} of other databases."
    if files:
        yield "The backups of one: status --db NAME."


def _summary(report: StatusReport) -> str:
    databases = report.databases
    odd = [each for each in databases if each.state is not Safety.SAFE]
    if not odd:
        return f"{counted(len(databases), 'database')} are safe; {_ages(report)}."
    named = ", ".join(f"{each.name}: {each.text}" for each in odd[:_NAMED])
    more = f", and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
    safe = len(databases) - len(odd)
    verb = "is" if safe == 1 else "are"
    return f"{safe} of {counted(len(databases), 'database')} {verb} safe; {named}{more}."


def _ages(report: StatusReport) -> str:
    """Say how old the last backup is, or those of the databases where they differ."""
    ages = sorted(_age(each, report) for each in report.databases)
    newest, oldest = (
        duration(age) if age >= 60 else "under a minute" for age in (ages[0], ages[-1])
    )
    if newest == oldest:
        return f"the last backup is {newest} old"
    return f"the last backup of each is {newest} to {oldest} old"


def _age(state: DatabaseState, report: StatusReport) -> float:
    then, now = moment(state.last_backup_at), moment(report.checked_at)
    return max(0.0, (now - then).total_seconds()) if then and now else 0.0


def exported_lines(report: ExportAllReport) -> Iterator[str]:
    """Yield a line over all backups that were made, and one for each, with what went wrong."""
    done = sum(1 for each in report.databases if each.report)
    count = counted(len(report.databases), "database")
    yield (
        f"{count} backed up." if done == len(report.databases) else f"{done} of {count} backed up."
    )
    for each in report.databases:
        if each.report:
            yield f"  {each.name}: {', '.join(_facts(each.report))}. {each.report.path}"
            yield from _to_be_told(each.report)
        else:
            yield f"  {each.name}: NO backup: {each.problem}."
            yield f"    {each.hint}"


def _facts(report: ExportReport) -> Iterator[str]:
    """Yield what a line says of one backup."""
    yield counted(len(report.counts), "table")
    yield counted(sum(report.counts.values()), "row")
    if report.part:
        yield f"a part ({report.part})"
    if left := len(report.skipped_tables):
        yield f"{counted(left, 'table')} left out"
    yield size_text(report.bytes or 0)
    yield "verified" if report.verified else "not verified"
    if report.encrypted:
        yield f"encrypted {report.encrypted}"
    if stores := [copy.store for copy in report.copies if not copy.problem]:
        yield f"also in {', '.join(stores)}"
    if report.pruned and (removed := len(report.pruned.of("removed"))):
        yield f"{counted(removed, 'older one')} removed"


def _to_be_told(report: ExportReport) -> Iterator[str]:
    """Yield what a person has to know of one backup all the same."""
    if report.missing_tables:
        yield f"    Not there: {', '.join(report.missing_tables)}."
    if report.secrets and not (report.is_redacted or report.encrypted):
        yield f"    Secrets in clear: {', '.join(report.secrets)}."
    for copy in report.copies:
        if copy.problem:
            yield f"    NOT in {copy.store}: {copy.problem}."
            yield f"      {copy.hint}"
