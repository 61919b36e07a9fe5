"""A latency model is built from measured networks, kept, and read again. The machine is a simulated one."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denas_core.contracts.operator_timer import OperatorTimer
from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, NoResult
from denas_core.latency import exchange, timers
from denas_core.latency.calibrate import build_model, calibrated_model, target_of
from denas_core.latency.choice import candidates, spread_out
from denas_core.latency.fit import TERMS, compare, terms_of
from denas_core.latency.model import LatencyModel
from denas_core.latency.operators import Operator
from denas_core.latency.pieces import PieceReader
from denas_core.latency.table import LEAST_MS, OperatorTable
from denas_core.testing.samples.spaces import SampleCNN, SampleMLP
from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency


def operator_ms(operator: Operator) -> float:
    return 0.002 + operator.flops * 1e-6 + operator.bytes * 1e-6


def exactly(ms: float) -> Latency:
    return Latency(median=ms, low=ms, high=ms, verdict="stable", rounds=1)


def network_ms(space: SearchSpace, arch: Architecture) -> float:
    """Return the time on a machine where a network takes 1.4 times its operators, and 0.1 ms."""
    counts = PieceReader(space, batch_size=1).of_network(arch)
    return 0.1 + 1.4 * sum(count * operator_ms(operator) for operator, count in counts.items())


@dataclasses.dataclass(kw_only=True)
class Simulated(LatencyProbe):
    """Runs nothing: a network takes as long as its operators on the simulated machine say."""

    factor: float = 1.0
    measured: list[str] = dataclasses.field(default_factory=list)
    failing: str = ""

    def options(self) -> dict[str, Any]:
        return {"factor": self.factor}

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        if self.failing:
            raise ConfigError(self.failing)
        self.measured.append(arch.key)
        return lambda: network_ms(space, arch) * self.factor

    def time(self, call: Callable[[], Any], reference: Callable[[], object] | None) -> Latency:
        return exactly(call())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        timers, "time_calls", lambda calls, **_: [0.01 + 0.001 * len(str(call)) for call in calls]
    )
    return tmp_path / "cache"


def built(space: SearchSpace, **options: Any) -> LatencyModel:
    return build_model(
        space,
        target_of(Simulated(), device="cpu", threads=1),
        measure=lambda arch: exactly(network_ms(space, arch)),
        time_operators=lambda operators, seconds: {each: operator_ms(each) for each in operators},
        seed=0,
        **options,
    )


def model_of(space: SearchSpace, probe: LatencyProbe, **options: Any) -> LatencyModel:
    return calibrated_model(space, probe, seed=0, device="cpu", threads=1, **options)


def test_a_model_predicts_networks_that_it_has_not_seen() -> None:
    space = SampleCNN()
    model = built(space, networks=5)
    others = list(candidates(space, seed=7))
    predicted = [model.predict(arch).median for arch in others]
    error = compare(predicted, [network_ms(space, arch) for arch in others])
    assert error.median_percent < 2
    assert error.tau is not None
    assert error.tau > 0.9


def test_a_prediction_says_that_it_is_one_and_has_the_interval_of_the_error() -> None:
    model = built(SampleMLP())
    arch = SampleMLP().smallest()
    assert arch is not None
    latency = model.predict(arch)
    assert latency.verdict == "predicted"
    assert latency.rounds == 0
    assert latency.low < latency.median < latency.high
    assert latency.high / latency.median == pytest.approx(latency.median / latency.low)
    assert model.predict(arch) == latency


def test_a_model_survives_json_and_pickle() -> None:
    space = SampleCNN()
    model = built(space)
    arch = space.full()
    assert arch is not None
    for again in (
        LatencyModel.from_dict(json.loads(json.dumps(model.as_dict())), space),
        pickle.loads(pickle.dumps(model)),  # noqa: S301  # its own bytes
    ):
        assert again.predict(arch) == model.predict(arch)
        assert again.error == model.error


def test_with_little_time_fewer_networks_are_measured() -> None:
    progress: list[tuple[int, int]] = []
    model = built(SampleCNN(), seconds=1e-9, on_progress=lambda done, total: progress.append((done, total)))
    assert model.error.networks == 4
    assert [done for done, _ in progress] == [1, 2, 3, 4]


def test_the_chosen_networks_begin_with_the_ends_and_then_halve_the_gaps() -> None:
    space = SampleMLP()
    pool = list(candidates(space, seed=0))
    assert len(pool) == len({arch.key for arch in pool})
    place = {arch.key: 2.0**index for index, arch in enumerate(pool)}
    chosen = spread_out(pool, 5, size=lambda arch: place[arch.key])
    last = len(pool) - 1
    indices = [pool.index(arch) for arch in chosen]
    assert indices[:2] == [0, last]
    assert abs(indices[2] - last / 2) <= 0.5
    assert spread_out(pool, 99, size=lambda arch: place[arch.key]).__len__() == len(pool)


def test_the_second_search_measures_nothing(cache: Path) -> None:
    space, probe = SampleCNN(), Simulated()
    first = model_of(space, probe)
    measured = list(probe.measured)
    assert len(measured) > 4
    arch = space.full()
    assert arch is not None
    assert model_of(space, probe).predict(arch) == first.predict(arch)
    assert probe.measured == measured
    model_of(space, probe, fresh=True)
    assert len(probe.measured) > len(measured)


def test_other_options_of_the_probe_make_another_model(cache: Path) -> None:
    space = SampleCNN()
    model_of(space, Simulated())
    other = Simulated(factor=2.0)
    model_of(space, other)
    assert other.measured


def test_damaged_files_of_the_cache_are_replaced(cache: Path) -> None:
    space, probe = SampleCNN(), Simulated()
    model_of(space, probe)
    for path in cache.rglob("*.json"):
        path.write_text('{"operators": [{"ms": "x"}]')
    count = len(probe.measured)
    model_of(space, probe)
    assert len(probe.measured) == 2 * count
    model_of(space, probe)
    assert len(probe.measured) == 2 * count


def test_without_a_cache_everything_is_measured_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENAS_CACHE", "off")
    probe = Simulated()
    for _ in range(2):
        model_of(SampleCNN(), probe)
    assert len(set(probe.measured)) < len(probe.measured)
    assert not cache.exists()


def test_a_reason_that_the_user_can_remove_is_passed_on(cache: Path) -> None:
    with pytest.raises(ConfigError, match=r"^no runtime; install it$"):
        model_of(SampleCNN(), Simulated(failing="no runtime; install it"))


def test_too_few_measured_networks_make_no_model() -> None:
    def measure(arch: Architecture) -> Latency:
        raise RuntimeError("no such kernel")

    space = SampleCNN()
    with pytest.raises(
        NoResult, match="needs 4 measured networks, and 0 could be measured: RuntimeError: no such"
    ):
        build_model(
            space,
            target_of(Simulated(), device="cpu", threads=1),
            measure=measure,
            time_operators=lambda operators, seconds: {each: operator_ms(each) for each in operators},
            seed=0,
        )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema": "other/1"}, "its format is 'other/1'"),
        ({"weights": {}}, "'convolution' is missing"),
        ({"weights": {"convolution": float("nan")}}, "a weight is not a finite number"),
        (
            {"operators": [{"ms": -1, "name": "x", "arguments": [], "flops": 0, "bytes": 0}]},
            "-1.0 is not a time",
        ),
        ({"target": {}}, "missing"),
        ({"error": 5}, "'error' is not a mapping"),
        ({"space_fingerprint": "0"}, "with options {}, and not of this space"),
    ],
)
def test_a_damaged_model_is_refused_in_one_line(change: dict[str, Any], text: str) -> None:
    space = SampleCNN()
    document = {**built(space).as_dict(), **change}
    with pytest.raises(ConfigError, match=r"^some file is ") as caught:
        LatencyModel.from_dict(document, space, origin="some file")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_another_machine_needs_a_name(cache: Path) -> None:
    space = SampleCNN()
    model = built(space)
    exchange.keep_model(model, machine=None)
    foreign = LatencyModel.from_dict(
        {**model.as_dict(), "target": {**model.as_dict()["target"], "fingerprint": "elsewhere"}}, space
    )
    with pytest.raises(ConfigError, match=r"is of another machine.*--machine NAME"):
        exchange.keep_model(foreign, machine=None)
    exchange.keep_model(foreign, machine="phone")
    arch = space.full()
    assert arch is not None
    assert exchange.imported_model(space, "phone").predict(arch) == model.predict(arch)
    with pytest.raises(ConfigError, match="was imported for machine 'watch'"):
        exchange.imported_model(space, "watch")


def test_operator_times_of_another_machine_replace_those_of_this_one() -> None:
    space = SampleCNN()
    model = built(space)
    calls = exchange.operator_calls(model, timers.TorchOperators())
    times = {
        **calls,
        "machine": {"torch": "2.9"},
        "calls": [
            {**call, "ms": 3 * model.table.milliseconds(read)}
            for call, read in zip(calls["calls"], model.table.times, strict=True)
        ],
    }
    slower = exchange.with_times(model, times, origin="times.json")
    arch = space.full()
    assert arch is not None
    assert slower.predict(arch).median == pytest.approx(
        3 * (model.predict(arch).median - 0.1) + 0.1, rel=0.05
    )
    with pytest.raises(ConfigError, match=r"^times\.json has no time of any operator"):
        exchange.with_times(model, {**times, "calls": []}, origin="times.json")
    with pytest.raises(
        ConfigError, match=r"^times\.json is not a latency model, or is damaged: 'ms' is missing"
    ):
        exchange.with_times(model, calls, origin="times.json")


class Halved(OperatorTimer):
    """Times linear layers in a runtime that merges activations, and nothing else."""

    def facts(self) -> dict[str, Any]:
        return {"runtime": "halved"}

    def times(self, calls: Any, *, device: str, threads: int, seconds: float) -> list[float | None]:
        known = {"aten.linear.default": 0.5, "aten.relu.default": 0.0}
        return [known.get(call["name"]) for call in calls]

    def script(self) -> str:
        return "the program of another runtime"

    def portable(self, calls: Any) -> list[dict[str, Any]]:
        return [{**call, "graph": "small"} for call in calls]


@dataclasses.dataclass(kw_only=True)
class InHalves(Simulated):
    def operator_timer(self) -> OperatorTimer:
        return Halved()


def test_a_probe_times_the_operators_of_its_runtime_and_torch_the_others(cache: Path) -> None:
    space = SampleMLP()
    model = model_of(space, InHalves())
    by_name = {operator.name: ms for operator, ms in model.table.times.items()}
    assert by_name["aten.linear.default"] == 0.5
    assert by_name["aten.relu.default"] == LEAST_MS
    others = {
        name: ms for name, ms in by_name.items() if name not in ("aten.linear.default", "aten.relu.default")
    }
    assert others and all(ms > 0.01 for ms in others.values())
    # Times of PyTorch and of the runtime are kept apart.
    assert {operator.name: ms for operator, ms in model_of(space, Simulated()).table.times.items()}[
        "aten.linear.default"
    ] != 0.5
    assert len(list(cache.rglob("operators-*.json"))) == 2


def test_what_a_runtime_merges_is_not_a_call() -> None:
    operators = {name: Operator(name, "[[],{}]", 0, 8) for name in ("aten.relu.default", "aten.add.Tensor")}
    table = OperatorTable({operators["aten.relu.default"]: LEAST_MS, operators["aten.add.Tensor"]: 0.5})
    terms = dict(zip(TERMS[:-1], terms_of(Counter(operators.values()), table), strict=True))
    assert terms["calls"] == 0.001


def test_operators_that_the_device_cannot_time_are_as_much_slower_as_the_others() -> None:
    space = SampleMLP()
    here = built(space)
    document = exchange.operator_calls(here, Halved())
    assert all(call["graph"] == "small" for call in document["calls"])
    times = list(here.table.times.items())
    calls = [
        {**call, "ms": 3 * ms if call["name"] == "aten.linear.default" else None}
        for call, (_, ms) in zip(document["calls"], times, strict=True)
    ]
    model = exchange.with_times(here, {**document, "calls": calls, "machine": {}}, origin="a file")
    assert model.is_transferred
    for operator, ms in times:
        assert model.table.times[operator] == pytest.approx(3 * ms)
