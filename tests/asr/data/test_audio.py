"""Audio files become one channel at the wanted rate, or a line that says what is wrong with them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest
import soundfile
import torch

from denas_asr.data.audio import EXTENSIONS, EmptyAudio, UnreadableAudio, check_audio, read_audio, read_header
from denas_core.errors import ConfigError
from tests.asr.speech_files import FORMATS, REAL, cut, needs_real_data, scratch, tone, write_audio

LOSSY = (".ogg", ".oga", ".opus", ".mp3")


def refused(path: Path, **options: float) -> str:
    with pytest.raises(UnreadableAudio) as told:
        read_audio(str(path), 16000, **options)
    text = str(told.value)
    assert repr(str(path)) in text and text.isprintable()
    return text.replace(repr(str(path)), "IT")


@pytest.mark.parametrize("suffix", EXTENSIONS)
def test_formats_are_read(tmp_path: Path, suffix: str) -> None:
    path = write_audio(tmp_path / f"tone{suffix}")
    found = read_audio(str(path), 16000)
    assert found.dtype == torch.float32 and found.shape == (8000,)
    assert read_header(str(path)).seconds == check_audio(str(path)).seconds == 0.5
    exact = torch.from_numpy(tone(0.5)[:, 0])
    # Compression may delay a tone, but neither weakens nor detunes it.
    assert float((found - exact)[1000:-1000].abs().max()) < (0.1 if suffix in LOSSY else 1e-4)


@pytest.mark.parametrize(
    ("suffix", "name"), [(".wav", "a.flac"), (".flac", "a.wav"), (".mp3", "a.wav"), (".ogg", "a.mp3")]
)
def test_any_name_will_do_for_any_format(tmp_path: Path, suffix: str, name: str) -> None:
    path = write_audio(tmp_path / f"tone{suffix}").rename(tmp_path / name)
    assert len(read_audio(str(path), 16000)) == 8000


def test_a_part_of_a_file_is_read(tmp_path: Path) -> None:
    for suffix in (".flac", ".wav", ".ogg"):
        path = write_audio(tmp_path / f"tone{suffix}", 1.0)
        whole = read_audio(str(path), 16000)
        part = read_audio(str(path), 16000, start=0.25, end=0.5)
        assert part.shape == (4000,) and torch.allclose(part, whole[4000:8000], atol=1e-3)
        assert len(read_audio(str(path), 16000, start=0.75)) == 4000
        assert check_audio(str(path), start=0.25, end=0.5).seconds == 0.25
        assert "has no samples from 2 s on" in refused(path, start=2.0)


def test_equal_samples_have_one_fingerprint_in_all_formats(tmp_path: Path) -> None:
    one, same = write_audio(tmp_path / "tone.wav"), tmp_path / "copy.flac"
    soundfile.write(same, *soundfile.read(one, dtype="int16"))
    longer = write_audio(tmp_path / "longer.wav", 0.6)
    assert check_audio(str(one)).fingerprint == check_audio(str(same)).fingerprint
    assert check_audio(str(one)).fingerprint != check_audio(str(longer)).fingerprint


@pytest.mark.parametrize(("level", "silent"), [(0.0, True), (0.25, True), (3e-5, False)])
def test_silence_is_recognised(tmp_path: Path, level: float, silent: bool) -> None:
    samples = numpy.full(8000, level)
    if not silent:
        samples[::2] = 3e-4
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    assert check_audio(str(tmp_path / "a.wav")).is_silent == silent


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "stereo.wav", channels=2)
    expected = torch.from_numpy(tone(0.5)[:, 0]) / 2
    assert float((read_audio(str(path), 16000) - expected).abs().max()) < 1e-4


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 16001])
def test_other_rates_are_resampled(tmp_path: Path, rate: int) -> None:
    path = write_audio(tmp_path / "tone.wav", rate=rate)
    found = read_audio(str(path), 16000)
    assert len(found) == math.ceil(round(0.5 * rate) * 16000 / rate)
    expected = torch.from_numpy(tone(0.5)[:, 0])[: len(found)]
    assert float((found - expected)[100:-100].abs().max()) < 5e-3


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus", ".mp3"])
def test_a_file_that_is_cut_off_or_scratched_is_refused(tmp_path: Path, suffix: str) -> None:
    # Noise: a tone would be compressed to hardly anything.
    noise = numpy.random.default_rng(0).normal(0, 0.1, 48000)
    path = tmp_path / f"noise{suffix}"
    soundfile.write(path, noise, 16000, **FORMATS.get(suffix, {}))
    content = path.read_bytes()
    if suffix in (".flac", ".mp3"):
        # The others say how long they are at their end: without it nobody knows of more.
        assert "IT is damaged" in refused(cut(path))
    path.write_bytes(content)
    if suffix != ".mp3":
        assert "IT is damaged" in refused(scratch(path))


def test_a_wav_that_says_more_than_it_has_is_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "tone.wav")
    assert "IT is cut off: it has 7978 of 16000 bytes of sound; download it again" in refused(cut(path))
    with pytest.raises(UnreadableAudio):
        read_header(str(path))


def test_a_wav_from_a_pipe_does_not_know_its_size_and_is_read(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "tone.wav")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(read_audio(str(path), 16000)) == 8000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "IT is empty; record it again, or remove it"),
        (
            b"hello, this is no sound\n" * 9,
            "IT is not audio that can be read, but text; download it again",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(99),
            "IT is not audio that can be read, but a PNG image; download it again",
        ),
        (
            b"\r\n<!DOCTYPE html><title>404</title>",
            "but an HTML page; the address or the login of the download was",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "but a pointer of Git LFS; get the file with",
        ),
        (b"\0\0\0\x20ftypM4A \0\0", "but MP4 or M4A; convert it to FLAC, for example with ffmpeg"),
        (bytes(5000), "but only zeros; download it again"),
        (b"\x1f\x8b\x08", "but compressed with gzip; decompress it"),
        (
            b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\n",
            "SPHERE compressed with shorten",
        ),
        (b"\x80\x90\xa0" * 99, "IT is damaged or not audio: Format not recognised; download it again"),
    ],
)
def test_what_is_no_audio_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "it.flac"
    path.write_bytes(content)
    assert reason in refused(path)


def test_audio_without_a_sample_is_empty(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "none.wav", 0.0)
    assert refused(path) == "audio IT is empty; record it again, or remove it"
    with pytest.raises(EmptyAudio):
        read_header(str(path))


def test_what_the_file_system_does_not_give_is_told_as_it_says(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.flac") == "audio IT cannot be read: No such file or directory"
    assert "IT cannot be read: Is a directory" in refused(tmp_path)


def test_audio_that_is_too_long_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "tone.flac", 3.0)
    cut(path)
    assert refused(path, longest=2.0) == "audio IT lasts 3 s, more than 2 s; split it into utterances"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "nan.wav"
    soundfile.write(path, numpy.array([0.0, value, 0.0]), 16000, subtype="FLOAT")
    assert "IT has samples that are not finite numbers" in refused(path)


@pytest.mark.parametrize("rate", [1, 4_000_000_000])
def test_a_rate_that_no_recording_has_is_refused(tmp_path: Path, rate: int) -> None:
    path = write_audio(tmp_path / "tone.wav")
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    assert "IT" in refused(path)


def test_errors_of_audio_are_those_of_a_configuration() -> None:
    assert issubclass(UnreadableAudio, ConfigError)


@needs_real_data
def test_real_speech_is_read() -> None:
    paths = sorted(map(str, REAL.glob("*-clean/*/*/*.flac")))
    assert len(paths) == 6
    for path in paths:
        header = read_header(path)
        assert (header.rate, header.channels) == (16000, 1)
        assert len(read_audio(path, 16000)) == header.frames
