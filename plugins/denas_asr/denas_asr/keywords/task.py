"""The task ``asr/keyword-spotting``."""

from __future__ import annotations

import dataclasses
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_asr.data.audio import UnreadableAudio, read_header
from denas_asr.features.fbank import Fbank
from denas_asr.task.log_mel_input import LogMelInput, clip_input
from denas_asr.task.recordings import audio_files
from denas_core import (
    Answer,
    Batch,
    DataDescription,
    Metric,
    Outputs,
    SearchSpace,
    Split,
    Task,
    TaskData,
    confusion,
    derive_rng,
    largest_share,
    option,
)
from denas_core.errors import ConfigError, did_you_mean, keep_notices

from .clips import Clip, ClipData
from .form import ClipForm, form_of
from .layout import LOOKED_FOR, find_clips
from .manifest import LabelColumns
from .parts import choose_words, duplicates, held_out
from .reading import Augmentation, ClipReader
from .split import ClipSample, ClipSplit, readable

if TYPE_CHECKING:
    from torch import Tensor, nn

LOOKED_AT = 200
"""Number of recordings whose headers a description reads."""

FEWEST_FRAMES, MOST_FRAMES = 48, 298
"""Frames of the shortest and longest clips that a description suggests: half a second and three seconds."""


@dataclasses.dataclass(kw_only=True)
class KeywordSpotting(Task[ClipSample]):
    """Keyword spotting: tell which word a short recording contains.

    It reads one folder of recordings for each word, as in Speech Commands (Warden 2018, arXiv:1804.03209), and
    tables of paths and words.
    """

    metric: ClassVar[Metric] = Metric(name="accuracy", is_share=True)
    recipe: ClassVar[Mapping[str, Any]] = {
        "epochs": 30,
        "batch_size": 100,
        "optimizer": "adamw",
        "lr": 3e-3,
        "weight_decay": 0.05,
        "schedule": "cosine",
        "warmup": 0.05,
        "label_smoothing": 0.1,
    }

    words: list[str] = option(
        [], "Words to tell apart; all others become the class 'unknown'; by default every word is a class"
    )
    silence: bool = option(
        True, "With words: add the class 'silence' of background noise, if the data have noise"
    )
    audio: str = option("", "Column of the audio files in a table; by default found by its name")
    label: str = option("", "Column of the words in a table; by default found by its name")
    valid_share: float = option(
        0.1,
        "Share of each word used for validation if the data have no validation part",
        above=0.0,
        at_most=0.5,
    )
    rate: int = option(
        16_000, "Sample rate in Hz to which audio is resampled", at_least=1000, at_most=192_000
    )
    shift_ms: float = option(
        100.0, "Training clips are shifted by up to so many milliseconds", at_least=0.0, at_most=1000.0
    )
    noise_share: float = option(
        0.8, "Share of training clips to which background noise is added", at_least=0.0, at_most=1.0
    )
    noise_volume: float = option(0.1, "Greatest factor of that noise", at_least=0.0, at_most=1.0)
    decode_first: bool = option(
        True, "Decode all audio before training to find every damaged file; if false, read only headers"
    )

    def why_unsuitable(self, space: SearchSpace) -> str:
        """Return why the inputs of `space` are not mel bands by frames; empty if they are."""
        found = form_of(space)
        return found if isinstance(found, str) else ""

    def describe(self, data: Path) -> DataDescription | None:
        """Return words, lengths and rates of the recordings, or None if there is no folder of recordings by word."""
        found = find_clips(Path(data), self._columns())
        if found is None:
            return None
        clips = [*found.train, *found.valid, *found.test]
        headers = []
        for clip in derive_rng(0, "described clips").sample(clips, min(len(clips), LOOKED_AT)):
            try:
                headers.append(read_header(clip.audio))
            except UnreadableAudio:
                continue
        if not headers:
            raise ConfigError(f"none of the recordings in {str(data)!r} that were tried can be read")
        seconds = statistics.median(header.seconds for header in headers)
        frames = Fbank().frames(round(seconds * self.rate), self.rate)
        parts = {"train": found.train, "valid": found.valid, "test": found.test}
        trained = found.train or clips
        counts = Counter(clip.label for clip in trained)
        labels = {label: counts[label] for label in sorted(found.labels, key=lambda label: -counts[label])}
        return DataDescription(
            format=found.format,
            samples={part: len(some) for part, some in parts.items() if some},
            labels=labels,
            facts={
                "length": f"{seconds:.2f} s (median)",
                "sample rates": sorted({header.rate for header in headers}),
                "background noise": len(found.noise),
            },
            space_options={
                "classes": len(labels),
                "frames": min(MOST_FRAMES, max(FEWEST_FRAMES, frames)),
            },
            spaces=("asr/keywords",),
            notices=[*found.notices, *duplicates(found)],
        )

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[ClipSample]:
        """Read the training and validation clips, or with `facts` the test clips, else the validation clips.

        Raises:
            ConfigError: there are no clips in a known layout, or they do not suit the words; the text names what is
                missing.
        """
        form = form_of(space)
        if isinstance(form, str):
            raise ConfigError(f"space {space.id!r} cannot spot keywords: {form}")
        found = find_clips(Path(data), self._columns())
        if found is None:
            raise ConfigError(f"{str(data)!r} has no recordings by word; looked for {LOOKED_FOR}")
        found = dataclasses.replace(found, notices=[*found.notices, *duplicates(found)])
        with keep_notices(lambda: found.notices):
            if facts is None:
                return self._training_data(found, form, str(data))
            return self._evaluation_data(found, form, facts, str(data))

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with one output for each word."""
        from torch import nn

        return nn.Linear(width, len(facts["labels"]))

    def collate(
        self, samples: Sequence[ClipSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return features (samples, bands, frames) and the numbers of the words."""
        import torch

        name = samples[0].name
        batch = Batch(
            inputs={name: torch.stack([sample.features for sample in samples])},
            perturbable=(name,),
            units={"samples": float(len(samples))},
        )
        return batch, {"label": torch.tensor([sample.label for sample in samples])}

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean cross entropy, computed in float32 for any precision of the network."""
        from torch.nn import functional

        return functional.cross_entropy(_logits(outputs), targets["label"], label_smoothing=label_smoothing)

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the number of the likeliest word (samples,)."""
        return _logits(outputs).argmax(-1)

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[ClipSample]
    ) -> dict[str, float]:
        """Return ``accuracy`` and the mean accuracy over words, ``balanced_accuracy``."""
        labels = targets["label"]
        hits = (predictions == labels).double()
        counts = labels.bincount()
        by_word = labels.bincount(weights=hits)[counts > 0] / counts[counts > 0]
        return {"accuracy": float(hits.mean()), "balanced_accuracy": float(by_word.mean())}

    def chance(self, targets: Mapping[str, Tensor], split: Split[ClipSample]) -> float | None:
        """Return the share of the most frequent word."""
        return largest_share(targets["label"])

    def mistakes(
        self, predictions: Tensor, targets: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return which words are taken for which others."""
        return confusion(predictions, targets["label"], facts["labels"])

    def items(self, path: Path) -> Iterator[tuple[str, Path]]:
        """Yield an audio file, or every audio file in a folder."""
        yield from ((str(file), file) for file in audio_files([path]))

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[Path], Split[ClipSample]]:
        """Return a function that reads the loudest part of a recording."""
        form = form_of(space)
        if isinstance(form, str):
            raise ConfigError(f"space {space.id!r} cannot spot keywords: {form}")
        reader = ClipReader.from_facts(facts["features"])
        return lambda path: ClipSplit([Clip(str(path), "")], reader, labels=facts["labels"], name=form.name)

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> LogMelInput | None:
        """Return how the features of a clip are computed."""
        form = form_of(space)
        return None if isinstance(form, str) else clip_input(facts, form.name)

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[ClipSample],
    ) -> Tensor:
        """Return the probability of each word (samples, words)."""
        return _logits(outputs).softmax(-1)

    def answer(self, details: Tensor, split: Split[ClipSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the likeliest word."""
        return Answer.of_labels(dict(zip(facts["labels"], details[0].tolist(), strict=True)))

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write recordings of 3 words that are tones: 4 of each for training and 2 for validation."""
        from .example import write_example

        return write_example(folder)

    def _columns(self) -> LabelColumns:
        return LabelColumns(audio=self.audio, label=self.label)

    def _training_data(self, found: ClipData, form: ClipForm, where: str) -> TaskData[ClipSample]:
        reader = ClipReader(rate=self.rate, fbank=Fbank(mels=form.mels), frames=form.frames)
        if not found.train:
            raise ConfigError(f"{where!r} has no training recordings; put them into train/WORD/")
        train, notices = readable(found.train, where, decode=self.decode_first)
        valid, more = readable(found.valid, where, decode=self.decode_first)
        chosen = choose_words(
            held_out(dataclasses.replace(found, train=train, valid=valid, test=()), self.valid_share),
            self.words,
            with_silence=self.silence,
            seconds=reader.seconds,
        )
        labels = list(dict.fromkeys([*self.words, *sorted({clip.label for clip in chosen.train})]))
        if len(labels) < 2:
            raise ConfigError(f"{where!r} has recordings of one word only, {labels[0]!r}; add others")
        _check_labels(chosen.valid, labels, f"validation recordings in {where!r}")
        reader = dataclasses.replace(
            reader.with_normalisation_of(chosen.train),
            augmentation=Augmentation(
                shift_seconds=self.shift_ms / 1000,
                noise=found.noise,
                noise_share=self.noise_share,
                noise_volume=self.noise_volume,
            ),
        )
        splits = [
            ClipSplit(clips, reader, labels=labels, name=form.name) for clips in (chosen.train, chosen.valid)
        ]
        return TaskData(
            train=splits[0],
            valid=splits[1],
            facts={"labels": labels, "features": reader.as_facts()},
            notices=(*found.notices, *notices, *more),
        )

    def _evaluation_data(
        self, found: ClipData, form: ClipForm, facts: Mapping[str, Any], where: str
    ) -> TaskData[ClipSample]:
        reader = ClipReader.from_facts(facts["features"])
        if (reader.fbank.mels, reader.frames) != (form.mels, form.frames):
            raise ConfigError(
                f"the model was trained on {reader.fbank.mels} bands and {reader.frames} frames, but networks of its "
                f"space take {form.mels} and {form.frames}"
            )
        if not found.test:
            found = held_out(found, self.valid_share)
        found = dataclasses.replace(found, train=(), valid=found.test or found.valid, test=())
        chosen = choose_words(found, self.words, with_silence=self.silence, seconds=reader.seconds)
        valid, notices = readable(chosen.valid, where, decode=self.decode_first)
        if not valid:
            raise ConfigError(f"{where!r} has no recordings to measure on; put them into test/WORD/")
        _check_labels(valid, facts["labels"], f"recordings in {where!r}")
        return TaskData(
            train=None,
            valid=ClipSplit(valid, reader, labels=facts["labels"], name=form.name),
            facts=dict(facts),
            notices=(*found.notices, *notices),
        )


def _check_labels(clips: Sequence[Clip], labels: Sequence[str], what: str) -> None:
    for label in sorted({clip.label for clip in clips}):
        if label not in labels:
            raise ConfigError(
                f"the {what} have the word {label!r}, which is not among the training recordings"
                f"{did_you_mean(label, labels)}"
            )


def _logits(outputs: Outputs) -> Tensor:
    return next(iter(outputs.logits.values())).float()
