"""Find the columns of a table by their names, and make utterances of its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from denas_asr.data.audio_paths import AudioPaths
from denas_asr.data.problems import Problems, shown
from denas_asr.data.utterance import Found
from denas_core.errors import ConfigError, did_you_mean

AUDIO = (
    *("wav", "audio_filepath", "audio_path", "audio_file", "audio_filename", "path", "file_name"),
    *("filename", "file", "audio", "wav_filename", "wav_path", "filepath", "file_path", "clip", "recording"),
)
TEXT = (
    "wrd",
    "text",
    "transcript",
    "transcription",
    "sentence",
    "raw_transcription",
    "normalized_text",
    "words",
)
ID = ("id", "utt_id", "utterance_id", "uttid", "utt")
SPEAKER = ("spk_id", "speaker", "speaker_id", "client_id", "spk")
START = ("start", "start_time", "begin", "offset")
END = ("end", "end_time", "stop")
DURATION = ("duration",)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns that the user names; empty names are found, see `find_roles`.

    Attributes:
        audio: Column of the paths of audio files.
        text: Column of the transcripts.
    """

    audio: str = ""
    text: str = ""


ANY_COLUMNS = Columns()
"""No name from the user: every column is found."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The names of the columns of a table by what they hold; empty if there is no such column."""

    audio: str
    text: str
    id: str
    speaker: str
    start: str
    end: str
    duration: str

    @property
    def is_complete(self) -> bool:
        """Return whether there are columns of audio and of transcripts."""
        return bool(self.audio and self.text)


def find_roles(names: Sequence[str], wanted: Columns) -> Roles:
    """Return what the columns of a table hold, by their names, in which case, spaces and hyphens do not matter.

    Of several columns for the same purpose, the one that comes first in `AUDIO`, `TEXT` and so on is used.
    """
    known = {_plain(name): name for name in reversed(names)}

    def column(candidates: Sequence[str], named: str = "") -> str:
        if named:
            return named if named in names else known.get(_plain(named), "")
        return next((known[candidate] for candidate in candidates if candidate in known), "")

    return Roles(
        audio=column(AUDIO, wanted.audio),
        text=column(TEXT, wanted.text),
        id=column(ID),
        speaker=column(SPEAKER),
        start=column(START),
        end=column(END),
        duration=column(DURATION),
    )


def missing_columns(names: Sequence[str], wanted: Columns, where: str) -> ConfigError:
    """Return the error that a table lacks the column of audio files, or that of transcripts.

    Args:
        names: The columns of the table.
        wanted: The columns that the user names.
        where: The file, for the text of the error.
    """
    roles = find_roles(names, wanted)
    missing = []
    for purpose, found, named, option, usual in (
        ("audio files", roles.audio, wanted.audio, "audio", AUDIO),
        ("transcripts", roles.text, wanted.text, "text", TEXT),
    ):
        if found:
            continue
        if named:
            missing.append(f"column {named!r}{did_you_mean(named, names)}")
        else:
            missing.append(
                f"column of {purpose} (such as {', '.join(map(repr, usual[:3]))}; --set task.{option}=COLUMN names it)"
            )
    columns = ", ".join(repr(name) for name in names)[:200] or "none"
    return ConfigError(f"manifest {where} has no {' and no '.join(missing)}; its columns are {columns}")


def utterance_of(
    cells: Mapping[str, Any], roles: Roles, paths: AudioPaths, problems: Problems, place: str
) -> Found | None:
    """Return the utterance of a row, or None and a problem.

    Args:
        cells: The row; it has a value for every column in `roles`.
        roles: What the columns hold.
        paths: Finds the audio files.
        problems: Gets the problem.
        place: The row, for the text of the problem.
    """
    cell: dict[str, str] = {
        role: _text_of(cells.get(name)) if name else ""
        for role, name in ((field.name, getattr(roles, field.name)) for field in dataclasses.fields(roles))
    }
    written = cell["audio"].strip()
    try:
        start = float(cell["start"] or 0)
        end = float(cell["end"]) if cell["end"] else None
        if end is None and roles.start and cell["duration"]:
            end = start + float(cell["duration"])
        if roles.start and not 0 <= start < (float("inf") if end is None else end):
            raise ValueError
    except ValueError:
        problems.add("impossible segment", f"{place} is from {cell['start']!r} to {cell['end']!r}")
        return None
    id = cell["id"].strip() or (written + (f" from {start:g} s" if roles.start and start else ""))
    audio = paths.find(written)
    if audio is None:
        problems.add("missing audio", f"{shown(id)}: {ascii_if_needed(written)}")
        return None
    if not roles.start:
        start, end = 0.0, None
    return Found(id, audio, cell["text"], cell["speaker"].strip(), start, end)


def ascii_if_needed(written: str) -> str:
    """Return a path in quotes, with escapes for characters that look like others."""
    return repr(written) if shown(written) == written else ascii(written)


def _plain(name: str) -> str:
    return "_".join(name.strip().lower().replace("-", " ").split())


def _text_of(value: Any) -> str:
    if isinstance(value, Mapping):
        # The `datasets` library writes {"path": ..., "bytes": null} for audio.
        value = value.get("path")
    return "" if value is None else str(value)
