"""Features of utterances: the right ones, by numbers that are given, and kept as long as there is room."""

from __future__ import annotations

import math
import pickle
import random
from pathlib import Path

import pytest
import soundfile
import torch

from denas_asr.data.audio import UnreadableAudio, read_audio
from denas_asr.data.cache import FeatureCache
from denas_asr.data.features import FeatureReader, normalisation_of
from denas_asr.data.utterance import Utterance
from denas_asr.data.utterances import read_split
from denas_asr.features.fbank import Fbank, log_mel
from tests.asr.signals import noise
from tests.asr.speech_files import write_librispeech

pytestmark = pytest.mark.numerics


@pytest.fixture
def utterances(tmp_path: Path) -> list[Utterance]:
    return read_split(write_librispeech(tmp_path)).utterances


def test_features_are_those_of_the_waveform(utterances: list[Utterance]) -> None:
    found = FeatureReader().read(utterances[0])
    assert found.shape == (Fbank().frames(8000, 16000), 80) == (48, 80)
    assert torch.equal(found, log_mel(read_audio(str(utterances[0].audio), 16000), 16000))


def test_a_reader_has_its_own_rate_and_bands(utterances: list[Utterance]) -> None:
    found = FeatureReader(rate=8000, fbank=Fbank(mels=20)).read(utterances[0])
    assert found.shape == (48, 20)


def test_speeds_are_drawn_from_what_is_given_and_only_where_it_is(utterances: list[Utterance]) -> None:
    reader = FeatureReader(speeds=(80, 125))
    frames = [len(reader.read(utterances[0], random.Random(seed))) for seed in range(20)]
    # Of 8,000 samples at 80 and 125 %: 10,000 and 6,400.
    assert set(frames) == {Fbank().frames(10_000, 16000), Fbank().frames(6_400, 16000)}
    assert frames == [len(reader.read(utterances[0], random.Random(seed))) for seed in range(20)]
    assert len(reader.read(utterances[0])) == 48


def test_what_is_kept_needs_no_file(utterances: list[Utterance]) -> None:
    reader = FeatureReader(speeds=(90, 110))
    first = [reader.read(utterances[0], random.Random(seed)) for seed in range(9)]
    utterances[0].audio.unlink()
    assert all(a is reader.read(utterances[0], random.Random(seed)) for seed, a in enumerate(first))
    with pytest.raises(UnreadableAudio, match=r"^audio .*174-50-0000.flac' cannot be read: No such file"):
        FeatureReader().read(utterances[0])


def test_the_cache_keeps_what_comes_first_as_long_as_there_is_room() -> None:
    made: list[int] = []

    def make(key: int) -> torch.Tensor:
        made.append(key)
        return torch.full((10,), float(key))

    cache = FeatureCache(100)
    # 40 bytes each: two of them fit.
    for _ in range(2):
        assert [float(cache.get(key, lambda key=key: make(key))[0]) for key in (1, 2, 3)] == [1.0, 2.0, 3.0]
    assert made == [1, 2, 3, 3]


def test_another_process_begins_with_nothing_kept(utterances: list[Utterance]) -> None:
    reader = FeatureReader()
    first = reader.read(utterances[0])
    other = pickle.loads(pickle.dumps(reader))  # noqa: S301
    assert len(pickle.dumps(reader)) < 1000
    assert torch.equal(other.read(utterances[0]), first)
    assert other.read(utterances[0]) is other.read(utterances[0])


def test_without_memory_nothing_is_kept(utterances: list[Utterance]) -> None:
    reader = FeatureReader(cache_mb=0)
    first = reader.read(utterances[0])
    assert reader.read(utterances[0]) is not first and torch.equal(reader.read(utterances[0]), first)


def test_training_utterances_are_normalised_by_what_they_have(tmp_path: Path) -> None:
    for number, samples in enumerate((8000, 24000)):
        soundfile.write(tmp_path / f"1-1-000{number}.wav", 0.3 * noise(samples, seed=number), 16000)
    (tmp_path / "1-1.trans.txt").write_text("1-1-0000 ONE\n1-1-0001 TWO\n")
    utterances = read_split(tmp_path).utterances
    reader = FeatureReader()
    found = normalisation_of(reader, utterances)
    everything = torch.cat([reader.read(each) for each in utterances]).double()
    assert len(everything) == 48 + 148
    assert found.mean == pytest.approx(everything.mean(0).tolist(), abs=1e-4)
    assert found.std == pytest.approx(everything.std(0, correction=0).tolist(), abs=1e-4)
    applied = torch.cat([found.apply(reader.read(each)) for each in utterances])
    assert math.isclose(float(applied.mean()), 0, abs_tol=1e-3)
    assert math.isclose(float(applied.std()), 1, abs_tol=1e-2)
