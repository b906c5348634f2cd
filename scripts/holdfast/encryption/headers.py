"""
The head of an age file: who can open it, read and written as age-encryption.org/v1 says.

    age-encryption.org/v1
    -> X25519 <an argument>
    <body in base64, 64 characters a line, the last one shorter>
    --- <MAC>

Source: https://github.com/C2SP/C2SP/blob/main/age.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import BinaryIO

from msgspec import Struct

from holdfast.errors import BackupDamaged

FIRST_LINE = b"age-encryption.org/v1\n"
SCRYPT = "scrypt"
_LONGEST = 64 * 1024  # bytes; thousands of recipients need less
_LINE_CHARACTERS = 64
_FOOTER = b"---"


class Stanza(Struct, frozen=True):
    """What one recipient opens the file with."""

    kind: str  # X25519, scrypt, ssh-ed25519, ...
    arguments: tuple[str, ...]
    body: bytes

    def text(self) -> bytes:
        """Return it as it stands in a file."""
        words = " ".join(("->", self.kind, *self.arguments))
        body = encoded(self.body)
        steps = range(0, len(body) + 1, _LINE_CHARACTERS)  # a full last line has an empty one after
        lines = [body[start : start + _LINE_CHARACTERS] for start in steps]
        return "\n".join((words, *lines, "")).encode()


class Head(Struct, frozen=True):
    """The head of a file, with what proves it to who has the file's own key."""

    stanzas: tuple[Stanza, ...]
    covered: bytes  # all of it that the MAC is taken over
    mac: bytes

    @property
    def is_of_passphrase(self) -> bool:
        return [stanza.kind for stanza in self.stanzas] == [SCRYPT]

    def text(self) -> bytes:
        """Return it as it stands in a file."""
        return self.covered + f" {encoded(self.mac)}\n".encode()

    def is_proven_by(self, file_key: bytes) -> bool:
        """Tell whether a key, and the head, are those that belong together."""
        return hmac.compare_digest(self.mac, _mac(file_key, self.covered))


def head_of(stanza: Stanza, file_key: bytes) -> Head:
    """Make the head of a file that only one can open."""
    covered = FIRST_LINE + stanza.text() + _FOOTER
    return Head((stanza,), covered, _mac(file_key, covered))


def read_head(source: BinaryIO) -> Head:
    """
    Read the head from the start of an open file, which then stands behind it.

    Raises: BackupDamaged when it is cut or cannot be read.
    """
    covered = source.readline(len(FIRST_LINE))
    if covered != FIRST_LINE:
        raise head_damaged()
    stanzas: list[Stanza] = []
    line = _line(source, covered)
    while line.startswith(b"-> "):
        covered += line
        words, body = line[3:-1].decode("ascii", "replace").split(" "), ""
        is_last = False
        while not is_last:
            line = _line(source, covered)
            covered += line
            body += line[:-1].decode("ascii", "replace")
            is_last = len(line) <= _LINE_CHARACTERS
        stanzas.append(Stanza(words[0], tuple(words[1:]), decoded(body)))
        line = _line(source, covered)
    if not (stanzas and line.startswith(_FOOTER + b" ")):
        raise head_damaged()
    mac = decoded(line[len(_FOOTER) + 1 : -1].decode("ascii", "replace"))
    return Head(tuple(stanzas), covered + _FOOTER, mac)


def _line(source: BinaryIO, before: bytes) -> bytes:
    line = source.readline(max(1, _LONGEST - len(before)))
    if not line.endswith(b"\n"):
        raise head_damaged()
    return line


def head_damaged() -> BackupDamaged:
    """Make the error for a file that should be encrypted, and begins otherwise."""
    return BackupDamaged(
        "the head of the encrypted file is cut or damaged", hint="Use another backup: see status."
    )


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.digest(derived(file_key, b"", b"header"), covered, hashlib.sha256)


def derived(secret: bytes, salt: bytes, purpose: bytes) -> bytes:
    """Derive a key of 32 bytes: HKDF with SHA-256, whose one round is two HMACs."""
    extracted = hmac.digest(salt or bytes(32), secret, hashlib.sha256)
    return hmac.digest(extracted, purpose + b"\1", hashlib.sha256)


def encoded(data: bytes) -> str:
    """Write bytes in base64 as heads have it: without padding."""
    return base64.b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Read base64 as heads have it; BackupDamaged for what is written otherwise."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise head_damaged() from error
    if encoded(data) != text:
        raise head_damaged()
    return data
