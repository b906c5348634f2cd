#!/usr/bin/env python3
"""Make a key for encrypted backups, or say which keys are at hand and what they open.

Exits 0 when done, 3 when done with warnings; the exit codes of errors are in docs/errors.md.
See --help.
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

    sys.exit(cli.main(["keys", *sys.argv[1:]]))
