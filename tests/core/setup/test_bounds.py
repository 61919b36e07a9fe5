"""Bounds relative to the full architecture, counted or measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.errors import ConfigError, Infeasible, NoResult
from denas_core.launch import resume
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.setup.bounds import absolute_bounds
from denas_core.setup.setup import Setup
from denas_core.values.objectives import Constraint
from tests.core.toy_searches import denas_here, table, toy_config, toy_search

RULER = {"name": "toy/ruler", "width": 0.1}
MEASURED = {"latency": "measured"}
"""A millisecond a parameter: 432 for the full architecture of the stairs."""


def test_relative_counts_compare_with_the_full_architecture(tmp_path: Path) -> None:
    # 432 parameters, two FLOPs and 1e-6 MB each.
    for text, metric, bound in (
        ("flops<=0.25x", "flops", 216.0),
        ("size_mb<=0.25x", "size_mb", 108e-6),
        ("size_mb>=0.5x", "size_mb", 216e-6),
    ):
        toy_search(tmp_path / text, constraints=[text], budget=20)
        values = [row[7][metric] for row in table(tmp_path / text) if row[4] == "scored"]
        assert len(values) == 20
        assert min(values) >= bound if ">=" in text else max(values) <= bound * (1 + 1e-9)


def test_a_relative_bound_on_a_long_latency_is_readable() -> None:
    full = {"median": 21450.0, "low": 16670.0, "high": 27610.0, "verdict": "predicted"}
    relative = [Constraint.parse("latency_ms<=0.6x")]
    (absolute,), (notice,) = absolute_bounds(relative, {"latency_ms": full})
    assert absolute.bound == pytest.approx(12870)
    assert notice == (
        "latency_ms<=0.6x is latency_ms<=12.87k: the full architecture takes 21.45k [16.67k, 27.61k], "
        "by prediction, because it could not be measured"
    )


def test_relative_latency_compares_with_the_measured_one_of_the_full_architecture(tmp_path: Path) -> None:
    run = tmp_path / "a"
    result = toy_search(run, constraints=["latency_ms<=0.25x"], probe=RULER, search=MEASURED, budget=20)
    assert result.notices[0] == (
        "latency_ms<=0.25x is latency_ms<=108: the full architecture takes 432 [388.8, 475.2]"
    )
    for row in table(run):
        latency = row[7]["params"]
        assert (row[4] == "scored") == (latency * 1.1 <= 108)
        if row[4] != "scored":
            assert "latency_ms<=108" in row[5]
    header = read_run(run).header()
    assert header["config"]["constraints"] == ["latency_ms<=0.25x"]
    assert header["references"]["latency_ms"]["median"] == 432.0


def test_a_resume_keeps_the_bound_that_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "a"
    toy_search(run, constraints=["latency_ms<=0.25x"], probe=RULER, search=MEASURED, budget=5)
    before = read_run(run).header()["references"]
    from denas_toy.ruler import Ruler

    measure = Ruler.prepare
    monkeypatch.setattr(Ruler, "prepare", lambda *given, **named: lambda: 10 * measure(*given, **named)())
    again = resume(run, budget=6)
    assert again.notices[0].startswith("latency_ms<=0.25x is latency_ms<=108:")
    assert read_run(run).header()["references"] == before


def test_the_report_shows_the_bound_that_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "a"
    toy_search(run, constraints=["latency_ms<=0.25x"], probe=RULER, search=MEASURED, budget=5)
    done = denas_here("report", str(run), "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["budgets"]["constraints"]
    assert (row["text"], row["bound"]) == ("latency_ms<=108", 108.0)
    assert denas_here("rank", str(run)).returncode == 0


def test_a_header_that_was_made_anew_is_measured_anew(tmp_path: Path) -> None:
    from denas_core.runs.store import Store

    run = tmp_path / "a"
    toy_search(run, constraints=["latency_ms<=0.25x"], probe=RULER, search=MEASURED, budget=5)
    store = Store.open(run / "study.db")
    header = store.header()
    del header["references"]
    store.set_header(header)
    store.close()
    resume(run, budget=6)
    assert read_run(run).header()["references"]["latency_ms"]["median"] == 432.0


def test_an_unstable_reference_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    probe = {"name": "toy/ruler", "width": 0.9}
    with pytest.raises(NoResult) as caught:
        toy_search(tmp_path / "a", constraints=["latency_ms<=0.25x"], probe=probe, search=MEASURED)
    assert str(caught.value) == (
        "constraint 'latency_ms<=0.25x' needs the latency of the full architecture of 'toy/stairs', which is unstable: "
        "432 ms [43.2, 821] in the last of 3 attempts (its interval has a width of 0.9); wait until the machine is "
        "idle, raise the probe's seconds, max_rounds or precision, or give an absolute bound"
    )
    # The directory was never begun: the same command finds it free.
    assert toy_search(
        tmp_path / "a", constraints=["latency_ms<=0.25x"], probe=RULER, search=MEASURED, budget=2
    ).is_finished


def test_measured_and_absolute_bounds_may_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(Infeasible, match="'latency_ms<=108' and 'latency_ms>=200' contradict each other"):
        toy_search(
            tmp_path / "a", constraints=["latency_ms<=0.25x", "latency_ms>=200"], probe=RULER, search=MEASURED
        )


def test_without_a_full_architecture_there_is_nothing_to_compare_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from denas_toy.stairs import Stairs

    monkeypatch.setattr(Stairs, "full", lambda self: None)
    with pytest.raises(
        ConfigError, match=r"'latency_ms<=0.5x' is relative, but 'toy/stairs' has no full architecture"
    ):
        toy_search(tmp_path / "a", constraints=["latency_ms<=0.5x"], probe=RULER, search=MEASURED)
    assert not (tmp_path / "a").exists()


def test_checking_a_configuration_measures_nothing(tmp_path: Path) -> None:
    setup = Setup.from_config(
        toy_config(
            tmp_path / "a", constraints=["latency_ms<=0.25x", "params<=1k"], probe=RULER, search=MEASURED
        ),
        Registry.discover(),
    )
    assert [str(bound) for bound in setup.relative] == ["latency_ms<=0.25x"]
    assert [str(bound) for bound in setup.problem.constraints] == ["params<=1k"]
    assert setup.probe is not None and setup.full_latency == {}
