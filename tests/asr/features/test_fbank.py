"""Filterbanks and resampling are torchaudio's, to 1e-4 and the rounding of float32."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import Tensor

from denas_asr.features.backend import torchaudio
from denas_asr.features.fbank import Fbank, log_mel, own_log_mel
from denas_asr.features.resampling import own_resample, resample
from tests.asr.signals import FILTERBANKS, GOLDEN, RATES, RESAMPLED, chirp, noise, signal

pytestmark = pytest.mark.numerics

golden = json.loads(GOLDEN.read_text())


def assert_same_energies(found: Tensor, expected: Tensor) -> None:
    """Check that logarithms of energies (frames, bands) agree to 1e-4, and to the rounding of nearly empty bands.

    A Fourier transform in float32 is off by some epsilon times the largest amplitude of the frame. An amplitude that is
    r times smaller is relatively off by r times as much, and its square by twice that.
    """
    loudest = expected.amax(1, keepdim=True)
    rounding = 2 * torch.finfo(torch.float32).eps * ((loudest - expected) / 2).exp()
    assert bool(((found - expected).abs() < 1e-4 + rounding).all())


@pytest.mark.parametrize("case", range(len(FILTERBANKS)), ids=[f"{c[0]}-{c[1]}" for c in FILTERBANKS])
def test_filterbanks_are_those_of_torchaudio(case: int) -> None:
    name, rate, samples, options = FILTERBANKS[case]
    expected = torch.tensor(golden["filterbanks"][case])
    for compute in (own_log_mel, log_mel):
        found = compute(signal(name, samples, rate), rate, Fbank(**options))
        assert found.dtype == torch.float32 and found.shape == expected.shape
        assert_same_energies(found, expected)


@pytest.mark.parametrize("case", range(len(RATES)), ids=[f"{a}-{b}" for a, b in RATES])
def test_resampling_is_that_of_torchaudio(case: int) -> None:
    rate, to = RATES[case]
    expected = torch.tensor(golden["resampled"][case])
    assert len(expected) == math.ceil(RESAMPLED * to / rate)
    for compute in (own_resample, resample):
        found = compute(noise(RESAMPLED), rate, to)
        assert found.shape == expected.shape
        assert float((found - expected).abs().max()) < 1e-4


@pytest.mark.skipif(torchaudio() is None, reason="torchaudio does not work beside this torch")
def test_torchaudio_itself_agrees_on_a_second() -> None:
    waveform = chirp(16000, 16000)
    assert_same_energies(log_mel(waveform, 16000), own_log_mel(waveform, 16000))
    assert torch.allclose(resample(waveform, 441, 160), own_resample(waveform, 441, 160), rtol=0, atol=1e-4)


def test_a_frame_is_there_for_each_hop_that_has_a_whole_one() -> None:
    # 400 samples a frame, one every 160.
    for samples, frames in ((0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16000, 98)):
        assert Fbank().frames(samples, 16000) == frames
        assert log_mel(noise(samples), 16000).shape == (frames, 80)


def test_silence_has_the_least_energy_that_is_told_apart() -> None:
    found = own_log_mel(torch.full((800,), 0.25), 16000)
    assert torch.allclose(found, torch.full((3, 80), math.log(2**-23)))


def test_twice_the_amplitude_is_four_times_the_energy() -> None:
    waveform = noise(1600)
    louder = own_log_mel(2 * waveform, 16000) - own_log_mel(waveform, 16000)
    assert torch.allclose(louder, torch.full_like(louder, math.log(4)), atol=1e-5)


def test_a_tone_is_loudest_in_its_band() -> None:
    # Edges lie (mel(8000) - mel(20)) / 81 = 34.68 apart on the mel scale, from 31.75; mel(1000) = 999.99, the 27.92th
    # from there: it is nearest to the centre of band 27, the 28th edge.
    tone = (2 * math.pi * 1000 * torch.arange(800) / 16000).sin()
    assert own_log_mel(tone, 16000).argmax(1).tolist() == [27, 27, 27]


def test_a_slow_wave_keeps_its_values_at_other_rates() -> None:
    times = torch.arange(2000) / 44100
    found = own_resample((2 * math.pi * 50 * times).sin(), 44100, 16000)
    expected = (2 * math.pi * 50 * torch.arange(len(found)) / 16000).sin()
    # The ends fade, since nothing is known beyond them.
    assert float((found - expected)[20:-20].abs().max()) < 2e-3


def test_frequencies_that_the_lower_rate_cannot_hold_are_gone() -> None:
    tone = (2 * math.pi * 12000 * torch.arange(4410) / 44100).sin()
    assert float(own_resample(tone, 44100, 16000)[50:-50].abs().max()) < 0.01


def test_rates_without_a_common_divisor_take_no_table_of_both() -> None:
    waveform = noise(3000)
    found = own_resample(waveform, 44101, 16000)
    assert len(found) == math.ceil(3000 * 16000 / 44101)
    # Nearly the same as from 44,100, where torchaudio has been compared with.
    assert float((resample(waveform, 44101, 16000) - found).abs().max()) == 0
    assert float((found - own_resample(waveform, 44100, 16000)[: len(found)])[:100].abs().max()) < 0.02


@pytest.mark.parametrize("samples", [0, 1, 2, 441])
def test_waveforms_of_any_length_are_resampled(samples: int) -> None:
    assert len(resample(noise(samples), 44100, 16000)) == math.ceil(samples * 160 / 441)


def test_a_waveform_at_its_own_rate_is_left_alone() -> None:
    waveform = noise(10)
    assert resample(waveform, 16000, 16000) is waveform
