"""What a file that is no backup may be, told by its first bytes, and what to do instead."""

from __future__ import annotations

from pathlib import Path

_KNOWN = (
    (b'{"header":{"format":"holdfast"', "the manifest of a page copy", "Give the .db beside it."),
    (b'{\n  "format": "holdfast"', "one file of a Holdfast folder", "Give the folder."),
    (b"\x37\x7f\x06", "a log of SQLite", "Give the database beside it, without -wal in its name."),
    (b"\xd9\xd5\x05\xf9", "a journal of SQLite", "Give the database beside it."),
    (b"PRAGMA foreign_keys=OFF;", "SQL", "Load it with: sqlite3 NEW.db < FILE, and give NEW.db."),
    (b"-----BEGIN AGE", "an encrypted text", "Make a file of it first: age --decrypt -i KEY FILE."),
    (b"PK\x03\x04", "a zip of another program", "Unpack it, and give what it holds."),
    (b"\x89PNG", "an image", ""),
    (b"\xff\xd8\xff", "an image", ""),
    (b"GIF8", "an image", ""),
    (b"%PDF", "a PDF", ""),
)


def guess(path: Path, start: bytes) -> tuple[str, str]:
    """
    Say what a file seems to be, and what to do; "" for nothing in particular.

    Args: start: its first bytes, decompressed; b"" for a folder.
    """
    if path.is_dir():
        return _guess_folder(path)
    for magic, what, advice in _KNOWN:
        if start.startswith(magic):
            return what, advice
    if not start.strip(b"\0"):
        return "nothing but zeros", "The disk, or whoever copied it, lost what it held."
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return "JSON of another program", ""
    if _is_text(start):
        return "text", ""
    return "binary data of another program", ""


def _guess_folder(path: Path) -> tuple[str, str]:
    inside = next((each.name for each in sorted(path.glob("backup-*"))), None)
    if inside:
        return "a folder of backups", f"Give one of them, such as {inside}."
    return "a folder", "That of a backup holds metadata.json."


def _is_text(start: bytes) -> bool:
    # The last character may be cut in two.
    text = start.decode("utf-8", "ignore")
    return len(text.encode()) > len(start) - 4 and "\0" not in text
