"""Complexity: how evenly a network can learn, as the condition number of its neural tangent kernel."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from denas_core import Direction, PassSpec, ProxyScore, ScoreFailed, option

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core import Candidate, LayerCall, WeightView

RIDGE = 1e-6
"""Share of the mean of the diagonal that `LogDeterminant` adds to it."""


@dataclasses.dataclass(kw_only=True)
class Complexity(ProxyScore):
    """The log condition number of the neural tangent kernel; smaller is better.

    The kernel is the Gram matrix of the gradients of each sample's read-out by the matrices and kernels of
    convolutions, feed-forward layers, attention and heads (Chen et al. 2021, arXiv:2102.11535, section 3.1.1).
    Batch-norm statistics are held constant, so that the gradient of a sample is its own.
    """

    direction: ClassVar[Direction] = "minimize"

    batch_size: int = option(64, "Samples of the batch, and rows of the kernel", at_least=2)
    weights_from: Literal["fresh", "inherited"] = option(
        "fresh", "Weights that are scored: newly drawn, or of the space's checkpoint"
    )

    def passes(self) -> Sequence[PassSpec]:
        """Return the one run that leaves activations and output gradients of every layer."""
        return (
            PassSpec(
                size=self.batch_size, weights=self.weights_from, readout="cotangent", gradients="layers"
            ),
        )

    def measure(self, candidate: Candidate) -> float:
        """Return log(largest / smallest eigenvalue), at least 0.

        Raises:
            ScoreFailed: no weights to differentiate by, or a kernel that is singular or not finite.
        """
        return log_condition_number(tangent_kernel(candidate, self.passes()[0]))


@dataclasses.dataclass(kw_only=True)
class LogDeterminant(Complexity):
    """The log determinant of the neural tangent kernel of `Complexity`, with a ridge of 1e-6 of its mean diagonal.

    The kernel is that of Jacot et al. 2018 (arXiv:1806.07572); its determinant is the volume that the gradients of the
    samples span. It takes one forward and one backward run, shared with `Complexity`. Its size follows that of the
    gradients, and so the initialisation and the number of weights.
    """

    direction: ClassVar[Direction] = "maximize"

    def measure(self, candidate: Candidate) -> float:
        """Return log det(K + ridge), in natural units; larger is better.

        Raises:
            ScoreFailed: no weights to differentiate by, or a kernel that is 0 or not finite.
        """
        import torch

        kernel = tangent_kernel(candidate, self.passes()[0]).cpu()
        ridge = RIDGE * float(kernel.diagonal().mean())
        sign, value = torch.linalg.slogdet(kernel + ridge * torch.eye(len(kernel), dtype=kernel.dtype))
        if float(sign) <= 0 or not math.isfinite(float(value)):
            raise ScoreFailed("the neural tangent kernel is 0 or not finite")
        return float(value)


def tangent_kernel(candidate: Candidate, spec: PassSpec) -> Tensor:
    """Return the kernel of `spec`, a pass with ``gradients="layers"``, as (samples, samples) in float64.

    Layers are summed one by one, from what their records hold. A weight that has no record costs a backward run a
    sample.

    Raises:
        ScoreFailed: the network has no convolution, feed-forward, attention or head weight.
    """
    import torch

    from .gram import gram_of_gradients, gram_of_views, merged_slices, part_of

    views: dict[str, list[WeightView]] = defaultdict(list)
    for view in candidate.views():
        if view.is_feed_forward or view.is_attention:
            views[view.parameter].append(view)
    if not views:
        raise ScoreFailed("no convolution, feed-forward, attention or head weight to differentiate by")
    calls: dict[str, list[LayerCall]] = defaultdict(list)
    for call in candidate.trace(spec).layers:
        calls[call.parameter].append(call)
    kernel = torch.zeros(spec.size, spec.size, dtype=torch.float64, device=candidate.device)
    for name in views:
        if name in calls:
            kernel += gram_of_views(calls[name], views[name])
    for name in [name for name in views if name not in calls]:
        gradients = candidate.trace(dataclasses.replace(spec, gradients="samples")).gradients
        if name not in gradients:
            raise ScoreFailed(f"weight {name!r} is frozen and used by no linear or convolutional layer")
        transposed = views[name][0].transposed
        matrices = gradients[name].transpose(1, 2) if transposed else gradients[name]
        for rows, columns in merged_slices(views[name]):
            kernel += gram_of_gradients(part_of(matrices, rows, columns))
    return kernel


def log_condition_number(kernel: Tensor) -> float:
    """Return log(largest / smallest eigenvalue) of a symmetric float64 matrix, the sum of float32 products.

    Raises:
        ScoreFailed: the matrix is not finite, or singular as far as float32 can tell.
    """
    import torch

    if not bool(torch.isfinite(kernel).all()):
        raise ScoreFailed("the neural tangent kernel is not finite")
    # On the CPU: the matrix is small, and its smallest eigenvalue should not depend on the device.
    eigenvalues = torch.linalg.eigvalsh(kernel.cpu())
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    if smallest <= largest * torch.finfo(torch.float32).eps:
        raise ScoreFailed(
            f"the neural tangent kernel is singular: its eigenvalues are {smallest:.3g} to {largest:.3g}"
        )
    return math.log(largest) - math.log(smallest)
