"""Read audio files as one channel of samples at a chosen sample rate."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from denas_asr.features.resampling import resample
from denas_core.errors import ConfigError, StorageError, describe_error

from .content import HEAD, what_else

if TYPE_CHECKING:
    from torch import Tensor

EXTENSIONS = (
    *(".flac", ".wav", ".ogg", ".oga", ".opus", ".mp3"),
    *(".aif", ".aiff", ".aifc", ".caf", ".sph", ".nist", ".au", ".snd", ".w64", ".rf64"),
)
"""Endings of the names of audio files; of several files of one utterance, the first kind here is read."""

LONGEST = 3600.0
"""Default limit of a file's length, in seconds."""

RATES = (1_000, 1_000_000)
"""Allowed sample rates, in Hz; a damaged header may hold any number."""

MISSED = 0.1
"""Seconds by which a file may be shorter than its header says: the length in some MP3 headers is an estimate."""

SILENT = 1e-4
"""Greatest distance of samples from their mean in a file that counts as silent: three steps of 16 bits."""

_CUT_OFF = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
"""The line in libsndfile's log for a WAV file that is shorter than its header says; libsndfile raises no error."""

_UNKNOWN_SIZE = 1 << 31
"""A WAV header with a size from here on does not state the real size: the file was written to a pipe."""


class UnreadableAudio(ConfigError):
    """A file cannot be read as audio."""


class RefusedAudio(UnreadableAudio, StorageError):
    """The file system refuses to read a file that exists."""

    exit_code = StorageError.exit_code


class EmptyAudio(UnreadableAudio):
    """An audio file has no samples."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of an audio file.

    Attributes:
        frames: Number of samples of each channel.
        rate: Sample rate in Hz.
        channels: Number of channels.
    """

    frames: int
    rate: int
    channels: int

    @property
    def seconds(self) -> float:
        """Return the length in seconds."""
        return self.frames / self.rate


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What was found when audio was decoded.

    Attributes:
        seconds: Length in seconds.
        fingerprint: A digest of the samples; equal samples have the same one in any lossless format.
        is_silent: Whether all samples are nearly equal.
    """

    seconds: float
    fingerprint: str
    is_silent: bool


def read_header(path: str) -> Header:
    """Return the header of a file without decoding the audio.

    Raises:
        UnreadableAudio: the file is not audio, is empty, or its header is impossible.
    """
    with _open(path) as file:
        return _header(file, path)


def read_audio(
    path: str, rate: int, *, start: float = 0.0, end: float | None = None, longest: float = LONGEST
) -> Tensor:
    """Return the mean of all channels, resampled to `rate`, as float32 (samples,).

    Args:
        path: A file of any format in `EXTENSIONS`; the ending of its name does not matter.
        rate: Sample rate of the result in Hz.
        start: Where to begin in the file, in seconds.
        end: Where to end, in seconds; None for the end of the file.
        longest: Greatest allowed length in seconds.

    Raises:
        UnreadableAudio: the file is damaged, cut off, empty or too long.
    """
    import torch

    samples, file_rate = _decode(path, start, end, longest)
    return resample(torch.from_numpy(samples), file_rate, rate)


def check_audio(
    path: str, *, start: float = 0.0, end: float | None = None, longest: float = LONGEST
) -> Sound:
    """Decode a file, or a part of it, and return what was found.

    Raises:
        UnreadableAudio: the file is damaged, cut off, empty or too long.
    """
    samples, rate = _decode(path, start, end, longest)
    return Sound(
        seconds=len(samples) / rate,
        fingerprint=hashlib.sha1(samples.tobytes(), usedforsecurity=False).hexdigest(),
        is_silent=bool(abs(samples - samples.mean()).max() < SILENT),
    )


def _decode(path: str, start: float, end: float | None, longest: float) -> tuple[Any, int]:
    """Return the samples from `start` to `end` as one channel, and their rate."""
    import numpy

    with _open(path) as file:
        header = _header(file, path)
        first = min(round(start * header.rate), header.frames)
        last = header.frames if end is None else min(round(end * header.rate), header.frames)
        frames = last - first
        if frames > longest * header.rate:
            raise UnreadableAudio(
                f"audio {path!r} lasts {frames / header.rate:.0f} s, more than {longest:g} s; split it into "
                "utterances"
            )
        if frames <= 0:
            raise EmptyAudio(f"audio {path!r} has no samples from {start:g} s on")
        if first:
            file.seek(first)
        samples = file.read(frames, dtype="float32", always_2d=True)
    if frames - len(samples) > MISSED * header.rate or not len(samples):
        read = (first + len(samples)) / header.rate
        raise UnreadableAudio(
            f"audio {path!r} is damaged: it ends after {read:.1f} of {header.seconds:.1f} s; download it again"
        )
    mixed = samples.mean(1) if samples.shape[1] > 1 else samples[:, 0]
    if not numpy.isfinite(mixed).all():
        raise UnreadableAudio(
            f"audio {path!r} has samples that are not finite numbers; create the file again"
        )
    return mixed, header.rate


@contextlib.contextmanager
def _open(path: str) -> Iterator[Any]:
    """Open a file; any error while it is open becomes an `UnreadableAudio` of one line that names the file."""
    import soundfile  # type: ignore[import-untyped]

    try:
        # Python opens the file first because libsndfile reports every file system error only as "System error".
        with open(path, "rb") as there:  # noqa: PTH123 - a million paths
            head = there.read(HEAD)
        if not head:
            raise EmptyAudio(f"audio {path!r} is empty; record it again, or remove it")
        if other := what_else(head):
            kind, advice = other
            raise UnreadableAudio(f"audio {path!r} is not audio that can be read, but {kind}; {advice}")
        with soundfile.SoundFile(path) as file:
            yield file
    except UnreadableAudio:
        raise
    except OSError as error:
        refused = UnreadableAudio if isinstance(error, FileNotFoundError) else RefusedAudio
        raise refused(f"audio {path!r} cannot be read: {error.strerror or describe_error(error)}") from error
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(". ") or "its content cannot be decoded"
        raise UnreadableAudio(
            f"audio {path!r} is damaged or not audio: {reason}; download it again"
        ) from error
    # A damaged header may request more memory than the machine has.
    except Exception as error:
        raise UnreadableAudio(
            f"audio {path!r} cannot be read: {describe_error(error)}; download it again"
        ) from error


def _header(file: Any, path: str) -> Header:
    header = Header(frames=file.frames, rate=file.samplerate, channels=file.channels)
    if not RATES[0] <= header.rate <= RATES[1]:
        raise UnreadableAudio(
            f"audio {path!r} has a sample rate of {header.rate} Hz, which is impossible for speech; "
            "create the file again"
        )
    if not header.frames:
        raise EmptyAudio(f"audio {path!r} is empty; record it again, or remove it")
    for said, found in _CUT_OFF.findall(file.extra_info):
        if int(found) < int(said) < _UNKNOWN_SIZE:
            raise UnreadableAudio(
                f"audio {path!r} is cut off: it has {found} of {said} bytes of sound; download it again"
            )
    return header
