"""The score that compares a network with its checkpoint."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from denas_core import Architecture, Candidate
from denas_core.errors import ScoreFailed
from denas_hf.fidelity import Fidelity, alike
from denas_hf.space import Auto

from .planted import changed, silence_neurons
from .tiny_models import inheriting_space, made, space_of


def score(space: Auto, arch: Architecture, **options: object) -> float:
    return Fidelity(**options).named("hf/fidelity").measure(Candidate(space, arch))  # type: ignore[arg-type]


def test_the_checkpoint_itself_has_the_largest_score() -> None:
    space = inheriting_space("bert", inherit="activation", reconstructs=True)
    assert score(space, space.full()) == pytest.approx(0, abs=1e-9)
    assert score(space, space.smallest()) < -1e-3


def test_a_network_that_loses_nothing_is_as_good_as_the_checkpoint(tmp_path: Path) -> None:
    space = made(
        model=str(changed("bert", tmp_path, silence_neurons)), inherit="activation", reconstructs=True
    )
    half = space.architecture({**space.full().as_dict(), "intermediate": 32})
    assert score(space, half) == pytest.approx(0, abs=1e-6)


def test_fitted_weights_are_compared_if_that_is_asked_for() -> None:
    space = inheriting_space("bert", inherit="leading", reconstructs=True)
    assert score(space, space.smallest(), reconstruct=True) != score(space, space.smallest())


def test_the_divergence_is_that_of_its_definition() -> None:
    features = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    rows = alike(features).exp()
    first = [math.exp(0.0 / 0.1), math.exp(math.sqrt(0.5) / 0.1)]
    assert rows[0].tolist() == pytest.approx([value / sum(first) for value in first])


def test_a_space_without_weights_has_no_such_score() -> None:
    space = space_of("bert")
    with pytest.raises(ScoreFailed, match="has no checkpoint to compare with"):
        score(space, space.full())
