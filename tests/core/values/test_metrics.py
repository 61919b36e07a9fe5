"""Metrics are declared once: by the core, a space or a probe."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from denas_core.errors import ConfigError, PluginError
from denas_core.values.metrics import (
    CORE_METRICS,
    ArchitectureMetric,
    Metrics,
    declared_metrics,
    shown_metrics,
    stored_metrics,
)
from denas_core.values.objectives import Constraint, Objective

ENERGY = ArchitectureMetric(name="energy_mj", label="energy", unit="mJ")
SPEED = ArchitectureMetric(name="speed", direction="maximize", is_measured=True)


def owner(*metrics: Any) -> SimpleNamespace:
    return SimpleNamespace(metrics=metrics)


def test_a_title_is_the_label_with_its_unit() -> None:
    assert (ENERGY.title, SPEED.title) == ("energy (mJ)", "speed")
    assert CORE_METRICS.title("latency_ms") == "latency (ms)"
    assert CORE_METRICS.title("unheard_of") == "unheard_of"


def test_the_parameters_of_a_part_need_no_declaration() -> None:
    assert CORE_METRICS.check("params_trunk", origin="here").name == "params_trunk"
    assert not CORE_METRICS.is_measured("params_trunk")


def test_declared_metrics_are_read_in_constraints_and_objectives() -> None:
    metrics = declared_metrics({"space": owner(ENERGY), "probe": owner(SPEED)})
    assert Constraint.parse("energy_mj<=5k", metrics) == Constraint(
        "energy_mj", True, 5000.0, is_measured=False
    )
    assert Constraint.parse("speed>=5", metrics).is_measured
    assert Objective.parse("speed", metrics) == Objective("speed", "maximize", True)
    assert Objective.parse("energy_mj", metrics) == Objective("energy_mj", "minimize", False)
    with pytest.raises(ConfigError, match="speed takes no unit, not 'k'"):
        Constraint.parse("speed>=5k", metrics)
    with pytest.raises(
        ConfigError, match=r"did you mean 'energy_mj'\?; known: params, .*, energy_mj, speed$"
    ):
        Constraint.parse("energy<=5", metrics)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("energy_mj", "the metric 'energy_mj', which is not an ArchitectureMetric"),
        (ArchitectureMetric(name="Energy mJ"), "a name is a lower-case identifier"),
        (ArchitectureMetric(name="score"), "that is not 'score'"),
        (ArchitectureMetric(name="params_trunk"), "does not begin with 'params_'"),
        (ArchitectureMetric(name="flops", unit="G"), "the metric 'flops' otherwise than the core"),
    ],
)
def test_a_declaration_that_cannot_be_used_names_its_owner(metric: Any, message: str) -> None:
    with pytest.raises(PluginError, match=f"^space 'x/y' declares .*{message}"):
        declared_metrics({"space 'x/y'": owner(metric)})


def test_a_space_and_a_probe_may_declare_the_same_metric_in_the_same_way_alone() -> None:
    assert declared_metrics({"a": owner(ENERGY), "b": owner(ENERGY)}).declared == (ENERGY,)
    with pytest.raises(PluginError, match=r"^b declares the metric 'energy_mj' otherwise than a$"):
        declared_metrics({"a": owner(ENERGY), "b": owner(ArchitectureMetric(name="energy_mj"))})


def test_stored_declarations_are_read_again_and_damaged_ones_left_out() -> None:
    stored = [
        ENERGY.as_dict(),
        {"name": 3},
        {"name": ["x"]},
        {"nam": "x"},
        {**SPEED.as_dict(), "is_measured": "no"},
    ]
    metrics = stored_metrics(stored)
    assert metrics.declared == (ENERGY,)
    assert not metrics.is_measured("energy_mj")


def test_metrics_of_runs_that_declare_none_were_measured() -> None:
    assert stored_metrics().is_measured("rtf")
    assert Objective.parse("rtf", stored_metrics()) == Objective("rtf", "minimize", True)
    assert not Metrics().is_measured("rtf")


def test_tables_show_those_of_the_core_first_and_leave_details_out() -> None:
    names = ["energy_mj", "latency_ms", "params_trunk", "memory_mb", "flops", "params", "flops"]
    assert shown_metrics(names) == ["params", "flops", "latency_ms", "energy_mj"]
