"""Back up every database of backup.yaml, one after the other; one that fails stops no other."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.errors import DatabaseNotFound, HoldfastError, UsageError
from holdfast.operations.context import Context
from holdfast.operations.export_backup import export_backup
from holdfast.operations.export_job import ExportOptions
from holdfast.operations.keeping import choose_stores
from holdfast.outcomes import ExportAllReport, ExportedDatabase


def export_all(context: Context, options: ExportOptions) -> ExportAllReport:
    """
    Back up each database of backup.yaml, or the usual one where none is named there.

    What is wrong with one database or one store is in its record, not raised.

    Raises: UsageError for options that are for one database, and for a store that is not set;
        SettingsError.
    """
    if options.database is not None or options.sample or options.output or options.stream:
        raise UsageError(
            "--all takes no --db, --sample or --output", hint="Leave it out, or leave --all out."
        )
    choose_stores(context, options.stores)  # what is wrong with all of them is said once
    names: list[str | None] = [*context.settings.databases] or [None]
    return ExportAllReport(tuple(_export(context, options, name) for name in names))


def _export(context: Context, options: ExportOptions, name: str | None) -> ExportedDatabase:
    try:
        report = export_backup(context, replace(options, database=name))
    except HoldfastError as error:
        hint = error.hint
        if name and isinstance(error, DatabaseNotFound):  # --db would not help: --all takes none
            hint = "Correct its path in backup.yaml, or bring it back with restore."
        return ExportedDatabase(
            name or "", problem=str(error), hint=hint, exit_code=error.exit_code
        )
    return ExportedDatabase(name or "", report)
