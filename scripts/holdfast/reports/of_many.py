"""The status of several databases, in lines for people: one over all, and one for each."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.concerns import DatabaseState, Safety
from holdfast.outcomes import StatusReport
from holdfast.reports.words import counted
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
