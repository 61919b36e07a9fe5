"""The loss of networks with a CTC read-out and an attention decoder (Kim et al. 2017, arXiv:1609.06773)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F

from denas_asr.decoding.symbols import BLANK
from denas_core.batch import Outputs
from denas_core.errors import PluginError

from .batches import ABSENT


def joint_loss(
    outputs: Outputs, targets: Mapping[str, Tensor], *, ctc_share: float, label_smoothing: float
) -> Tensor:
    """Return ``ctc_share`` x CTC + (1 - ``ctc_share``) x cross entropy of the decoder, in float32, a scalar.

    CTC is the mean over the samples of -log p(symbols) / number of symbols (Graves et al. 2006); a sample whose frames
    are too few for its symbols counts as 0. The cross entropy is the mean over all symbols and ends.

    Raises:
        PluginError: the network lacks one of the two outputs.
    """
    ctc, attention = (output_of(outputs, name) for name in ("ctc", "attention"))
    said, lengths = targets["symbols"], targets["length"]
    by_sample = F.ctc_loss(
        ctc.float().log_softmax(-1).transpose(0, 1),
        said,
        frames_of(outputs, "ctc"),
        lengths,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    entropy = F.cross_entropy(
        attention.float().flatten(0, 1), said.flatten(), ignore_index=ABSENT, label_smoothing=label_smoothing
    )
    return ctc_share * (by_sample / lengths.clamp(min=1)).mean() + (1 - ctc_share) * entropy


def output_of(outputs: Outputs, name: str) -> Tensor:
    """Return the output of that name.

    Raises:
        PluginError: there is none.
    """
    if name not in outputs.logits:
        raise PluginError(
            f"the network has no output {name!r} but {', '.join(outputs.logits)}; a network for speech recognition has "
            "the outputs ctc and attention under a PositionHead"
        )
    return outputs.logits[name]


def frames_of(outputs: Outputs, name: str) -> Tensor:
    """Return how many frames of an output count, (samples,)."""
    logits, mask = outputs.logits[name], outputs.masks.get(name)
    return logits.new_full((len(logits),), logits.shape[1]).long() if mask is None else mask.sum(1)
