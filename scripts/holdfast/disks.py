"""On what disk a folder lies, and of what kind: SQLite relies on locks that some do not keep."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

# Names of file systems that other machines share, as the Linux kernel has them.
_NETWORK = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
    | {"gfs2", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "prl_fs", "smb3", "smbfs", "vboxsf"}
)
# Folders whose content a program copies to other machines, one file at a time.
_SYNCED = (
    (r"Dropbox( \(.*\))?", "Dropbox"),
    (r"OneDrive( - .*)?", "OneDrive"),
    (r"Google ?Drive|GoogleDrive-.*|My Drive", "Google Drive"),
    (r"com~apple~CloudDocs|Mobile Documents|iCloud ?Drive", "iCloud Drive"),
    (r"Nextcloud\d*", "Nextcloud"),
    (r"ownCloud\d*", "ownCloud"),
    (r"Syncthing|Sync", "Syncthing"),
    (r"Box( Sync)?", "Box"),
)


def network_of(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """
    Name the network file system that a path lies on; "" for none, or where nothing tells.

    Args:
        path: absolute, with links followed.
        mounts: the system's table of what is mounted where; other systems than Linux have none.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    found, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        folder = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1]))
        # What is mounted last over a folder is what is seen there.
        if path.is_relative_to(folder) and len(folder.parts) >= found:
            found, kind = len(folder.parts), fields[2]
    return kind if kind in _NETWORK else ""


def synced_by(path: Path) -> str:
    """Name the program that copies the folder of a path to other machines, told by its name."""
    for part in path.parts[:-1]:
        for pattern, name in _SYNCED:
            if re.fullmatch(pattern, part):
                return name
    return ""


def free_bytes(folder: Path) -> int:
    """Return how many bytes are free on a folder's disk."""
    return shutil.disk_usage(folder).free


def existing_folder(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def is_on_one_disk(one: Path, other: Path) -> bool:
    """Tell whether two folders that are there share the space of one disk."""
    return one.stat().st_dev == other.stat().st_dev
