"""A clip has a fixed length, whatever its recording is like."""

from __future__ import annotations

import random
from pathlib import Path

import numpy
import pytest
import soundfile
import torch

from denas_asr.data.audio import UnreadableAudio
from denas_asr.features.fbank import Fbank, log_mel
from denas_asr.keywords.clips import Clip
from denas_asr.keywords.reading import Augmentation, ClipReader
from denas_asr.keywords.split import readable
from tests.asr.speech_files import cut, write_audio

READER = ClipReader(rate=16_000, fbank=Fbank(mels=10), frames=98)


def write(path: Path, wave: numpy.ndarray, rate: int = 16_000) -> str:
    soundfile.write(path, wave, rate, subtype="FLOAT")
    return str(path)


@pytest.mark.parametrize("seconds", [0.1, 0.9, 1.0, 3.0])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_features_have_the_frames_of_the_network(tmp_path: Path, seconds: float, rate: int) -> None:
    path = write_audio(tmp_path / "x.wav", seconds, rate=rate, channels=2)
    assert READER.features(Clip(str(path), "x")).shape == (10, 98)
    assert READER.samples == 15_920


def test_the_loudest_part_of_a_long_recording_is_used(tmp_path: Path) -> None:
    wave = numpy.zeros(48_000, dtype="float32")
    wave[20_000:30_000] = 0.1 * numpy.sin(numpy.arange(10_000))
    long = READER.features(Clip(write(tmp_path / "long.wav", wave), "x"))
    best = next(begin for begin in range(0, 48_000, 160) if begin + 15_920 >= 30_000)
    expected = log_mel(torch.from_numpy(wave[best : best + 15_920]), 16_000, READER.fbank).T
    torch.testing.assert_close(long, expected)
    there = READER.features(Clip(str(tmp_path / "long.wav"), "silence", start=0.0))
    assert (there < there.min() + 1e-3).all()


def test_a_short_recording_is_in_the_middle(tmp_path: Path) -> None:
    found = READER.features(Clip(write(tmp_path / "s.wav", 0.1 * numpy.ones(1_920, dtype="float32")), "x"))
    loud = (found.sum(0) > found.sum(0).min() + 1).nonzero().flatten()
    assert abs(int(loud[0]) - (97 - int(loud[-1]))) <= 1


def test_a_training_clip_is_shifted_and_noisy(tmp_path: Path) -> None:
    path = str(write_audio(tmp_path / "x.wav", 1.0))
    noise = write(tmp_path / "noise.wav", numpy.random.default_rng(0).standard_normal(40_000) * 0.1)
    plain = READER.features(Clip(path, "x"))

    def changed(seed: int, **options: object) -> torch.Tensor:
        reader = ClipReader(
            rate=16_000,
            fbank=Fbank(mels=10),
            frames=98,
            augmentation=Augmentation(**options),  # type: ignore[arg-type]
        )
        return reader.features(Clip(path, "x"), random.Random(seed))

    assert not torch.equal(changed(0), plain)
    assert torch.equal(changed(0), changed(0)) and not torch.equal(changed(0), changed(1))
    still = changed(0, shift_seconds=0.0)
    torch.testing.assert_close(still, plain)
    assert not torch.allclose(changed(0, shift_seconds=0.0, noise=[noise], noise_share=1.0), plain)


def test_the_normalisation_travels_with_the_model(tmp_path: Path) -> None:
    clips = [Clip(str(write_audio(tmp_path / f"{i}.wav", 0.2 * i)), "x") for i in (1, 3, 5)]
    reader = READER.with_normalisation_of(clips)
    features = torch.cat([reader.features(clip) for clip in clips], 1)
    assert features.mean(1).abs().max() < 1e-3 and (features.std(1) - 1).abs().max() < 0.01
    again = ClipReader.from_facts(reader.as_facts())
    assert torch.equal(again.features(clips[1]), reader.features(clips[1]))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = cut(write_audio(tmp_path / "x.flac", 1.0))
    with pytest.raises(UnreadableAudio, match=r"x\.flac"):
        READER.features(Clip(str(path), "x"))


def test_a_silent_clip_of_a_word_is_left_out_and_one_of_silence_is_not(tmp_path: Path) -> None:
    clips = []
    for label in ("yes", "_silence_"):
        soundfile.write(tmp_path / f"{label}.wav", numpy.zeros(8000), 16_000)
        clips.append(Clip(str(tmp_path / f"{label}.wav"), label))
    kept, notices = readable(clips, "the data", decode=True)
    assert kept == clips[1:] and "silent audio: 1" in notices[0] and "yes.wav" in notices[0]
    assert readable(clips, "the data", decode=False)[0] == clips
