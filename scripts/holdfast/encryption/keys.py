"""Keys: whom things are encrypted for, what opens them here, and the files that keys lie in."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from holdfast.encryption.headers import FIRST_LINE
from holdfast.errors import EnvironmentNotReady, SettingsError

_SSH_START = "-----BEGIN"
_LONGEST_KEY_FILE = 1024 * 1024  # bytes; what is longer holds no keys


class NotAKey(ValueError):
    """A text is not the key that it should be; says so without repeating what may be secret."""


class Keys(Struct, frozen=True, dict=True):
    """
    Whom something is encrypted for, and what opens it here.

    Encrypted is for the recipients, or where there are none with the passphrase. Key files are
    read when they are needed; one that cannot be is named in `problems`.
    """

    recipients: tuple[str, ...] = ()  # public keys; who owns one of them can open
    passphrase: str = ""
    passphrase_file: Path | None = None  # its first line, where `passphrase` is ""
    identity_files: tuple[Path, ...] = ()  # with the keys that open
    identity: str = ""  # one more of these, itself

    def __repr__(self) -> str:  # without what is secret
        return f"Keys({self.recipients}, {self.passphrase_file}, {self.identity_files})"

    @property
    def can_encrypt(self) -> bool:
        return bool(self.recipients or self.passphrase or self.passphrase_file)

    @cached_property
    def secret(self) -> str:
        """The passphrase; "" when there is none. Raises: NotAKey when its file holds none."""
        if self.passphrase or self.passphrase_file is None:
            return self.passphrase
        try:
            with self.passphrase_file.open("rb") as file:
                line = file.readline(_LONGEST_KEY_FILE)
            found = line.decode("utf-8").rstrip("\r\n")
        except OSError as error:
            raise NotAKey(f"{self.passphrase_file}: {error.strerror or error}") from error
        except UnicodeDecodeError:
            raise NotAKey(f"{self.passphrase_file}: its first line is no text") from None
        if not found:
            raise NotAKey(f"{self.passphrase_file}: its first line is empty")
        return found

    @property
    def has_secret(self) -> bool:
        """Whether there is a passphrase, as far as can be told."""
        try:
            return self.secret != ""
        except NotAKey:
            return False

    @cached_property
    def identities(self) -> tuple[Any, ...]:
        """The keys in all files that can be read, as pyrage has them."""
        own = [library().x25519.Identity.from_str(self.identity)] if self.identity else []
        return (*own, *(each for found, _ in self._read for each in found))

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the other files."""
        return tuple(problem for _, problem in self._read if problem)

    @cached_property
    def _read(self) -> list[tuple[list[Any], str]]:
        read: list[tuple[list[Any], str]] = []
        for path in self.identity_files:
            try:
                read.append((read_identities(path), ""))
            except NotAKey as error:
                read.append(([], str(error)))
        return read


def library() -> Any:
    """
    Return pyrage, which is loaded when it is first needed.

    Raises: EnvironmentNotReady where there is none, as on platforms that it has no build for.
    """
    try:
        import pyrage
    except ImportError as error:
        raise EnvironmentNotReady(
            f"encryption needs the package pyrage, which is not here: {error}",
            hint="Install it where there is a build for this platform: pip install pyrage.",
        ) from error
    return pyrage


def read_identities(path: Path) -> list[Any]:
    """
    Read the keys of a file as age and ssh have them.

    Raises: NotAKey, naming the file and the line, never what stands there.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_KEY_FILE)
        text = content.decode("utf-8")
    except OSError as error:
        raise NotAKey(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        closed = " in clear: decrypt it with age first" if content.startswith(FIRST_LINE) else ""
        raise NotAKey(f"{path}: it is not a file of keys{closed}") from None
    pyrage = library()
    if text.lstrip().startswith(_SSH_START):
        try:
            return [pyrage.ssh.Identity.from_buffer(content)]
        except pyrage.IdentityError as error:
            raise NotAKey(f"{path}: {error}") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if words and not words.startswith("#"):
            try:
                found.append(pyrage.x25519.Identity.from_str(words))
            except pyrage.IdentityError:
                raise NotAKey(f"{path}: line {number} is not a secret key of age") from None
    if not found:
        raise NotAKey(f"{path}: there is no key in it")
    return found


def read_recipient(text: str) -> Any:
    """
    Read a public key, of age or of ssh.

    Raises: NotAKey, which does not repeat a text that may be secret.
    """
    pyrage = library()
    if "SECRET" in text.upper() or "PRIVATE" in text.upper():
        raise NotAKey("a secret key stands where a public key belongs")
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise NotAKey(f"{text} is not a public key, such as age1...") from None


def recipients_of(keys: Keys) -> list[Any]:
    """Read all public keys. Raises: SettingsError, naming the first that is none."""
    try:
        return [read_recipient(text) for text in keys.recipients]
    except NotAKey as error:
        raise SettingsError(
            f"backup.yaml: encryption.recipients: {error}",
            hint="Make a key with the verb keys, or age-keygen.",
        ) from error


def new_identity() -> tuple[str, str]:
    """Make a key; return it and its public half."""
    identity = library().x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def public_keys(path: Path) -> list[str]:
    """
    Return the public halves of the keys in a file; of ssh keys nothing is to be had.

    Raises: NotAKey as `read_identities`.
    """
    return [str(each.to_public()) for each in read_identities(path) if hasattr(each, "to_public")]
