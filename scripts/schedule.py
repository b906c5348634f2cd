#!/usr/bin/env python3
"""Have the system itself make backups at a time, and see whether it does.

Exits 0 when done, 3 when done with warnings, 4 when it waits for a yes; the exit codes of
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

    sys.exit(cli.main(["schedule", *sys.argv[1:]]))
