"""What a training begins from: the checkpoint of its space, or fresh weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from denas_core.errors import ConfigError
from denas_core.models.trained import load_model
from tests.core.toy_searches import denas_here

from .trainings import assert_same, make_plan, run, weights


def test_a_space_with_a_checkpoint_is_trained_from_it_under_a_fresh_head(
    points: Path, checkpoint: Path, tmp_path: Path
) -> None:
    space = {"checkpoint": str(checkpoint)}
    result = run(make_plan(points, id="points/stored", space=space, epochs=0), tmp_path / "out")
    assert result.notices == ["training began from the space's checkpoint"]
    model = load_model(tmp_path / "out" / "model")
    assert model.history["weights"] == "inherited"
    found, source = model.network.state_dict(), load_file(checkpoint)
    assert torch.equal(found["0.weight"], source["0.weight"][:8])
    assert torch.equal(found["3.weight"], source["3.weight"][:8, :8])

    fresh = make_plan(points, id="points/stored", space=space, epochs=0, weights="fresh")
    told = run(fresh, tmp_path / "fresh")
    assert told.notices == ["training began from fresh weights, not from the space's checkpoint"]
    model = load_model(tmp_path / "fresh" / "model")
    assert model.history["weights"] == "fresh"
    other = model.network.state_dict()
    assert not torch.equal(other["0.weight"], found["0.weight"])
    assert torch.equal(other["6.weight"], found["6.weight"]), "the head is that of the seed in both"


def test_a_space_without_one_begins_fresh_and_says_so_where_another_is_asked_for(
    points: Path, tmp_path: Path
) -> None:
    assert run(make_plan(points, epochs=0), tmp_path / "out").notices == []
    assert load_model(tmp_path / "out" / "model").history["weights"] == "fresh"
    with pytest.raises(
        ConfigError, match=r"'points/mlp' has no checkpoint to inherit from; give the space one"
    ):
        run(make_plan(points, weights="inherited"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_residuals_cannot_begin_at_zero_where_there_are_none_or_a_checkpoint_has_trained_them(
    points: Path, checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"no effect: space 'points/mlp' names no last weights of residual"):
        run(make_plan(points, epochs=0, zero_residuals=True), tmp_path / "none")
    plan = make_plan(
        points, id="points/stored", space={"checkpoint": str(checkpoint)}, epochs=0, zero_residuals=True
    )
    with pytest.raises(ConfigError, match=r"needs fresh weights, but training begins from the checkpoint of"):
        run(plan, tmp_path / "inherited")


def test_a_resume_ends_as_if_nothing_had_happened(points: Path, checkpoint: Path, tmp_path: Path) -> None:
    plan = make_plan(points, id="points/stored", space={"checkpoint": str(checkpoint)}, epochs=2)
    run(plan, tmp_path / "whole")
    run(plan, tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    (max((tmp_path / "out" / "checkpoints").iterdir()) / "manifest.json").unlink()
    run(plan, tmp_path / "out", resume=True)
    assert_same(weights(tmp_path / "out"), weights(tmp_path / "whole"))


def test_a_trained_model_loads_where_the_checkpoint_is_gone(
    points: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--set", f"space.checkpoint={checkpoint.name}", "--set", "training.epochs=1"]
    trained = denas_here(
        *("train", "points/stored", "--arch", '{"depth": 1, "width": 4}', "--data", str(points), "-q"),
        *("--out", "out", "--device", "cpu", *options),
    )
    assert trained.returncode == 0, trained.stderr
    assert trained.stderr == "note: training began from the space's checkpoint\n"
    # The plan finds the checkpoint from any folder; the model needs none.
    plan = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert plan["space"]["options"]["checkpoint"] == str(checkpoint)
    card = json.loads((tmp_path / "out" / "model" / "model.json").read_text())
    assert card["space"]["options"]["checkpoint"] == "" and card["key"] == plan["key"]
    assert card["history"]["space"] == {"checkpoint": str(checkpoint)}
    checkpoint.unlink()
    assert denas_here("evaluate", "out", "--data", str(points), "--json").returncode == 0
    model = load_model("out/model")
    assert model.arch.key == plan["key"] and not model.space.inherits
    exported = denas_here("export", "out", "--to", "safetensors", "--out", "there")
    assert exported.returncode == 0, exported.stderr
    assert load_model("there").arch.key == plan["key"]
    again = denas_here("train", "out", "--resume")
    assert again.returncode == 2 and f"there is no checkpoint '{checkpoint}'" in again.stderr
