"""From an audio file to one channel of samples at the rate that is wanted."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from denas_asr.features.resampling import resample
from denas_core.errors import ConfigError, describe_error

if TYPE_CHECKING:
    from torch import Tensor

EXTENSIONS = (".flac", ".wav", ".ogg", ".oga", ".opus", ".mp3")

LONGEST = 3600.0
"""Seconds of a file that is read at all, unless more is asked for."""

RATES = (1_000, 1_000_000)
"""Samples a second that a recording may have; a damaged header may say anything."""

MISSED = 0.1
"""Seconds that a file may have less than its header says: that of some MP3 is an estimate."""

_CUT_OFF = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
"""What libsndfile notes of a WAV that is shorter than it says; it reads the rest without a word."""

_UNKNOWN_SIZE = 1 << 31
"""Sizes from which a WAV does not know its own: it was written to a pipe."""


class UnreadableAudio(ConfigError):
    """A file that should hold audio does not."""


class EmptyAudio(UnreadableAudio):
    """There is no sound in a file."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file says of itself.

    Attributes:
        frames: Samples of each channel.
        rate: Samples a second.
        channels: Channels.
    """

    frames: int
    rate: int
    channels: int

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return self.frames / self.rate


def read_header(path: str) -> Header:
    """Return what a file says of itself; nothing is decoded.

    Raises:
        UnreadableAudio: it is no audio, or empty, or says what cannot be.
    """
    with _opened(path) as file:
        return _header(file, path)


def read_audio(path: str, rate: int, *, longest: float = LONGEST) -> Tensor:
    """Return the mean of all channels, resampled, as float32 (samples,).

    Args:
        path: A file of any format in `EXTENSIONS`, whatever its name ends in.
        rate: Samples a second of the result.
        longest: Seconds that it may last.

    Raises:
        UnreadableAudio: it is damaged, cut off, empty or longer.
    """
    import torch

    samples, header = _decoded(path, longest)
    return resample(torch.from_numpy(samples), header.rate, rate)


def check_audio(path: str, *, longest: float = LONGEST) -> Header:
    """Decode a file and return its header.

    Raises:
        UnreadableAudio: as `read_audio` does.
    """
    return _decoded(path, longest)[1]


def _decoded(path: str, longest: float) -> tuple[Any, Header]:
    import numpy

    with _opened(path) as file:
        header = _header(file, path)
        if header.seconds > longest:
            raise UnreadableAudio(
                f"audio {path!r} lasts {header.seconds:.0f} s, more than {longest:g} s; cut it into utterances"
            )
        samples = file.read(dtype="float32", always_2d=True)
    if header.frames - len(samples) > MISSED * header.rate:
        read = len(samples) / header.rate
        raise UnreadableAudio(
            f"audio {path!r} is damaged: it ends after {read:.1f} of {header.seconds:.1f} s; fetch it again"
        )
    mixed = samples.mean(1) if samples.shape[1] > 1 else samples[:, 0]
    if not numpy.isfinite(mixed).all():
        raise UnreadableAudio(f"audio {path!r} has samples that are no finite numbers; write it again")
    return mixed, header


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Any]:
    """Open a file, and tell whatever goes wrong meanwhile in one line with its name."""
    import soundfile  # type: ignore[import-untyped]

    try:
        # First as a file: of whatever the file system says, libsndfile says "System error".
        with open(path, "rb") as there:  # noqa: PTH123 - a million paths
            if not there.read(1):
                raise EmptyAudio(f"audio {path!r} is empty; record it again, or remove it")
        with soundfile.SoundFile(path) as file:
            yield file
    except UnreadableAudio:
        raise
    except OSError as error:
        raise UnreadableAudio(
            f"audio {path!r} cannot be read: {error.strerror or describe_error(error)}"
        ) from error
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(". ") or "its content does not decode"
        raise UnreadableAudio(f"audio {path!r} is damaged, or no audio: {reason}; fetch it again") from error
    # A header may ask for more memory than there is.
    except Exception as error:
        raise UnreadableAudio(
            f"audio {path!r} cannot be read: {describe_error(error)}; fetch it again"
        ) from error


def _header(file: Any, path: str) -> Header:
    header = Header(frames=file.frames, rate=file.samplerate, channels=file.channels)
    if not RATES[0] <= header.rate <= RATES[1]:
        raise UnreadableAudio(
            f"audio {path!r} says that it has {header.rate} samples a second, which speech has not; write it again"
        )
    if not header.frames:
        raise EmptyAudio(f"audio {path!r} is empty; record it again, or remove it")
    for said, found in _CUT_OFF.findall(file.extra_info):
        if int(found) < int(said) < _UNKNOWN_SIZE:
            raise UnreadableAudio(
                f"audio {path!r} is cut off: it has {found} of {said} bytes of sound; fetch it again"
            )
    return header
