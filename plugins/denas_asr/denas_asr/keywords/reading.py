"""From a clip to the features that networks take."""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_asr.data.audio import read_audio
from denas_asr.features.fbank import Fbank, log_mel
from denas_asr.features.normalisation import Normalisation, measure_normalisation
from denas_core import derive_rng

from .clips import Clip

if TYPE_CHECKING:
    from torch import Tensor

MEASURED = 1000
"""Greatest number of clips used to measure a normalisation."""

STEP_SECONDS = 0.01
"""Precision with which the loudest part of a recording is found."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How training clips are changed.

    Attributes:
        shift_seconds: Greatest shift in time, in either direction.
        noise: Files of background noise that is added.
        noise_share: Share of clips to which noise is added.
        noise_volume: Greatest factor of the noise.
    """

    shift_seconds: float = 0.1
    noise: Sequence[str] = ()
    noise_share: float = 0.8
    noise_volume: float = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipReader:
    """Reads clips of a fixed length and computes their normalised log-mel features.

    Attributes:
        rate: Sample rate in Hz; other audio is resampled to it.
        fbank: Settings of the filterbanks.
        frames: Number of frames of a clip.
        normalisation: Statistics of the training clips; None before they are measured.
        augmentation: Changes of training clips; None for no changes.
    """

    rate: int
    fbank: Fbank
    frames: int
    normalisation: Normalisation | None = None
    augmentation: Augmentation | None = None

    @property
    def samples(self) -> int:
        """Number of samples of a clip."""
        window, hop = self.fbank.samples(self.rate)
        return window + (self.frames - 1) * hop

    @property
    def seconds(self) -> float:
        """Length of a clip in seconds."""
        return self.samples / self.rate

    def features(self, clip: Clip, rng: random.Random | None = None) -> Tensor:
        """Return the features (bands, frames) of a clip, float32.

        A recording that is too short gets silence before and after it. Of a longer one, the loudest part is used.

        Args:
            clip: The clip.
            rng: Generator that draws the changes of a training clip; None returns it unchanged.

        Raises:
            UnreadableAudio: the file is damaged or empty.
        """
        wave = read_audio(clip.audio, self.rate)
        begin = self._loudest(wave) if clip.start is None else round(clip.start * self.rate)
        if rng is None or self.augmentation is None:
            return self._normalised(_cut(wave, begin, self.samples))
        most = round(self.augmentation.shift_seconds * self.rate)
        wave = _cut(wave, begin + rng.randint(-most, most), self.samples)
        return self._normalised(self._with_noise(wave, self.augmentation, rng))

    def with_normalisation_of(self, clips: Sequence[Clip]) -> ClipReader:
        """Return a copy with the normalisation that is measured on some of the clips.

        Raises:
            ConfigError: a file cannot be read; the text names it.
        """
        chosen = derive_rng(0, "measured clips").sample(range(len(clips)), min(len(clips), MEASURED))
        plain = dataclasses.replace(self, normalisation=None)
        found = measure_normalisation(plain.features(clips[index]).T for index in chosen)
        return dataclasses.replace(self, normalisation=found)

    def as_facts(self) -> dict[str, Any]:
        """Return values for JSON from which `from_facts` makes the same reader."""
        assert self.normalisation is not None
        return {
            "rate": self.rate,
            "frames": self.frames,
            **dataclasses.asdict(self.fbank),
            **self.normalisation.as_facts(),
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> ClipReader:
        """Return the reader that `as_facts` described, without augmentation."""
        return cls(
            rate=facts["rate"],
            frames=facts["frames"],
            fbank=Fbank(**{field.name: facts[field.name] for field in dataclasses.fields(Fbank)}),
            normalisation=Normalisation.from_facts(facts),
        )

    def _normalised(self, wave: Tensor) -> Tensor:
        features = log_mel(wave, self.rate, self.fbank)
        if self.normalisation is not None:
            features = self.normalisation.apply(features)
        return features.T.contiguous()

    def _loudest(self, wave: Tensor) -> int:
        """Return where the part with the most energy begins; below 0 if the recording is shorter than a clip."""
        room = len(wave) - self.samples
        if room <= 0:
            return room // 2
        step = max(1, round(STEP_SECONDS * self.rate))
        energy = wave.double().square().cumsum(0)
        begins = range(0, room + 1, step)
        ends = [begin + self.samples - 1 for begin in begins]
        return int((energy[ends] - energy[list(begins)]).argmax()) * step

    def _with_noise(self, wave: Tensor, how: Augmentation, rng: random.Random) -> Tensor:
        if not how.noise or rng.random() >= how.noise_share:
            return wave
        noise = _read_noise(rng.choice(how.noise), self.rate)
        room = max(0, len(noise) - len(wave))
        part = _cut(noise, rng.randint(0, room), len(wave))
        return (wave + part * rng.uniform(0, how.noise_volume)).clamp(-1, 1)


@functools.lru_cache(maxsize=8)
def _read_noise(path: str, rate: int) -> Tensor:
    # Kept, because a file of noise is much longer than a clip.
    return read_audio(path, rate)


def _cut(wave: Tensor, begin: int, samples: int) -> Tensor:
    """Return the samples from `begin` on; where there are none, they are 0."""
    from torch.nn import functional

    before, after = max(0, -begin), max(0, begin + samples - len(wave))
    inner = wave[max(0, begin) : max(0, begin + samples)]
    return functional.pad(inner, (min(before, samples), min(after, samples)))[:samples]
