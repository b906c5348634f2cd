#!/usr/bin/env python3
"""Put into each store the backups of the output folder that it does not have.

Exits 0 when done, else with the code of the first problem; the exit codes of
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

    sys.exit(cli.main(["sync", *sys.argv[1:]]))
