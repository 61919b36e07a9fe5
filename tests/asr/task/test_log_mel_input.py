"""The description of features in an export is enough to compute them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from denas_asr.data.features import FeatureReader
from denas_asr.features.fbank import Fbank, own_log_mel
from denas_asr.features.normalisation import Normalisation, normalise_by_utterance
from denas_asr.task.feature_pipeline import Cmvn, FeaturePipeline
from denas_asr.task.log_mel_input import LogMelInput, log_mel_input
from denas_core import Registry


def features_from(described: dict[str, Any], sound: Any) -> Any:
    """Return features (frames, mels), computed from the description alone."""
    rate = described["sample_rate"]
    size, hop = (int(rate * described[name] / 1000) for name in ("frame_ms", "hop_ms"))
    count = 1 + (len(sound) - size) // hop
    frames = numpy.stack([sound[hop * place : hop * place + size] for place in range(count)])
    frames = frames - frames.mean(1, keepdims=True)
    before = numpy.concatenate([frames[:, :1], frames[:, :-1]], 1)
    window = numpy.hanning(size) ** described["window"]
    length = 2 ** math.ceil(math.log2(size))
    power = abs(numpy.fft.rfft((frames - described["preemphasis"] * before) * window, length)) ** 2

    def mel(hz: Any) -> Any:
        return 1127 * numpy.log(1 + hz / 700)

    edges = numpy.linspace(mel(described["lowest_hz"]), mel(rate / 2), described["mels"] + 2)
    places = mel(numpy.arange(length // 2 + 1) * rate / length)[:, None]
    rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
    bands = numpy.minimum(rising, falling).clip(0)
    found = numpy.log((power @ bands).clip(described["floor"]))
    if described["cmvn"] == "global":
        return (found - described["mean"]) / described["std"]
    if described["cmvn"] == "utterance":
        return (found - found.mean(0)) / found.std(0).clip(described["least_spread"])
    return found


@pytest.mark.parametrize("cmvn", ["utterance", "global", "none"])
def test_features_can_be_computed_from_it(cmvn: Cmvn) -> None:
    fbank = Fbank(mels=8)
    normalisation = Normalisation(mean=(0.5,) * 8, std=(2.0,) * 8) if cmvn == "global" else None
    pipeline = FeaturePipeline(reader=FeatureReader(fbank=fbank), cmvn=cmvn, normalisation=normalisation)
    facts = {"features": pipeline.as_facts(), "vocabulary": {"kind": "characters", "characters": [" ", "a"]}}
    described = log_mel_input(facts)
    assert described is not None
    document = json.loads(json.dumps(described.as_dict()))
    assert document["kind"] == "log-mel" and document["symbols"][3:] == [" ", "a"]
    sound = torch.randn(4000, generator=torch.Generator().manual_seed(0)) * 0.1
    wanted = own_log_mel(sound, 16_000, fbank)
    if normalisation is not None:
        wanted = normalisation.apply(wanted)
    elif cmvn == "utterance":
        wanted = normalise_by_utterance(wanted)
    found = features_from(document, sound.double().numpy())
    assert found.shape == tuple(wanted.shape)
    # Float32 loses digits in the difference of each frame from its mean and from the sample before.
    assert abs(found - wanted.numpy()).max() < 2e-3


def test_without_features_nothing_is_described() -> None:
    assert log_mel_input({"labels": []}) is None


def test_clips_of_keywords_say_their_length_and_their_layout(tmp_path: Path) -> None:
    registry = Registry.discover()
    space = registry.create("space", "asr/keywords", {"classes": 3})
    task = registry.create("task", "asr/keyword-spotting")
    facts = task.read(task.example(tmp_path, space), space).facts
    described = task.preprocessing(space, facts=facts)
    (shape,) = (tensor.shape for tensor in space.batch(1, seed=0).inputs.values())
    assert isinstance(described, LogMelInput)
    assert (described.mels, described.frames) == tuple(shape[1:])
    assert described.layout == "samples, mels, frames" and described.activation == "softmax"
    assert described.mean == tuple(facts["features"]["mean"])
