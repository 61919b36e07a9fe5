"""The loss of networks with a CTC head and an attention decoder (Kim et al. 2017, arXiv:1609.06773)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F

from denas_asr.decoding.symbols import BLANK
from denas_core import Outputs
from denas_core.errors import PluginError

from .batches import ABSENT


def joint_loss(
    outputs: Outputs, targets: Mapping[str, Tensor], *, ctc_share: float, label_smoothing: float
) -> Tensor:
    """Return ``ctc_share`` x CTC + (1 - ``ctc_share``) x cross entropy of the decoder, in float32, a scalar.

    Both parts are means over samples, so that the result does not change when several processes share a batch. The CTC
    loss of a sample is -log p(symbols) / number of symbols (Graves et al. 2006), or 0 if it has too few frames for its
    symbols; its cross entropy is the mean over its symbols and the end.

    Raises:
        PluginError: the network lacks one of the two outputs.
    """
    ctc, attention = (output_of(outputs, name) for name in ("ctc", "attention"))
    said, lengths = targets["symbols"], targets["length"]
    alignments = F.ctc_loss(
        ctc.float().log_softmax(-1).transpose(0, 1),
        said,
        frames_of(outputs, "ctc"),
        lengths,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    entropies = F.cross_entropy(
        attention.float().transpose(1, 2),
        said,
        ignore_index=ABSENT,
        reduction="none",
        label_smoothing=label_smoothing,
    )
    by_sample = ctc_share * alignments / lengths.clamp(min=1) + (1 - ctc_share) * entropies.sum(1) / (
        lengths + 1
    )
    return by_sample.mean()


def output_of(outputs: Outputs, name: str) -> Tensor:
    """Return the output called `name`.

    Raises:
        PluginError: the network has no such output.
    """
    if name not in outputs.logits:
        raise PluginError(
            f"the network has no output {name!r} but {', '.join(outputs.logits)}; speech recognition needs "
            "the outputs ctc and attention under a PositionHead"
        )
    return outputs.logits[name]


def frames_of(outputs: Outputs, name: str) -> Tensor:
    """Return the number of valid frames of an output, (samples,)."""
    logits, mask = outputs.logits[name], outputs.masks.get(name)
    return logits.new_full((len(logits),), logits.shape[1]).long() if mask is None else mask.sum(1)
