"""`export --to`: the backup is made here, proven, and then goes into the stores that are named."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.running import environment, files_in, make_database, reported, run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    make_database(home / "data" / "crm.db", "CREATE TABLE notes (id); INSERT INTO notes VALUES (1)")
    (home / "backup.yaml").write_text(
        "databases:\n  crm: data/crm.db\n"
        "stores:\n  disk: ../disk\n  share: {url: ../share/backups, off_site: true}\n"
    )
    return home


def test_a_backup_goes_to_every_store_that_is_named_under_the_databases_name(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "share").mkdir()
    report = reported(home, "export", "--to", "disk", "--to", "share")
    copies = report["copies"]
    assert [each["store"] for each in copies] == ["disk", "share"]
    owner = (home / "owner").read_text().strip()
    assert copies[0]["name"].startswith(f"{owner}/backup-crm-2")
    local = Path(report["path"]).read_bytes()
    assert files_in(tmp_path / "disk") == {copies[0]["name"]: local}
    assert files_in(tmp_path / "share" / "backups") == {copies[1]["name"]: local}


def test_all_stands_for_each_store_and_one_that_fails_does_not_hinder_the_others(
    home: Path, tmp_path: Path
) -> None:
    # The folder above the share's is not there, as when its disk is not connected.
    done = run(home, "export", "--to", "all", "--json", exit_code=31)
    report = json.loads(done.stdout)
    disk, share = report["copies"]
    assert Path(report["path"]).is_file() and disk["problem"] == ""
    assert share["problem"] == f"{home / '..' / 'share'} is not there"
    assert "its disk is connected" in share["hint"]
    assert not (tmp_path / "share").exists()
    assert len(files_in(tmp_path / "disk")) == 1


def test_a_log_in_that_has_expired_hinders_neither_the_backup_nor_the_other_stores(
    home: Path, tmp_path: Path
) -> None:
    (home / "backup.yaml").write_text(
        "databases: {crm: data/crm.db}\nstores: {cloud: 's3://bucket', disk: ../disk}\n"
    )
    config = tmp_path / "config"
    config.write_text("[default]\nsso_session = company\n")
    variables = environment(home) | {"AWS_CONFIG_FILE": str(config), "PATH": str(tmp_path)}
    variables.pop("AWS_ACCESS_KEY_ID", None)
    for verb in (("export", "--to", "all"), ("sync",)):
        done = run(home, *verb, "--json", env=variables, exit_code=31)
        assert "needs the program aws to log in" in done.stdout
        assert len(files_in(tmp_path / "disk")) == 1
    assert len(list((home / "output").glob("backup-*.json"))) == 1
    done = run(home, "prune", "--keep-last", "1", "--dry-run", env=variables, exit_code=3)
    assert "nothing is removed from cloud: " in done.stdout


def test_what_became_of_each_copy_is_said_in_a_line(home: Path) -> None:
    said = run(home, "export", "--to", "all", exit_code=31).stdout.splitlines()
    assert said[-3].startswith("In disk: ") and said[-3].endswith(" bytes, read back).")
    assert said[-2:] == [
        f"NOT in share: {home / '..' / 'share'} is not there.",
        "  Check that its disk is connected; or make that folder, if it is a new place.",
    ]


def test_a_store_that_is_not_set_is_refused_before_anything_is_made(home: Path) -> None:
    done = run(home, "export", "--to", "cloud", exit_code=2)
    assert done.stderr == "Error: there is no store cloud in backup.yaml.\nThere is disk, share.\n"
    assert not (home / "output").exists()


def test_an_address_of_no_kind_that_is_known_is_refused_with_those_that_are(home: Path) -> None:
    (home / "backup.yaml").write_text("stores: {cloud: 'ftp://host/x'}")
    done = run(home, "export", "--sample", "--to", "cloud", exit_code=20)
    assert done.stderr.startswith(
        "Error: backup.yaml: stores.cloud.url: ftp:// is not known.\nGive a folder"
    )


def test_standard_output_goes_into_no_store(home: Path) -> None:
    done = run(home, "export", "--output", "-", "--to", "disk", exit_code=2)
    assert "goes into no store" in done.stderr


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root to have no rights")
def test_a_store_that_may_not_be_written_is_said_and_the_backup_is_there(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk").symlink_to("/proc/1")  # not even for root
    report = reported(home, "export", "--to", "disk", exit_code=31)
    assert "cannot write" in report["copies"][0]["problem"]
    assert Path(report["path"]).is_file()
