"""The loss of CTC and the decoder together, worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from denas_asr.task.loss import joint_loss
from denas_core.errors import PluginError
from denas_core.values.batch import Outputs

pytestmark = pytest.mark.numerics

A, B = 3, 4


def outputs(ctc: Tensor, attention: Tensor, frames: list[int] | None = None) -> Outputs:
    """Return outputs of a network, with a mask of the frames that count."""
    masks = {} if frames is None else {"ctc": torch.arange(ctc.shape[1]) < torch.tensor(frames)[:, None]}
    return Outputs(features=ctc, logits={"ctc": ctc, "attention": attention}, masks=masks)


def targets(*texts: list[int]) -> dict[str, Tensor]:
    """Return what is said: symbols with the end behind them, and how many there are."""
    longest = max(map(len, texts)) + 1
    rows = [[*text, 2, *[-1] * (longest - len(text) - 1)] for text in texts]
    return {"symbols": torch.tensor(rows), "length": torch.tensor([len(text) for text in texts])}


def log(*rows: list[float]) -> Tensor:
    """Return logits of one sample whose softmax is given, row by row."""
    return torch.tensor([list(rows)]).log()


# Over blank, beginning, end and A, two frames. A is written as A-, -A and AA.
FRAMES = log([0.5, 0.1, 0.1, 0.3], [0.2, 0.1, 0.1, 0.6])
PROBABILITY = 0.3 * 0.2 + 0.5 * 0.6 + 0.3 * 0.6
# The decoder's symbol behind the beginning, and behind A.
SYMBOLS = log([0.1, 0.1, 0.4, 0.4], [0.2, 0.2, 0.5, 0.1])
ENTROPY = -(math.log(0.4) + math.log(0.5)) / 2


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (1.0, -math.log(PROBABILITY)),
        (0.0, ENTROPY),
        (0.3, -0.3 * math.log(PROBABILITY) + 0.7 * ENTROPY),
    ],
)
def test_the_loss_is_that_of_all_alignments_and_of_each_next_symbol(share: float, expected: float) -> None:
    found = joint_loss(outputs(FRAMES, SYMBOLS), targets([A]), ctc_share=share, label_smoothing=0.0)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_is_for_the_decoder_alone() -> None:
    found = joint_loss(outputs(FRAMES, SYMBOLS), targets([A]), ctc_share=0.3, label_smoothing=0.1)
    spread = -sum(map(math.log, (0.1, 0.1, 0.4, 0.4, 0.2, 0.2, 0.5, 0.1))) / 8
    assert float(found) == pytest.approx(
        -0.3 * math.log(PROBABILITY) + 0.7 * (0.9 * ENTROPY + 0.1 * spread), rel=1e-5
    )


def test_padding_changes_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    longer, symbols = (torch.randn(1, size, 5, generator=generator) for size in (6, 4))
    alone = [
        joint_loss(outputs(longer[:, :3], symbols[:, :2]), targets([A]), ctc_share=1.0, label_smoothing=0.0),
        joint_loss(outputs(longer, symbols), targets([A, B, B]), ctc_share=1.0, label_smoothing=0.0),
    ]
    together = outputs(longer.repeat(2, 1, 1), symbols.repeat(2, 1, 1), [3, 6])
    found = joint_loss(together, targets([A], [A, B, B]), ctc_share=1.0, label_smoothing=0.0)
    assert float(found) == pytest.approx(float(alone[0] + alone[1]) / 2, rel=1e-5)


def test_the_loss_is_the_mean_of_those_of_the_samples_so_that_processes_may_share_them() -> None:
    generator = torch.Generator().manual_seed(1)
    ctc, attention = torch.randn(2, 4, 5, generator=generator), torch.randn(2, 3, 5, generator=generator)
    alone = [
        joint_loss(outputs(ctc[:1], attention[:1, :2]), targets([A]), ctc_share=0.3, label_smoothing=0.1),
        joint_loss(outputs(ctc[1:], attention[1:]), targets([B, A]), ctc_share=0.3, label_smoothing=0.1),
    ]
    found = joint_loss(outputs(ctc, attention), targets([A], [B, A]), ctc_share=0.3, label_smoothing=0.1)
    assert float(found) == pytest.approx(float(sum(alone)) / 2, rel=1e-5)


def test_an_utterance_that_is_too_short_for_its_transcript_teaches_ctc_nothing() -> None:
    # Two equal symbols need a blank between them: three frames.
    ctc = torch.zeros(2, 3, 5, requires_grad=True)
    found = joint_loss(
        outputs(ctc, torch.zeros(2, 3, 5), [2, 3]),
        targets([B, B], [B, B]),
        ctc_share=1.0,
        label_smoothing=0.0,
    )
    assert found.item() == pytest.approx(3 * math.log(5) / 2 / 2, rel=1e-5)
    found.backward()
    assert ctc.grad is not None and not ctc.grad[0].any() and bool(ctc.grad[1].any())


def test_half_precision_is_summed_in_float32() -> None:
    exact = joint_loss(outputs(FRAMES, SYMBOLS), targets([A]), ctc_share=0.3, label_smoothing=0.0)
    rough = outputs(FRAMES.bfloat16(), SYMBOLS.bfloat16())
    found = joint_loss(rough, targets([A]), ctc_share=0.3, label_smoothing=0.0)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(float(exact), rel=2e-2)


def test_a_network_without_one_of_the_outputs_is_told() -> None:
    lacking = Outputs(features=FRAMES, logits={"ctc": FRAMES})
    with pytest.raises(PluginError, match="the network has no output 'attention' but ctc"):
        joint_loss(lacking, targets([A]), ctc_share=0.3, label_smoothing=0.0)
