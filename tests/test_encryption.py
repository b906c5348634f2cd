"""Encrypted files: what the program age reads and writes, what opens them, what damage does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from holdfast import encryption
from holdfast.encryption import Keys, decrypting, encrypting, passphrases
from holdfast.errors import (
    BackupDamaged,
    EnvironmentNotReady,
    HoldfastError,
    KeyNotAtHand,
    SettingsError,
)
from holdfast.stores.pages.keys import StoreKey
from tests.running import needs

CHUNK = 64 * 1024  # that age encrypts at once
TAG = 16
CONTENT = bytes(range(256)) * 600  # two chunks and a part of one
SECRET = f"AGE-SECRET-KEY-1{'Q' * 58}"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a passphrase be tried at once: what it costs is a number in the file."""
    monkeypatch.setattr(passphrases, "WORK_FACTOR", 8)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return key_in(tmp_path_factory.mktemp("keys") / "key.txt")


def key_in(path: Path) -> Keys:
    """Make a key in a file; whoever has it can open what is encrypted for it."""
    secret, public = encryption.new_identity()
    path.write_text(f"# public key: {public}\n\n{secret}\n")
    return Keys(recipients=(public,), identity_files=(path,))


def encrypted(content: bytes, keys: Keys) -> bytes:
    target = io.BytesIO()
    with encrypting(target, keys) as file:
        file.write(content)
    return target.getvalue()


def decrypted(ciphertext: bytes, keys: Keys) -> bytes:
    with decrypting(io.BytesIO(ciphertext), keys) as file:
        return file.read()


PASSPHRASE = Keys(passphrase="blåbär i skogen")


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
@pytest.mark.parametrize("kind", ["recipient", "passphrase"])
def test_what_was_encrypted_comes_back_whatever_its_length(
    pair: Keys, kind: str, length: int
) -> None:
    keys = pair if kind == "recipient" else PASSPHRASE
    content = os.urandom(length)
    ciphertext = encrypted(content, keys)
    assert decrypted(ciphertext, keys) == content
    assert content[:16] not in ciphertext[200:] or length < 16


def test_each_of_several_recipients_opens_it_alone(tmp_path: Path) -> None:
    one, two, other = (key_in(tmp_path / name) for name in ("one", "two", "other"))
    ciphertext = encrypted(b"for two", Keys(recipients=(*one.recipients, *two.recipients)))
    assert decrypted(ciphertext, one) == decrypted(ciphertext, two) == b"for two"
    with pytest.raises(KeyNotAtHand, match=r"none of the keys in .*other opens it"):
        decrypted(ciphertext, other)


def test_a_file_may_hold_several_keys_and_comments(tmp_path: Path) -> None:
    one, two = key_in(tmp_path / "one"), key_in(tmp_path / "two")
    both = tmp_path / "both"
    both.write_text("# mine\n" + "\n".join((tmp_path / n).read_text() for n in ("one", "two")))
    for each in (one, two):
        ciphertext = encrypted(b"content", Keys(recipients=each.recipients))
        assert decrypted(ciphertext, Keys(identity_files=(both,))) == b"content"


def test_a_passphrase_comes_from_the_first_line_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes("blåbär i skogen\r\nnot this\n".encode())
    ciphertext = encrypted(b"content", Keys(passphrase_file=path))
    assert decrypted(ciphertext, PASSPHRASE) == b"content"


def test_keys_of_ssh_open_what_is_for_them(tmp_path: Path) -> None:
    if subprocess.run(["which", "ssh-keygen"], capture_output=True).returncode:
        pytest.skip("ssh-keygen is not installed")
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    public = (tmp_path / "id.pub").read_text().strip()
    ciphertext = encrypted(b"content", Keys(recipients=(public,)))
    assert decrypted(ciphertext, Keys(identity_files=(path,))) == b"content"


@needs("age")
def test_age_opens_what_we_encrypt_for_a_recipient_and_we_what_it_encrypts(
    pair: Keys, tmp_path: Path
) -> None:
    (tmp_path / "ours.age").write_bytes(encrypted(CONTENT, pair))
    (key,) = pair.identity_files
    opened = subprocess.run(
        ["age", "--decrypt", "-i", key, tmp_path / "ours.age"], stdout=subprocess.PIPE, check=True
    )
    assert opened.stdout == CONTENT
    theirs = subprocess.run(
        ["age", "--encrypt", "-r", pair.recipients[0]],
        input=CONTENT,
        stdout=subprocess.PIPE,
        check=True,
    )
    assert decrypted(theirs.stdout, pair) == CONTENT


@needs("age")
@pytest.mark.slow
def test_age_opens_what_we_encrypt_with_a_passphrase_and_we_what_it_encrypts(
    tmp_path: Path,
) -> None:
    ours, theirs, opened = tmp_path / "ours.age", tmp_path / "theirs.age", tmp_path / "opened"
    ours.write_bytes(encrypted(CONTENT, PASSPHRASE))
    at_a_terminal(["age", "--decrypt", "-o", str(opened), str(ours)], PASSPHRASE.passphrase)
    assert opened.read_bytes() == CONTENT
    command = ["age", "--encrypt", "-p", "-o", str(theirs), str(opened)]
    at_a_terminal(command, PASSPHRASE.passphrase)
    assert decrypted(theirs.read_bytes(), PASSPHRASE) == CONTENT


def at_a_terminal(command: list[str], typed: str) -> None:
    """Run a program at a terminal of its own, where each question is answered with one text."""
    import pty  # which Windows lacks

    process, terminal = pty.fork()
    if process == 0:
        os.execvp(command[0], command)
    said = b""
    try:
        while piece := os.read(terminal, 1024):
            said += piece
            if b"passphrase" in piece.lower():
                os.write(terminal, f"{typed}\n".encode())
    except OSError:  # the terminal is gone once the program is
        pass
    assert os.waitpid(process, 0)[1] == 0, said


@needs("age-keygen")
def test_the_public_half_of_a_key_is_the_one_that_age_names(tmp_path: Path) -> None:
    made = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)
    path = tmp_path / "key.txt"
    path.write_text(made.stdout)
    assert encryption.public_keys(path) == [made.stderr.split()[-1]]


@pytest.mark.parametrize("kind", ["recipient", "passphrase"])
def test_each_flipped_bit_of_the_head_is_found(pair: Keys, kind: str) -> None:
    keys = pair if kind == "recipient" else PASSPHRASE
    ciphertext = encrypted(b"content", Keys(keys.recipients, keys.passphrase))
    mac = ciphertext.index(b"\n--- ") + 1
    end = ciphertext.index(b"\n", mac) + 1
    for position in range(end):
        with pytest.raises((BackupDamaged, KeyNotAtHand)) as caught:
            decrypted(flipped(ciphertext, position), keys)
        # What the key is wrapped in looks as that for another key does.
        if position < 22 or position >= mac:
            assert isinstance(caught.value, BackupDamaged), position


@pytest.mark.parametrize("kind", ["recipient", "passphrase"])
@pytest.mark.parametrize(
    "position",
    [
        pytest.param(0, id="the nonce"),
        pytest.param(16, id="the first chunk"),
        pytest.param(16 + CHUNK + TAG - 1, id="the first chunk's tag"),
        pytest.param(16 + CHUNK + TAG, id="the second chunk"),
        pytest.param(-1, id="the last tag"),
        pytest.param(-TAG - 1, id="the last byte"),
    ],
)
def test_a_flipped_bit_of_the_body_is_damage(pair: Keys, kind: str, position: int) -> None:
    keys = pair if kind == "recipient" else PASSPHRASE
    ciphertext = encrypted(CONTENT, keys)
    start = body_of(ciphertext) if position >= 0 else len(ciphertext)
    with pytest.raises(BackupDamaged):
        decrypted(flipped(ciphertext, start + position), keys)


@pytest.mark.parametrize("kind", ["recipient", "passphrase"])
@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(0, id="behind the head"),
        pytest.param(8, id="in the nonce"),
        pytest.param(16, id="before the first chunk"),
        pytest.param(16 + CHUNK + TAG, id="between two chunks"),
        pytest.param(16 + 2 * (CHUNK + TAG), id="before the last chunk"),
        pytest.param(-1, id="one byte"),
    ],
)
def test_a_file_that_was_cut_is_damaged(pair: Keys, kind: str, kept: int) -> None:
    keys = pair if kind == "recipient" else PASSPHRASE
    ciphertext = encrypted(CONTENT, keys)
    start = body_of(ciphertext) if kept >= 0 else len(ciphertext)
    with pytest.raises(BackupDamaged):
        decrypted(ciphertext[: start + kept], keys)


def test_bytes_after_the_end_are_damage(pair: Keys) -> None:
    with pytest.raises(BackupDamaged):
        decrypted(encrypted(CONTENT, pair) + b"\0", pair)


def body_of(ciphertext: bytes) -> int:
    return ciphertext.index(b"\n", ciphertext.index(b"\n--- ") + 1) + 1


def flipped(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


def test_a_reader_that_stops_early_hears_of_no_damage_behind(pair: Keys) -> None:
    ciphertext = encrypted(CONTENT, pair)
    with decrypting(io.BytesIO(flipped(ciphertext, -1)), pair) as file:
        assert file.read(10) == CONTENT[:10]


def test_what_fails_on_the_way_leaves_no_whole_file(pair: Keys) -> None:
    target = io.BytesIO()

    def fail_on_the_way() -> None:
        with encrypting(target, pair) as file:
            file.write(CONTENT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_on_the_way()
    with pytest.raises(BackupDamaged):
        decrypted(target.getvalue(), pair)


class FullDisk(io.RawIOBase):
    """A file that takes its first 100,000 bytes."""

    def __init__(self) -> None:
        self.taken = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        self.taken += size
        if self.taken > 100_000:
            raise OSError(28, "No space left on device")
        return size


@pytest.mark.parametrize("kind", ["recipient", "passphrase"])
def test_a_full_disk_is_said_as_the_system_says_it(pair: Keys, kind: str) -> None:
    keys = pair if kind == "recipient" else PASSPHRASE

    def fill() -> None:
        with encrypting(cast(BinaryIO, FullDisk()), keys) as file:
            for _ in range(40):
                file.write(CONTENT)

    with pytest.raises(OSError, match="No space left"):
        fill()


@pytest.mark.parametrize("kind", ["recipient", "passphrase"])
def test_memory_does_not_grow_with_the_file(pair: Keys, kind: str, tmp_path: Path) -> None:
    keys = pair if kind == "recipient" else PASSPHRASE
    block, blocks = bytes(1024 * 1024), 24
    tracemalloc.start()
    try:
        with (tmp_path / "large.age").open("wb") as target, encrypting(target, keys) as writer:
            for _ in range(blocks):
                writer.write(block)
        with (tmp_path / "large.age").open("rb") as source, decrypting(source, keys) as reader:
            count = sum(len(piece) for piece in iter(lambda: reader.read(65536), b""))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == blocks * len(block)
    assert most < 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (Keys(), "no key is at hand"),
        (Keys(passphrase="something"), "no key is at hand"),
        (Keys(identity_files=(Path("/nowhere/key"),)), "/nowhere/key: No such file or directory"),
    ],
)
def test_without_a_key_nothing_opens(pair: Keys, keys: Keys, says: str) -> None:
    with pytest.raises(KeyNotAtHand, match=says) as caught:
        decrypted(encrypted(b"content", pair), keys)
    assert "--identity FILE" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "there is no key in it"),
        (b"# only a comment\n", "there is no key in it"),
        (b"AGE-SECRET-KEY-1NOTAKEY\n", "line 1 is not a secret key of age"),
        (b"# mine\nhunter2\n", "line 2 is not a secret key of age"),
        (b"\xff\xfe\x00", "it is not a file of keys"),
        (b"age-encryption.org/v1\n\xff", "decrypt it with age first"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nxx\n", "key.txt: "),
    ],
)
def test_a_file_that_holds_no_key_is_named_and_never_quoted(
    pair: Keys, tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "key.txt"
    path.write_bytes(content)
    with pytest.raises(KeyNotAtHand, match=says) as caught:
        decrypted(encrypted(b"content", pair), Keys(identity_files=(path,)))
    assert not any(word in str(caught.value) for word in ("NOTAKEY", "hunter2"))


def test_a_bad_key_file_does_not_stand_in_the_way_of_a_good_one(pair: Keys, tmp_path: Path) -> None:
    keys = Keys(identity_files=(tmp_path / "missing", *pair.identity_files))
    assert decrypted(encrypted(b"content", pair), keys) == b"content"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (Keys(), "no passphrase is at hand"),
        (Keys(passphrase="another"), "the passphrase does not open it"),
        (Keys(passphrase_file=Path("/nowhere/pass")), "/nowhere/pass: No such file or directory"),
    ],
)
def test_what_a_passphrase_closed_no_other_opens(keys: Keys, says: str) -> None:
    with pytest.raises(KeyNotAtHand, match=says) as caught:
        decrypted(encrypted(b"content", PASSPHRASE), keys)
    assert "HOLDFAST_PASSPHRASE" in caught.value.hint
    assert "another" not in str(caught.value) + caught.value.hint


def test_an_empty_passphrase_file_closes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\nsecond line\n")
    with pytest.raises(SettingsError, match="its first line is empty"):
        encrypted(b"content", Keys(passphrase_file=tmp_path / "empty"))


def test_a_passphrase_that_would_take_the_whole_memory_is_not_tried() -> None:
    ciphertext = encrypted(b"content", PASSPHRASE)
    greedy = ciphertext.replace(b" 8\n", b" 30\n", 1)
    with pytest.raises(KeyNotAtHand, match="1024 GiB of memory"):
        decrypted(greedy, PASSPHRASE)


@pytest.mark.parametrize(
    ("recipient", "says"),
    [
        ("age1nobody", "age1nobody is not a public key"),
        ("ann@example.org", "ann@example.org is not a public key"),
        ("ssh-ed25519 AAAA", "ssh-ed25519 AAAA is not a public key"),
        (SECRET, "a secret key stands where a public key belongs"),
    ],
)
def test_what_is_no_public_key_is_named_unless_it_is_secret(recipient: str, says: str) -> None:
    target = io.BytesIO()
    with (
        pytest.raises(SettingsError, match=says) as caught,
        encrypting(target, Keys(recipients=(recipient,))),
    ):
        pass
    assert str(caught.value).startswith("backup.yaml: encryption.recipients: ")
    assert "SECRET-KEY" not in str(caught.value)
    assert target.getvalue() == b""


def test_where_there_is_no_build_of_pyrage_that_is_said(
    pair: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    ciphertext = encrypted(b"content", pair)
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(EnvironmentNotReady, match="needs the package pyrage"):
        encrypted(b"content", pair)
    with pytest.raises(EnvironmentNotReady, match="needs the package pyrage"):
        decrypted(ciphertext, Keys(identity_files=pair.identity_files))


def test_nothing_is_encrypted_for_nobody() -> None:
    with pytest.raises(SettingsError, match="nobody is named"):
        encrypted(b"content", Keys())


def test_no_key_or_passphrase_shows_in_what_stands_for_keys(pair: Keys) -> None:
    identity, _ = encryption.new_identity()
    keys = Keys(passphrase="hunter2", identity_files=pair.identity_files, identity=identity)
    assert len(keys.identities) == 2
    assert "hunter2" not in repr(keys) and "SECRET" not in repr(keys)
    assert "hunter2" not in repr(StoreKey(b"hunter2", keys))


@pytest.mark.parametrize(
    "content", [b"", b"plain", b"age-encryption.org/v2\n-> X25519 x\n"], ids=["empty", "text", "v2"]
)
def test_what_is_not_encrypted_is_told_apart(content: bytes) -> None:
    assert not encryption.is_encrypted(content)
    with pytest.raises(HoldfastError):
        decrypted(content, PASSPHRASE)
