"""What is made with --no-verify is never called verified, before somebody does verify it."""

from __future__ import annotations

from tests.running import make_database, reported, run


def test_an_export_that_is_not_read_back_is_not_called_verified(tmp_path):
    home = tmp_path / "home"
    database = make_database(tmp_path / "notes.db", "CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    report = reported(home, "export", "--db", database, "--no-verify")
    assert report["verified"] == ""
    [backup] = reported(home, "status")["backups"]
    assert (backup["verified"], backup["verified_at"]) == ("", "")
    assert "not verified here" in run(home, "status").stdout
    run(home, "verify", "latest")
    [backup] = reported(home, "status")["backups"]
    assert backup["verified"] == "sound"


def test_an_export_says_that_it_was_not_verified(tmp_path):
    said = run(tmp_path / "home", "export", "--sample", "--no-verify").stdout
    assert ", not verified). " in said
