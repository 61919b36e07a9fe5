"""Utterances of several lengths in one batch."""

from __future__ import annotations

import torch

from denas_asr.task.batches import hypotheses, make_batch
from denas_asr.task.split import SpeechSample


def test_transcripts_stand_behind_the_beginning_and_before_the_end() -> None:
    samples = [
        SpeechSample(features=torch.ones(3, 2), symbols=(5, 6)),
        SpeechSample(features=2 * torch.ones(5, 2), symbols=(7,)),
        SpeechSample(features=3 * torch.ones(1, 2), symbols=()),
    ]
    batch, targets = make_batch(samples)
    assert batch.inputs["features"][..., 0].tolist() == [[1, 1, 1, 0, 0], [2, 2, 2, 2, 2], [3, 0, 0, 0, 0]]
    assert batch.inputs["tokens"].tolist() == [[1, 5, 6], [1, 7, 0], [1, 0, 0]]
    assert {name: lengths.tolist() for name, lengths in batch.lengths.items()} == {
        "features": [3, 5, 1],
        "tokens": [3, 2, 1],
    }
    assert targets["symbols"].tolist() == [[5, 6, 2], [7, 2, -1], [2, -1, -1]]
    assert targets["length"].tolist() == [2, 1, 0]
    assert batch.units == {"samples": 3.0, "audio_seconds": 0.09}
    assert batch.perturbable == ("features",)


def test_hypotheses_are_filled_with_what_is_no_symbol() -> None:
    assert hypotheses([[3, 4], [], [5]]).tolist() == [[3, 4], [-1, -1], [5, -1]]
    assert hypotheses([[], []]).shape == (2, 0)
