"""Other programs: started, for what they print; and found, by the files they hold open."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import ProgramFailed

WAIT_SECONDS = 120.0


def find_program(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the path of a program that is on the PATH of an environment, or None."""
    return shutil.which(name, path=environment.get("PATH", ""))


def output_of(
    words: Sequence[str],
    environment: Mapping[str, str],
    wait_seconds: float = WAIT_SECONDS,
    *,
    given: bytes = b"",
    into: BinaryIO | None = None,
) -> bytes:
    """
    Run a program to its end, without a shell, and return what it printed.

    Args:
        given: what it reads from its standard input.
        into: an open file that gets what it prints, instead of the caller.

    Raises: ProgramFailed, with the first line of what it complained of, when it cannot be
        started, ends with another exit code than 0, or takes longer than it may.
    """
    shown = " ".join(words)
    hint = f"Run {words[0]} yourself to see what it says."
    try:
        done = subprocess.run(
            words,
            env=dict(environment),
            input=given,
            stdout=into or subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=wait_seconds,
            check=False,
        )
    except OSError as error:
        raise ProgramFailed(f"{shown} cannot be started: {error.strerror}", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(
            f"{shown} did not end within {wait_seconds:g} seconds", hint=hint
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[:1]
        complaint = f": {said[0][:200]}" if said else ""
        raise ProgramFailed(f"{shown} ended with exit code {done.returncode}{complaint}", hint=hint)
    return done.stdout or b""


class Worker:
    """A program of ours that works on while what it prints is read, and that can be stopped."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """
        Start it, in a folder.

        Raises: ProgramFailed when it cannot be started.
        """
        on_windows = int(getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))
        try:
            self._process = subprocess.Popen(
                words,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # It hears no Ctrl-C that is meant for who started it.
                start_new_session=os.name != "nt",
                creationflags=on_windows,
            )
        except OSError as error:
            raise ProgramFailed(
                f"{words[0]} cannot be started: {error.strerror}", hint="Try again in a moment."
            ) from error

    def lines(self, given: bytes) -> Iterator[bytes]:
        """Hand it what it is to read, then yield each line that it prints; it ends with them."""
        assert self._process.stdin and self._process.stdout
        with self._process as process:
            with contextlib.suppress(BrokenPipeError):  # it ended early, as its output tells
                self._process.stdin.write(given)
                self._process.stdin.close()
            yield from process.stdout or ()

    def interrupt(self) -> None:
        """Ask it, and all that it has started, to end, as Ctrl-C does."""
        if os.name == "nt":
            self._signal(signal.CTRL_BREAK_EVENT)  # type: ignore[attr-defined]
        else:
            self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it, and all that it has started, whatever it does."""
        self._signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):  # it has ended
            if self._process.poll() is not None:
                return
            if os.name == "nt":
                self._process.send_signal(number)
            else:
                os.killpg(self._process.pid, number)


def holders(paths: Iterable[Path]) -> list[str]:
    """
    Name the other programs that have a file open: `python3 (process 123)`.

    Returns: nothing where the system does not tell, as anywhere but on Linux.
    """
    wanted = set().union(*map(_identity, paths))
    names = []
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        if process.name != str(os.getpid()) and wanted & _open_files(process):
            with contextlib.suppress(OSError):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                names.append(f"{name} (process {process.name})")
    return names


def _open_files(process: Path) -> set[tuple[int, int]]:
    with contextlib.suppress(OSError):  # not ours to look at, or gone
        return set().union(*map(_identity, (process / "fd").iterdir()))
    return set()


def _identity(path: Path) -> set[tuple[int, int]]:
    """Return what tells a file from others, whatever it is called; nothing when it is gone."""
    with contextlib.suppress(OSError):
        facts = path.stat()
        return {(facts.st_dev, facts.st_ino)}
    return set()


def windows_command_line(words: Sequence[str]) -> str:
    """Write words as one line that a program of Windows takes apart again."""
    return subprocess.list2cmdline(words)
