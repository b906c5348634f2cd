"""The API over real HTTP: each path does what its script does."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import running
from tests.web.serving import Served, begun, carried_out, ended, sent, served


def titles(path: Path) -> list[str]:
    return [title for (title,) in running.rows(path, "SELECT title FROM notes ORDER BY id")]


def exported(client: httpx.Client, **order: Any) -> Path:
    """Make a backup, and return where it is."""
    job = carried_out(client, "/backup/export", {"database": "notes", **order})
    assert job["state"] == "done", job
    return Path(job["report"]["path"])


def listed(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in client.get("/backup/list").json()["backups"]}


def test_an_export_makes_the_backup_that_its_report_names(
    guest: httpx.Client, shared: Served
) -> None:
    job = carried_out(guest, "/backup/export", {"database": "notes", "name": "before-the-move"})
    assert (job["state"], job["exit_code"], job["problem"]) == ("done", 0, None)
    path = Path(job["report"]["path"])
    assert path.parent == shared.home / "output"
    assert path.name.startswith("backup-before-the-move-")
    assert job["report"]["counts"] == {"notes": 3}
    found = listed(guest)[path.name]
    assert (found["database"], found["row_count"], found["verified"]) == ("notes", 3, "contents")
    assert (found["format"], found["copies"]) == ("json", [])


def test_the_report_of_a_job_is_that_of_the_script(guest: httpx.Client, shared: Served) -> None:
    of_job = carried_out(guest, "/backup/diff", {"database": "agents", "left": "live"})["report"]
    of_script = running.reported(shared.home, "diff", "live", "live", "--db", "agents")
    assert of_job == of_script


@pytest.mark.parametrize(
    ("flags", "tables"),
    [
        ({}, {"agents", "tools", "workflows", "scheduled_tasks", "task_executions"}),
        (
            {"include_memory": True, "include_config": True},
            {"agents", "tools", "workflows", "scheduled_tasks", "task_executions"}
            | {"memory_entries"},
        ),
        (
            {"include_tools": False, "include_scheduled_tasks": False},
            {"agents", "workflows"},
        ),
        ({"groups": ["tools"]}, {"tools"}),
    ],
)
def test_groups_are_taken_and_left_out_by_name_and_by_the_flags_of_open_agentic(
    guest: httpx.Client, flags: dict[str, Any], tables: set[str]
) -> None:
    job = carried_out(guest, "/backup/export", {"database": "agents", "zip": True, **flags})
    assert job["state"] == "done", job
    assert set(job["report"]["counts"]) == tables
    assert job["report"]["path"].endswith(".zip")


def test_an_export_of_no_database_in_particular_is_of_all_as_in_the_script(
    guest: httpx.Client,
) -> None:
    job = carried_out(guest, "/backup/export", {})
    made = {each["name"]: each["report"]["counts"] for each in job["report"]["databases"]}
    assert set(made) == {"notes", "agents"} and made["notes"] == {"notes": 3}


def test_an_export_goes_to_the_stores_that_are_named(guest: httpx.Client) -> None:
    path = exported(guest, to=["attic"], name="stored")
    assert listed(guest)[path.name]["copies"] == ["attic"]


def test_a_sent_file_is_planned_and_comes_in_once_its_plan_is_confirmed(
    client: httpx.Client, home: Path
) -> None:
    notes = home.parent / "notes.db"
    backup = exported(client, format="zip")
    running.make_database(notes, "UPDATE notes SET title = 'Changed' WHERE id = 2")
    planned = sent(client, backup, database="notes", rows="true")
    assert (planned["state"], planned["exit_code"]) == ("done", 4)
    assert planned["report"]["outcome"] == "planned"
    (row,) = planned["report"]["plan"]["rows"]
    assert (row["table"], row["action"], row["key"]) == ("notes", "change", "2")
    assert titles(notes) == ["Groceries", "Changed", "Later"]
    plan_id = planned["report"]["plan"]["plan_id"]
    answer = client.post(
        "/backup/import",
        files={"upload": (None, planned["upload"])},
        data={"database": "notes", "rows": "true", "confirm": plan_id},
    )
    done = ended(client, answer.json())
    assert (done["state"], done["report"]["outcome"]) == ("done", "done")
    assert titles(notes) == ["Groceries", "Ideas", "Later"]
    # The file is no longer needed, and is gone.
    again = client.post("/backup/import", files={"upload": (None, planned["upload"])})
    assert again.status_code == 404


def test_options_of_open_agentic_are_understood(client: httpx.Client, home: Path) -> None:
    notes = home.parent / "notes.db"
    backup = exported(client)
    running.make_database(notes, "UPDATE notes SET title = 'Changed' WHERE id = 2")
    options = {"import_memory": False, "overwrite_existing": False, "database": "notes"}
    job = sent(client, backup, options=json.dumps(options))
    assert job["report"]["mode"] == "merge"
    (table,) = job["report"]["plan"]["tables"]
    assert (table["kept"], table["overwritten"]) == (1, 0)


def test_a_plan_that_is_no_longer_true_is_refused_and_the_new_one_is_shown(
    client: httpx.Client, home: Path
) -> None:
    notes = home.parent / "notes.db"
    backup = exported(client).name
    running.make_database(notes, "UPDATE notes SET title = 'Changed' WHERE id = 2")
    plan = carried_out(client, "/backup/plan", {"backup": backup})["report"]["plan"]
    running.make_database(notes, "UPDATE notes SET title = 'Changed' WHERE id = 1")
    order = {"backup": backup, "confirm": plan["plan_id"]}
    job = carried_out(client, "/backup/plan", order)
    assert (job["state"], job["exit_code"], job["problem"]["status"]) == ("failed", 23, 409)
    assert job["report"]["plan"]["plan_id"] != plan["plan_id"]
    assert titles(notes) == ["Changed", "Changed", "Later"]


def test_an_import_is_undone_by_its_plan(client: httpx.Client, home: Path) -> None:
    notes = home.parent / "notes.db"
    backup = exported(client).name
    running.make_database(notes, "UPDATE notes SET title = 'Changed' WHERE id = 2")
    plan = carried_out(client, "/backup/plan", {"backup": backup})["report"]["plan"]
    carried_out(client, "/backup/plan", {"backup": backup, "confirm": plan["plan_id"]})
    assert titles(notes) == ["Groceries", "Ideas", "Later"]
    points = carried_out(client, "/backup/undo", {"database": "notes", "list_only": True})
    assert [each["reason"] for each in points["report"]["points"]] == ["import"]
    planned = carried_out(client, "/backup/undo", {"database": "notes"})
    assert planned["exit_code"] == 4
    confirm = {"database": "notes", "confirm": planned["report"]["plan_id"]}
    assert carried_out(client, "/backup/undo", confirm)["report"]["outcome"] == "done"
    assert titles(notes) == ["Groceries", "Changed", "Later"]


def test_a_diff_names_the_rows_that_differ(client: httpx.Client, home: Path) -> None:
    backup = exported(client).name
    running.make_database(
        home.parent / "notes.db", "INSERT INTO notes (id, title) VALUES (9, 'New')"
    )
    order = {"left": backup, "right": "live", "database": "notes", "rows": True}
    report = carried_out(client, "/backup/diff", order)["report"]
    (table,) = report["tables"]
    assert (table["name"], table["added"]) == ("notes", 1)
    assert table["rows"] == [
        {"change": "added", "key": {"id": 9}, "columns": [], "values": [], "more_values": 0}
    ]
    report = carried_out(client, "/backup/diff", order | {"values": True})["report"]
    assert report["tables"][0]["rows"][0]["values"] == [
        {"column": "title", "old": None, "new": {"type": "text", "text": "New", "beyond": 0}},
        {"column": "body", "old": None, "new": {"type": "null", "text": "", "beyond": 0}},
    ]


def test_a_damaged_backup_fails_its_verification_with_the_code_of_the_script(
    client: httpx.Client, home: Path
) -> None:
    path = exported(client)
    path.write_bytes(path.read_bytes().replace(b"milk", b"silk"))
    job = carried_out(client, "/backup/verify", {"backup": path.name})
    assert (job["state"], job["exit_code"]) == ("done", 16)
    assert listed(client)[path.name]["verified"] == "damaged"
    states = {each["name"]: each for each in client.get("/backup/databases").json()["databases"]}
    assert states["notes"]["state"] == "failing"
    assert "damaged" in states["notes"]["state_text"]


def test_databases_are_told_with_their_state(client: httpx.Client) -> None:
    exported(client)
    found = client.get("/backup/databases").json()
    states = {each["name"]: each["state"] for each in found["databases"]}
    assert states == {"notes": "safe", "agents": "never"}
    assert found["usual"] == "notes"


def test_a_restore_comes_into_the_data_folder_and_replaces_nothing(
    client: httpx.Client, home: Path
) -> None:
    backup = exported(client).name
    order = {"backup": backup, "output": "again.db"}
    assert carried_out(client, "/backup/restore", order)["state"] == "done"
    assert titles(home / "data" / "again.db") == ["Groceries", "Ideas", "Later"]
    second = carried_out(client, "/backup/restore", order)
    assert (second["state"], second["exit_code"]) == ("failed", 26)


def test_a_prune_is_planned_and_carried_out(client: httpx.Client) -> None:
    first, second = exported(client, name="a"), exported(client, name="b")
    schedule = client.get("/backup/schedule").json()
    assert schedule["keep"] == {"last": 1}
    (place,) = [each for each in schedule["prune"]["places"] if not each["store"]]
    fates = {each["name"]: each["fate"] for each in place["backups"]}
    assert sorted(fates.values()) == ["kept", "removed"]
    planned = carried_out(client, "/backup/prune")
    assert planned["exit_code"] == 4 and first.exists() and second.exists()
    carried_out(client, "/backup/prune", {"confirm": planned["report"]["plan_id"]})
    assert [path.exists() for path in (first, second)].count(True) == 1


def test_a_deletion_says_what_remains_and_waits_to_be_confirmed(client: httpx.Client) -> None:
    first, second = exported(client, name="a"), exported(client, name="b", format="sqlite")
    asked = client.delete(f"/backup/delete/{second.name}")
    assert asked.status_code == 409 and second.exists()
    report = asked.json()["report"]
    assert [each["name"] for each in report["remaining"]] == [first.name]
    assert asked.json()["exit_code"] == 4
    done = client.delete(f"/backup/delete/{second.name}", params={"confirm": report["plan_id"]})
    assert (done.status_code, done.json()["outcome"]) == (200, "done")
    # With what lies beside it.
    assert [path.name for path in second.parent.glob("backup-b*")] == []
    last = client.delete(f"/backup/delete/{first.name}").json()["report"]
    assert last["warnings"] == ["nothing remains of this database: this is its only backup."]
    entry = client.get("/backup/history", params={"limit": 1}).json()["entries"][0]
    assert (entry["operation"], entry["outcome"]) == ("delete", "done")


def test_a_deletion_is_refused_when_what_remains_has_changed(client: httpx.Client) -> None:
    first, second = exported(client, name="a"), exported(client, name="b")
    plan_id = client.delete(f"/backup/delete/{first.name}").json()["report"]["plan_id"]
    second.unlink()
    answer = client.delete(f"/backup/delete/{first.name}", params={"confirm": plan_id})
    assert (answer.status_code, answer.json()["exit_code"]) == (409, 23)
    assert answer.json()["report"]["plan_id"] != plan_id
    assert first.exists()


@pytest.mark.parametrize("form", ["json", "jsonl", "zip", "folder", "sqlite"])
def test_a_download_is_the_backup_and_can_be_sent_back(
    guest: httpx.Client, tmp_path: Path, form: str
) -> None:
    path = exported(guest, format=form, name=f"down-{form}")
    answer = guest.get(f"/backup/download/{path.name}")
    assert answer.status_code == 200
    name = path.name + (".zip" if form in ("folder", "sqlite") else "")
    assert name in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].startswith("attachment")
    copy = tmp_path / name
    copy.write_bytes(answer.content)
    if name.endswith(".zip") and form != "zip":
        assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    else:
        assert answer.content == path.read_bytes()
    job = sent(guest, copy, database="notes")
    assert (job["state"], job["report"]["outcome"]) == ("done", "nothing to do"), job
    assert job["report"]["is_proven"]


def test_sizes_tell_how_a_database_has_grown(client: httpx.Client, home: Path) -> None:
    exported(client, name="a")
    running.make_database(home.parent / "notes.db", "INSERT INTO notes (title) VALUES ('New')")
    exported(client, name="b")
    points = client.get("/backup/sizes", params={"database": "notes"}).json()["points"]
    assert [each["rows"] for each in points] == [3, 4]
    assert points[1]["tables"] == {"notes": 4}


def test_history_is_told_for_one_database(client: httpx.Client) -> None:
    exported(client)
    exported(client, database="agents")
    entries = client.get("/backup/history", params={"database": "notes"}).json()["entries"]
    assert [each["operation"] for each in entries] == ["export"]
    assert entries[0]["database"].endswith("/notes.db")


def test_choices_are_those_of_the_profile(guest: httpx.Client) -> None:
    found = guest.get("/backup/options", params={"database": "agents"}).json()
    groups = {each["name"]: each["is_default"] for each in found["groups"]}
    assert groups["memory"] is False and groups["tools"] is True
    assert (found["stores"], found["can_encrypt"]) == (["attic"], False)
    assert found["upload_bytes"] == 100 * 1024 * 1024


def test_a_job_that_is_cancelled_leaves_nothing(client: httpx.Client, home: Path) -> None:
    running.make_database(
        home.parent / "notes.db",
        "WITH n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)"
        " INSERT INTO notes SELECT i, 'A title that is not short', hex(randomblob(40)) FROM n",
    )
    job = begun(client, "/backup/export", {"database": "notes"})
    with client.stream("GET", f"/backup/jobs/{job['id']}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and json.loads(line[6:])["progress"]:
                break
    cancelled = client.delete(f"/backup/jobs/{job['id']}")
    assert cancelled.status_code == 200
    last = ended(client, job)
    assert (last["state"], last["report"], last["problem"]) == ("cancelled", None, None)
    assert last["progress"]["phase"] in ("writing", "reading back")
    assert [path.name for path in (home / "output").glob("*")] == []
    assert exported(client).exists()  # and whoever asks next is served


def test_jobs_that_wait_are_told_and_can_be_taken_out(client: httpx.Client) -> None:
    begun_ones = [begun(client, "/backup/verify", {"backup": "all"}) for _ in range(12)]
    waiting = begun_ones[-1]["id"]
    client.delete(f"/backup/jobs/{waiting}")
    last = ended(client, begun_ones[-1])
    assert last["state"] in ("cancelled", "done")
    states = [each["state"] for each in (ended(client, job) for job in begun_ones[:-1])]
    assert set(states) == {"done"}
    there = [each["id"] for each in client.get("/backup/jobs").json()["jobs"]]
    assert there == [each["id"] for each in reversed(begun_ones)]


def test_no_more_jobs_wait_than_can_be_done_in_a_while(client: httpx.Client, home: Path) -> None:
    with contextlib.closing(sqlite3.connect(home.parent / "notes.db")) as other:
        other.execute("BEGIN EXCLUSIVE")  # those that are at work wait for it
        order = {"database": "notes"}
        answers = [client.post("/backup/export", json=order) for _ in range(110)]
    statuses = [each.status_code for each in answers]
    assert set(statuses) == {202, 429} and statuses[:100] == [202] * 100
    refused = answers[statuses.index(429)]
    assert refused.headers["retry-after"] == "10"
    assert "100 jobs wait" in refused.json()["detail"]


def test_open_opens_the_page_in_the_browser_that_the_person_has(home: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n')
    browser.chmod(0o700)
    with served(home, "--open", environment={"BROWSER": f"{browser} %s"}) as server:
        opened = tmp_path / "opened"
        end = time.monotonic() + 20
        while not (opened.exists() and opened.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        assert opened.read_text() == server.page


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/backup/status?database=none", None, 404, 10),
        ("GET", "/backup/history?limit=0", None, 422, None),
        ("GET", "/backup/nothing", None, 404, None),
        ("PUT", "/backup/list", None, 405, None),
        ("GET", "/backup/jobs/none", None, 404, None),
        ("POST", "/backup/export", {"formats": "json"}, 422, None),
        ("POST", "/backup/export", {"format": "xml"}, 422, None),
        ("POST", "/backup/export", [], 422, None),
        ("DELETE", "/backup/delete/none.json", None, 404, 14),
        ("GET", "/backup/download/none.json", None, 404, 14),
        ("GET", "/ui/none.js", None, 404, None),
        ("GET", "/docs/none.js", None, 404, None),
    ],
)
def test_what_cannot_be_is_a_problem_with_what_to_do(
    guest: httpx.Client, method: str, path: str, body: Any, status: int, code: int | None
) -> None:
    answer = guest.request(method, path, json=body)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["exit_code"]) == (status, status, code)
    assert problem["title"] and problem["detail"] and problem["type"]


def test_errors_of_jobs_have_the_codes_and_hints_of_the_scripts(
    guest: httpx.Client, shared: Served
) -> None:
    job = carried_out(guest, "/backup/export", {"database": "notes", "groups": ["none"]})
    done = running.run(
        shared.home, "export", "--db", "notes", "--groups", "none", "--json", exit_code=2
    )
    of_script = json.loads(done.stderr)
    assert job["state"] == "failed"
    assert job["problem"]["type"] == f"urn:holdfast:error:{of_script['error']}"
    assert job["problem"]["detail"] == f"{of_script['message']}."
    assert job["problem"]["hint"] == of_script["hint"]
    assert (job["exit_code"], job["problem"]["exit_code"]) == (2, 2)


def test_the_reference_is_complete_without_a_network(guest: httpx.Client) -> None:
    page = guest.get("/docs").text
    assert "http://" not in page and "https://" not in page
    for file in ("swagger-ui.css", "swagger-ui-bundle.js", "docs.js"):
        assert f"/docs/{file}" in page
        assert guest.get(f"/docs/{file}").status_code == 200
    document = guest.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "/backup/export" in document["paths"]
    shapes = document["components"]["schemas"]
    assert {"DatabaseState", "ListedDatabase"} <= shapes.keys()
    assert [name for name in shapes if "." in name] == []  # no two have one name


def test_the_page_is_served_with_all_its_files(guest: httpx.Client) -> None:
    assert guest.get("/ui").headers["content-type"].startswith("text/html")
    page = Path(running.SCRIPTS) / "holdfast" / "web" / "page"
    for path in page.rglob("*.*"):
        name = path.relative_to(page).as_posix()
        answer = guest.get(f"/ui/{name}")
        assert (answer.status_code, answer.content) == (200, path.read_bytes()), name
