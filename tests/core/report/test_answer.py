"""The answer of a report: never more than the numbers allow."""

from __future__ import annotations

from typing import Any

import pytest

from denas_core.report.gather import _fit
from denas_core.report.sections.answer import answer
from denas_core.report.sections.fits import describe_fit
from denas_core.values.interval import share_interval


def network(key: str, value: float, *origins: str, samples: int = 1000, **others: Any) -> dict[str, Any]:
    return {
        "key": key,
        "origins": origins,
        "value": value,
        "samples": samples,
        "interval": share_interval(value, samples),
        "chance": 0.5,
        "metric": "accuracy",
        "direction": "maximize",
        "is_share": True,
        "group": "race",
        "epochs": 3.0,
        "is_kept": False,
        **others,
    }


def document(*rows: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "subject": "The search found",
        "best": {"key": "a"},
        "trials": [{"key": "a", "metrics": {"params": 2e6}}],
        "trained": {"rows": list(rows)} if rows else None,
        "fits": describe_fit([], None, None),
        "familiar": None,
        "race": None,
        "against_random": None,
        "confidence": None,
        **others,
    }


def said(*rows: dict[str, Any], **others: Any) -> tuple[str, str]:
    found = answer(document(*rows, **others))
    assert found is not None
    return found["sure"], found["sentence"]


def kept(value: float, **others: Any) -> dict[str, Any]:
    return network("a", value, "finalist 1", is_kept=True, **others)


RANDOM = [network("b", 0.80, "random"), network("c", 0.79, "random"), network("d", 0.7, "random")]


def test_a_large_lead_over_several_random_networks_is_sure() -> None:
    sure, sentence = said(kept(0.9), *RANDOM)
    assert sure == "yes"
    assert sentence == (
        "The search found a network with 2M parameters and accuracy 90 % (88 % to 91.7 % on other data of this kind), "
        "which is better than a random network: it was 10 points better than the best random one on 1000 samples, and "
        "chance explains only 3.1 points."
    )


def test_one_random_network_is_not_enough_to_be_sure() -> None:
    sure, sentence = said(kept(0.9), RANDOM[0])
    assert sure == "probably"
    assert "only one random network was trained" in sentence


@pytest.mark.parametrize(("lead", "expected"), [(0.036, "yes"), (0.030, "probably"), (0.015, "cannot say")])
def test_the_lead_is_judged_by_its_standard_error(lead: float, expected: str) -> None:
    # Near 0.8, two networks on 1000 samples differ by 1.8 points by chance, once.
    assert said(kept(0.8 + lead), *RANDOM)[0] == expected


def test_fewer_samples_allow_less() -> None:
    few = [{**row, "samples": 24} for row in RANDOM]
    assert said(kept(0.9, samples=24), *few)[0] == "cannot say"


def test_a_random_network_that_won_says_nothing_for_the_search() -> None:
    sure, sentence = said({**kept(0.9), "origins": ("random",)}, *RANDOM)
    assert sure == "cannot say"
    assert sentence.endswith("because it is a random network itself.")


def test_a_network_that_has_learned_nothing_is_called_that() -> None:
    rows = [{**row, "chance": 0.9} for row in (kept(0.9), *RANDOM)]
    sure, sentence = said(*rows)
    assert sure == "cannot say"
    assert "it is not shown to have learned anything" in sentence


def test_an_error_rate_is_better_when_it_is_smaller() -> None:
    def wrong(row: dict[str, Any]) -> dict[str, Any]:
        value = 1 - row["value"]
        return {
            **row,
            "value": value,
            "interval": share_interval(value, 1000),
            "direction": "minimize",
            "chance": 1.0,
        }

    assert said(wrong(kept(0.9)), *map(wrong, RANDOM))[0] == "yes"
    assert said(wrong(kept(0.7)), *map(wrong, RANDOM))[0] == "cannot say"


def test_networks_that_were_trained_otherwise_are_not_compared() -> None:
    longer = [{**row, "epochs": 9.0} for row in RANDOM]
    sure, sentence = said(kept(0.9), *longer)
    assert sure == "cannot say"
    assert "no random network was trained" in sentence


def test_a_metric_that_is_no_share_gives_no_certainty() -> None:
    rows = [{**row, "is_share": False, "interval": None} for row in (kept(0.9), *RANDOM)]
    assert said(*rows)[0] == "cannot say"


def test_without_a_training_a_score_is_probably_the_most() -> None:
    against = {"at_least": 0.943, "is_sampled": False}
    sure, sentence = said(against_random=against)
    assert sure == "probably"
    assert sentence.endswith("at least 94% of random networks, but nothing was trained.")
    assert said(against_random={**against, "at_least": 0.6})[0] == "cannot say"
    assert said(against_random={**against, "is_sampled": True})[0] == "cannot say"
    assert said(against_random=against, confidence={"finalists": {"mean": 0.1}})[0] == "cannot say"
    assert said()[0] == "cannot say"


def test_a_familiar_network_that_was_trained_alike_is_compared_by_its_metric() -> None:
    familiar = {"name": "a ResNet", "is_better": True, "key": "e"}
    baseline = network("e", 0.8, "familiar")
    assert "is better than a ResNet of equal size" in said(kept(0.9), baseline, familiar=familiar)[1]
    baseline = network("e", 0.9, "familiar")
    assert "is not shown to be better than a ResNet" in said(kept(0.9), baseline, familiar=familiar)[1]


def test_without_that_training_it_is_compared_by_its_score() -> None:
    familiar = {"name": "a ResNet", "is_better": False, "key": "e", "compared": "a"}
    assert "has a lower score than a ResNet of equal size" in said(kept(0.9), familiar=familiar)[1]
    found = answer(document(kept(0.9), familiar={**familiar, "is_better": True}))
    assert found is not None and found["rows"][1]["answer"] == "cannot say"
    assert "ResNet" not in said(kept(0.9), familiar={**familiar, "is_better": None})[1]
    # Its size is that of another network than the one that was kept.
    assert "ResNet" not in said(kept(0.9), familiar={**familiar, "compared": "z"})[1]


def test_nothing_found_has_no_answer() -> None:
    assert answer(document(best=None)) is None


BOUND = {"text": "latency_ms<=5", "metric": "latency_ms", "margin": 0.2}
TIMED = {"latency": {"verdict": "stable"}, "predicted_metrics": []}


@pytest.mark.parametrize(
    ("bound", "row", "bounds", "expected", "how"),
    [
        (BOUND, TIMED, [], "yes", "measured"),
        (BOUND, {**TIMED, "predicted_metrics": ["latency_ms"]}, [], "yes", "predicted"),
        ({**BOUND, "margin": -0.1}, TIMED, [], "no", "measured"),
        ({**BOUND, "margin": None}, None, [], "cannot say", "decides"),
        ({**BOUND, "metric": "params"}, TIMED, [], "yes", "counted"),
        (BOUND, TIMED, [{"bound": "latency_ms<=5", "verdict": "broken"}], "no", "measured"),
        (BOUND, TIMED, [{"bound": "latency_ms<=5", "verdict": "undecided"}], "cannot say", "decides"),
    ],
)
def test_a_budget_is_kept_by_counting_measuring_or_predicting(
    bound: Any, row: Any, bounds: Any, expected: str, how: str
) -> None:
    found = describe_fit([bound], row, {"bounds": bounds})
    assert found["answer"] == expected
    assert how in found["reason"]


def test_a_familiar_network_of_another_size_is_not_called_equal() -> None:
    familiar = {"name": "a ResNet", "is_better": None, "key": "e", "params": 1.4e6}
    sentence = said(kept(0.9), network("e", 0.8, "familiar"), familiar=familiar)[1]
    assert "is better than a ResNet with 1.4M parameters" in sentence and "equal size" not in sentence
    near = {**familiar, "params": 1.8e6}
    assert "a ResNet of equal size" in said(kept(0.9), network("e", 0.8, "familiar"), familiar=near)[1]


def test_a_familiar_network_that_was_kept_is_named_as_what_it_is() -> None:
    familiar = {"name": "a ResNet", "is_better": None, "key": "e", "params": 2e6}
    row = network("e", 0.9, "familiar", is_kept=True)
    race = {"rows": [{"key": "e", "metrics": {"params": 2e6}}]}
    found = answer(document(row, network("a", 0.8, "finalist 1"), familiar=familiar, race=race))
    assert found is not None and "The race gave a network with 2M parameters" in found["sentence"]
    assert "which is a ResNet itself" in found["sentence"]
    assert {
        "question": "Is it better than a ResNet?",
        "answer": "no",
        "reason": "it is a ResNet itself",
    } in found["rows"]


def test_the_budgets_of_a_network_that_was_no_candidate_are_those_counted_in_the_race() -> None:
    race = {"rows": [{"key": "e", "metrics": {"params": 5.0}}]}
    gathered = {"shown": None, "race": race, "trained": {"kept": "e"}, "build": None}
    budget = {"metric": "params", "bound": 6.0, "upper": True, "text": "params<=6"}
    found = _fit(gathered, [budget], None, [])
    assert (found["answer"], found["reason"]) == ("yes", "params<=6 (counted)")
    assert _fit({**gathered, "race": None}, [budget], None, [])["answer"] == "cannot say"
