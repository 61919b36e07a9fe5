"""Pad utterances of several lengths to one batch, and hypotheses of several lengths to one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from denas_asr.decoding.symbols import BLANK, BOS, EOS
from denas_core import Batch

from .split import SpeechSample

if TYPE_CHECKING:
    import torch
    from torch import Tensor

ABSENT = -1
"""The padding behind a transcript or hypothesis; it is not a symbol and adds no loss."""

SECONDS_PER_FRAME = 0.01


def make_batch(samples: Sequence[SpeechSample]) -> tuple[Batch, dict[str, Tensor]]:
    """Return a batch of utterances, padded to the longest, and its targets.

    The network's inputs are the features, and the transcripts after the symbol for the beginning. The targets are the
    ``symbols`` of the transcripts followed by the symbol for the end, (samples, symbols), and ``length`` (samples,),
    the number of symbols in each transcript.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    frames = torch.tensor([len(sample.features) for sample in samples])
    said = [torch.tensor(sample.symbols, dtype=torch.long) for sample in samples]
    lengths = torch.tensor([len(symbols) for symbols in said])
    beginning, end = torch.tensor([BOS]), torch.tensor([EOS])
    batch = Batch(
        inputs={
            "features": pad_sequence([sample.features for sample in samples], batch_first=True),
            "tokens": pad_sequence(
                [torch.cat([beginning, symbols]) for symbols in said], batch_first=True, padding_value=BLANK
            ),
        },
        perturbable=("features",),
        lengths={"features": frames, "tokens": lengths + 1},
        units={"samples": float(len(samples)), "audio_seconds": SECONDS_PER_FRAME * float(frames.sum())},
    )
    wanted = pad_sequence(
        [torch.cat([symbols, end]) for symbols in said], batch_first=True, padding_value=ABSENT
    )
    return batch, {"symbols": wanted, "length": lengths}


def hypotheses(texts: Sequence[Sequence[int]], device: torch.device | str = "cpu") -> Tensor:
    """Return the symbols of each text, (samples, symbols of the longest), padded with `ABSENT`."""
    import torch

    longest = max(map(len, texts), default=0)
    rows = [[*text, *[ABSENT] * (longest - len(text))] for text in texts]
    return torch.tensor(rows, dtype=torch.long, device=device).view(len(texts), longest)
