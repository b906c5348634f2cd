#!/usr/bin/env python3
"""Serve the page and the API in a browser of this machine, until it is interrupted.

Exits 0 when it was ended; the exit codes of
errors are in docs/errors.md. See --help.
"""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before main answers
sys.dont_write_bytecode = True  # an installed plugin's folder is not ours to write to

from holdfast import bootstrap  # noqa: E402 - the flag comes before the first import

if __name__ == "__main__":
    bootstrap.prepare()
    from holdfast import cli

    sys.exit(cli.main(["serve", *sys.argv[1:]]))
