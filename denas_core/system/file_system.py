"""Recognising network file systems, where a store cannot use memory that processes share."""

from __future__ import annotations

from pathlib import Path

_NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "gpfs",
    "beegfs",
    "9p",
)
_MOUNTS = Path("/proc/self/mounts")


def network_file_system(path: Path, *, mounts: Path = _MOUNTS) -> str | None:
    """Return the type of the network file system that holds `path`, such as ``nfs4``; None if it is local or unknown.

    Args:
        path: A file or directory. It need not exist.
        mounts: The system's table of mounts, which only Linux has.
    """
    try:
        table = [line.split() for line in mounts.read_text(errors="surrogateescape").splitlines()]
        place = path.resolve()
    except OSError:
        return None
    points = [(_unescaped(row[1]), row[2]) for row in table if len(row) > 2]
    holding = [(len(point), kind) for point, kind in points if place.is_relative_to(point)]
    # The deepest mount holds the path. Of two mounts at the same place, the later one hides the earlier one.
    kind = max(enumerate(holding), key=lambda item: (item[1][0], item[0]), default=(0, (0, "")))[1][1]
    return kind if kind in _NETWORK or kind.startswith("fuse.") else None


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
