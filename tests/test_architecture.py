"""The layers of docs/architecture.md, read from the code: what imports and touches what."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
PACKAGE = SCRIPTS / "holdfast"

# Lowest first: a module imports only from those before it.
ORDER = [
    "errors",
    "checkouts",
    "model",
    "pruned",
    "concerns",
    "copies",
    "outcomes",
    "found",
    "times",
    "cells",
    "redaction",
    "definitions",
    "files",
    "locks",
    "programs",
    "disks",
    "streams",
    "handover",
    "helpers",
    "pings",
    "database",
    "virtual",
    "schema",
    "rows",
    "digest",
    "parts",
    "readers",
    "selection",
    "places",
    "profiles",
    "excerpts",
    "known",
    "history_file",
    "history",
    "encryption",
    "formats",
    "stores",
    "retention",
    "schedulers",
    "beads_to_kata",
    "proof",
    "ahead",
    "rebuild",
    "comparing",
    "recency",
    "staged",
    "sifting",
    "staging",
    "equality",
    "works",
    "naming",
    "uniques",
    "breaking",
    "plans",
    "remapping",
    "writing",
    "sample",
    "operations",
    "reports",
    "here",
    "web",
    "cli",
]
# What runs before any package is there; may import the modules named here, and no others.
APART = {
    "bootstrap": {"errors", "checkouts", "packages"},
    "packages": set(),
    "__init__": set(),
}
# Who has packages installed that only some people need, or asks where the cache is.
MAY_INSTALL = {"stores", "here", "cli"}

ONLY_IN = {
    "sqlite3": {"database"},
    "pysqlite3": {"database"},
    "sqlite_utils": {"database"},
    "yaml": {"profiles"},
    "pyrage": {"encryption"},
    "nacl": {"encryption"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "dataclasses": {"web"},  # each takes forty times as long to make as a Struct, at every start
    "multiprocessing": {"handover", "helpers"},
    "subprocess": {"programs", "bootstrap"},  # bootstrap runs pip, before anything else is there
}
MAY_WRITE = {"files", "database", "bootstrap"}
WRITING_CALLS = {
    *("fdopen", "mkdir", "mkstemp", "rename", "rmdir", "rmtree", "touch", "unlink"),
    *("write_bytes", "write_text"),
    *("NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "copyfile", "makedirs"),
}
OUTWARD_CALLS = {
    *("print", "input", "exit", "sys.exit", "os._exit"),
    *("sys.stdout.write", "sys.stderr.write"),
    *("time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today"),
    *("date.today", "time.localtime", "time.gmtime"),
}
LONGEST_SCRIPT = 40  # lines
LONGEST_FILE = 360
REPLACING = re.compile(r"INSERT\s+OR\s+REPLACE|REPLACE\s+INTO", re.IGNORECASE)

# What backups carry with them to run alone is a file of data here.
ALONE = PACKAGE / "formats" / "bundle_files"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if ALONE not in path.parents)
every_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)


def layer(path: Path) -> str:
    """The name in ORDER of the module, or of the package that it is part of."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(parsed: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere, with its dots; `from a import b` gives a.b."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            assert node.level == 0, "imports are absolute, or the arrows cannot be read"


def layers_used(parsed: ast.Module) -> set[str]:
    """The layers of our own that a module imports."""
    parts = (name.split(".") for name in imports(parsed))
    return {rest[0] for top, *rest in parts if top == "holdfast" and rest} - {"__version__"}


def calls(parsed: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call, by the name it is written with."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def wrong_arrows(name: str, parsed: ast.Module) -> set[str]:
    used = layers_used(parsed)
    if name in APART:
        return used - APART[name]
    allowed = {"bootstrap", "packages"} if name in MAY_INSTALL else set()
    return used - set(ORDER[: ORDER.index(name) + 1]) - allowed


def outward_calls(parsed: ast.Module) -> list[str]:
    found = [name for name, _ in calls(parsed)]
    return [name for name in found if any(_ends_with(name, word) for word in OUTWARD_CALLS)]


def _ends_with(name: str, word: str) -> bool:
    return name == word or ("." in word and name.endswith(f".{word}"))


def writing_calls(parsed: ast.Module) -> list[str]:
    return [
        name
        for name, call in calls(parsed)
        if name.rpartition(".")[2] in WRITING_CALLS or _opens_for_writing(name, call)
    ]


def _opens_for_writing(name: str, call: ast.Call) -> bool:
    if name.rpartition(".")[2] != "open":
        return False
    words = [*call.args, *(keyword.value for keyword in call.keywords)]
    modes = [word.value for word in words if isinstance(word, ast.Constant)]
    return any(
        re.fullmatch(r"[rwaxbt+]+", mode) and set(mode) & set("wax+")
        for mode in modes
        if isinstance(mode, str)
    )


def names_used_elsewhere() -> set[tuple[str, str]]:
    """What one module of the library uses of another: (dotted module, name)."""
    used = set()
    for path in [*MODULES, *SCRIPTS.glob("*.py")]:
        parsed = tree(path)
        imported = {name for name in imports(parsed) if name.startswith("holdfast.")}
        used |= {(name.rpartition(".")[0], name.rpartition(".")[2]) for name in imported}
        local = {name.rpartition(".")[2]: name for name in imported}
        for node in ast.walk(parsed):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used.add((local.get(node.value.id, ""), node.attr))
    return used


def dotted(path: Path) -> str:
    parts = path.relative_to(SCRIPTS).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def test_every_module_has_its_place_in_the_order() -> None:
    # One that is missing here would escape all the rules below.
    assert {layer(path) for path in MODULES} == {*ORDER, *APART}


def test_the_architecture_page_lists_the_modules_in_this_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == ORDER


@every_module
def test_no_arrow_points_to_a_higher_layer(path: Path) -> None:
    assert wrong_arrows(layer(path), tree(path)) == set()


def test_what_backups_carry_with_them_imports_the_standard_library_alone() -> None:
    programs = sorted(ALONE.glob("*.py"))
    assert [path.name for path in programs] == ["restore.py"]
    tops = {name.partition(".")[0] for name in imports(tree(programs[0]))}
    assert tops - sys.stdlib_module_names == set()


def test_bootstrap_imports_no_package_that_may_be_missing() -> None:
    tops = {name.partition(".")[0] for name in imports(tree(PACKAGE / "bootstrap.py"))}
    missing = {"msgspec", "platformdirs", "sqlite_utils", "yaml", "pysqlite3", "pyrage", "nacl"}
    assert tops & missing == set()


@every_module
def test_sqlite_yaml_and_other_programs_stay_in_the_modules_that_know_them(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports(tree(path))}
    assert {top for top in tops if layer(path) not in ONLY_IN.get(top, {layer(path)})} == set()


@every_module
def test_nothing_below_the_faces_prints_exits_or_reads_the_clock(path: Path) -> None:
    if layer(path) not in {"here", "web", "cli", "bootstrap"}:
        assert outward_calls(tree(path)) == []


@every_module
def test_only_files_and_database_write_files(path: Path) -> None:
    if layer(path) not in MAY_WRITE:
        assert writing_calls(tree(path)) == []


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_a_script_is_no_more_than_arguments_and_an_exit_code(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_SCRIPT


@every_module
def test_a_file_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", sorted(SCRIPTS.rglob("*.py")), ids=lambda path: path.name)
def test_no_statement_deletes_a_row_to_replace_it(path: Path) -> None:
    # REPLACE deletes the children of the old row through ON DELETE CASCADE.
    assert REPLACING.findall(path.read_text(encoding="utf-8")) == []


@every_module
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path))


def test_what_other_modules_use_says_what_it_promises() -> None:
    used = names_used_elsewhere()
    silent = [
        f"{dotted(path)}.{node.name}"
        for path in MODULES
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and (dotted(path), node.name) in used
        and not ast.get_docstring(node)
    ]
    assert silent == []


# The rules themselves: each must see what it is there for.


@pytest.mark.parametrize(
    ("name", "source", "wrong"),
    [
        ("cells", "from holdfast import database", {"database"}),
        ("files", "from holdfast.cli.run import main", {"cli"}),
        ("cells", "def f():\n    import holdfast.formats.lines", {"formats"}),
        ("bootstrap", "from holdfast.model import Plan", {"model"}),
        ("cli", "from holdfast import __version__, reports", set()),
    ],
)
def test_an_arrow_is_seen_however_it_is_written(name: str, source: str, wrong: set[str]) -> None:
    assert wrong_arrows(name, ast.parse(source)) == wrong


@pytest.mark.parametrize(
    "source", ["print(1)", "sys.exit(2)", "datetime.datetime.now(UTC)", "a = time.time()"]
)
def test_an_outward_call_is_seen(source: str) -> None:
    assert len(outward_calls(ast.parse(source))) == 1


@pytest.mark.parametrize(
    "source",
    ["open(p, 'w')", "path.open('ab')", "p.open(mode='r+')", "p.write_text('')", "os.unlink(p)"],
)
def test_a_writing_call_is_seen(source: str) -> None:
    assert len(writing_calls(ast.parse(source))) == 1


@pytest.mark.parametrize("source", ["time.monotonic()", "path.open('rb')", "open('max')"])
def test_a_harmless_call_is_left_alone(source: str) -> None:
    parsed = ast.parse(source)
    assert (outward_calls(parsed), writing_calls(parsed)) == ([], [])
