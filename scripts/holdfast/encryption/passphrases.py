"""
Files that a passphrase opens, in bounded memory.

pyrage takes a passphrase only for what is in memory as a whole. But a passphrase, like any key,
opens no more than the head of a file: in it lies the file's own key, which all the rest hangs
from. So the rest is written and read by pyrage, for a throw-away key; and on the way the head for
that key is put in the place of the one for the passphrase, or the other way round. No head for a
throw-away key is ever stored.

Source: https://github.com/C2SP/C2SP/blob/main/age.md, "The X25519 recipient type" and "The
scrypt recipient type".
"""

from __future__ import annotations

import hashlib
import io
import os
from functools import lru_cache
from typing import Any, BinaryIO

from holdfast.encryption.headers import (
    SCRYPT,
    Head,
    Stanza,
    decoded,
    derived,
    encoded,
    head_damaged,
    head_of,
    read_head,
)
from holdfast.encryption.keys import library
from holdfast.errors import KeyNotAtHand

WORK_FACTOR = 18  # as age has it: 2 to the 18th rounds, in 256 MiB of memory
_HIGHEST_WORK_FACTOR = 20  # beyond 1 GiB a file is more likely to be made to stop the program
_SCRYPT_BLOCK = 8
_SALT_BYTES = 16
_KEY_BYTES = 16
_NO_NONCE = bytes(12)  # a key that wraps one thing needs none
_SCRYPT_PURPOSE = b"age-encryption.org/v1/scrypt"
_X25519 = "X25519"
_X25519_PURPOSE = b"age-encryption.org/v1/X25519"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECKSUM_CHARACTERS = 6


class ThrowawayKey:
    """A key that stands in for a passphrase while a file passes through pyrage."""

    def __init__(self) -> None:
        self.identity: Any = library().x25519.Identity.generate()
        self.recipient: Any = self.identity.to_public()
        self._secret = _bech32_bytes(str(self.identity))

    def head(self, file_key: bytes) -> Head:
        """Make a head that this key opens."""
        from nacl import bindings

        ours = os.urandom(32)
        share, public = bindings.crypto_scalarmult_base(ours), self._public()
        wrapping = derived(
            bindings.crypto_scalarmult(ours, public), share + public, _X25519_PURPOSE
        )
        stanza = Stanza(_X25519, (encoded(share),), _wrapped(file_key, wrapping))
        return head_of(stanza, file_key)

    def file_key(self, head: Head) -> bytes:
        """Return the file's own key out of a head that pyrage made for this one."""
        from nacl import bindings

        # Beside the stanza that counts there may be one that means nothing.
        (stanza,) = (each for each in head.stanzas if each.kind == _X25519)
        share = decoded(stanza.arguments[0])
        shared = bindings.crypto_scalarmult(self._secret, share)
        wrapping = derived(shared, share + self._public(), _X25519_PURPOSE)
        return _unwrapped(stanza.body, wrapping)

    def _public(self) -> bytes:
        from nacl import bindings

        return bindings.crypto_scalarmult_base(self._secret)


class PassphraseTarget:
    """Takes what pyrage writes for a throw-away key, and passes it on for a passphrase."""

    def __init__(self, target: BinaryIO, key: ThrowawayKey, passphrase: str) -> None:
        self._target = target
        self._key = key
        self._passphrase = passphrase
        self._start = b""  # of what came, as long as the head is not whole
        self._is_past_head = False

    def write(self, data: bytes) -> int:
        if self._is_past_head:
            self._target.write(data)
            return len(data)
        self._start += data
        footer = self._start.find(b"\n--- ")
        if footer >= 0 and b"\n" in self._start[footer + 1 :]:
            source = io.BytesIO(self._start)
            file_key = self._key.file_key(read_head(source))
            self._target.write(_passphrase_head(file_key, self._passphrase).text())
            self._target.write(source.read())
            self._is_past_head = True
        return len(data)

    def flush(self) -> None:
        """Leave that to whom the file belongs."""


def _passphrase_head(file_key: bytes, passphrase: str) -> Head:
    salt = os.urandom(_SALT_BYTES)
    wrapping = _stretched(passphrase, salt, WORK_FACTOR)
    arguments = (encoded(salt), str(WORK_FACTOR))
    return head_of(Stanza(SCRYPT, arguments, _wrapped(file_key, wrapping)), file_key)


@lru_cache(maxsize=64)  # which costs as much as it is meant to, and a backup is opened twice
def file_key_of(head: Head, passphrase: str) -> bytes:
    """
    Return the file's own key out of a head that a passphrase opens.

    Raises: KeyNotAtHand when this one does not; BackupDamaged.
    """
    (stanza,) = head.stanzas
    if len(stanza.arguments) != 2 or not stanza.arguments[1].isdecimal():
        raise head_damaged()
    salt, work_factor = decoded(stanza.arguments[0]), int(stanza.arguments[1])
    if len(salt) != _SALT_BYTES or not 0 < work_factor < 64:
        raise head_damaged()
    if work_factor > _HIGHEST_WORK_FACTOR:
        raise KeyNotAtHand(
            f"to try a passphrase on it would take {2 ** (work_factor - 20)} GiB of memory",
            hint="If it is yours, open it with the program age.",
        )
    file_key = _unwrapped(stanza.body, _stretched(passphrase, salt, work_factor))
    if not head.is_proven_by(file_key):
        raise head_damaged()
    return file_key


def _stretched(passphrase: str, salt: bytes, work_factor: int) -> bytes:
    rounds = 1 << work_factor
    return hashlib.scrypt(
        passphrase.encode("utf-8", "surrogateescape"),  # as it stands in the environment
        salt=_SCRYPT_PURPOSE + salt,
        n=rounds,
        r=_SCRYPT_BLOCK,
        p=1,
        maxmem=128 * _SCRYPT_BLOCK * (rounds + 1024),
        dklen=32,
    )


def _wrapped(file_key: bytes, wrapping: bytes) -> bytes:
    from nacl import bindings

    return bindings.crypto_aead_chacha20poly1305_ietf_encrypt(file_key, b"", _NO_NONCE, wrapping)


def _unwrapped(body: bytes, wrapping: bytes) -> bytes:
    from nacl import bindings, exceptions

    try:
        file_key = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
            body, b"", _NO_NONCE, wrapping
        )
    except exceptions.CryptoError:
        raise KeyNotAtHand(
            "the passphrase does not open it",
            hint="Give the one it was made with, in HOLDFAST_PASSPHRASE or"
            " encryption.passphrase_file. If it is that one, the start of the file is damaged.",
        ) from None
    if len(file_key) != _KEY_BYTES:
        raise head_damaged()
    return file_key


def _bech32_bytes(text: str) -> bytes:
    """Return the bytes of a key that was written in Bech32, five bits a character."""
    digits = text.lower().rpartition("1")[2][:-_CHECKSUM_CHARACTERS]
    number = 0
    for digit in digits:
        number = number << 5 | _BECH32.index(digit)
    return (number >> (len(digits) * 5 % 8)).to_bytes(len(digits) * 5 // 8, "big")
