"""
Make a verified backup of a SQLite database.

The database is read in one moment while others may write. Nothing in it changes, but for the
time of the backup in a tool's own meta table, where its profile names one.
"""

from __future__ import annotations

import argparse
import sys

from holdfast.cli.options import add_database, add_identity, add_scopes, add_wait, names, positive
from holdfast.errors import UsageError, WriteFailed
from holdfast.excerpts import DEFAULT
from holdfast.files import user_path
from holdfast.formats import WRITABLE
from holdfast.formats.compression import SUFFIXES
from holdfast.operations.context import Context
from holdfast.operations.export_all import export_all
from holdfast.operations.export_backup import ExportOptions, export_backup
from holdfast.operations.keeping import usual_format
from holdfast.outcomes import ExportAllReport, ExportReport

SUMMARY = "make a verified backup"
EXAMPLES = """\
  export                       back up the databases of backup.yaml, or the usual one
  export --db ~/notes.db       back up any SQLite file
  export --sample              try it on invented data
  export --output crm.json     write that file, which must not be there yet
  export all                   those groups too that are taken only when they are named
  export default memory        the usual groups, and one that must be named; --include-memory
  export tasks tags            these groups of tables alone
  export boards Planning       one board, with all that belongs to it
  export --project Planning    one project, with all that belongs to it or that it needs
  export --to cloud            and put it into that store of backup.yaml
  export --encrypt             for the public keys that backup.yaml names
  export --to all              and put each into every store of backup.yaml
  export --prune               and remove those that the rules no longer keep
  export --output - | jq .     write to standard output"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument(
        "words",
        metavar="GROUP",
        nargs="*",
        help="all, default (what is taken without a word), or groups that the tool's profile"
        " names; after one, perhaps a NAME: only the board, schedule or the like of that name",
    )
    add_database(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="each database of backup.yaml, which a plain export takes too; one that fails stops"
        " no other",
    )
    parser.add_argument("--groups", metavar="G,G", help="the tables of these groups alone")
    parser.add_argument("--tables", metavar="T,T", help="these tables alone")
    parser.add_argument(
        "--include-memory",
        action="store_true",
        help="the group memory as well, where the tool's profile leaves it out unless it is named",
    )
    add_scopes(parser)
    parser.add_argument(
        "--redact",
        action="store_true",
        help="put a marker in the place of each secret that the tool's profile names",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write this file; - for standard output"
    )
    parser.add_argument(
        "--to",
        metavar="STORE",
        action="append",
        default=[],
        help="put it into this store of backup.yaml as well; repeatable; all stands for each",
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="then remove those backups of it that no rule in backup.yaml keeps, without asking",
    )
    parser.add_argument(
        "--format",
        choices=WRITABLE,
        help="how it is written (default: json; sqlite where a store of --to is in pages)",
    )
    parser.add_argument(
        "--compress",
        choices=list(SUFFIXES),
        default="none",
        help="not for zip",
    )
    parser.add_argument(
        "--encrypt",
        action="store_true",
        help="for the recipients in backup.yaml, or with the passphrase in HOLDFAST_PASSPHRASE",
    )
    parser.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="KEY",
        help="encrypt for the owner of this public key, such as age1...; repeatable",
    )
    parser.add_argument(
        "--reproducible",
        action="store_true",
        help="leave out date and origin: an unchanged database gives the same bytes",
    )
    parser.add_argument("--pretty", action="store_true", help="one column a line")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only the backup's path")
    parser.add_argument(
        "--no-verify", action="store_true", help="do not read back what was written"
    )
    parser.add_argument(
        "--jobs",
        type=positive,
        metavar="N",
        help="processes that read (default: one a core when the database is large)",
    )
    add_wait(parser)
    add_identity(parser)


def run(context: Context, arguments: argparse.Namespace) -> ExportReport | ExportAllReport:
    """Carry out what the arguments ask for."""
    to_stdout = arguments.output == "-"
    if to_stdout and sys.stdout is None:
        raise WriteFailed("standard output is closed", hint="Name a file with --output FILE.")
    options = ExportOptions(
        database=arguments.db,
        sample=arguments.sample,
        words=tuple(arguments.words),
        groups=_groups(arguments),
        tables=names("--tables", arguments.tables),
        scope=tuple(arguments.scope),
        redact=arguments.redact,
        output=user_path(arguments.output).absolute()
        if arguments.output and not to_stdout
        else None,
        stores=tuple(arguments.to),
        stream=sys.stdout.buffer if to_stdout else None,
        format=arguments.format or usual_format(context, arguments.to),
        compression=arguments.compress,
        encrypt=arguments.encrypt or bool(arguments.recipient),
        recipients=tuple(arguments.recipient),
        pretty=arguments.pretty,
        reproducible=arguments.reproducible,
        verify=not arguments.no_verify,
        jobs=arguments.jobs,
        wait_seconds=arguments.wait,
    )
    if arguments.prune and to_stdout:
        raise UsageError(
            "--prune is for a backup that stays", hint="Leave it out, or use the prune script."
        )
    if arguments.prune:  # what it takes is loaded for those alone who ask for it
        from holdfast.operations.prune_backups import prune_after, prune_after_all
    if arguments.all or _means_all(context, options):
        reports = export_all(context, options)
        return prune_after_all(context, reports) if arguments.prune else reports
    report = export_backup(context, options)
    return prune_after(context, report) if arguments.prune else report


def _means_all(context: Context, options: ExportOptions) -> bool:
    """Tell whether nothing that was said is of one database alone, where there are several."""
    is_of_one = options.database is not None or options.sample or options.output or options.stream
    is_of_one_tool = options.words or options.groups or options.tables or options.scope
    return len(context.settings.databases) > 1 and not (is_of_one or is_of_one_tool)


def _groups(arguments: argparse.Namespace) -> tuple[str, ...]:
    named = names("--groups", arguments.groups)
    if not arguments.include_memory:
        return named
    is_usual = not (named or arguments.words or arguments.tables)
    return (*named, *((DEFAULT,) if is_usual else ()), "memory")
