"""Scores of what layers put out, against hooks on the network and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import Candidate
from denas_core.values.passes import joined_passes
from denas_scores.layer_outputs import WPCA, HeadConfidence, MeCo, principal_components

from .toy_spaces import AttentionSpace, CNNSpace


def outputs_by_hook(
    network: nn.Module, x: Tensor, kind: type[nn.Module] | tuple[Any, ...]
) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(
            lambda _, __, output, name=name: kept.__setitem__(name, output.detach().clone())
        )
        for name, module in network.named_modules()
        if isinstance(module, kind)
    ]
    with torch.no_grad():
        network(x)
    for handle in handles:
        handle.remove()
    return kept


def test_meco_adds_the_smallest_eigenvalues_of_one_samples_channels() -> None:
    space = CNNSpace()
    score = MeCo(batch_size=4)
    seen = Candidate(space, space.full())
    spec = score.passes()[0]
    network = seen.network(spec).train()
    kept = outputs_by_hook(network, seen.batch(spec).inputs["x"], nn.Conv2d)
    network.eval()
    expected = 0.0
    for output in kept.values():
        channels = output[0].reshape(output.shape[1], -1).double().numpy()
        expected += max(float(np.linalg.eigvalsh(np.corrcoef(channels))[0]), 0.0)
    assert expected > 0.01
    fresh = Candidate(space, space.full())
    assert score.measure(fresh) == pytest.approx(expected, rel=1e-3)


def test_confidence_is_the_mean_of_the_largest_of_the_positions() -> None:
    space = AttentionSpace()
    score = HeadConfidence(batch_size=4)
    seen = Candidate(space, space.full())
    spec = score.passes()[0]
    kept = outputs_by_hook(seen.network(spec), seen.batch(spec).inputs["x"], nn.Linear)
    parts = [output for name, output in kept.items() if name.rpartition(".")[2] in ("q", "k", "v")]
    assert len(parts) == 6
    assert score.measure(seen) == pytest.approx(sum(float(part.amax(1).mean()) for part in parts), rel=1e-4)


def test_confidence_of_fused_attention_looks_at_each_projection_and_finds_its_positions() -> None:
    space = AttentionSpace(fused=True)
    score = HeadConfidence(batch_size=4)
    seen = Candidate(space, space.full())
    spec = score.passes()[0]
    network = seen.network(spec)
    expected = 0.0
    with torch.no_grad():
        x = network.positions(network.embed(seen.batch(spec).inputs["x"]))
        for block in network.blocks:
            inner = block.attention.inner
            for weight, bias in zip(inner.in_proj_weight.chunk(3), inner.in_proj_bias.chunk(3), strict=True):
                expected += float(F.linear(x, weight, bias).amax(1).mean())
            x = block(x)
    assert score.measure(seen) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("weighted", [True, False])
def test_w_pca_counts_components_of_hidden_states_by_singular_values(weighted: bool) -> None:
    space = AttentionSpace()
    score = WPCA(batch_size=8, weighted=weighted)
    seen = Candidate(space, space.full())
    spec = score.passes()[0]
    kept = outputs_by_hook(seen.network(spec), seen.batch(spec).inputs["x"], nn.Linear)
    # The space does not tell the first layer of a block from the last; the last of all counts as its head.
    layers = [name for name in kept if "attention." not in name]
    heads = {view.parameter for view in seen.views() if view.kind == "head"}
    total = 0
    for name in layers:
        if f"{name}.weight" in heads:
            continue
        rows = kept[name].reshape(-1, kept[name].shape[-1]).double().numpy()
        shares = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2
        total += int(np.searchsorted(np.cumsum(shares) / shares.sum(), 0.99)) + 1
    assert total > 0
    assert score.measure(seen) == (total * seen.cost()["params"] if weighted else total)


def test_components_of_few_rows_and_of_equal_rows() -> None:
    rows = torch.randn(5, 30, generator=torch.Generator().manual_seed(0))
    assert principal_components(rows, 0.99) == 4
    assert principal_components(rows, 1.0) <= 5
    assert principal_components(torch.ones(5, 3), 0.99) == 0


def test_scores_of_outputs_share_the_run_of_other_scores_on_noise() -> None:
    from denas_scores.activations import Naswot
    from denas_scores.jacobian import JacobianCovariance

    scores = (MeCo(), HeadConfidence(), WPCA(), Naswot(), JacobianCovariance())
    assert len(joined_passes(spec for score in scores for spec in score.passes())) == 1
