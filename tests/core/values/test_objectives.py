from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denas_core.errors import ConfigError
from denas_core.text import quantity
from denas_core.values.metrics import ArchitectureMetric, Metrics
from denas_core.values.objectives import Budget, Constraint, Objective, violations


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("params<=1M", Constraint("params", True, 1e6)),
        (" flops >= 10e6 ", Constraint("flops", False, 1e7)),
        ("latency_ms<=5", Constraint("latency_ms", True, 5.0)),
        ("params<=0.6x", Constraint("params", True, 0.6, relative=True)),
        ("latency_ms<=0.6x", Constraint("latency_ms", True, 0.6, relative=True)),
        ("params<=2.5k", Constraint("params", True, 2500.0)),
        ("flops<=3g", Constraint("flops", True, 3e9)),
        ("flops<=3B", Constraint("flops", True, 3e9)),
        ("flops<=.5T", Constraint("flops", True, 5e11)),
        ("params_front_end<=1.", Constraint("params_front_end", True, 1.0)),
        ("params<1M", Constraint("params", True, 1e6)),
        ("flops > 2k", Constraint("flops", False, 2000.0)),
        ("latency<=10ms", Constraint("latency_ms", True, 10.0)),
        ("latency<0.5s", Constraint("latency_ms", True, 500.0)),
        ("latency_ms<=250 us", Constraint("latency_ms", True, 0.25)),
        ("latency<=250µs", Constraint("latency_ms", True, 0.25)),
        ("latency<=0.6x", Constraint("latency_ms", True, 0.6, relative=True)),
        ("latency<=5", Constraint("latency_ms", True, 5.0)),
        ("size<=20MB", Constraint("size_mb", True, 20.0)),
        ("memory < 1.5GB", Constraint("memory_mb", True, 1500.0)),
        ("size_mb<=500kB", Constraint("size_mb", True, 0.5)),
    ],
)
def test_a_constraint_is_read(text: str, constraint: Constraint) -> None:
    assert Constraint.parse(text) == constraint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "params",
        "params=1M",
        "params==1M",
        "params<=",
        "params<=-1",
        "params<=+1",
        "params<=nan",
        "params<=inf",
        "params<=1MM",
        "latency<=10min",
        "params<<1M",
        "params=<1M",
        "params<=1,000",
        "params<=1e",
        "params<=0x10",
        "<=5",
        "1M>=params",
        "params<=1M flops<=2M",
        "latency ms<=5",
    ],
)
def test_another_form_of_constraint_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Constraint.parse(text)
    assert str(caught.value) == (
        f"constraint {text!r} is not of the form 'metric<=number' or 'metric>=number', "
        "such as 'params<=1M', 'latency<=5ms' or 'params<=0.6x'"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("params<=10ms", "params takes the units 'k', 'm', 'g', 'b', 't', not 'ms'"),
        ("latency<=10k", "latency_ms takes the units 'us', 'µs', 'ms', 's', not 'k'"),
        ("size<=10M", "size_mb takes the units 'kb', 'mb', 'gb', not 'M'"),
    ],
)
def test_a_unit_of_another_metric_is_refused_with_those_that_fit(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Constraint.parse(text)
    assert str(caught.value) == f"constraint {text!r}: {message}"


def test_an_objective_may_be_named_by_its_short_name() -> None:
    assert Objective.parse("latency") == Objective("latency_ms")


@pytest.mark.parametrize(
    ("text", "objective"),
    [
        ("max:score", Objective("score")),
        (" min : latency ", Objective("latency_ms")),
        ("min:params", Objective("params")),
        ("max:params", Objective("params", "maximize")),
    ],
)
def test_an_objective_may_have_its_direction(text: str, objective: Objective) -> None:
    found = Objective.parse(text)
    assert found == objective
    assert Objective.parse(found.text()) == found


def test_the_text_of_an_objective_has_a_direction_only_if_it_is_not_the_declared_one() -> None:
    assert Objective.parse("min:flops").text() == "flops"
    assert Objective.parse("max:flops").text() == "max:flops"
    throughput = ArchitectureMetric(name="images_s", direction="maximize")
    metrics = Metrics([throughput])
    assert Objective.parse("max:images_s", metrics).text(metrics) == "images_s"
    assert Objective.parse("min:images_s", metrics).text(metrics) == "min:images_s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min:score", "a larger score is always better; write 'max:score'"),
        ("max:latency", "a smaller latency_ms is always better; write 'min:latency_ms'"),
    ],
)
def test_a_direction_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Objective.parse(text)
    assert str(caught.value) == f"objective {text!r}: {message}"


@pytest.mark.parametrize("text", ["least:params", "max:", ":params", "params:max"])
def test_an_objective_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Objective.parse(text)
    assert str(caught.value) == (
        f"objective {text!r} is not of the form 'metric', 'max:metric' or 'min:metric', such as 'max:score' or "
        "'min:latency_ms'"
    )


@pytest.mark.parametrize("bound", ["0", "0.0M", "0x", "1e-999", "1e999", "9e307T", "9" * 5000])
def test_a_bound_that_is_not_positive_and_finite_is_refused(bound: str) -> None:
    with pytest.raises(ConfigError, match="needs a positive, finite bound"):
        Constraint.parse(f"params<={bound}")


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        Constraint.parse("param<=1M")
    assert str(caught.value) == (
        "unknown metric 'param' (constraint 'param<=1M'); did you mean 'params'?; "
        "known: params, trainable_params, flops, size_mb, memory_mb, latency_ms"
    )


def test_the_score_is_an_objective_and_no_constraint() -> None:
    assert Objective.parse(" score ") == Objective("score")
    with pytest.raises(ConfigError, match=r"unknown metric 'score' \(constraint 'score>=1'\)"):
        Constraint.parse("score>=1")
    with pytest.raises(
        ConfigError, match=r"unknown metric 'scores' \(objective 'scores'\); did you mean 'score'\?"
    ):
        Objective.parse("scores")


@pytest.mark.parametrize(
    ("text", "measured"), [("latency_ms", True), ("params", False), ("memory_mb", False)]
)
def test_latency_is_measured_and_counts_are_not(text: str, measured: bool) -> None:
    assert Objective.parse(text).is_measured is measured
    assert Constraint.parse(f"{text}<=1").is_measured is measured


@pytest.mark.parametrize("text", ["params<=1M", "flops>=10M", "params<=0.6x", "latency_ms<=5"])
def test_a_constraint_is_shown_as_it_is_written(text: str) -> None:
    assert str(Constraint.parse(text)) == text


def test_a_violation_is_the_excess_as_a_fraction_of_the_bound() -> None:
    upper, lower = Constraint("params", True, 200.0), Constraint("flops", False, 200.0)
    assert [upper.violation(v) for v in (100, 200, 250)] == [0, 0, 0.25]
    assert [lower.violation(v) for v in (250, 200, 150)] == [0, 0, 0.25]
    assert violations((upper, lower), {"params": 300, "flops": 200, "other": 1}) == {upper: 0.5}
    assert violations((upper, lower), {"params": 200, "flops": 50}) == {lower: 0.75}


@pytest.mark.parametrize(
    ("upper", "low", "high", "verdict"),
    [
        (True, 3, 5, "holds"),
        (True, 4, 5.1, "undecided"),
        (True, 5, 6, "undecided"),
        (True, 5.1, 6, "broken"),
        (False, 5, 6, "holds"),
        (False, 4.9, 6, "undecided"),
        (False, 3, 4.9, "broken"),
    ],
)
def test_an_interval_holds_a_constraint_only_as_a_whole(
    upper: bool, low: float, high: float, verdict: str
) -> None:
    assert Constraint("latency_ms", upper, 5.0).verdict(low, high) == verdict


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        (200, Budget(candidates=200)),
        ("200", Budget(candidates=200)),
        (" 7 ", Budget(candidates=7)),
        ("60s", Budget(seconds=60)),
        ("90 sec", Budget(seconds=90)),
        ("5min", Budget(seconds=300)),
        ("1.5m", Budget(seconds=90)),
        ("2H", Budget(seconds=7200)),
        ("1e3s", Budget(seconds=1000)),
    ],
)
def test_a_budget_is_read_and_shown_such_that_it_reads_again(text: str | int, budget: Budget) -> None:
    assert Budget.parse(text) == budget
    assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize(
    "text", ["", "2.5", "1e3", "s", "5 days", "-5", "-5s", "nan", "infs", "1h30", "5 5", True, -1]
)
def test_another_form_of_budget_is_refused(text: str | int) -> None:
    with pytest.raises(ConfigError) as caught:
        Budget.parse(text)
    assert str(caught.value) == (
        f"budget {text!r} is neither a number of candidates, such as 200, nor a time, such as 60s, 5min or 2h"
    )


@pytest.mark.parametrize("text", [0, "0", "0s", "0.0h", "1e999s", 10**13, "9" * 5000, "1e12min"])
def test_a_budget_that_is_not_positive_and_finite_is_refused(text: str | int) -> None:
    with pytest.raises(ConfigError, match="must be positive and finite"):
        Budget.parse(text)


@given(st.text() | st.from_regex(r"[a-z_]*(<=|>=)?[-+0-9.eExkK ]*[a-z]*", fullmatch=True))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (Constraint.parse, Budget.parse, Objective.parse):
        try:
            parse(text)
        except ConfigError as error:
            assert repr(text) in str(error) or repr(text.strip()) in str(error)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (5, "5"),
        (999, "999"),
        (1000, "1k"),
        (102_600, "102.6k"),
        (4_731_000, "4.731M"),
        (4_731_234, "4.731M"),
        (-2.5e9, "-2.5G"),
        (1e12, "1T"),
        (0.123456, "0.1235"),
    ],
)
def test_a_quantity_is_written_as_people_do(value: float, text: str) -> None:
    assert quantity(value) == text
