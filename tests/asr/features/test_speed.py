"""Faster speech is shorter and higher."""

from __future__ import annotations

import math

import pytest
import torch

from denas_asr.features.speed import KALDI_SPEEDS, ORIGINAL_SPEEDS, change_speed


@pytest.mark.parametrize("percent", [*ORIGINAL_SPEEDS, *KALDI_SPEEDS])
def test_length_goes_with_the_speed(percent: int) -> None:
    assert len(change_speed(torch.zeros(16000), percent)) == math.ceil(16000 * 100 / percent)


@pytest.mark.parametrize("percent", [90, 97, 110])
def test_a_tone_becomes_that_of_the_speed(percent: int) -> None:
    tone = (2 * math.pi * 440 * torch.arange(8000) / 16000).sin()
    found = change_speed(tone, percent)
    times = torch.arange(len(found)) / 16000
    expected = (2 * math.pi * 440 * percent / 100 * times).sin()
    assert float((found - expected)[50:-50].abs().max()) < 5e-3


def test_the_speeds_of_the_original_are_ten_around_its_own() -> None:
    assert ORIGINAL_SPEEDS == (95, 96, 97, 98, 99, 100, 101, 102, 103, 104)


def test_the_own_speed_changes_nothing() -> None:
    waveform = torch.rand(100)
    assert change_speed(waveform, 100) is waveform
