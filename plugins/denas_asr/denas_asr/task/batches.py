"""Utterances of several lengths in one batch, and hypotheses of several lengths in one tensor."""

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
"""What stands behind the end of a transcript or hypothesis: no symbol, and no loss."""

SECONDS_PER_FRAME = 0.01


def make_batch(samples: Sequence[SpeechSample]) -> tuple[Batch, dict[str, Tensor]]:
    """Return the batch of some utterances, as long as the longest, and what is said in them.

    Networks get the features, and the transcripts behind the symbol for the beginning. Targets are the ``symbols`` with
    the one for the end behind them, (samples, symbols), and how many of them are said: ``length`` (samples,).
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
    """Return the symbols of each text, (samples, symbols of the longest), filled with `ABSENT`."""
    import torch

    longest = max(map(len, texts), default=0)
    rows = [[*text, *[ABSENT] * (longest - len(text))] for text in texts]
    return torch.tensor(rows, dtype=torch.long, device=device).view(len(texts), longest)
