"""The command line: words to options, reports to output, errors to exit codes."""

from holdfast.cli.run import main

__all__ = ["main"]
