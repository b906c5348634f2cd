"""
Encrypted files, as the program age reads and writes them; in bounded memory both ways.

Only this package knows pyrage.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, cast

from holdfast import streams
from holdfast.encryption.headers import FIRST_LINE, Head, read_head
from holdfast.encryption.keys import (
    Keys,
    NotAKey,
    library,
    new_identity,
    public_keys,
    read_recipient,
    recipients_of,
)
from holdfast.encryption.passphrases import PassphraseTarget, ThrowawayKey, file_key_of
from holdfast.errors import BackupDamaged, KeyNotAtHand, SettingsError
from holdfast.model import Opening

__all__ = [
    "NO_KEYS",
    "SUFFIX",
    "Keys",
    "NotAKey",
    "complain_of_keys",
    "decrypting",
    "encrypting",
    "is_encrypted",
    "new_identity",
    "opening",
    "opens_own",
    "public_keys",
    "read_recipient",
]

SUFFIX = ".age"
_NONCE_BYTES = 16
NO_KEYS = Keys()


def is_encrypted(start: bytes) -> bool:
    """Tell by its first bytes, 22 or more, whether a file is encrypted."""
    return start.startswith(FIRST_LINE)


@contextlib.contextmanager
def encrypting(target: BinaryIO, keys: Keys) -> Iterator[BinaryIO]:
    """
    Yield a file that puts what it is given into `target`, encrypted; whole once this ends.

    It is written from its start to its end. When the block fails, `target` holds a beginning
    that nobody can take for the whole.

    Raises: SettingsError when there is neither a recipient nor a passphrase, or one is not valid.
    """
    if keys.recipients:
        recipients, out = recipients_of(keys), target
    else:
        key = ThrowawayKey()
        recipients, out = (
            [key.recipient],
            cast(BinaryIO, PassphraseTarget(target, key, _secret(keys))),
        )

    def encrypt(source: BinaryIO) -> None:
        _carry(library().encrypt_io, source, out, recipients)

    with streams.read_by(encrypt) as (file, _):
        yield file


def complain_of_keys(keys: Keys) -> None:
    """Raise SettingsError where nothing can be encrypted with some keys, as `encrypting` would."""
    if keys.recipients:
        recipients_of(keys)
    else:
        _secret(keys)


def opens_own(keys: Keys) -> bool:
    """Tell whether what is encrypted with these keys can be opened with them; raises as that."""
    target = io.BytesIO()
    with encrypting(target, keys):
        pass
    if not keys.recipients:
        return True
    target.seek(0)
    try:
        with decrypting(target, keys):
            return True
    except KeyNotAtHand:
        return False


def opening(source: BinaryIO, keys: Keys, *, tries_passphrase: bool = False) -> Opening:
    """
    Tell by the head of an encrypted file whether one of the keys opens it.

    Args: tries_passphrase: which takes about a second; else it is only told that there is one.

    Raises: BackupDamaged for a head that cannot be read.
    """
    head = read_head(source)
    if head.is_of_passphrase:
        if not tries_passphrase:
            return Opening.UNTRIED if keys.has_secret else Opening.CLOSED
        try:
            _file_key(head, keys)
        except KeyNotAtHand:
            return Opening.CLOSED
        return Opening.OPENS
    if not keys.identities:
        return Opening.CLOSED
    pyrage = library()
    try:
        pyrage.decrypt(head.text() + source.read(_NONCE_BYTES), keys.identities)
    except pyrage.DecryptError as error:
        # Where a key fits, it is the lack of any content that is complained of.
        return Opening.CLOSED if str(error) == _NO_MATCH else Opening.OPENS
    return Opening.OPENS


def _secret(keys: Keys) -> str:
    try:
        secret = keys.secret
    except NotAKey as error:
        raise SettingsError(
            f"backup.yaml: encryption.passphrase_file: {error}",
            hint="Write the passphrase into its first line, or set HOLDFAST_PASSPHRASE.",
        ) from error
    if not secret:
        raise SettingsError(
            "nobody is named who could open what is encrypted",
            hint="Name public keys in encryption.recipients of backup.yaml or with --recipient,"
            " or set HOLDFAST_PASSPHRASE. A key is made by the verb keys.",
        )
    return secret


@contextlib.contextmanager
def decrypting(source: BinaryIO, keys: Keys) -> Iterator[BinaryIO]:
    """
    Yield the content of an encrypted file, which is read from its start to its end.

    Each piece is proven before it comes out, and the end is where it was written.

    Raises: KeyNotAtHand, at once, when none of the keys opens it; BackupDamaged, at once or where
        it is read.
    """
    head = read_head(source)
    identities = keys.identities
    if head.is_of_passphrase:
        key = ThrowawayKey()
        head, identities = key.head(_file_key(head, keys)), (key.identity,)
    elif not identities:
        raise _not_at_hand(keys)
    joined = cast(BinaryIO, _Joined(head.text(), source))

    def decrypt(target: BinaryIO) -> None:
        try:
            _carry(library().decrypt_io, joined, target, identities)
        except BackupDamaged as error:
            if str(error.__cause__) == _NO_MATCH:
                raise _not_at_hand(keys) from error
            raise

    with streams.written_by(decrypt) as content:
        yield content


def _file_key(head: Head, keys: Keys) -> bytes:
    try:
        if secret := keys.secret:
            return file_key_of(head, secret)
        problem = "no passphrase is at hand"
    except NotAKey as error:
        problem = str(error)
    raise KeyNotAtHand(
        f"it is encrypted with a passphrase: {problem}",
        hint="Set HOLDFAST_PASSPHRASE, or encryption.passphrase_file in backup.yaml.",
    )


_NO_MATCH = "No matching keys found"  # in the words of pyrage, which has one class for all


def _not_at_hand(keys: Keys) -> KeyNotAtHand:
    tried = ", ".join(map(str, keys.identity_files))
    found, doubt = "no key is at hand", ""
    if keys.identities:
        found = f"none of the keys in {tried} opens it"
        doubt = " If the key is right, the start of the file is damaged."
    problems = "".join(f"; {problem}" for problem in keys.problems)
    return KeyNotAtHand(
        f"it is encrypted, and {found}{problems}",
        hint="Name the file with its key: --identity FILE, HOLDFAST_IDENTITY, or"
        f" encryption.identities in backup.yaml.{doubt}",
    )


def _carry(
    work: Callable[[Any, Any, Sequence[Any]], None],
    source: BinaryIO,
    target: BinaryIO,
    keys: Sequence[Any],
) -> None:
    """Let pyrage carry all of one file into another; its own errors mean a damaged source."""
    reading, writing = _Watched(source), _Watched(target)
    pyrage = library()
    try:
        work(reading, writing, keys)
    except (pyrage.DecryptError, pyrage.EncryptError, OSError, EOFError) as error:
        for watched in (reading, writing):
            if watched.error:
                raise watched.error from None
        raise BackupDamaged(
            f"its encrypted content is cut or damaged: {error}",
            hint="Use another backup: see status.",
        ) from error


class _Watched:
    """A file in the hands of pyrage, which would make other errors of what it raises."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except BaseException as error:
            self.error = error
            raise

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except BaseException as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Leave that to whom the file belongs."""


class _Joined:
    """Some bytes, and then the rest of a file."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        if self._start:
            count = len(self._start) if size < 0 else size
            data, self._start = self._start[:count], self._start[count:]
            return data
        return self._rest.read(size)
