"""The error tree, and the page that explains it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdfast import errors, reports
from holdfast.errors import HoldfastError

PAGE = Path(__file__).resolve().parents[1] / "docs" / "errors.md"

# What programs rely on: a code keeps its class for ever.
CODES = {
    "HoldfastError": 1,
    "BackupError": 1,
    "UsageError": 2,
    "DatabaseNotFound": 10,
    "NotADatabase": 11,
    "DatabaseDamaged": 12,
    "DatabaseLocked": 13,
    "BackupNotFound": 14,
    "BackupAmbiguous": 15,
    "BackupDamaged": 16,
    "NotABackup": 17,
    "BackupTooNew": 18,
    "ProfileError": 19,
    "SettingsError": 20,
    "ImportConflict": 21,
    "ImportRefused": 22,
    "PlanChanged": 23,
    "WriteFailed": 24,
    "EnvironmentNotReady": 25,
    "RestoreRefused": 26,
    "RestoreFailed": 27,
    "DatabaseError": 28,
    "ProgramFailed": 29,
}


def tree(error: type[HoldfastError] = HoldfastError) -> list[type[HoldfastError]]:
    """An error class and all classes below it."""
    below = [each for child in error.__subclasses__() for each in tree(child)]
    # Tests may derive errors of their own.
    return [each for each in [error, *below] if each.__module__ == errors.__name__]


def rows() -> list[str]:
    """The rows of the page's tables, headings left out."""
    found = re.findall(r"^\|.*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [row for row in found if re.match(r"\| \d", row)]


def first_line(error: type[HoldfastError]) -> str:
    return (error.__doc__ or "").strip().splitlines()[0]


def test_no_class_has_lost_or_changed_its_code() -> None:
    now = {error.__name__: error.exit_code for error in tree()}
    assert {name: now.get(name) for name in CODES} == CODES


def test_no_two_classes_share_a_code_of_their_own() -> None:
    own = [error.exit_code for error in tree() if "exit_code" in vars(error)]
    assert sorted(set(own)) == sorted(own)


def test_codes_of_errors_are_told_apart_from_those_that_are_none() -> None:
    fixed = {
        errors.DONE: 0,
        errors.DONE_WITH_WARNINGS: 3,
        errors.CONFIRMATION_NEEDED: 4,
        errors.CANCELLED: 130,
    }
    assert all(code == value for code, value in fixed.items())
    # 126 and more are the shell's own.
    assert all(error.exit_code in (1, 2) or 10 <= error.exit_code < 126 for error in tree())


@pytest.mark.parametrize("error", tree(), ids=lambda error: error.__name__)
def test_the_page_has_each_error_with_its_code_its_meaning_and_what_to_do(
    error: type[HoldfastError],
) -> None:
    start = f"| {error.exit_code} | {error.__name__} | {first_line(error)} | "
    [row] = [row for row in rows() if row.startswith(start)]
    assert len(row.removeprefix(start).strip(" |")) > 10


def test_the_page_has_no_row_without_an_error() -> None:
    named = [cells[1] for row in rows() if len(cells := row.strip("| ").split(" | ")) == 4]
    assert sorted(named) == sorted(error.__name__ for error in tree())


def test_the_page_has_the_codes_that_are_no_error() -> None:
    codes = [int(cells[0]) for row in rows() if len(cells := row.strip("| ").split(" | ")) == 3]
    assert codes == [0, 3, 4, 130]


def test_the_tree_at_the_head_of_the_module_is_the_real_one() -> None:
    drawn = re.findall(r"(\w+)(?: \((\d+)\))?$", (errors.__doc__ or ""), re.MULTILINE)
    shown = {name: code for name, code in drawn if name in vars(errors)}
    own = {
        error.__name__: str(error.exit_code) if "exit_code" in vars(error) else ""
        for error in tree()
    }
    assert shown == own


def test_an_error_for_people_ends_with_what_to_do() -> None:
    error = errors.BackupNotFound("no backup at x.json", hint="See what there is with status.")
    assert reports.error_text(error) == (
        "Error: no backup at x.json.\nSee what there is with status."
    )


def test_an_error_for_programs_names_its_class_and_code() -> None:
    error = errors.BackupNotFound('no backup at "x".json', hint="See status.")
    assert reports.error_json(error) == (
        '{"error":"BackupNotFound","message":"no backup at \\"x\\".json",'
        '"hint":"See status.","exit_code":14}'
    )
