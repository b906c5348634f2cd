"""
A git repository as a store: each database one file of JSON Lines, a commit when its rows changed.

Commits go to a branch of this machine's own, `holdfast/OWNER`, and are made beside the work tree
and the index of the repository, which somebody may be working in. A run that is killed leaves
objects that git removes in time, and no commit.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from holdfast import files
from holdfast.errors import BackupNotFound, ProgramFailed, StoreFailed, StoreRefused
from holdfast.formats import json_lines, open_backup
from holdfast.formats.encrypted import is_closed
from holdfast.formats.interface import BackupReader, Content, TableStart, Target
from holdfast.model import Header, Trailer
from holdfast.profiles import StoreSettings
from holdfast.programs import find_program, output_of
from holdfast.stores.interface import StoredBackup, object_name

_REFS = "refs/heads/holdfast/"
_SUFFIX = ".jsonl"
_PUSH_SECONDS = 600.0
# Of the repository that we are called from, as by one of its hooks.
_OF_OTHERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")
_HINT = "Run git in that folder to see what it says."


class _Committed(Struct, frozen=True):
    """One commit that changed the file of one database."""

    backup: StoredBackup
    blob: str


class GitStore:
    """Backups as commits, which are never rewritten and so never deleted."""

    encrypts = False

    def __init__(
        self,
        name: str,
        folder: Path,
        owner: str,
        environment: Mapping[str, str],
        settings: StoreSettings,
    ) -> None:
        self.name = name
        self.location = f"git:{folder}"
        self.is_off_site = settings.push if settings.off_site is None else settings.off_site
        self._folder = folder
        self._owner = owner
        self._pushes = settings.push
        kept = {key: value for key, value in environment.items() if key not in _OF_OTHERS}
        # Nobody is there to answer a question.
        asks_nothing = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
        self._environment = {**asks_nothing, **kept, "LC_ALL": "C"}

    def backups(self) -> Iterator[StoredBackup]:
        """Yield the backups of all owners, the newest of each first."""
        yield from (each.backup for each in self._commits())

    def put(self, backup: Path, database: str, created_at: str) -> StoredBackup:
        """
        Commit the rows of a backup, if they are not those of the last commit.

        Returns: what was committed, or the last commit where nothing has changed.
        Raises: StoreFailed; StoreRefused for what is encrypted, a part, without proof, or older
            than the last commit.
        """
        self._make()
        path = database + _SUFFIX
        with files.scratch_folder() as folder:
            rows = folder / "rows"
            _write_rows(backup, rows)
            blob = self._git("hash-object", "-w", "--no-filters", str(rows))
            last = next((each for each in self._commits(self._owner, path)), None)
            if last and last.blob != blob and created_at < last.backup.created_at:
                raise StoreRefused(
                    f"{self.location} has a later backup of {database}, of"
                    f" {last.backup.created_at}",
                    hint="Commits go forward in time: put this one into another kind of store.",
                )
            if last is None or last.blob != blob:
                self._complain_of_difference(blob, rows, folder / "back")
                self._commit(path, blob, created_at, folder / "index")
        if self._pushes:
            self._push()
        return next(self._commits(self._owner, path)).backup

    def fetch(self, backup: StoredBackup, folder: Path) -> Path:
        """Put a backup into an empty folder; raises BackupNotFound, StoreFailed, WriteFailed."""
        found = (each for each in self._commits(backup.owner) if each.backup.name == backup.name)
        committed = next(found, None)
        if committed is None:
            raise BackupNotFound(
                f"{backup.name} is not in {self.location}", hint="See what there is with status."
            )
        target = folder / backup.name.rpartition("/")[2]
        self._read_blob(committed.blob, target)
        return target

    def delete(self, backups: Sequence[StoredBackup]) -> None:
        """Refuse: what was committed stays. Raises: StoreRefused, unless there is nothing."""
        if backups:
            raise StoreRefused(
                f"{self.location} keeps what was committed",
                hint="Its history is not rewritten. To keep less, begin a new repository.",
            )

    def _make(self) -> None:
        """Make the repository where there is none; bare, so that there are no files to disturb."""
        if self._is_there():
            return
        if self._folder.exists() and any(self._folder.iterdir()):
            raise StoreFailed(
                f"{self._folder} is no git repository",
                hint="Name one, or a folder that is empty or not there yet, in backup.yaml.",
            )
        if not self._folder.parent.is_dir():
            raise StoreFailed(
                f"{self._folder.parent} is not there", hint="Check that its disk is connected."
            )
        self._run("init", "--quiet", "--bare", str(self._folder))

    def _is_there(self) -> bool:
        if not self._folder.is_dir():
            return False
        with contextlib.suppress(StoreFailed):
            found = Path(self._git("rev-parse", "--absolute-git-dir")).resolve()
            # Not a repository that the folder merely lies in.
            return found in (self._folder.resolve(), (self._folder / ".git").resolve()) or (
                (self._folder / ".git").is_file()  # a work tree, or a submodule
            )
        return False

    def _commits(self, owner: str = "", path: str = "") -> Iterator[_Committed]:
        """Yield the commits that changed a database's file, the newest of each owner first."""
        if not self._is_there():
            return
        refs = self._git("for-each-ref", "--format=%(refname)", _REFS + owner).split()
        for ref in refs:
            yield from self._commits_of(ref.removeprefix(_REFS), ref, path)

    def _commits_of(self, owner: str, ref: str, path: str) -> list[_Committed]:
        words = ["log", "--raw", "--no-abbrev", "--no-renames", "--root", "--format=%x00%cI"]
        listed = self._git(*words, "-z", ref, "--", *([path] if path else []))
        found, at = [], ""
        fields = iter(listed.split("\0"))
        for field in fields:
            text = field.strip()
            if text.startswith(":"):
                changed, blob = next(fields), text.split()[3]
                found.append((at, changed.removesuffix(_SUFFIX), blob))
            elif text:
                at = text
        sizes = self._sizes([blob for *_, blob in found])
        numbers: Counter[tuple[str, str]] = Counter()
        commits = []
        for (at, database, blob), size in zip(reversed(found), reversed(sizes), strict=True):
            numbers[at, database] += 1
            at_utc = at.replace("+00:00", "Z")
            name = object_name(owner, database, at_utc, _SUFFIX, numbers[at, database])
            commits.append(
                _Committed(StoredBackup(self.name, name, owner, database, at_utc, size), blob)
            )
        return commits[::-1]

    def _sizes(self, blobs: Sequence[str]) -> list[int]:
        """Return what each blob takes in the repository."""
        given = "".join(f"{blob}\n" for blob in blobs).encode()
        said = self._git("cat-file", "--batch-check=%(objectsize:disk)", given=given)
        return [int(line) if line.isdecimal() else 0 for line in said.splitlines()]

    def _commit(self, path: str, blob: str, created_at: str, index: Path) -> None:
        ref = _REFS + self._owner
        tip = self._git("for-each-ref", "--format=%(objectname)", ref)
        own_index = {"GIT_INDEX_FILE": str(index)}
        if tip:
            self._git("read-tree", tip, variables=own_index)
        self._git(
            "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", variables=own_index
        )
        tree = self._git("write-tree", variables=own_index)
        who = {"NAME": "Holdfast", "EMAIL": f"{self._owner}@holdfast.invalid", "DATE": created_at}
        variables = {f"GIT_{of}_{key}": who[key] for of in ("AUTHOR", "COMMITTER") for key in who}
        message = f"{path.removesuffix(_SUFFIX)}: backup of {created_at}"
        parents = ["-p", tip] if tip else []
        commit = self._git("commit-tree", tree, *parents, "-m", message, variables=variables)
        # Only if nobody else has committed since; with no value before, it must be new.
        self._git("update-ref", ref, commit, tip or "0" * len(commit))

    def _complain_of_difference(self, blob: str, rows: Path, back: Path) -> None:
        self._read_blob(blob, back)
        if files.sha256_of(back) != files.sha256_of(rows):
            raise StoreFailed(
                f"{self.location} gives back other bytes than were put there", hint=_HINT
            )

    def _read_blob(self, blob: str, target: Path) -> None:
        with files.create(target) as file:
            self._run("-C", str(self._folder), "cat-file", "blob", blob, into=file)

    def _push(self) -> None:
        ref = _REFS + self._owner
        try:
            words = ["-C", str(self._folder), "push", "--quiet", "origin", f"{ref}:{ref}"]
            output_of([self._program(), *words], self._environment, _PUSH_SECONDS)
        except ProgramFailed:
            # Without git's words, in which the remote's address may have a password.
            raise StoreFailed(
                f"{self.location} has the backup, but it could not be pushed to origin",
                hint=f"Run: git -C {self._folder} push origin {ref}",
            ) from None

    def _git(
        self, *words: str, given: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> str:
        said = self._run("-C", str(self._folder), *words, given=given, variables=variables)
        return said.decode("utf-8", "replace").strip()

    def _run(
        self,
        *words: str,
        given: bytes = b"",
        into: BinaryIO | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        command = [self._program(), "-c", "core.fsync=all", *words]
        environment = {**self._environment, **(variables or {})}
        try:
            return output_of(command, environment, given=given, into=into)
        except ProgramFailed as error:
            raise StoreFailed(f"{self.location}: {error}", hint=_HINT) from error

    def _program(self) -> str:
        program = find_program("git", self._environment)
        if program is None:
            raise StoreFailed("the program git is not there", hint="Install git.")
        return program


def _write_rows(backup: Path, target: Path) -> None:
    """Write a backup's rows as JSON Lines that change only when the database does."""
    if not backup.is_dir() and is_closed(backup):
        raise StoreRefused(
            f"{backup.name} is encrypted, and a git repository keeps rows that can be compared",
            hint="Put a plain backup there, or this one into another store.",
        )
    reader = open_backup(backup)
    if not reader.format.proves:
        raise StoreRefused(
            f"{backup.name} holds no proof of its own", hint="Put a backup made by export there."
        )
    with files.create(target) as file:
        write = json_lines.FORMAT.write
        assert write is not None  # it is a format of ours
        write(Target(file, target), _content_of(reader, backup))


def _content_of(reader: BackupReader, backup: Path) -> Content:
    parts = reader.parts()
    header = next(parts)
    assert isinstance(header, Header)  # it comes first
    if header.type == "partial":
        raise StoreRefused(
            f"{backup.name} is a part of its database: the rest would look deleted",
            hint="Put backups of the whole database there.",
        )
    plain = replace(header, backup_date="", exported_by="", generator="")
    trailers: list[Trailer] = []
    ahead: list[TableStart] = []

    def lines() -> Iterator[bytes]:
        for part in parts:
            if isinstance(part, bytes):
                yield part
            elif isinstance(part, TableStart):
                ahead.append(part)
                return
            elif isinstance(part, Trailer):
                trailers.append(part)

    def tables() -> Iterator[tuple[str, Iterator[bytes]]]:
        for _ in lines():  # up to the first table
            pass
        while ahead:
            yield ahead.pop().name, lines()

    return Content(plain, tables(), lambda: trailers[0], None)  # type: ignore[arg-type]
