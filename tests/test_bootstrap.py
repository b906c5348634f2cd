"""
Bootstrap: from nothing but Python to the packages of the lock file, or one sentence that helps.

Every start is a real process of a bare Python, in a home of its own, that runs a copy of the
plugin. Most builds are real, too; an installer is a double only where it has to stop half way.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uv

from holdfast import bootstrap, packages
from holdfast.errors import EnvironmentNotReady

ROOT = Path(__file__).parents[1]
READ_BY_OLD_PYTHONS = [
    ROOT / "scripts/holdfast/__init__.py",
    ROOT / "scripts/holdfast/bootstrap.py",
    ROOT / "scripts/holdfast/packages.py",
    ROOT / "tests/__init__.py",
    ROOT / "tests/__main__.py",
    *ROOT.glob("scripts/*.py"),
]
# What this machine needs to reach a package index: proxies, certificates, mirrors.
WAYS_OUT = ("SSL_", "REQUESTS_", "PIP_", "UV_", "HTTP_", "HTTPS_", "NO_PROXY", "http", "no_proxy")
NOTICE = "setting up its Python packages (once, about ten seconds) ..."
CLOSED_PORT = "http://127.0.0.1:9/simple"
NO_INDEX = {"PIP_INDEX_URL": CLOSED_PORT, "UV_DEFAULT_INDEX": CLOSED_PORT, "PIP_RETRIES": "1"}
SCRIPT = """
import sys
sys.dont_write_bytecode = True
{before}
sys.path.insert(0, {scripts!r})
from holdfast.bootstrap import prepare
prepare()
{after}
"""
USE_THE_PACKAGES = "import sqlite_utils, msgspec, yaml, platformdirs; print(sqlite_utils.__file__)"
HIDE_ENSUREPIP = "sys.modules['ensurepip'] = None"


@dataclass
class Newcomer:
    """Someone with a bare Python, an empty home, and a plugin that was just installed."""

    python: Path
    home: Path
    plugin: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        return self.home / "cache" / "holdfast"

    @property
    def programs(self) -> Path:
        """The only folder where this person's programs are looked for."""
        return self.home / "bin"

    def start(self, *, before: str = "", after: str = USE_THE_PACKAGES) -> subprocess.Popen[str]:
        scripts = str(self.plugin / "scripts")
        code = SCRIPT.format(before=before, scripts=scripts, after=after)
        return subprocess.Popen(
            [str(self.python), "-c", code],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *, before: str = "", after: str = USE_THE_PACKAGES) -> Ended:
        return Ended.of(self.start(before=before, after=after))

    def has_pip(self) -> None:
        spec = importlib.util.find_spec("pip")
        assert spec
        assert spec.origin
        folder = self.home / "only-pip"
        folder.mkdir()
        (folder / "pip").symlink_to(Path(spec.origin).parent, target_is_directory=True)
        self.variables["PYTHONPATH"] = str(folder)

    def has_uv(self) -> None:
        (self.programs / "uv").symlink_to(uv.find_uv_bin())

    def has_installer(self, script: str) -> None:
        """Put a shell script where uv would be; FOLDER stands for the one to install into."""
        find_folder = 'while [ "$1" != --target ]; do shift; done; FOLDER=$2\n'
        program = self.programs / "uv"
        program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{find_folder}{script}\n")
        program.chmod(0o755)


@dataclass
class Ended:
    exit_code: int
    output: str
    complaint: str

    @classmethod
    def of(cls, process: subprocess.Popen[str]) -> Ended:
        output, complaint = process.communicate(timeout=300)
        return cls(process.returncode, output, complaint)


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    venv.create(tmp_path / "python")
    plugin = tmp_path / "plugin"
    (plugin / "scripts" / "holdfast").mkdir(parents=True)
    for name in ("__init__.py", "bootstrap.py", "checkouts.py", "errors.py", "packages.py"):
        shutil.copy(ROOT / "scripts" / "holdfast" / name, plugin / "scripts" / "holdfast")
    shutil.copy(ROOT / "requirements.lock", plugin)
    person = Newcomer(tmp_path / "python" / "bin" / "python", tmp_path, plugin)
    person.programs.mkdir()
    person.variables = {
        **ways_out(os.environ),
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PATH": str(person.programs),
    }
    return person


def ways_out(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(WAYS_OUT)}


def names(folder: Path, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


def assert_refused(ended: Ended, *words: str) -> None:
    """It ended as promised: exit code 25, and a sentence for people with these words in it."""
    assert ended.exit_code == 25, ended.complaint
    assert ended.output == ""
    *before, sentence = ended.complaint.splitlines()
    assert before in ([], ["holdfast: " + NOTICE])
    assert sentence.startswith("holdfast: ")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize("path", READ_BY_OLD_PYTHONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_python_that_is_too_old_can_read_what_tells_it_so(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert "from __future__" not in source  # 3.6 knows no annotations there


def test_a_python_that_is_too_old_is_told_which_one_it_is(newcomer: Newcomer) -> None:
    ended = newcomer.run(before="sys.version_info = (3, 9, 18, 'final', 0)")
    assert_refused(ended, "this is Python 3.9.18", str(newcomer.python), "needs 3.11 or newer")
    assert not newcomer.cache.exists()


def test_packages_that_are_installed_are_used_without_loading_or_starting_anything(
    newcomer: Newcomer,
) -> None:
    newcomer.python = Path(sys.executable)
    newcomer.variables["PYTHONPATH"] = os.pathsep.join(sys.path)
    before = "present = set(sys.modules)"  # a Python may load some of these by itself
    heavy = "{'subprocess', 'tempfile', 'hashlib', 'yaml', 'msgspec'}"
    loaded = f"print((sys.modules.keys() - present) & {heavy})"
    assert newcomer.run(before=before, after=loaded) == Ended(0, "set()\n", "")
    assert not newcomer.cache.exists()


@pytest.mark.parametrize(
    ("facts", "release"),
    [
        ("some_package-3.39.dist-info", (3, 39)),
        ("Some_Package-4.dist-info", (4,)),
        ("some_package-4.2.1.egg-info", (4, 2)),
        ("some_package_more-9.0.dist-info", ()),
    ],
)
def test_the_version_of_an_installed_package_is_known_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: str, release: tuple[int, ...]
) -> None:
    (tmp_path / "some_module").mkdir()
    (tmp_path / "some_module" / "__init__.py").write_text("raise AssertionError")
    (tmp_path / facts).mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert bootstrap.installed_release("some_module", "some-package") == release


def test_a_package_that_is_too_old_counts_as_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    releases = {project: first for project, first, _ in packages.NEEDED.values()}
    for sqlite_utils, expected in [((3, 39), False), ((4, 2), True), ((5, 0), False), ((), False)]:
        found = {**releases, "sqlite-utils": sqlite_utils}
        monkeypatch.setattr(
            bootstrap, "installed_release", lambda _, project, found=found: found[project]
        )
        assert bootstrap.are_installed(packages.NEEDED) is expected


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip", "ensurepip"])
def test_a_first_run_builds_and_the_next_one_finds(newcomer: Newcomer, installer: str) -> None:
    before = set(newcomer.plugin.rglob("*"))
    if installer == "uv":
        newcomer.has_uv()
    if installer == "pip":
        newcomer.has_pip()
    first = newcomer.run(before="" if installer == "ensurepip" else HIDE_ENSUREPIP)
    assert (first.exit_code, first.complaint) == (0, f"holdfast: {NOTICE}\n")
    (packages,) = newcomer.cache.glob("packages-*")
    assert first.output.startswith(str(packages))
    assert list(packages.glob("sqlite_utils/__pycache__/*.pyc")), "every start would compile them"
    # Outside a checkout, what was compiled lies where an update and an uninstall leave it alone.
    assert list((newcomer.cache / "bytecode").rglob("sqlite_utils/*.pyc"))

    newcomer.variables = {"PATH": "", "XDG_CACHE_HOME": str(newcomer.cache.parent)}
    nothing_started = "print('subprocess' in sys.modules, 'tempfile' in sys.modules)"
    assert newcomer.run(after=nothing_started) == Ended(0, "False False\n", "")
    assert newcomer.run() == Ended(0, first.output, "")
    assert set(newcomer.plugin.rglob("*")) == before


@pytest.mark.slow
def test_two_first_runs_at_once_both_work(newcomer: Newcomer) -> None:
    newcomer.has_pip()
    both = [Ended.of(process) for process in [newcomer.start(), newcomer.start()]]
    assert [ended.exit_code for ended in both] == [0, 0], both
    assert both[0].output == both[1].output
    assert names(newcomer.cache) == ["bytecode", Path(both[0].output).parts[-3]]


@pytest.mark.slow
def test_an_installer_that_cannot_do_it_leaves_it_to_the_next(newcomer: Newcomer) -> None:
    newcomer.has_installer('mkdir -p "$FOLDER/sqlite_utils"; echo unknown option; exit 2')
    newcomer.has_pip()
    assert newcomer.run().exit_code == 0


def test_the_slower_of_two_builds_is_discarded(tmp_path: Path) -> None:
    folder = tmp_path / "packages"

    def build_while_another_finishes(staging: Path) -> None:
        (staging / "finished").mkdir()
        (staging / "finished" / "slower").touch()
        folder.mkdir()
        (folder / "quicker").touch()

    bootstrap.build_once(folder, build_while_another_finishes, notice="building")
    assert names(tmp_path) == ["packages"]
    assert names(folder) == ["quicker"]


def test_a_killed_build_is_not_taken_for_a_complete_one(newcomer: Newcomer) -> None:
    newcomer.has_installer('mkdir -p "$FOLDER/sqlite_utils"; touch "$FOLDER/../half"; sleep 60')
    process = newcomer.start()
    deadline = time.monotonic() + 30
    while not list(newcomer.cache.glob("*/half")):
        assert time.monotonic() < deadline, "the installer never ran"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert names(newcomer.cache, "packages-*") == []

    newcomer.has_installer('mkdir -p "$FOLDER"; touch "$FOLDER/whole"')
    assert newcomer.run(after="").exit_code == 0
    (packages,) = newcomer.cache.glob("packages-*")
    assert names(packages) == ["whole"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_cancelled_leaves_nothing_and_says_nothing(
    newcomer: Newcomer, number: signal.Signals
) -> None:
    newcomer.has_installer('mkdir -p "$FOLDER/sqlite_utils"; touch "$FOLDER/../half"; sleep 60')
    process = newcomer.start(before="import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)")
    deadline = time.monotonic() + 30
    while not list(newcomer.cache.glob("*/half")):
        assert time.monotonic() < deadline, "the installer never ran"
        time.sleep(0.01)
    process.send_signal(number)
    assert Ended.of(process) == Ended(130, "", f"holdfast: {NOTICE}\n")
    assert names(newcomer.cache) == []


def test_what_a_killed_build_left_goes_after_a_day(tmp_path: Path) -> None:
    for name, hours in [("building-old", 25), ("building-young", 23), ("packages-old", 25)]:
        (tmp_path / name / "finished").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - hours * 3600,) * 2)
    bootstrap.build_once(
        tmp_path / "new", lambda staging: (staging / "finished").mkdir(), notice="building"
    )
    assert names(tmp_path) == ["building-young", "new", "packages-old"]


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_without_a_network_it_says_so(newcomer: Newcomer, installer: str) -> None:
    newcomer.has_pip() if installer == "pip" else newcomer.has_uv()
    newcomer.variables |= NO_INDEX
    log = newcomer.cache / "install.log"
    assert_refused(newcomer.run(before=HIDE_ENSUREPIP), "could not be downloaded", str(log))
    assert "Connection refused" in log.read_text(encoding="utf-8")
    assert names(newcomer.cache) == ["install.log"]


def test_without_any_installer_it_names_one_to_install(newcomer: Newcomer) -> None:
    assert_refused(
        newcomer.run(before=HIDE_ENSUREPIP), "no uv, no pip, no ensurepip", "docs.astral"
    )
    assert names(newcomer.cache) == []


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_package_with_another_hash_is_refused(newcomer: Newcomer, installer: str) -> None:
    newcomer.has_pip() if installer == "pip" else newcomer.has_uv()
    lock = newcomer.plugin / "requirements.lock"
    damaged = re.sub("sha256:.{8}", "sha256:00000000", lock.read_text(encoding="utf-8"))
    lock.write_text(damaged, encoding="utf-8")
    assert_refused(newcomer.run(), "is not the one that the lock file promises", "install.log")
    assert names(newcomer.cache) == ["install.log"]


def test_a_cache_folder_that_cannot_be_written_is_named(newcomer: Newcomer) -> None:
    newcomer.cache.parent.write_text("a file where the folder would be")
    ended = newcomer.run()
    assert_refused(ended, str(newcomer.cache), "cannot be written", "XDG_CACHE_HOME")
    assert NOTICE not in ended.complaint


def test_a_person_without_a_home_is_told_what_to_set(newcomer: Newcomer) -> None:
    del newcomer.variables["XDG_CACHE_HOME"]
    ended = newcomer.run(before="import os.path; os.path.expanduser = lambda path: path")
    assert_refused(ended, "no home folder", "Set HOME")


def test_a_full_disk_is_called_one(newcomer: Newcomer) -> None:
    full = "import tempfile, errno\ndef mkdtemp(**_): raise OSError(errno.ENOSPC, 'full')\n"
    ended = newcomer.run(before=full + "tempfile.mkdtemp = mkdtemp")
    assert_refused(ended, "the disk is full", str(newcomer.cache))


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("[Errno 28] No space left on device", "the disk is full"),
        (
            "ProtocolError: (\"Connection broken: OSError(28, 'No space left on device')\")",
            "the disk is full",
        ),
        ("cause: Hash mismatch for `six==1.17.0`", "the lock file promises"),
        ("cause: error sending request for url (https://pypi.org/simple/)", "be downloaded"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for click==8.5.1",
            "be downloaded",
        ),
        ("ERROR: No matching distribution found for click==8.5.1", "no ready-made build"),
        ("cause: Because msgspec==0.22.0 has no usable wheels and", "no ready-made build"),
        ("Segmentation fault", "could not be installed"),
    ],
)
def test_what_an_installer_says_is_put_in_a_sentence(
    newcomer: Newcomer, said: str, understood: str
) -> None:
    quoted = said.replace('"', '\\"').replace("`", "\\`")
    newcomer.has_installer(f'echo "{quoted}"; exit 1')
    log = newcomer.cache / "install.log"
    assert_refused(newcomer.run(before=HIDE_ENSUREPIP), understood, f"Log: {log}")
    assert said in log.read_text(encoding="utf-8")


def test_the_exit_code_for_old_pythons_is_that_of_the_error_tree() -> None:
    assert EnvironmentNotReady.exit_code == bootstrap.ENVIRONMENT_NOT_READY
