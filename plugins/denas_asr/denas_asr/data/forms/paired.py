"""Folders in which each audio file has a file of the same name with its transcript."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from denas_asr.data.audio import EXTENSIONS
from denas_asr.data.listing import Listing, walk
from denas_asr.data.problems import Problems, shown
from denas_asr.data.text_file import NotText, read_text
from denas_asr.data.utterance import Found
from denas_core.errors import ConfigError

NAME = "audio files with a transcript in a text file of the same name"
TEXTS = (".txt", ".lab")
FOLDERS_LOOKED_AT = 50


def is_part(folder: Path) -> bool:
    """Return whether audio in a folder has transcripts beside it; only the first folders in it are checked."""
    return any(
        _stems(listing, TEXTS).keys() & _stems(listing, EXTENSIONS).keys()
        for listing in islice(walk(folder), FOLDERS_LOOKED_AT)
    )


def utterances(folder: Path, problems: Problems) -> Iterator[Found]:
    """Yield the utterances folder by folder; faults are added to `problems`.

    Raises:
        ConfigError: a folder cannot be read.
    """
    for listing in walk(folder, problems=problems):
        audio, texts = _stems(listing, EXTENSIONS), _stems(listing, TEXTS)
        for stem, name in audio.items():
            place = str((listing.path / name).relative_to(folder))
            if stem not in texts:
                problems.add("audio without transcript", shown(place))
                continue
            try:
                text = read_text(listing.path / texts[stem])
            except NotText as error:
                problems.add("damaged transcript", f"{shown(texts[stem])}: {error}")
            except ConfigError as error:
                problems.add("damaged transcript", str(error))
            else:
                yield Found(place, listing.path / name, text)
        for stem, name in texts.items():
            if stem not in audio and audio:
                problems.add("transcript without audio", shown(name))
        for name in listing.files:
            if not name.lower().endswith((*EXTENSIONS, *TEXTS)):
                problems.remark("file of another kind", str((listing.path / name).relative_to(folder)))


def _stems(listing: Listing, endings: tuple[str, ...]) -> dict[str, str]:
    """Return names by what is before their ending; of several, the one whose ending comes first in `endings`."""
    found: dict[str, str] = {}
    for ending in reversed(endings):
        found |= {
            unicodedata.normalize("NFC", name[: -len(ending)]): name
            for name in listing.files
            if name.lower().endswith(ending)
        }
    return dict(sorted(found.items()))
