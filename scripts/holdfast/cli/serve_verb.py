"""
Show backups and databases in the browser, and serve the same as an API, until Ctrl-C.

Only this machine is let in, and of it only who has the address that is printed. The API is
described at /docs of that address. --host lets other machines in: whoever gets in can read,
change and delete all databases and backups, so it needs a password, or a proxy that logs people
in. Nothing is encrypted on its way: use it on a network that you trust, or behind such a proxy.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from holdfast import bootstrap, files, packages
from holdfast.errors import UsageError
from holdfast.operations.context import Context
from holdfast.outcomes import ServeReport

if TYPE_CHECKING:
    from holdfast.web.server import ServeOptions

SUMMARY = "show all this in the browser"
EXAMPLES = """\
  serve --open                 open the page in the browser
  serve --port 9000            on another port
  serve --host 0.0.0.0 --password-file ~/holdfast-password
                               let other machines in, with a password
  serve --trusted-proxy 127.0.0.1 --name backups.example.org
                               behind a proxy that logs people in"""
_PASSWORD_VARIABLE = "HOLDFAST_PASSWORD"  # noqa: S105 - the name of one is none
_MEGABYTE = 1024 * 1024


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this verb takes."""
    parser.add_argument("--port", type=_port, default=8000, help="default 8000; 0: any free one")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="listen there; beyond this machine only with a password or --trusted-proxy",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        help="a name under which browsers may call it, besides its address; repeatable",
    )
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help=f"people log in with the password in its first line, or in {_PASSWORD_VARIABLE}",
    )
    parser.add_argument(
        "--trusted-proxy",
        metavar="ADDRESS",
        help="let in all that comes from this address, where a proxy logs people in, and nothing"
        " else",
    )
    parser.add_argument(
        "--upload-limit",
        type=_megabytes,
        default=100 * _MEGABYTE,
        metavar="MB",
        help="how large a file may be that is sent (default 100)",
    )


def run(context: Context, arguments: argparse.Namespace) -> ServeReport:
    """Carry out what the arguments ask for."""
    bootstrap.add_packages(packages.WEB)
    from holdfast.web.server import ServeOptions, serve

    options = ServeOptions(
        host=arguments.host,
        port=arguments.port,
        names=tuple(arguments.name),
        password=_password(context, arguments.password_file),
        trusted_proxy=arguments.trusted_proxy,
        upload_bytes=arguments.upload_limit,
        open_browser=arguments.open,
    )
    address = serve(options, lambda lets_in: _tell(options, lets_in))
    return ServeReport(address)


def _tell(options: ServeOptions, lets_in: str) -> None:
    # Not on standard output, which is for the report.
    print(f"Holdfast is at {lets_in}", file=sys.stderr)
    if options.password:
        print("Other browsers log in with the password.", file=sys.stderr)
    print("Press Ctrl-C to end it.", file=sys.stderr, flush=True)


def _password(context: Context, file: str | None) -> str:
    if file is None:
        return context.environment.get(_PASSWORD_VARIABLE, "")
    path = files.user_path(file)
    with files.reading(path):
        lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise UsageError(f"{path} holds no password", hint="Write one into its first line.")
    return lines[0]


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return int(text)


def _megabytes(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of megabytes")
    return int(text) * _MEGABYTE
