"""Learning the hidden states of a teacher."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from denas_core.errors import ConfigError
from denas_core.models.trained import load_model
from denas_core.training.hidden_states import HiddenStates
from denas_core.training.plan import Plan
from denas_core.values.counterparts import Counterpart

from .trainings import make_plan, run


def test_the_distance_is_one_minus_the_cosine_of_the_features_that_count() -> None:
    ours, taught = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Tanh(), nn.Linear(2, 3))
    states = HiddenStates([Counterpart("0", "1", (2, 0))], ours, taught)
    x, mask = torch.randn(4, 5, 2), torch.arange(20).reshape(4, 5) % 3 > 0
    with states.watched(), torch.no_grad():
        found, wanted = ours(x), taught(x)[..., [2, 0]]
        all_positions, some = states.distance(None), states.distance(mask)
        # A mask that belongs to something else, such as the frames before a convolution, is not used.
        other = states.distance(mask[:, :2])
    cosines = functional.cosine_similarity(found, wanted, dim=-1)
    assert float(all_positions) == float(other) == pytest.approx(1 - float(cosines.mean()), abs=1e-6)
    assert float(some) == pytest.approx(1 - float(cosines[mask].mean()), abs=1e-6)


def test_no_hook_stays_after_a_pass() -> None:
    network = nn.Sequential(nn.Linear(2, 2))
    states = HiddenStates([Counterpart("0", "0", (0, 1))], network, network)
    with states.watched():
        network(torch.zeros(1, 2))
    assert not network[0]._forward_hooks
    network(torch.zeros(1, 2))
    with pytest.raises(KeyError):
        states.distance(None)


def large(plan: Plan) -> Plan:
    """Return the same plan for the whole network of its space."""
    full = plan.space.full()
    assert full is not None
    return dataclasses.replace(plan, arch=full)


def distance_after(pupil: Path, teacher: Path) -> float:
    """Return the distance of the hidden states of a trained network from those of its teacher."""
    ours, taught = load_model(pupil / "model"), load_model(teacher / "model")
    found = ours.space.counterparts(
        ours.network, ours.arch, teacher_space=taught.space, teacher_arch=taught.arch
    )
    states = HiddenStates(found, ours.network, taught.network)
    x = torch.rand(200, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with states.watched(), torch.no_grad():
        ours.network(x), taught.network(x)
        return float(states.distance(None))


def test_a_network_comes_closer_to_the_hidden_states_of_its_teacher(points: Path, tmp_path: Path) -> None:
    run(large(make_plan(points, id="points/imitating", epochs=2)), tmp_path / "teacher")
    common: dict[str, Any] = {
        "id": "points/imitating",
        "teacher": tmp_path / "teacher" / "model",
        "epochs": 6,
        "lr": 0.02,
    }
    run(make_plan(points, **common), tmp_path / "outputs")
    run(make_plan(points, **common, distill_hidden=3.0), tmp_path / "hidden")
    alone, close = (distance_after(tmp_path / name, tmp_path / "teacher") for name in ("outputs", "hidden"))
    assert close < 0.5 * alone


def test_a_teacher_that_is_not_the_whole_network_is_refused(points: Path, tmp_path: Path) -> None:
    run(make_plan(points, id="points/imitating", epochs=1), tmp_path / "teacher")
    plan = make_plan(
        points, id="points/imitating", teacher=tmp_path / "teacher" / "model", distill_hidden=1.0
    )
    with pytest.raises(
        ConfigError,
        match=r"does not say which .* is of space 'points/imitating' with {'depth': 2, 'width': 8}; set training",
    ):
        run(plan, tmp_path / "pupil")


def test_a_space_that_does_not_say_which_states_is_refused(points: Path, tmp_path: Path) -> None:
    run(large(make_plan(points, epochs=1)), tmp_path / "teacher")
    plan = make_plan(points, teacher=tmp_path / "teacher" / "model", distill_hidden=1.0)
    with pytest.raises(ConfigError, match=r"'points/mlp' does not say which hidden states"):
        run(plan, tmp_path / "pupil")
