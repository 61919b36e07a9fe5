"""Over how many directions features spread: entropies of blocks, participation ratios of layers."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, ClassVar

from denas_core import PassSpec, ScoreFailed

from .observed import ObservedScore

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import BlockCall, Trace

_LOG_FLOOR = 1e-8


@dataclasses.dataclass(kw_only=True)
class FeatureEntropy(ObservedScore):
    """The sum over blocks of the entropy of their principal components.

    AZ-NAS's expressivity (Lee and Ham 2024, arXiv:2403.19232, eq. 2): the entropy of the eigenvalues, which are divided
    by their sum, of the covariance of the channels of what the block puts out; rows are samples times positions.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("blocks",))

    def value(self, trace: Trace) -> float:
        """Return the sum in natural units; larger is better.

        Raises:
            ScoreFailed: the network has no blocks.
        """
        return sum(block_entropies(trace))


@dataclasses.dataclass(kw_only=True)
class Progressivity(ObservedScore):
    """The smallest growth of the entropy of features from one block to the next; see `FeatureEntropy`.

    AZ-NAS's progressivity (Lee and Ham 2024, arXiv:2403.19232, eq. 4). It suits networks whose width grows, and says
    nothing of transformers of one width.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("blocks",))

    def value(self, trace: Trace) -> float:
        """Return the smallest difference in natural units, 0 for a single block; larger is better.

        Raises:
            ScoreFailed: the network has no blocks.
        """
        entropies = block_entropies(trace)
        return min((after - before for before, after in itertools.pairwise(entropies)), default=0.0)


@dataclasses.dataclass(kw_only=True)
class Participation(ObservedScore):
    """The mean over layers of the log participation ratio of what they put out.

    The participation ratio of a covariance matrix C, (tr C)^2 / tr(C^2), is the number of directions that features
    spread over. Here it is taken of the outputs of every linear and convolutional layer.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("moments",))

    def value(self, trace: Trace) -> float:
        """Return the mean in natural units; a layer whose outputs do not vary counts as 0. Larger is better.

        Raises:
            ScoreFailed: the network has no linear or convolutional layer.
        """
        ratios = [call.participation_ratio for call in trace.moments]
        if not ratios:
            raise ScoreFailed("the network has no linear or convolutional layer")
        return sum(math.log(ratio) for ratio in ratios if ratio > 0) / len(ratios)


@dataclasses.dataclass(kw_only=True)
class DepthWidth(ObservedScore):
    """The sum over blocks of their channels: depth times width where all blocks have one width.

    No train-free score beats such a count on the encoders of NAS-Bench-BERT (Serianni and Kalita 2023), so it is a
    baseline, and a part of the DE-Score of networks with attention.
    """

    kept: ClassVar[PassSpec] = PassSpec(observe=("blocks",))

    def value(self, trace: Trace) -> float:
        """Return the sum of channels; larger is better.

        Raises:
            ScoreFailed: the network has no blocks.
        """
        if not trace.blocks:
            raise ScoreFailed("the network has no block whose features can be seen")
        return float(sum(block.outputs.shape[block.channels] for block in trace.blocks))


@dataclasses.dataclass(kw_only=True)
class Width(DepthWidth):
    """The mean over blocks of their channels; a wider network counts as better."""

    def value(self, trace: Trace) -> float:
        """Return the mean of channels; larger is better.

        Raises:
            ScoreFailed: the network has no blocks.
        """
        return super().value(trace) / len(trace.blocks)


def block_entropies(trace: Trace) -> list[float]:
    """Return the entropy of what each block put out.

    Raises:
        ScoreFailed: the network has no blocks, or their features are not finite.
    """
    if not trace.blocks:
        raise ScoreFailed("the network has no block whose features can be seen")
    return [entropy(channel_rows(block.outputs, block)) for block in trace.blocks]


def channel_rows(tensor: Tensor, block: BlockCall) -> Tensor:
    """Return a tensor of the layout of a block's features as (rows, channels)."""
    return tensor.movedim(block.channels, -1).reshape(-1, tensor.shape[block.channels])


def entropy(rows: Tensor) -> float:
    """Return the entropy of the principal components of `rows`, (rows, channels); 0 if they do not vary."""
    import torch

    centred = rows - rows.mean(0)
    # The smaller Gram matrix of the two: both have the same eigenvalues but for zeros, which add nothing.
    count, channels = rows.shape
    gram = (centred.T @ centred if channels <= count else centred @ centred.T).double() / count
    eigenvalues = torch.linalg.eigvalsh(gram.cpu()).clamp(min=0)
    total = float(eigenvalues.sum())
    if not math.isfinite(total):
        raise ScoreFailed("the features of a block are not finite")
    if total == 0:
        return 0.0
    shares = eigenvalues / total
    return -float((shares * (shares + _LOG_FLOOR).log()).sum())
