"""The decoder one symbol at a time, against the decoder of whole texts."""

from __future__ import annotations

import types
from typing import cast

import pytest
import torch

from denas_asr.decoding.attention_scorer import WholeTexts
from denas_asr.decoding.joint import joint_beam
from denas_asr.network.recogniser import Recogniser
from denas_asr.transformer.space import Transformer
from tests.asr.tiny_spaces import SIZES

pytestmark = pytest.mark.numerics

SYMBOLS, LENGTHS = 11, [7, 5, 2]


def recogniser(dtype: torch.dtype = torch.float64) -> Recogniser:
    space = Transformer(**SIZES).named("asr/tiny")
    arch = space.full()
    with torch.device("meta"):
        model = space.build(arch)
    return cast("Recogniser", space.load(model, arch, seed=3).eval().to(dtype))


def speech(width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LENGTHS), 7, width, generator=generator, dtype=torch.float64)


@torch.no_grad()
def test_each_step_is_that_of_the_whole_text() -> None:
    network = recogniser()
    encoded, lengths = speech(network.decoder.norm.weight.shape[0]), torch.tensor(LENGTHS)
    steps, whole = network.stepper(encoded, lengths), WholeTexts(network, encoded, lengths)
    generator = torch.Generator().manual_seed(1)
    parents = torch.zeros(3, 1, dtype=torch.int64)
    # Beyond the steps after which symbols of no text are forgotten.
    for rows in (1, 2, 4, 4, 3, 5, *[4] * 30):
        parents = torch.randint(parents.shape[1], (len(encoded), rows), generator=generator)
        symbols = torch.randint(SYMBOLS, (len(encoded), rows), generator=generator)
        torch.testing.assert_close(steps.step(symbols, parents), whole.step(symbols, parents))
        if rows == 4:
            kept = torch.arange(len(encoded))[-2:]
            steps.keep(kept)
            whole.keep(kept)
            encoded = encoded[kept]
        parents = symbols


@torch.no_grad()
def test_joint_decoding_is_the_same_step_by_step() -> None:
    network = recogniser()
    encoded, lengths = 3 * speech(network.decoder.norm.weight.shape[0]), torch.tensor(LENGTHS)
    stepwise = joint_beam(network, encoded, lengths, beam=4, ctc_weight=0.3)
    without = types.SimpleNamespace(ctc=network.ctc, decode=network.decode)
    whole = joint_beam(without, encoded, lengths, beam=4, ctc_weight=0.3)
    assert [[h.symbols for h in found] for found in stepwise] == [
        [h.symbols for h in found] for found in whole
    ]
    for found, expected in zip(stepwise, whole, strict=True):
        assert [h.score for h in found] == pytest.approx([h.score for h in expected])


@torch.no_grad()
def test_padding_changes_no_text_that_a_network_recognises() -> None:
    network = recogniser()
    encoded, lengths = 3 * speech(network.decoder.norm.weight.shape[0]), torch.tensor(LENGTHS)
    together = joint_beam(network, encoded, lengths, beam=4, ctc_weight=0.3)
    for row, length in enumerate(LENGTHS):
        (alone,) = joint_beam(network, encoded[row : row + 1, :length], beam=4, ctc_weight=0.3)
        assert [h.symbols for h in together[row]] == [h.symbols for h in alone]


@torch.no_grad()
def test_it_runs_in_bfloat16_and_where_torch_chooses_it() -> None:
    network = recogniser(torch.bfloat16)
    encoded = speech(network.decoder.norm.weight.shape[0])
    found = joint_beam(network, encoded.bfloat16(), torch.tensor(LENGTHS), beam=2, ctc_weight=0.3)
    with torch.autocast("cpu", torch.bfloat16):
        chosen = joint_beam(network.float(), encoded.float(), torch.tensor(LENGTHS), beam=2, ctc_weight=0.3)
    wide = joint_beam(network.double(), encoded, torch.tensor(LENGTHS), beam=2, ctc_weight=0.3)
    for narrow in (found, chosen):
        assert [h[0].score for h in narrow] == pytest.approx([h[0].score for h in wide], abs=0.5)
