"""A build whose time is too short is refused as soon as that is known, also in the middle of a trial."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from denas_core.building.build import make_request
from denas_core.building.least_time import LONGER_EXPORT, LeastTime
from denas_core.building.pace import Pace
from denas_core.building.schedule import Schedule
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return the clock of schedules, which stands still until a test moves it."""
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("denas_core.building.schedule.time", clock)
    return clock


def least_time(seconds: float, *, batch: float = 0.01, steps: int = 200, spent: float = 0.0) -> LeastTime:
    request = make_request(
        Registry.discover(),
        data=Path("photos"),
        constraints=(),
        time=f"{seconds}s",
        to=["safetensors"],
        out=None,
        task=None,
        space=None,
        score=None,
        seed=0,
        device="cpu",
        settings=(),
    )
    return LeastTime(
        request=request,
        schedule=Schedule(seconds, spent=spent),
        space="cv/cnn",
        pace=Pace(batch=batch, steps=steps, evaluation=1.0),
        reading=2.0,
    )


@pytest.mark.usefixtures("clock")
def test_the_shortest_training_and_the_end_must_fit_into_what_is_left() -> None:
    # Search, 60 steps, an evaluation, reading, measurement, report, and an evaluation that may take twice its time.
    assert least_time(60).spare == pytest.approx(60 - 5 - 0.6 - 1 - 2 - 12 - 4 - 2)
    least_time(60).check()
    with pytest.raises(ConfigError, match=r"^60 s is too short for '.*photos': 60 steps .* cv/cnn take 37"):
        least_time(60, batch=0.6).check()
    with pytest.raises(ConfigError, match=r"give at least --time 97s$"):
        least_time(60, spent=38).check()
    # An epoch of few data has fewer steps.
    least_time(60, batch=0.6, steps=10).check()


def test_a_trial_of_an_export_counts_for_the_export_at_the_end(clock: SimpleNamespace) -> None:
    least = least_time(60)
    before = least.spare
    with least.trial("onnx"):
        clock.now += 0.3
    assert least.exports == pytest.approx(0.3)
    assert least.spare == pytest.approx(before - (1 + LONGER_EXPORT) * least.exports)


def test_a_trial_of_an_export_ends_when_the_time_cannot_be_enough_any_more() -> None:
    least = least_time(60, spent=32.0)
    began = time.monotonic()
    with (
        pytest.raises(ConfigError, match=r"export of the smallest network of cv/cnn to onnx takes more than"),
        least.trial("onnx"),
    ):
        while time.monotonic() < began + 300:
            time.sleep(0.01)
    assert time.monotonic() < began + 30
