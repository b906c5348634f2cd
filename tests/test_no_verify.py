"""What is made with --no-verify is never called verified, before somebody does verify it."""

from __future__ import annotations

from pathlib import Path

from tests.running import make_database, reported, run


def test_an_export_that_is_not_read_back_is_not_called_verified(tmp_path):
    home = tmp_path / "home"
    database = make_database(tmp_path / "notes.db", "CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    home.mkdir()
    (home / "backup.yaml").write_text("copied_elsewhere: true\n")
    report = reported(home, "export", "--db", database, "--no-verify")
    assert report["verified"] == ""
    said = reported(home, "status", exit_code=3)
    [backup] = said["backups"]
    assert (backup["verified"], backup["verified_at"]) == ("", "")
    assert [each["kind"] for each in said["concerns"]] == ["unverified"]
    assert "not verified here" in run(home, "status", exit_code=3).stdout
    run(home, "verify", "latest")
    [backup] = reported(home, "status")["backups"]
    assert backup["verified"] == "sound"


def test_an_export_says_that_it_was_not_verified(tmp_path):
    said = run(tmp_path / "home", "export", "--sample", "--no-verify").stdout
    assert ", not verified). " in said


def test_a_restore_that_is_not_compared_says_so(tmp_path):
    home = tmp_path / "home"
    run(home, "export", "--sample")
    words = ["restore", "latest", "--to"]
    assert ", not verified. " in run(home, *words, tmp_path / "a.db", "--no-verify").stdout
    assert ", proven equal. " in run(home, *words, tmp_path / "b.db").stdout
    assert (tmp_path / "a.db").read_bytes() == (tmp_path / "b.db").read_bytes()
    report = reported(home, *words, tmp_path / "c.db", "--no-verify")
    assert (report["is_proven"], report["verified"]) == (True, False)


def test_a_damaged_backup_is_refused_even_by_a_restore_that_compares_nothing(tmp_path):
    home = tmp_path / "home"
    made = Path(reported(home, "export", "--sample")["path"])
    made.write_bytes(made.read_bytes().replace(b'"id":7,', b'"id":9007,', 1))
    target = tmp_path / "a.db"
    run(home, "restore", made, "--to", target, "--no-verify", exit_code=16)
    assert not target.exists()
