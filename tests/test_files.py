"""Files appear whole or not at all, and nothing that is there is ever overwritten."""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from holdfast import files
from holdfast.errors import WriteFailed

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
NO_LINKS = pytest.mark.parametrize("has_links", [True, False], ids=["links", "no links"])


@pytest.fixture
def file_system(monkeypatch, has_links):
    """A file system with hard links, or one without, such as FAT."""
    if not has_links:

        def link(_source: Path, _target: Path) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)


def publish(folder: Path, text: bytes, *names: str) -> Path:
    with files.new_file(folder) as (file, partial):
        file.write(text)
        files.fsync_file(file)
        return files.publish(partial, [folder / name for name in names])


@NO_LINKS
def test_a_published_file_is_the_only_one_in_its_folder(tmp_path, file_system):
    assert publish(tmp_path, b"whole", "a.json") == tmp_path / "a.json"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"whole"


@NO_LINKS
def test_a_name_that_is_taken_is_refused_and_its_file_stays(tmp_path, file_system):
    publish(tmp_path, b"first", "a.json")
    with pytest.raises(WriteFailed, match=r"a\.json is already there") as caught:
        publish(tmp_path, b"second", "a.json")
    assert caught.value.hint
    assert (tmp_path / "a.json").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@NO_LINKS
def test_the_first_free_name_is_taken(tmp_path, file_system):
    names = ["a.json", "b.json", "c.json"]
    assert [publish(tmp_path, b"", *names).name for _ in names] == names


@NO_LINKS
@pytest.mark.parametrize("taken", ["a.db", "a.db.manifest"])
def test_no_file_gets_a_name_that_its_manifest_cannot_have(tmp_path, file_system, taken):
    (tmp_path / taken).write_bytes(b"mine")
    with files.new_file(tmp_path) as (_, partial):
        partial.with_name(f"{partial.name}.manifest").write_bytes(b"proof")
        names = [tmp_path / "a.db", tmp_path / "b.db"]
        assert files.publish(partial, names, manifest_suffix=".manifest") == tmp_path / "b.db"
    assert {path.name for path in tmp_path.iterdir()} == {taken, "b.db", "b.db.manifest"}
    assert (tmp_path / taken).read_bytes() == b"mine"


@NO_LINKS
def test_no_manifest_stays_beside_a_file_that_took_the_name_at_this_moment(
    tmp_path, file_system, monkeypatch
):
    link = files._link

    def late(partial: Path, target: Path) -> bool:
        if target.name == "a.db":
            target.write_bytes(b"mine")
        return link(partial, target)

    monkeypatch.setattr(files, "_link", late)
    with files.new_file(tmp_path) as (_, partial):
        partial.with_name(f"{partial.name}.manifest").write_bytes(b"proof")
        names = [tmp_path / "a.db", tmp_path / "b.db"]
        assert files.publish(partial, names, manifest_suffix=".manifest") == tmp_path / "b.db"
    assert {path.name for path in tmp_path.iterdir()} == {"a.db", "b.db", "b.db.manifest"}
    assert (tmp_path / "a.db").read_bytes() == b"mine"


@NO_LINKS
def test_a_dangling_link_takes_its_name(tmp_path, file_system):
    (tmp_path / "a.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteFailed):
        publish(tmp_path, b"x", "a.json")
    assert not (tmp_path / "elsewhere").exists()


def test_of_two_that_publish_at_once_each_gets_a_name_of_its_own(tmp_path):
    writers = 8
    start = threading.Barrier(writers)
    names = [f"{number}.json" for number in range(writers)]
    taken: dict[bytes, Path] = {}

    def write(text: bytes) -> None:
        with files.new_file(tmp_path) as (file, partial):
            file.write(text)
            file.flush()
            start.wait(timeout=10)
            taken[text] = files.publish(partial, [tmp_path / name for name in names])

    threads = [threading.Thread(target=write, args=[str(n).encode()]) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert {path.read_bytes(): path for path in tmp_path.iterdir()} == taken


def test_of_two_that_publish_one_name_at_once_only_one_succeeds(tmp_path):
    for attempt in range(20):
        start = threading.Barrier(2)
        failures: list[bytes] = []

        def write(text: bytes, name: str, start: threading.Barrier, failed: list[bytes]) -> None:
            with files.new_file(tmp_path) as (file, partial):
                file.write(text)
                file.flush()
                start.wait(timeout=10)
                try:
                    files.publish(partial, [tmp_path / name])
                except WriteFailed:
                    failed.append(text)

        name = f"{attempt}.json"
        threads = [
            threading.Thread(target=write, args=[text, name, start, failures])
            for text in (b"one", b"two")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [(tmp_path / name).read_bytes(), *failures] in ([b"one", b"two"], [b"two", b"one"])


@posix_only
def test_files_and_folders_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        path = publish(tmp_path / "a" / "b", b"", "c.json")
        files.make_empty(tmp_path / "empty.db")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "empty.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


@posix_only
def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    (tmp_path / "a").mkdir(mode=0o755)
    (tmp_path / "a").chmod(0o755)
    files.make_folder(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_stays_of_a_file_whose_writing_failed(tmp_path, error):
    with pytest.raises(error), files.new_file(tmp_path) as (file, partial):  # noqa: PT012
        file.write(b"half")
        assert partial.exists()
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_not_published_is_gone(tmp_path):
    with files.new_file(tmp_path) as (file, _):
        file.write(b"whole")
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_file_is_hidden_and_recognised(tmp_path):
    with files.new_file(tmp_path) as (_, partial):
        assert partial.name.startswith(".partial-")


def test_what_sqlite_put_beside_an_unfinished_file_goes_with_it(tmp_path):
    with files.new_file(tmp_path) as (_, partial):
        partial.with_name(f"{partial.name}-journal").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_may_not_be_on_the_disk_is_taken_back(tmp_path, monkeypatch):
    def fsync_folder(folder: Path) -> None:
        raise OSError(5, "Input/output error", str(folder))

    monkeypatch.setattr(files, "fsync_folder", fsync_folder)
    with pytest.raises(WriteFailed, match="Input/output error"):
        publish(tmp_path, b"whole", "a.json")
    with files.new_file(tmp_path) as (_, partial):
        partial.with_name(f"{partial.name}.manifest").write_bytes(b"proof")
        with pytest.raises(WriteFailed):
            files.publish(partial, [tmp_path / "a.db"], manifest_suffix=".manifest")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_go_after_a_day_and_not_before(tmp_path):
    now = 2_000_000_000
    (tmp_path / ".partial-folder").mkdir()
    (tmp_path / ".partial-folder" / "schema.sql").touch()
    os.utime(tmp_path / ".partial-folder", (now - 86_401, now - 86_401))
    ages = {".partial-day": 86_401, ".partial-hour": 3_600, "backup-2026-11-20.json": 10**7}
    for name, age in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now - age, now - age))
    files.remove_leftovers(tmp_path, now)
    assert {path.name for path in tmp_path.iterdir()} == {".partial-hour", "backup-2026-11-20.json"}


@pytest.mark.parametrize(
    "write",
    [
        files.make_folder,
        lambda folder: publish(folder, b"", "a.json"),
        lambda folder: publish(folder / "deeper", b"", "a.json"),
    ],
)
def test_below_a_regular_file_nothing_can_be_written(tmp_path, write):
    (tmp_path / "file").touch()
    with pytest.raises(WriteFailed, match="file") as caught:
        write(tmp_path / "file" / "folder")
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_whose_name_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteFailed):
        publish(tmp_path / "file", b"", "a.json")


def test_a_scratch_folder_is_gone_afterwards():
    with files.scratch_folder() as folder:
        (folder / "a").mkdir()
        (folder / "a" / "b").touch()
    assert not folder.exists()


def test_a_scratch_folder_of_a_killed_program_is_gone_after_a_day(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, age in {"holdfast-day": 90_000, "holdfast-hour": 3_600, "other-day": 90_000}.items():
        (tmp_path / name).mkdir()
        moment = time.time() - age
        os.utime(tmp_path / name, (moment, moment))
    with files.scratch_folder():
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"holdfast-hour", "other-day"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_write_that_failed(tmp_path):
    with pytest.raises(WriteFailed, match="No space left on device") as caught:  # noqa: PT012
        with files.translated_errors(tmp_path), Path("/dev/full").open("wb") as file:
            file.write(b"x")
            file.flush()
    assert caught.value.exit_code == 24


def test_an_error_of_the_disk_is_heard_though_a_thread_met_it(monkeypatch):
    is_met, fsync = threading.Event(), os.fsync

    def meet(file):
        is_met.set()
        fsync(file)

    monkeypatch.setattr(files, "_SYNC_BYTES", 0)
    monkeypatch.setattr(os, "fsync", meet)
    with pytest.raises(OSError, match="Invalid argument"):
        with files.put_on_disk_meanwhile(Path(os.devnull)):  # which no system puts on a disk
            assert is_met.wait(30)


@pytest.mark.parametrize("made", ["open", "mkdir"])
def test_a_cancel_at_the_very_moment_that_something_is_made_leaves_nothing(
    tmp_path, monkeypatch, made
):
    make = getattr(os, made)

    def cancelled(*arguments, **options):
        make(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, made, cancelled)
    block = files.new_file if made == "open" else files.new_folder
    with pytest.raises(KeyboardInterrupt), block(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has open")
def test_a_file_is_closed_before_it_is_put_in_the_place_of_another(tmp_path, monkeypatch):
    path = tmp_path / "backup.yaml"
    path.write_text("old")
    take_over = files.take_over

    def watched(partial: Path, target: Path) -> None:
        handles = Path("/proc/self/fd").iterdir()
        assert partial not in [each.readlink() for each in handles if each.exists()]
        take_over(partial, target)

    monkeypatch.setattr(files, "take_over", watched)
    files.replace_content(path, b"new")
    assert path.read_bytes() == b"new"
