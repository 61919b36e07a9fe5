"""Which networks can recognise speech, and how much of it they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from denas_asr.conformer.space import Conformer
from denas_asr.task.form import SpeechForm, encoded_share, form_of, frames_needed
from denas_asr.transformer.space import Transformer
from denas_core.values.batch import Batch
from tests.asr.tiny_spaces import SIZES


def space(change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Transformer:
    """Return a space whose batches are changed."""

    class Changed(Transformer):
        def batch(self, size: int, **options: Any) -> Batch:
            return Batch(inputs=change(dict(super().batch(size, **options).inputs)))

    return Changed(**SIZES)


def test_networks_of_both_spaces_hear() -> None:
    assert form_of(Transformer(**SIZES)) == form_of(Conformer(**SIZES)) == SpeechForm(mels=10)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda inputs: {"x": inputs["features"]}, "its inputs are x, not features and tokens"),
        (lambda inputs: {"features": inputs["features"]}, "its inputs are features, not features and tokens"),
        (
            lambda inputs: {**inputs, "features": inputs["features"][0]},
            "its features are float32 of shape (23, 10), not frames of mel bands",
        ),
        (
            lambda inputs: {**inputs, "tokens": inputs["tokens"].float()},
            "its tokens are float32 of shape (1, 2), not whole numbers (samples, symbols)",
        ),
    ],
)
def test_what_does_not_fit_is_told(change: Any, reason: str) -> None:
    assert form_of(space(change)) == reason


def test_a_quarter_of_the_frames_is_encoded() -> None:
    # 23 frames become 12, and these 6.
    assert encoded_share(Transformer(**SIZES)) == 6 / 23


def test_equal_neighbours_need_a_frame_between_them() -> None:
    assert [frames_needed(text) for text in ([], [3], [3, 4, 3], [3, 3], [3, 3, 3, 4, 4])] == [0, 1, 3, 3, 8]


def test_the_form_is_read_without_a_network() -> None:
    before = torch.random.get_rng_state()
    form_of(Transformer(**SIZES))
    encoded_share(Transformer(**SIZES))
    assert torch.equal(before, torch.random.get_rng_state())
