"""Find the audio files that manifests name."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from .audio import EXTENSIONS

BESIDE = ("clips", "wavs", "wav", "audio")
"""Folders of recordings beside a manifest: that of Common Voice, that of LJSpeech, and other usual ones."""

_PLACEHOLDER = re.compile(r"^(?:\$\w+|\$?\{\w+\})[/\\]")
"""A placeholder for the data folder at the beginning of a path, such as ``$data_root/``."""


class AudioPaths:
    """Finds files by the paths in a manifest, in one folder after another."""

    def __init__(self, roots: Iterable[Path]) -> None:
        """Set the folders that relative paths may refer to, in the order in which they are tried."""
        self._roots = list(dict.fromkeys(roots))
        self._names: dict[Path, dict[str, str]] = {}

    @classmethod
    def of_manifest(cls, manifest: Path, data: Path) -> AudioPaths:
        """Return what finds the files of a manifest.

        Args:
            manifest: The manifest.
            data: The data folder, which replaces placeholders.
        """
        folders = (data, manifest.parent)
        # A path may begin with the name of the data folder itself, as in `$data_root/LibriSpeech/...`.
        roots = [root for folder in folders for root in (folder, folder.parent)]
        return cls([*roots, *(folder / name for folder in folders for name in BESIDE)])

    def find(self, written: str) -> Path | None:
        """Return the file that a path means, or None if there is none.

        A name may be written in another Unicode form than that of the file system, without its ending, or with the
        separators of Windows.
        """
        rest = _PLACEHOLDER.sub("", written.strip())
        if not rest or "\0" in rest:
            return None
        for form in _spellings(rest):
            for root in self._roots:
                # For a name that is too long, os.path.isfile returns False where Path.is_file raises.
                if os.path.isfile(root / form):  # noqa: PTH113
                    return root / form
        if not rest.isascii():
            return next((path for root in self._roots if (path := self._normalised(root, rest))), None)
        return None

    def _normalised(self, root: Path, rest: str) -> Path | None:
        """Return a file whose path equals `rest` after Unicode normalisation."""
        path = Path("/") if rest.startswith("/") else root
        for part in Path(rest.removeprefix("/")).parts:
            name = part if part == ".." else self._listed(path).get(unicodedata.normalize("NFC", part))
            if name is None:
                return None
            path = path / name
        return path if path.is_file() else None

    def _listed(self, folder: Path) -> dict[str, str]:
        if folder not in self._names:
            try:
                names = os.listdir(folder)  # noqa: PTH208
            except OSError:
                names = []
            self._names[folder] = {unicodedata.normalize("NFC", name): name for name in names}
        return self._names[folder]


def _spellings(rest: str) -> Iterator[str]:
    yield rest
    if "\\" in rest:
        rest = rest.replace("\\", "/")
        yield rest
    if not rest.lower().endswith(EXTENSIONS):
        yield from (rest + extension for extension in EXTENSIONS)
