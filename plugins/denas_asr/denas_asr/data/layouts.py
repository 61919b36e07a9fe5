"""Find a part of the data and recognise its layout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from denas_core.errors import ConfigError, did_you_mean

from . import librispeech, manifest
from .problems import Problems
from .utterance import Found

LOOKED_FOR = (
    "PART/SPEAKER/CHAPTER/*.trans.txt with *.flac or *.wav beside it, or PART.csv with ID, wav and wrd"
)


def find_part(data: Path, part: str | None) -> tuple[Iterable[Found], Problems]:
    """Return the utterances that a part of the data lists, and a `Problems` to which faults are added.

    Raises:
        ConfigError: there is no such part, several parts match, or a manifest is not a table.
    """
    place = _place(data, part)
    problems = Problems(where=str(place))
    if place.is_dir():
        return librispeech.utterances(place, problems), problems
    return manifest.utterances(place, data if data.is_dir() else place.parent, problems), problems


def part_names(data: Path) -> list[str]:
    """Return the names of the parts in a folder, the name of a manifest, or nothing if `data` is itself a part.

    Raises:
        ConfigError: there is no speech data.
    """
    return [data.stem] if data.is_file() else list(_all_parts(data))


def _place(data: Path, part: str | None) -> Path:
    if data.is_file():
        if part is not None and part != data.stem:
            raise ConfigError(
                f"{str(data)!r} is a manifest, not the part {part!r}; give the folder that contains both"
            )
        return data
    if part is not None:
        roots = _roots(data)
        places = [place for root in roots for place in (root / part, root / f"{part}.csv") if place.exists()]
        if places:
            return places[0]
    parts = _all_parts(data)
    if librispeech.is_part(data) and part in (None, data.name):
        return data
    if part is None and len(parts) == 1:
        return next(iter(parts.values()))
    if part is not None:
        hint = (
            did_you_mean(part, parts) or f"; it has {', '.join(parts)}"
            if parts
            else f"; looked for {LOOKED_FOR}"
        )
        raise ConfigError(f"{str(data)!r} has no part {part!r}{hint}")
    if parts:
        raise ConfigError(f"{str(data)!r} has several parts, {', '.join(parts)}; choose one")
    raise ConfigError(f"{str(data)!r} contains no speech data in a known layout; looked for {LOOKED_FOR}")


def _all_parts(data: Path) -> dict[str, Path]:
    if not data.is_dir():
        raise ConfigError(f"there is no folder or manifest {str(data)!r}; give {LOOKED_FOR}")
    return {name: place for root in _roots(data) if root.is_dir() for name, place in _parts(root).items()}


def _roots(data: Path) -> list[Path]:
    # An archive of LibriSpeech unpacks into a folder with this name.
    return [data, data / "LibriSpeech"]


def _parts(root: Path) -> dict[str, Path]:
    """Return the parts in a folder by name."""
    folders = [path for path in sorted(root.iterdir()) if path.is_dir() and librispeech.is_part(path)]
    return {path.name: path for path in folders} | {path.stem: path for path in sorted(root.glob("*.csv"))}
