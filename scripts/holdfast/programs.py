"""Starts other programs and returns what they print: the only module that does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from holdfast.errors import ProgramFailed

WAIT_SECONDS = 120.0


def find_program(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the path of a program that is on the PATH of an environment, or None."""
    return shutil.which(name, path=environment.get("PATH", ""))


def output_of(
    words: Sequence[str], environment: Mapping[str, str], wait_seconds: float = WAIT_SECONDS
) -> bytes:
    """
    Run a program to its end, without a shell or an input, and return what it printed.

    Raises: ProgramFailed, with the first line of what it complained of, when it cannot be
        started, ends with another exit code than 0, or takes longer than it may.
    """
    shown = " ".join(words)
    hint = f"Run {words[0]} yourself to see what it says."
    try:
        done = subprocess.run(
            words,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
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
    return done.stdout
