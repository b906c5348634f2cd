"""
Make the packages that Holdfast needs importable where there is nothing but Python.

Every script calls `prepare()` before it imports the rest of the library. Packages that are missing
are installed once, from the lock file, into a folder of the user's cache: never into Python's own
folders, never into the plugin. An old Python has to read this file to be told that it is too old,
so the syntax is that of Python 3.6, and the rest of the library is imported only after the check.
"""

import contextlib
import errno
import importlib.machinery
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from holdfast.packages import EXTRAS, NEEDED

OLDEST_PYTHON = (3, 11)
ENVIRONMENT_NOT_READY = 25  # as in errors, which an old Python cannot import

ROOT = Path(__file__).resolve().parents[2]
RUNTIME_LOCK = ROOT / "requirements.lock"

DAY_SECONDS = 24 * 60 * 60
STAGING_PREFIX = "building-"

# What an installer's output says, what that means, and what to do. The first that fits is reported.
DISK_FULL = (
    "the disk is full",
    "Free about 100 MB, or set XDG_CACHE_HOME to a folder on another disk.",
)
WRONG_HASH = (
    "a downloaded package is not the one that the lock file promises",
    "Nothing of it was kept. Install Holdfast afresh, or try another network.",
)
NO_NETWORK = (
    "the packages could not be downloaded",
    "Check the network (behind a proxy: HTTPS_PROXY), then start this again.",
)
NO_WHEEL = (
    "a package has no ready-made build for this Python and platform",
    "Use a released CPython 3.11 to 3.14 of a common platform.",
)
CAUSES = (
    (r"No space left on device|not enough space on the disk|Disk quota exceeded", DISK_FULL),
    (r"DO NOT MATCH THE HASHES|hash mismatch", WRONG_HASH),
    (
        r"error sending request|dns error|failed to fetch|network connectivity is disabled"
        r"|connection broken|Max retries exceeded|connection error|timed out|SSLError|ProxyError",
        NO_NETWORK,
    ),
    (r"No matching distribution|no (usable )?wheels|building source distributions", NO_WHEEL),
)


def prepare() -> None:
    """Make all needed packages importable, or end the process with a sentence and code 25."""
    refuse_old_python()
    if not are_installed(NEEDED):
        sys.path.insert(0, str(packages_or_exit(RUNTIME_LOCK)))
    keep_bytecode()


def add_packages(extra: str) -> None:
    """
    Make the packages of an extra importable: those at hand, or installed once from its lock file.

    Raises: EnvironmentNotReady when they are missing, and cannot be installed.
    """
    if are_installed(EXTRAS[extra]):
        return
    lock = ROOT / f"requirements-{extra}.lock"
    project = next(iter(EXTRAS[extra].values()))[0]  # the one that the others are for
    if not lock.is_file():  # of a wheel, whose packages are the business of who installed it
        raise not_ready(
            f"the package {project} is not installed",
            f"Install it with: pip install 'holdfast[{extra}]'",
        )
    folder = packages_of(lock, f"setting up {project} (once, a few seconds) ...")
    # Before all others: this Python may have older ones, and have loaded them (typing_extensions).
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    there = {name.partition(".")[0] for name in os.listdir(str(folder))}
    for name in [name for name in sys.modules if name.partition(".")[0] in there]:
        del sys.modules[name]


def keep_bytecode() -> None:
    """
    Let Python keep compiled code: beside a checkout's modules, else in the user's cache folder.

    An installed plugin's folder is not ours; to compile at every start would take too long.
    """
    from holdfast.checkouts import is_checkout
    from holdfast.errors import EnvironmentNotReady

    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    if not is_checkout(ROOT) and sys.pycache_prefix is None:
        try:
            sys.pycache_prefix = str(cache_folder() / "bytecode")
        except EnvironmentNotReady:
            sys.dont_write_bytecode = True


def refuse_old_python() -> None:
    """End the process with a sentence and exit code 25 when this Python is too old."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        complain(
            f"this is Python {found} ({sys.executable}), and Holdfast needs 3.11 or newer",
            "Install one (https://www.python.org/downloads/) and start this with it.",
        )
        sys.exit(ENVIRONMENT_NOT_READY)


def complain(message: str, hint: str) -> None:
    _say(f"{message}. {hint}")


def _say(text: str) -> None:
    if sys.stderr:  # print takes none for standard output
        print(f"holdfast: {text}", file=sys.stderr, flush=True)


def are_installed(packages: "Mapping[str, tuple[str, tuple[int, ...], tuple[int, ...]]]") -> bool:
    """Whether this Python already finds all of some packages, in versions that will do."""
    return all(
        first <= installed_release(module, project) < beyond
        for module, (project, first, beyond) in packages.items()
    )


def installed_release(module: str, project: str) -> "tuple[int, ...]":
    """First two numbers of a package's version, without importing it; nothing if it is missing."""
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:  # what it lies in is missing
        return ()
    if spec is None or spec.origin is None:
        return ()
    # Read from the name of the folder beside it: importlib.metadata would cost more than the rest.
    site = Path(spec.origin).parents[1 + module.count(".")]
    for facts in site.glob("*-info"):
        found = re.match(rf"{project}-(\d[\d.]*)", facts.name.replace("_", "-"), re.IGNORECASE)
        if found:
            return tuple(int(number) for number in re.findall(r"\d+", found[1])[:2])
    return ()


def packages_or_exit(lock: Path) -> Path:
    """Do as packages_of; end the process with a sentence and exit code 25 when that fails."""
    import signal

    from holdfast.errors import CANCELLED, EnvironmentNotReady

    raised = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is signal.SIG_DFL]
    for number in raised:  # or what is half built would stay
        signal.signal(number, signal.default_int_handler)
    try:
        return packages_of(lock, "setting up its Python packages (once, about ten seconds) ...")
    except EnvironmentNotReady as error:
        complain(str(error), error.hint)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(CANCELLED)
    finally:
        for number in raised:
            signal.signal(number, signal.SIG_DFL)


def packages_of(lock: Path, notice: str) -> Path:
    """The folder with the packages of a lock file; built when it is missing, with a notice."""
    folder = cache_folder() / f"packages-{packages_key(lock)}"
    build_once(folder, lambda staging: install(lock, staging), notice=notice)
    return folder


def cache_folder() -> Path:
    """Where this user's rebuildable files belong; XDG_CACHE_HOME overrides it on every platform."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):
        return Path(given) / "holdfast"
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        raise not_ready(
            "there is no home folder to keep the Python packages in",
            "Set HOME, or XDG_CACHE_HOME to a folder that can be written.",
        )
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home) / "holdfast" / "Cache"
    return Path(home) / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "holdfast"


def packages_key(lock: Path) -> str:
    """Short hash of what decides which files are installed: lock file, Python, platform."""
    import hashlib

    # Such as `.cpython-311-x86_64-linux-gnu.so`: implementation, version, machine and C library.
    tag = importlib.machinery.EXTENSION_SUFFIXES[0]
    machine = "" if sys.platform == "win32" else os.uname().machine
    return hashlib.sha256(lock.read_bytes() + f"{tag} {machine}".encode()).hexdigest()[:16]


def build_once(folder: Path, build: "Callable[[Path], None]", *, notice: str) -> None:
    """
    Make a folder of the cache appear whole, unless it is there.

    Of two processes that build at once, the slower one discards its own. A killed one leaves a
    folder with a name of its own, which is removed a day later.

    Args:
        build: given an empty scratch folder, makes the new folder in it and calls it `finished`.
        notice: what to tell the user when there is something to build.

    Raises:
        EnvironmentNotReady: the cache cannot be written, or what `build` raises.
    """
    if os.path.isdir(str(folder)):
        return
    import shutil
    import tempfile

    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=str(folder.parent)))
        try:
            _say(notice)
            build(staging)
            (staging / "finished").rename(folder)
        finally:
            shutil.rmtree(str(staging), ignore_errors=True)
    except OSError as error:
        if not folder.is_dir():
            raise cache_unusable(folder.parent, error) from error


def remove_leftovers(cache: Path) -> None:
    import shutil
    import time

    for leftover in cache.glob(f"{STAGING_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # its own process has just removed it
            if leftover.stat().st_mtime < time.time() - DAY_SECONDS:
                shutil.rmtree(str(leftover), ignore_errors=True)


def not_ready(message: str, hint: str) -> Exception:
    from holdfast.errors import EnvironmentNotReady

    return EnvironmentNotReady(message, hint=hint)


def cache_unusable(folder: Path, error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message, hint = DISK_FULL
        return not_ready(f"{message}: {folder}", hint)
    return not_ready(
        f"the folder for its Python packages, {folder}, cannot be written ({error.strerror})",
        "Make it writable, or set XDG_CACHE_HOME to a folder that is.",
    )


def install(lock: Path, staging: Path) -> None:
    """
    Install what a lock file names into `staging/finished`, with the first installer that can.

    Raises: EnvironmentNotReady when none can; its hint names the log with their own words.
    """
    import shutil

    log, cause = [], None
    for name, commands in installers(lock, staging):
        shutil.rmtree(str(staging / "finished"), ignore_errors=True)  # of the one that failed
        output = run_all(commands, staging)
        if output is None:
            return
        log.append(output)
        understood = cause_of_failure(output)
        cause = understood or cause
        # The network may be there for pip alone: its settings name the company's own index.
        if understood and not (understood is NO_NETWORK and name == "uv"):
            break
    if not log:
        raise not_ready(
            "there is no installer for its Python packages: no uv, no pip, no ensurepip",
            "Install uv (https://docs.astral.sh/uv/), or on Debian: apt install python3-pip.",
        )
    message, hint = cause or ("its Python packages could not be installed", "The log says why.")
    raise not_ready(message, f"{hint} Log: {kept_log(log, staging.parent)}")


def installers(lock: Path, staging: Path) -> "Iterator[tuple[str, list[list[str]]]]":
    """Each installer there is, with the commands to run in turn; the quickest comes first."""
    import shutil

    target = ["--target", str(staging / "finished"), "-r", str(lock)]
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"] + target
    pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input"] + options
    uv = shutil.which("uv")
    if uv:
        for_us = ["--python", sys.executable, "--compile-bytecode", "--link-mode", "copy"]
        yield "uv", [[uv, "pip", "install"] + for_us + options]
    if importlib.util.find_spec("pip"):
        yield "pip", [[sys.executable] + pip]
    if importlib.util.find_spec("ensurepip"):
        scratch = staging / "venv"
        python = scratch / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        yield "venv", [[sys.executable, "-m", "venv", str(scratch)], [str(python)] + pip]


def run_all(commands: "list[list[str]]", staging: Path) -> "str | None":
    """Run commands up to the first that fails; its command line and output, or None."""
    import subprocess

    scratch = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(staging))
    own_rules = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}  # both would forbid --target
    environment = dict(os.environ, **scratch, **own_rules)
    for command in commands:
        log = f"$ {' '.join(command)}\n"
        try:
            done = subprocess.run(
                command,
                cwd=str(staging),  # not the user's folder, where a pip.py or uv.toml may lie
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            return f"{log}{error}\n"
        if done.returncode:
            return log + done.stdout.decode("utf-8", "replace")
    return None


def cause_of_failure(output: str) -> "tuple[str, str] | None":
    """The message and hint for what an installer says, or None when it says nothing we know."""
    for pattern, cause in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return cause
    return None


def kept_log(outputs: "list[str]", cache: Path) -> str:
    log = cache / "install.log"
    try:
        log.write_text("\n".join(outputs), encoding="utf-8")
    except OSError as error:
        return f"could not be written ({error.strerror})"
    return str(log)
