"""A search for another machine: its imported model predicts every latency, and nothing is measured here."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denas_core import Latency, LatencyProbe, SearchResult, option
from denas_core.errors import ConfigError
from denas_core.latency import exchange
from denas_core.latency.calibrate import build_model, target_of
from denas_core.latency.model import LatencyModel
from denas_core.latency.operators import Operator
from denas_core.latency.pieces import PieceReader
from denas_core.latency.timers import TorchOperators
from denas_core.launch import resume, search
from denas_core.runs.files import read_run
from denas_core.testing.samples.spaces import SampleCNN
from denas_core.values.architecture import Architecture
from tests.core.toy_searches import denas_here


@dataclasses.dataclass(kw_only=True)
class Elsewhere(LatencyProbe):
    """Times networks on a machine that is not here, so that nothing works."""

    clock: float = option(1.0, "Speed of the other machine", above=0)

    def prepare(self, space: Any, arch: Architecture, *, seed: int, device: str) -> Callable[[], object]:
        raise AssertionError("nothing is measured here")

    def time(self, call: Any, reference: Any) -> Latency:
        raise AssertionError("nothing is measured here")


BUILT: dict[str, Any] = {}
"""Models that tests of this file have built, because reading operators takes seconds."""


def operator_ms(operator: Operator) -> float:
    return 0.01 + operator.flops * 1e-6


def phone_model(space: Any, *, probe: LatencyProbe, factor: float = 1.0, **changes: Any) -> LatencyModel:
    """Return the model of a machine on which a network takes as long as its operators, times a factor."""
    reader = PieceReader(space, batch_size=1)

    def measure(arch: Architecture) -> Latency:
        ms = factor * sum(count * operator_ms(each) for each, count in reader.of_network(arch).items())
        return Latency(median=ms, low=ms, high=ms, verdict="stable", rounds=1)

    target = dataclasses.replace(target_of(probe, device="cpu", threads=1), fingerprint="elsewhere")
    model = build_model(
        space,
        target,
        measure=measure,
        time_operators=lambda operators, seconds: {each: operator_ms(each) for each in operators},
        seed=0,
    )
    return LatencyModel.from_dict({**model.as_dict(), **changes}, space)


@pytest.fixture(autouse=True)
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LatencyModel:
    """Keep a model of the machine ``phone``, in a cache of this test."""
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path / "cache"))
    model = phone_model(SampleCNN(), probe=Elsewhere())
    exchange.keep_model(model, machine="phone")
    return model


def found(out: Path, **changes: Any) -> SearchResult:
    options: dict[str, Any] = {
        "space": SampleCNN(),
        "score": "scores/de-score",
        "probe": Elsewhere(),
        "executor": "builtin/serial",
        "constraints": ["latency_ms<=0.8x"],
        "machine": "phone",
        "budget": 12,
        "device": "cpu",
    }
    return search(**{**options, **changes}, out=out)


def test_every_latency_is_a_prediction_for_the_named_machine(tmp_path: Path, phone: LatencyModel) -> None:
    result = found(tmp_path / "run")
    space = SampleCNN()
    largest = phone.predict(space.full()).median
    with read_run(result.path) as store:
        trials = store.searched_trials()
        assert store.measurements() == {}
    assert trials
    for trial in trials:
        latency = trial.evaluation.latency
        assert latency is not None
        assert (latency["verdict"], latency["machine"]) == ("predicted", "phone")
        assert latency["median"] == phone.predict(space.architecture(trial.arch.as_dict())).median
        assert latency["low"] < latency["median"] < latency["high"]
        assert trial.is_scored == (latency["median"] <= 0.8 * largest)
    document = json.loads((result.path / "result.json").read_text())
    assert document["machine"] == "phone"
    assert document["best"]["latency"]["machine"] == "phone"
    text = " ".join(result.notices)
    assert "predicted for machine 'phone' (the model that was imported; median error" in text
    assert "by prediction for machine 'phone'" in text
    assert "nothing is measured here" in text


def test_the_report_and_the_tables_name_the_machine(tmp_path: Path) -> None:
    run = found(tmp_path / "run").path
    other = found(tmp_path / "other", seed=1).path
    page = (run / "report.html").read_text()
    assert "predicted the latency of its candidates for machine phone" in page
    assert "measured nothing at its end" in page
    assert "predicted latency on phone" in page
    trials = denas_here("trials", str(run)).stdout
    assert "~: predicted for machine 'phone', by the latency model that was imported" in trials
    assert "predicted for phone" in denas_here("compare", str(run), str(other)).stdout


def test_a_resume_keeps_the_model_also_where_nothing_was_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = {"space": SampleCNN(), "probe": Elsewhere()}
    found(tmp_path / "run", budget=5)
    whole = found(tmp_path / "whole")
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path / "empty"))
    longer = resume(tmp_path / "run", budget=12, objects=objects)
    assert [trial.as_dict() for trial in longer.ranked] == [trial.as_dict() for trial in whole.ranked]
    assert longer.machine == "phone"
    with pytest.raises(ConfigError, match=r"machine 'phone' \(none was imported for any machine\)"):
        found(tmp_path / "new")


def test_workers_have_the_predictions_of_the_run(tmp_path: Path) -> None:
    workers = {"name": "builtin/process", "workers": 2}
    imported("cv/cnn:micro")
    found(tmp_path / "serial", space="cv/cnn:micro", probe=None)
    found(tmp_path / "workers", space="cv/cnn:micro", probe=None, executor=workers)
    tables = []
    for name in ("serial", "workers"):
        with read_run(tmp_path / name) as store:
            tables.append([(one.arch.key, one.evaluation.latency) for one in store.trials()])
    assert tables[0] == tables[1]


def imported(name: str) -> None:
    """Keep a model of a space of a plugin for the machine ``phone``, with the probe ``builtin/wall-clock``."""
    from denas_core.registry.registry import Registry

    registry = Registry.discover()
    space = registry.create("space", name)
    if name not in BUILT:
        probe = registry.create("probe", "builtin/wall-clock", {"batch_size": 2})
        BUILT[name] = phone_model(space, probe=probe).as_dict()
    exchange.keep_model(LatencyModel.from_dict(BUILT[name], space), machine="phone")


def test_the_command_takes_the_probe_of_the_imported_model(tmp_path: Path) -> None:
    imported("cv/cnn:micro")
    run = tmp_path / "run"
    done = denas_here(
        "search", "cv/cnn:micro", "--budget", "3", "--machine", "phone", "--out", str(run), "--quiet"
    )
    assert done.returncode == 0, done.stderr
    assert "predicted for machine 'phone'" in done.stdout + done.stderr
    config = (run / "config.yaml").read_text()
    assert "machine: phone" in config
    assert "batch_size: 2" in config
    # Nothing has asked for latency but the machine: it is an axis of the front.
    assert json.loads((run / "result.json").read_text())["best"]["latency"]["machine"] == "phone"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["cv/cnn:micro", "--machine", "watch"],
            "was imported for machine 'watch' (imported: 'phone' for cv/cnn, denas_core",
        ),
        (["cv/vit:micro", "--machine", "phone"], "no latency model of 'cv/vit' with these options"),
        (["cv/cnn", "--machine", "phone"], "no latency model of 'cv/cnn' with these options"),
        (
            ["cv/cnn:micro", "--machine", "phone", "--set", "search.latency=measured"],
            "search.latency 'measured' and search.machine 'phone' contradict each other",
        ),
        (
            ["cv/cnn:micro", "--machine", "phone", "--set", "probe.threads=2"],
            "is that of probe 'builtin/wall-clock' with",
        ),
        (
            ["cv/cnn:micro", "--machine", "phone", "--probe", "builtin/compile"],
            "and not with name=builtin/compile",
        ),
        (["cv/cnn:micro", "--machine", ""], "machine '' is not a name"),
        (["cv/cnn:micro", "--set", "search.machine=5"], "search.machine"),
        (
            ["cv/cnn:micro", "--machine", "phone", "--set", "probe.more=true", "-c", "latency_p90_ms<=5"],
            "and not with more=True",
        ),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, arguments: list[str], text: str) -> None:
    imported("cv/cnn:micro")
    done = denas_here("search", *arguments, "--budget", "3", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_model_with_a_correction_from_here_says_that_its_error_is_unknown(tmp_path: Path) -> None:
    space = SampleCNN()
    here = phone_model(space, probe=Elsewhere())
    document = exchange.operator_calls(here, TorchOperators())
    calls = [
        {**call, "ms": 3 * ms} for call, ms in zip(document["calls"], here.table.times.values(), strict=True)
    ]
    times = {**document, "calls": calls, "machine": {"node": "phone"}}
    exchange.keep_model(exchange.with_times(here, times, origin="a file"), machine="phone")
    result = found(tmp_path / "run")
    text = " ".join(result.notices)
    assert "its error there is unknown, because no network was measured there" in text
    kept = json.loads((tmp_path / "run" / "latency-model.json").read_text())
    assert (kept["machine"], kept["model"]["transferred"]) == ("phone", True)


def test_a_model_that_does_not_agree_with_measurements_is_refused(tmp_path: Path) -> None:
    space = SampleCNN()
    model = phone_model(space, probe=Elsewhere())
    error = {**dataclasses.asdict(model.error), "tau": 0.2}
    worse = LatencyModel.from_dict({**model.as_dict(), "error": error}, space)
    exchange.keep_model(worse, machine="phone")
    with pytest.raises(ConfigError, match="does not agree with measurements"):
        found(tmp_path / "run", space=space)


def test_the_front_is_measured_where_the_run_is_carried(tmp_path: Path) -> None:
    imported("cv/cnn:micro")
    run = found(tmp_path / "run", space="cv/cnn:micro", probe=None, budget=3).path
    for name in ("phone", "tablet"):
        done = denas_here("latency", str(run), "--here", "--machine", name, "--set", "probe.seconds=0.1")
        assert done.returncode == 0, done.stderr
        assert "in the run, ms" in done.stdout
    table = denas_here("compare", str(run)).stdout
    assert all(name in table for name in ("predicted", "phone", "tablet", "~"))
