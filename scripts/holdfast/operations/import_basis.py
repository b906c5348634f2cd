"""What the plan of an import rests on, and what has changed when it no longer holds."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.digest import digest_of
from holdfast.errors import HoldfastError, PlanChanged
from holdfast.operations.context import Context
from holdfast.operations.import_job import ImportJob, ImportOptions
from holdfast.outcomes import ImportReport
from holdfast.staged import StagedTable

_DIGEST_LENGTH = 16

Basis = Mapping[str, Mapping[str, Any]]


def plan_basis(job: ImportJob) -> Basis:
    """Say what a plan rests on: the backup, the rows of the tables it goes to, the options."""
    contents, options = job.staging.contents, job.options
    digests = json.dumps(dict(contents.trailer.digests), sort_keys=True)
    return {
        "backup": {
            "date": contents.header.backup_date,
            "digest": hashlib.sha256(digests.encode()).hexdigest(),
        },
        "tables": {
            work.table.target.name: _digest(job, work.table)[:_DIGEST_LENGTH]
            for work in job.works
            if not work.table.is_new
        },
        "options": options_of(options),
        "keys": job.staging.basis,
    }


def _digest(job: ImportJob, table: StagedTable) -> str:
    """Return the digest of the rows that a table has; it may be known from when they were read."""
    known = table.sifted.digest if table.sifted else ""
    return known or digest_of(job.connection, table.target).hex()


def options_of(options: ImportOptions) -> dict[str, Any]:
    """Return the options that decide what is done, by their name on the command line."""
    return {
        "--mode": str(options.mode),
        "--tables": sorted(options.tables),
        "--create-missing": options.create_missing,
        "--add-columns": options.add_columns,
        "--drop-unknown": options.drop_unknown,
        "--groups": sorted(options.groups),
        "--keys": list(options.keys),
        "--children": options.children,
    }


def remember_plan(context: Context, report: ImportReport) -> None:
    """Remember what a plan rests on, to be able to say what has changed when it is confirmed."""
    with contextlib.suppress(HoldfastError):  # a plan can be shown, and confirmed, without
        context.history.record_event(
            at=context.timestamp,
            operation="import",
            outcome="planned",
            database_path=report.database.path,
            backup=report.backup,
            details={"plan_id": report.plan.plan_id, "rests_on": report.plan.rests_on},
        )


def plan_changed(job: ImportJob, report: ImportReport, wanted: str) -> PlanChanged:
    """Make the error for a plan that was confirmed, and is not what would happen."""
    known = _remembered(job.context, wanted)
    reason = "no plan of that id is on record"
    if known:
        reason = "; ".join(_differences(known, report.plan.rests_on))
    return PlanChanged(
        f"what would happen is no longer the plan {wanted}: {reason}",
        hint="Nothing was changed. This is the new plan; confirm it if it is what you want.",
        report=report,
    )


def _remembered(context: Context, plan_id: str) -> Basis | None:
    try:
        return context.history.plan_basis(plan_id)
    except HoldfastError:
        return None


def _differences(known: Basis, now: Basis) -> Iterator[str]:
    if known["backup"] != now["backup"]:
        yield "the backup is another one"
    options = _changed(known["options"], now["options"])
    if options:
        yield f"other options were given ({', '.join(options)})"
    shared = known["tables"].keys() & now["tables"].keys()
    tables = [name for name in sorted(shared) if known["tables"][name] != now["tables"][name]]
    if tables:
        yield f"the database has changed since, in {', '.join(tables)}"
    if known.get("keys") != now["keys"]:
        yield "the numbers in use, or the natural keys of the profile, are others"
    others = sorted(known["tables"].keys() ^ now["tables"].keys())
    if others and not options:
        yield f"the database's own tables are others ({', '.join(others)})"


def _changed(known: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in now if known.get(name) != now[name]]
