"""The plan of an import: what it would do, and whether it can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec.structs import replace

from holdfast import database, disks, programs
from holdfast.breaking import find_broken
from holdfast.cells import VALUED_COLUMNS, VALUED_ROWS
from holdfast.errors import ImportConflict, ImportRefused
from holdfast.model import ForeignKey, Rows, Schema, folded, part_of, redacted_names
from holdfast.operations.import_basis import plan_basis
from holdfast.operations.import_job import ImportJob, ImportOptions
from holdfast.operations.import_space import space_shortage
from holdfast.operations.plan_ids import plan_id_of
from holdfast.outcomes import ImportReport, Plan, PlannedRow, TablePlan
from holdfast.plans import Showing, plan_table, planned_rows
from holdfast.schema import has_feeding_trigger, references, references_to_nothing
from holdfast.works import ConflictMode, time_decides


def plan_import(job: ImportJob) -> ImportReport:
    """Say what an import would do; it is agreed to, or not, by what was asked for."""
    options, contents, path = job.options, job.staging.contents, job.target.chosen.path
    tables = tuple(plan_table(job.connection, work) for work in job.works)
    rows = None
    if options.rows or options.values:
        rows = tuple(_rows(job))
    kept, known = (
        [each for each in _references(job) if each[1].is_declared is by_profile]
        for by_profile in (False, True)
    )
    # The id costs a pass over the target's rows; who says yes beforehand needs none.
    basis = {} if options.yes else plan_basis(job)
    plan_id = plan_id_of(basis) if basis else ""
    plan = Plan(
        tables,
        tuple(job.staging.skipped),
        plan_id,
        rows=rows,
        broken=tuple(find_broken(job.connection, job.works, kept)),
        triggers=tuple(each.name for each in job.target.schema.entries if each.type == "trigger"),
        holders=tuple(programs.holders([path, *database.sidecars(path)])),
        free_bytes=disks.free_bytes(path.parent),
        short_of_space=space_shortage(job),
        rests_on=basis,
    )
    return ImportReport(
        backup=job.backup,
        backup_date=contents.header.backup_date,
        row_count=contents.row_count,
        is_proven=contents.is_proven,
        part=part_of(contents.header),
        redacted=redacted_names(contents.header),
        database=job.target.chosen,
        mode=options.mode,
        plan=plan,
        outcome=_outcome(options, plan),
        issues=_issues(tables) if options.source else {},
        restore_point=None,
        confirmed_by=_arguments(job, plan_id),
        warnings=tuple(_warnings(job, plan, find_broken(job.connection, job.works, known))),
        recognised=contents.recognised,
    )


def _rows(job: ImportJob) -> Iterator[PlannedRow]:
    profile, header = job.target.profile, job.staging.contents.header
    named = [header.redacted, *([profile.secrets] if profile else [])]
    for work in job.works:
        name = folded(work.table.target.name)
        secrets = (each for of in named for table, each in of.items() if folded(table) == name)
        showing = Showing(tuple(chain.from_iterable(secrets)))
        if job.options.values:
            showing = replace(showing, values=VALUED_ROWS, columns=VALUED_COLUMNS)
        yield from planned_rows(job.connection, work, showing)


def _warnings(job: ImportJob, plan: Plan, dangling: Iterator[str]) -> Iterator[str]:
    """
    Yield what a person must know besides the plan.

    Args: dangling: references that only the profile knows, and that the import would break.
    """
    contents = job.staging.contents
    yield from (*contents.warnings, *job.target.warnings, *job.staging.warnings)
    yield from _missing(job)
    if not plan.changes_nothing:
        yield from _unfilled(job.target.schema)
    for each in dangling:
        yield f"{each}: what these rows refer to is not there. The database does not mind."
    if not (contents.is_proven or _is_asked(job)):
        yield _UNPROVEN


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


def _references(job: ImportJob) -> list[tuple[str, ForeignKey]]:
    made = [work.table.target for work in job.works if work.table.is_new]
    tables = [*job.target.schema.tables, *made]
    return [*references(tables), *references_to_nothing(job.target.schema, tables)]


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


def _unfilled(schema: Schema) -> Iterator[str]:
    """Name the indexes that nothing but their own program brings up to date."""
    for table in schema.virtual_tables:
        if table.rows is Rows.REFILLED and not has_feeding_trigger(schema, table.name):
            yield (
                f"the full-text index {table.name} keeps no text and has no trigger that fills it:"
                " only the program that owns the database can bring it up to date."
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
    """Make the error that names the rows in conflict, and what would resolve it."""
    found, hints = [], []
    keys = "; ".join(
        f"{each.name}: {_listed(each.conflicts - each.collisions, each.examples, ', ')}"
        for each in plan.tables
        if each.conflicts > each.collisions
    )
    collided = "; ".join(
        f"{each.name}: {_listed(each.collisions, each.collided, '; ')}"
        for each in plan.tables
        if each.collisions
    )
    if keys and job.options.mode is ConflictMode.FAIL:
        found.append(f"rows that are already there: {keys}")
        hints.append(f"Use {_any_of(_ways_out(job))}.")
    elif keys:
        found.append(f"rows that differ, and neither is known to be the later one: {keys}")
        either = _any_of([_WAYS_OUT[ConflictMode.MERGE], _WAYS_OUT[ConflictMode.OVERWRITE]])
        hints.append(f"Use {either}; for some tables alone with --tables.")
    if collided:
        found.append(f"rows whose values must be unique, and belong to other rows: {collided}")
        hints.append("Change those rows in the database, then import again. Nothing was changed.")
        if job.options.mode is ConflictMode.REMAP:
            hints.append("Or say in the profile's natural_keys that those values name a row.")
    return ImportConflict("; ".join(found), hint=" ".join(hints))


def _listed(count: int, first: tuple[str, ...], joint: str) -> str:
    more = [] if count <= len(first) else ["..."]
    return f"{count:,} ({joint.join([*first, *more])})"


_WAYS_OUT = {
    "merge": "--mode merge to keep them",
    "overwrite": "--mode overwrite to take the backup's",
    "newer": "--mode newer to take the later one of each",
    "remap": "--mode remap to add the backup's as new rows",
}


def _ways_out(job: ImportJob) -> Iterator[str]:
    """Name the modes in which rows whose keys are taken are no conflict."""
    keyed = [work for work in job.works if work.table.key and not work.table.is_new]
    known = {mode.value for mode in ConflictMode}
    if not all(time_decides(job.connection, work) for work in keyed):
        known.discard(ConflictMode.NEWER)
    yield from (way for mode, way in _WAYS_OUT.items() if mode in known)


def _any_of(ways: Iterable[str]) -> str:
    *others, last = ways
    return f"{', '.join(others)}, or {last}"
