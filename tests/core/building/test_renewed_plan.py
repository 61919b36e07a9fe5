"""A build on a machine that is busy at the moments at which it looks how fast trainings are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from denas_core.building.build import make_request, run_build
from denas_core.building.observer import BuildObserver
from denas_core.registry.registry import Registry

PAUSE = "DENAS_POINTS_PAUSE"
SETTINGS = ("executor=builtin/serial", "budget=6", "race.top=2", "probe.seconds=1", "training.max_steps=300")


class BusyMachine(BuildObserver):
    """Slows the machine down, except while the search, the race and the training work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def step_begun(self, step: str, text: str, *, seconds: float | None) -> None:
        if step == "data":
            self._monkeypatch.setenv(PAUSE, "0.5")
        else:
            self._monkeypatch.delenv(PAUSE, raising=False)

    def of_race(self) -> Sequence[Any]:
        return [self]

    def begun(self, race: Any) -> None: ...

    def rung_begun(self, rung: Any) -> None: ...

    def training_done(self, rung: Any, racer: Any) -> None: ...

    def finished(self) -> None:
        """The race has ended: an epoch of 15 batches would now take half a minute."""
        self._monkeypatch.setenv(PAUSE, "2")


@pytest.mark.slow
def test_what_the_race_has_measured_decides_on_the_training_and_not_what_the_machine_does_at_the_moment(
    tmp_path: Path, points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry.discover()
    request = make_request(
        registry,
        data=points,
        constraints=["params<=400"],
        time="4min",
        to=["safetensors"],
        out=tmp_path / "model",
        task=None,
        space=None,
        score="points/size",
        seed=0,
        device="cpu",
        settings=SETTINGS,
    )
    run_build(request, registry, observer=BusyMachine(monkeypatch))
    found = json.loads((tmp_path / "model" / "build.json").read_text())
    race, training = found["steps"]["race"], found["steps"]["training"]
    decided = {one["what"]: one for one in found["decisions"]}
    assert "training" not in decided, "the network of the race is kept without a training"
    assert "an epoch of this network took" in decided["epochs at most"]["reason"]
    log = [
        json.loads(line) for line in (tmp_path / "model" / "training" / "log.jsonl").read_text().splitlines()
    ]
    assert log[-1]["epoch"] > race["epochs"]
    assert training["value"] >= race["value"]
    # What the race has left goes to the training, and everything that was used is in the plan.
    plan = {one["step"]: one for one in found["plan"]}
    assert list(plan) == ["preparation", "search", "race", "training", "end"]
    assert plan["training"]["given"] > plan["training"]["planned"]
    assert sum(one["used"] for one in plan.values()) == pytest.approx(found["seconds"], abs=0.1)
