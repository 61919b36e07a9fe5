"""Folders on a shared file system as mailboxes: letters for the owner, and a file that the owner renews.

A file appears whole under its name, because it is renamed. Nothing is locked. The owner renews its sign of life in the
folder that it lists, since clients of NFS may list a folder from memory until they change it themselves.
"""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any

SIGN = "alive.json"
"""The file that the owner of a mailbox renews."""

SECONDS_BETWEEN_SIGNS = 1.0

_LETTER = ".letter"


def write_whole(path: Path, content: bytes) -> None:
    """Make or replace a file in one step. A power cut may lose it, and also ends those who would have read it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def post(box: Path, sender: str, letter: Any) -> None:
    """Put a letter, which JSON can represent, into a mailbox.

    Raises:
        FileNotFoundError: the mailbox has been removed.
    """
    name = f"{time.monotonic_ns():020d}.{secrets.token_hex(2)}.{sender}{_LETTER}"
    write_whole(box / name, json.dumps(letter).encode())


def renew_sign(box: Path, facts: dict[str, Any]) -> None:
    """Show that the owner of a mailbox is alive, with facts about it."""
    write_whole(box / SIGN, json.dumps({**facts, "time": time.monotonic_ns()}).encode())


def take_letters(box: Path) -> list[Any]:
    """Return the letters in a mailbox and remove them; those of each sender in their order, as far as they are there.

    Raises:
        FileNotFoundError: the mailbox has been removed.
    """
    found = []
    for path in sorted(path for path in box.iterdir() if path.name.endswith(_LETTER)):
        try:
            found.append(json.loads(path.read_bytes()))
        except FileNotFoundError:
            continue
        except ValueError:
            # A file server that stopped may leave an empty file. What it held is missed, and evaluated again.
            pass
        path.unlink(missing_ok=True)
    return found


class Pulse:
    """Watches the sign of life of a mailbox's owner. Time is that of this process: clocks are never compared.

    Attributes:
        facts: What the sign says; empty if it is not there.
        has_changed: Whether the sign was renewed since it was first seen.
    """

    def __init__(self, box: Path) -> None:
        self.facts: dict[str, Any] = {}
        self.has_changed = False
        self._path = box / SIGN
        self._changed_at = time.monotonic()
        self._is_first = True
        self.look()

    def look(self) -> float:
        """Return for how many seconds the sign has not changed, as far as this process has looked."""
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            found = {}
        except (OSError, ValueError):
            found = self.facts
        if found and found != self.facts:
            self.has_changed = not self._is_first
            self._is_first = False
            self._changed_at = time.monotonic()
        self.facts = found
        return time.monotonic() - self._changed_at
