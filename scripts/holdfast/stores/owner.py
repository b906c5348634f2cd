"""The mark that tells the backups of one machine from those of others in the same store."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from holdfast import files
from holdfast.errors import SettingsError, WriteFailed

FILE_NAME = "owner"
_LONGEST_NAME = 40


def owner_mark(home: Path, machine: str) -> str:
    """
    Return the mark of a home, such as laptop-1f3a; made and kept there when it is first needed.

    Args:
        machine: its name, for people to know the mark by.

    Raises: SettingsError when the file holds no mark; WriteFailed.
    """
    path = home / FILE_NAME
    if not path.exists():
        name = re.sub(r"[^A-Za-z0-9]+", "-", machine.partition(".")[0]).strip("-")
        mark = f"{name[:_LONGEST_NAME] or 'machine'}-{secrets.token_hex(2)}"
        try:
            with files.new_file(home) as (file, partial):
                with files.translated_errors(path):
                    file.write(f"{mark}\n".encode())
                    files.fsync_file(file)
                files.publish(partial, [path])
        except WriteFailed:
            if not path.exists():  # another was quicker: its mark is the one
                raise
    with files.reading(path):
        found = path.read_text(encoding="utf-8", errors="replace").strip()
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", found, re.ASCII):
        raise SettingsError(
            f"{path} holds no mark such as laptop-1f3a",
            hint="Write into it the first part of the names of this machine's backups in a store."
            " Without the file a new mark is made, and this machine deletes none of those.",
        )
    return found
