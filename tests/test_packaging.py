"""Packaging: the lock files, the project's settings and the wheel agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import holdfast
from holdfast import bootstrap, packages

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRA_LOCKS = [f"requirements-{extra}.lock" for extra in packages.EXTRAS]
LOCKS = ["requirements.lock", "requirements-dev.lock", *EXTRA_LOCKS]


TOOL_LOCKS = [
    "tests/stores/requirements-s3.lock",
    "tests/web/requirements-browser.lock",
    "tests/web/requirements-schemathesis.lock",
]


def requirements(lock: str) -> list[str]:
    """What a lock file asks for: one text per package, its hashes included."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", "").splitlines() if line]


@pytest.mark.parametrize("lock", [*LOCKS, *TOOL_LOCKS])
def test_a_lock_file_pins_every_package_with_hashes_and_names_no_place(lock: str) -> None:
    for requirement in requirements(lock):
        assert re.fullmatch(
            r"[\w-]+==[^ ]+ ( *;[^#]+?)?( *--hash=sha256:[0-9a-f]{64})+", requirement
        )


def test_the_tests_run_with_the_packages_that_people_get() -> None:
    assert set(requirements(LOCKS[0])) < set(requirements(LOCKS[1]))
    pinned = [{each.split()[0] for each in requirements(lock)} for lock in LOCKS]
    assert all(each < pinned[1] for each in pinned[2:])  # for more Pythons, perhaps


@pytest.mark.parametrize("extra", packages.EXTRAS)
def test_the_lock_file_of_an_extra_holds_what_it_adds_and_nothing_else(extra: str) -> None:
    added = packages.EXTRAS[extra].values()
    asked = PROJECT["optional-dependencies"][extra]
    assert asked == [f"{project}>={'.'.join(map(str, first))}" for project, first, _ in added]
    locked = set(requirements(f"requirements-{extra}.lock"))
    names = {each.partition("==")[0] for each in locked}
    assert names >= {project for project, _, _ in added}
    assert locked & set(requirements(LOCKS[0])) == set()


def test_the_lock_file_holds_every_package_that_the_project_asks_for() -> None:
    asked = {re.split("[>;]", dependency)[0] for dependency in PROJECT["dependencies"]}
    locked = {requirement.split("==")[0] for requirement in requirements(LOCKS[0])}
    assert asked - locked == set()


@pytest.mark.parametrize(("project", "first", "beyond"), packages.NEEDED.values())
def test_an_installed_package_will_do_when_the_project_says_so(
    project: str, first: tuple[int, ...], beyond: tuple[int, ...]
) -> None:
    limit = "" if beyond == packages.NO_LIMIT else f",<{'.'.join(map(str, beyond))}"
    asked = [dependency.partition(";")[0].strip() for dependency in PROJECT["dependencies"]]
    assert f"{project}>={'.'.join(map(str, first))}{limit}" in asked


def test_the_python_it_needs_is_the_same_everywhere() -> None:
    assert PROJECT["requires-python"] == ">={}.{}".format(*bootstrap.OLDEST_PYTHON)


@pytest.mark.slow
def test_the_wheel_holds_the_library_what_backups_carry_the_profiles_and_the_sample(
    tmp_path: Path,
) -> None:
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = tmp_path.glob(f"holdfast-{holdfast.__version__}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found = set(archive.namelist())
        facts = f"holdfast-{holdfast.__version__}.dist-info"
        commands = archive.read(f"{facts}/entry_points.txt").decode()
    library = (ROOT / "scripts").rglob("holdfast/**/*.py")
    expected = {str(path.relative_to(ROOT / "scripts")) for path in library}
    bundle_files = (ROOT / "scripts" / "holdfast" / "formats" / "bundle_files").glob("*.*")
    expected |= {str(path.relative_to(ROOT / "scripts")) for path in bundle_files}
    of_page = (path for path in (ROOT / "scripts/holdfast/web").rglob("*.*") if path.is_file())
    of_page = (path for path in of_page if path.suffix != ".pyc")
    expected |= {str(path.relative_to(ROOT / "scripts")) for path in of_page}
    kept_in_data = [*ROOT.glob("data/profiles/*"), *ROOT.glob("data/sample/*")]
    expected |= {f"holdfast/{path.relative_to(ROOT)}" for path in kept_in_data}
    assert {name for name in found if not name.startswith(facts)} == expected
    assert "holdfast = holdfast.cli:main" in commands
