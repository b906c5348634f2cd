"""The words of the export script that say what a backup takes."""

from __future__ import annotations

import json

import pytest

from tests.running import run


@pytest.mark.parametrize(
    ("words", "scope", "tasks"),
    [
        (["--project", "Garden"], ["project=Garden"], 1),
        (["--project-id", "1", "--project", "Garden"], ["project-id=1", "project=Garden"], 4),
        (["--scope", "board=P board"], ["board=P board"], 2),
        (["boards", "tasks", "P board"], ["board=P board"], 2),
        (["--groups", "tasks", "--board-id", "1"], ["board-id=1"], 2),
    ],
)
def test_the_words_of_a_scope_are_read(board, tmp_path, words, scope, tasks):
    out = tmp_path / "part.json"
    run(tmp_path / "home", "export", "--db", board.path, "--output", out, *words)
    document = json.loads(out.read_bytes())
    assert document["choice"]["scope"] == scope
    assert len(document["tables"]["tasks"]) == tasks


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scope", "Planning"], "'Planning' is not like project=Planning"),
        (["--agent", "Ann"], "there is no agent that this database could be narrowed to"),
        (["--groups", ","], "--groups names nothing"),
        (["nothing"], "there is no group nothing: nothing was done"),
    ],
)
def test_words_that_mean_nothing_are_a_usage_error(board, tmp_path, words, message):
    done = run(tmp_path / "home", "export", "--db", board.path, *words, exit_code=2)
    assert message in done.stderr
