"""What the person has set in backup.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Struct, field
from msgspec.structs import asdict

from holdfast.errors import SettingsError
from holdfast.profiles.reading import read_record
from holdfast.profiles.shape import Complaint, ShortName, Text, is_secret_key

SETTINGS_FILE = "backup.yaml"
_GIT = "git:"  # before the folder of a repository
# Years, months, days and hours, as restic writes them; m are months.
SPAN = r"(?=[0-9])([0-9]{1,6}y)?([0-9]{1,6}m)?([0-9]{1,6}d)?([0-9]{1,6}h)?"

_Address = Annotated[
    str, Text("an address that begins with https:// or http://", r"https?://[!-~]+")
]
_Word = Annotated[str, Text("a word of a command", r"[^\0]*", may_repeat=True)]
# What is not an address in our words, and would be taken for the path of a folder.
_LIKE_A_CLOUD = re.compile(
    r"(?i:s3|gs|az|gcs|azure|git|file):(?!//)|(?=[^/]*[A-Z])\w{2,}://", re.ASCII
)

# Options are in a file that people copy and show: nothing that logs in belongs there.
_CREDENTIAL = re.compile(
    r"(?<!kms_)(?<!bucket_)key|secret|token|password|credential|\bsas|signature", re.IGNORECASE
)


def _is_folder(text: str) -> bool:
    """Tell whether a text can be a path of this machine, and no address of a remote repository."""
    return bool(text.strip()) and not re.match(r"\w+://|[\w.-]+@[\w.-]+:", text)


class KeepRules(Struct, frozen=True):
    """Which backups a prune keeps; each rule by itself, and any of them is enough."""

    last: int | None = None
    hourly: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    within: Annotated[str, Text("a span such as 48h, 30d or 1y6m", SPAN)] | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < 0:
                raise Complaint(name, f"give a number from 0 on, not {value}")


class DatabaseSettings(Struct, frozen=True):
    """One database to back up."""

    shorthand: ClassVar[str] = "path"

    path: Path
    profile: ShortName | None = None  # None: the one that recognises its tables
    keep: KeepRules | None = None  # None: as for all databases


class StoreSettings(Struct, frozen=True):
    """One place where backups are kept besides the output folder."""

    shorthand: ClassVar[str] = "url"

    # A folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or git:FOLDER.
    url: Annotated[str, Text("a folder or an address such as s3://bucket/backups")]
    # pages: each page of a database is kept once.
    layout: Annotated[str, Text("files or pages", "files|pages")] = "files"
    off_site: bool | None = None  # None: object storage is, a folder is not
    plain_secrets: bool = False  # take backups with secrets in clear although it is off-site
    encrypt: bool | None = None  # None: where recipients or a passphrase are set
    keep: KeepRules | None = None  # None: as for the database
    options: Mapping[str, str] = field(default_factory=dict)  # such as endpoint, region
    push: bool = False  # git alone

    @property
    def is_git(self) -> bool:
        """Tell whether it is a git repository, which keeps all and only goes forward in time."""
        return self.url.startswith(_GIT)

    @property
    def place(self) -> str:
        """The address without the word for git, so that folders are told in one way."""
        return self.url.removeprefix(_GIT)

    @property
    def credentials(self) -> tuple[str, ...]:
        """Name the options that would log in, which is not what they are for."""
        return tuple(
            key
            for key, value in self.options.items()
            if _CREDENTIAL.search(key) or re.match(r"\w+://[^/]*@", value)
        )

    def __post_init__(self) -> None:
        """Raises: Complaint for what would be taken for a folder, or would have no effect."""
        is_git = self.is_git
        if is_git and not _is_folder(self.place):
            raise Complaint(
                "url",
                "give a folder of this machine after git:",
                hint="Where a repository is pushed to is its remote origin, with push: true.",
            )
        if not is_git and _LIKE_A_CLOUD.match(self.url):
            raise Complaint(
                "url",
                "give an address such as s3://bucket/backups, in small letters and with //",
                hint="A folder whose name begins like one is written ./s3:name.",
            )
        if self.push and not is_git:
            raise Complaint("push", "there is nothing to push but a git repository")
        if is_git and self.layout != "files":
            raise Complaint("layout", "a git repository has one of its own", hint="Leave it out.")
        if self.options and "://" not in self.url:
            raise Complaint("options", "a folder has none", hint="Leave them out.")


class EncryptionSettings(Struct, frozen=True):
    """Who can open what is encrypted, and with what it is opened here."""

    recipients: tuple[str, ...] = ()  # age1...
    passphrase_file: Path | None = None  # instead of recipients
    identities: tuple[Path, ...] = ()  # files with keys that open backups

    def __post_init__(self) -> None:
        for index, each in enumerate(self.recipients):
            if is_secret_key(each):
                raise Complaint(
                    f"recipients[{index}]",
                    "a secret key stands where a public key belongs",
                    hint="Put its public key there, which begins with age1, and make a new key"
                    " if others can read this file.",
                )
        if self.recipients and self.passphrase_file:
            raise Complaint(
                "passphrase_file",
                "backups are encrypted for recipients or with a passphrase, not both",
                hint="Leave one of them out.",
            )


class ScheduleSettings(Struct, frozen=True):
    """What a scheduled run does besides its backups; commands are lists of words."""

    stores: tuple[ShortName, ...] = ()  # empty: all
    prune: bool = True
    ping_success: _Address | None = None  # is fetched
    ping_failure: _Address | None = None
    on_success: tuple[_Word, ...] = ()  # a command
    on_failure: tuple[_Word, ...] = ()


class Settings(Struct, frozen=True):
    """What backup.yaml says; a new key is a new field, a path in it starts at the home."""

    databases: Mapping[ShortName, DatabaseSettings] = field(default_factory=dict)
    output: Path | None = None  # None: the home's own output folder
    copied_elsewhere: bool = False  # something else takes the output folder to another disk
    stores: Mapping[ShortName, StoreSettings] = field(default_factory=dict)
    keep: KeepRules | None = None  # None: a prune deletes nothing
    encryption: EncryptionSettings = field(default_factory=EncryptionSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)

    def __post_init__(self) -> None:
        if "all" in self.stores:
            raise Complaint("stores.all", "all means every store", hint="Choose another name.")

    @property
    def has_keep_rules(self) -> bool:
        """Tell whether anything says what a prune keeps."""
        of_databases = (each.keep for each in self.databases.values())
        return any((self.keep, *of_databases, *(each.keep for each in self.stores.values())))


def load_settings(home: Path) -> Settings:
    """
    Read backup.yaml of the home; all paths in it come out absolute when `home` is.

    Returns: empty Settings when there is no such file.
    Raises: SettingsError, naming the key, when it is not valid.
    """
    try:
        return read_record(home / SETTINGS_FILE, Settings, SettingsError, home)
    except FileNotFoundError:
        return Settings()
