"""The comparison of the best architecture with the random candidates of its run."""

from __future__ import annotations

from denas_core.report.sections.comparison import compare
from denas_core.values.architecture import Architecture
from denas_core.values.metrics import Metrics
from denas_core.values.trial import Evaluation, Trial


def trial(number: int, *, flops: float) -> Trial:
    evaluation = Evaluation(
        state="scored", components={"flops": flops}, metrics={"flops": flops, "params": 9.0}
    )
    arch = Architecture("toy", {"depth": number}, str(number))
    return Trial(index=number, generation=0, arch=arch, evaluation=evaluation)


def test_a_count_that_is_a_component_has_one_row() -> None:
    trials = [trial(number, flops=float(number)) for number in range(4)]
    found = compare(trials[3], trials, {"flops": "maximize"}, Metrics())
    assert [(row["name"], row["kind"]) for row in found["rows"]] == [
        ("flops", "component"),
        ("params", "metric"),
    ]
