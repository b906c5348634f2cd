"""The plan of an import: what it would do, and whether it can."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from holdfast import files
from holdfast.digest import digest_of
from holdfast.errors import ImportConflict, ImportRefused
from holdfast.model import folded
from holdfast.operations.import_job import ImportJob, ImportOptions
from holdfast.outcomes import ImportReport, Plan, TablePlan
from holdfast.plans import find_broken, plan_table, planned_rows
from holdfast.schema import references
from holdfast.works import ConflictMode

_PLAN_ID_LENGTH = 12


def plan_import(job: ImportJob) -> ImportReport:
    """Say what an import would do; it is agreed to, or not, by what was asked for."""
    options, contents, path = job.options, job.staging.contents, job.target.chosen.path
    tables = tuple(plan_table(job.connection, work) for work in job.works)
    rows = None
    if options.rows:
        rows = tuple(row for work in job.works for row in planned_rows(job.connection, work))
    # The id costs a pass over the target's rows; who says yes beforehand needs none.
    plan_id = "" if options.yes else _plan_id(job)
    plan = Plan(
        tables,
        tuple(job.staging.skipped),
        plan_id,
        rows=rows,
        broken=tuple(find_broken(job.connection, job.works, references(job.target.schema.tables))),
        triggers=tuple(each.name for each in job.target.schema.entries if each.type == "trigger"),
        holders=tuple(files.holders([path, *files.sidecars(path)])),
        free_bytes=files.free_bytes(path.parent),
    )
    return ImportReport(
        backup=job.backup,
        backup_date=contents.header.backup_date,
        row_count=contents.row_count,
        is_proven=contents.is_proven,
        database=job.target.chosen,
        mode=options.mode,
        plan=plan,
        outcome=_outcome(options, plan),
        issues=_issues(tables) if options.source else {},
        restore_point=None,
        confirmed_by=_arguments(job, plan_id),
        warnings=(
            *contents.warnings,
            *job.target.warnings,
            *job.staging.warnings,
            *_missing(job),
            *(() if contents.is_proven or _is_asked(job) else (_UNPROVEN,)),
        ),
    )


def _issues(tables: Iterable[TablePlan]) -> dict[str, int]:
    """Count as kata does what issues of another tracker become."""
    found = {name: TablePlan(name) for name in ("issues", "comments", "links")}
    found |= {table.name: table for table in tables}
    return {
        "created": found["issues"].inserted,
        "updated": found["issues"].overwritten,
        "unchanged": found["issues"].unchanged,
        "comments": found["comments"].inserted,
        "links": found["links"].inserted,
    }


def _is_asked(job: ImportJob) -> bool:
    """Tell whether the rows come from a program, which ended well, and from no file."""
    return bool(job.options.source) and job.backup.is_dir()


def _missing(job: ImportJob) -> Iterator[str]:
    """Name the rows of the backup for which there is no table."""
    there = {folded(table.name) for table in job.target.schema.tables}
    there |= {folded(work.table.target.name) for work in job.works}
    wanted = job.target.wanted
    for name, count in job.staging.contents.trailer.counts.items():
        is_wanted = not wanted or folded(name) in wanted
        is_wanted = is_wanted and not job.options.keys
        if count and is_wanted and folded(name) not in there and not name.startswith("sqlite_"):
            yield (
                f"{count:,} rows of {name} are in the backup, and the database has no such table."
                " --create-missing makes it."
            )


def _outcome(options: ImportOptions, plan: Plan) -> str:
    if options.dry_run:
        return "rehearsed"
    return (
        "nothing to do"
        if plan.changes_nothing and not plan.conflict_count and not plan.broken
        else "planned"
    )


def _arguments(job: ImportJob, plan_id: str) -> tuple[str, ...]:
    """Name the arguments that carry out just this plan."""
    options, words = job.options, [str(job.backup)]
    if options.source:
        words = ["--from", options.source, *([str(job.backup)] if options.backup else [])]
        words += ["--project", options.project] if options.project else []
    if options.database is not None:
        words += ["--db", str(job.target.chosen.path)]
    if options.sample:
        words.append("--sample")
    if options.mode is not ConflictMode.OVERWRITE:
        words += ["--mode", options.mode]
    for option, names in (("--tables", options.tables), ("--groups", options.groups)):
        if names:
            words += [option, ",".join(names)]
    for keys in options.keys:
        words += ["--keys", keys]
    for word in ("children", "create_missing", "add_columns", "drop_unknown"):
        if getattr(options, word):
            words.append(f"--{word.replace('_', '-')}")
    return (*words, "--confirm", plan_id)


_UNPROVEN = "this file holds no counts and digests: nothing can prove that it is whole."


def _plan_id(job: ImportJob) -> str:
    """Hash what the plan rests on: the backup, the rows of the tables it goes to, the options."""
    rows = {
        work.table.target.name: digest_of(job.connection, work.table.target).hex()
        for work in job.works
        if not work.table.is_new
    }
    contents, options = job.staging.contents, job.options
    basis = [
        contents.header.backup_date,
        dict(contents.trailer.digests),
        rows,
        [options.mode, sorted(options.tables), options.create_missing],
        [options.add_columns, options.drop_unknown],
        [sorted(options.groups), options.keys, options.children],
    ]
    text = json.dumps(basis, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:_PLAN_ID_LENGTH]


def complain_of_plan(job: ImportJob, plan: Plan) -> None:
    """Refuse what cannot be carried out; a rehearsal shows it instead."""
    if job.options.dry_run:
        return
    if plan.conflict_count:
        raise _conflict(job, plan)
    if plan.broken:
        raise broken_error(plan.broken)


def broken_error(found: tuple[str, ...]) -> ImportRefused:
    """Make the error for references that an import would break."""
    return ImportRefused(
        f"rows would refer to rows that are not there: {'; '.join(found)}",
        hint="Nothing was changed. Import the tables they refer to as well.",
    )


def _conflict(job: ImportJob, plan: Plan) -> ImportConflict:
    found = "; ".join(
        f"{table.name}: {table.conflicts:,} ({', '.join(table.examples)}"
        f"{', ...' if table.conflicts > len(table.examples) else ''})"
        for table in plan.tables
        if table.conflicts
    )
    if job.options.mode is ConflictMode.FAIL:
        return ImportConflict(
            f"rows that are already there: {found}",
            hint="Use --mode merge to keep them, or --mode overwrite to take the backup's.",
        )
    if job.options.mode is ConflictMode.NEWER:
        return ImportConflict(
            f"rows that differ, and neither is known to be the later one: {found}",
            hint="Use --mode merge to keep the database's, or --mode overwrite to take the"
            " backup's; for some tables alone with --tables.",
        )
    return ImportConflict(
        f"rows whose values must be unique, and belong to other rows: {found}",
        hint="Change those rows in the database, then import again. Nothing was changed.",
    )
