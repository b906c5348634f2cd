"""Runs one verb; the only place where an error becomes output and an exit code."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import importlib
import io
import os
import sys
from typing import Never, TextIO

from holdfast import __version__, files, reports
from holdfast.cli.signals import heard
from holdfast.errors import (
    CANCELLED,
    HoldfastError,
    PlanChanged,
    UsageError,
    WriteFailed,
)
from holdfast.here import context_here
from holdfast.operations.context import Context
from holdfast.outcomes import ImportReport
from holdfast.pruned import PruneReport

VERBS = (
    "export",
    "import",
    "status",
    "restore",
    "verify",
    "diff",
    "undo",
    "discover",
    "keys",
    "doctor",
    "prune",
    "schedule",
    "sync",
    "serve",
)


# Python looks for garbage once more as it ends, in all that a command has loaded: longer than it
# takes to read the settings. What is left goes with the process.
atexit.register(gc.freeze)

# Once a block as large as this was freed, glibc's malloc keeps what is freed for what comes next:
# else the blocks that rows come in go back to the system, and are asked for anew (mallopt(3)).
bytes(16 * 1024 * 1024)


class _Parser(argparse.ArgumentParser):
    example = ""  # a command that can be typed

    def error(self, message: str) -> Never:
        is_short = message.startswith("the following arguments are required") and self.example
        raise UsageError(
            message, hint=f"As in: {self.example}. See --help." if is_short else "See --help."
        )


def main(argv: list[str] | None = None) -> int:
    """
    Run `holdfast VERB OPTIONS...`.

    Args:
        argv: what follows the program's name; None: the process's own.

    Returns: the exit code; see docs/errors.md.
    """
    with heard():
        return _main(list(sys.argv[1:] if argv is None else argv))


def _main(words: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser(words[:1]).parse_args(words)
        with files.reading():  # all writing has its own translation, close to where it happens
            report = arguments.run(_context(arguments), arguments)
        _print(report, arguments)
        return reports.exit_code(report)
    except HoldfastError as error:
        if isinstance(error, PlanChanged) and isinstance(error.report, ImportReport | PruneReport):
            _print(error.report, arguments)
        _settle(sys.stdout)
        _tell((reports.error_json if "--json" in words else reports.error_text)(error))
        return error.exit_code
    except BrokenPipeError:
        _settle(sys.stdout)
        _tell("Error: standard output was closed before all was written.")
        return WriteFailed.exit_code
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, whatever happens
        _tell(f"Error: Holdfast failed unexpectedly: {error!r}.")
        _tell("Look with status what is there, and please report this.")
        return HoldfastError.exit_code
    except KeyboardInterrupt:
        _tell("Cancelled.")
        return CANCELLED


def _tell(text: str) -> None:
    """Say something on standard error, as far as anybody takes it."""
    if sys.stderr:  # print takes none for standard output
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr)
        _settle(sys.stderr)


def _settle(stream: TextIO | None) -> None:
    """Write what is left for a stream, or drop it where nobody takes it."""
    if stream is None:  # it was closed from the start
        return
    try:
        stream.flush()
    except OSError:  # Python would try again as it ends, complain, and make the exit code 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _parser(first: list[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="holdfast",
        description="Backups of the SQLite databases that AI assistants keep.",
        epilog="Exit codes: 0 done, 3 done with warnings, 4 not done before you confirm;"
        " those of errors are in docs/errors.md.",
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    # Only the verb that runs is loaded: each brings what it needs, and a status should be quick.
    for name in first if first and first[0] in VERBS else VERBS:
        _add_verb(verbs, name)
    return parser


def _add_verb(verbs: argparse._SubParsersAction[_Parser], name: str) -> None:
    verb = importlib.import_module(f"holdfast.cli.{name}_verb")
    parser = verbs.add_parser(
        name,
        help=verb.SUMMARY,
        description=verb.__doc__,
        epilog=f"examples:\n{verb.EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.example = verb.EXAMPLES.strip().partition("  ")[0]
    verb.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=verb.run)


def _context(arguments: argparse.Namespace) -> Context:
    return context_here(
        files.user_path(path).absolute() for path in getattr(arguments, "identity", ())
    )


def _print(report: reports.Report, arguments: argparse.Namespace) -> None:
    show = reports.text
    if arguments.json:
        show = reports.json_text
    elif getattr(arguments, "quiet", False):
        show = reports.quiet_text
    # A backup that goes to standard output has that for itself.
    out = sys.stderr if getattr(arguments, "output", None) == "-" else sys.stdout
    try:
        # One that was closed from the start is None, which print takes for standard output.
        if out and ((shown := show(report)) or show is not reports.quiet_text):
            print(shown, file=out, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteFailed(
            f"all is done, but the report cannot be written: {error.strerror}",
            hint="Look with status what there is.",
        ) from error
