"""Outcomes of checks, whatever a component does."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from denas_core.testing import CheckFailed, CheckSkipped
from denas_core.testing.check import Check, check
from denas_core.testing.runner import Outcome, outcomes


def holds(component: object) -> None:
    """It holds."""


def fails(component: object) -> None:
    """It does not."""
    raise CheckFailed("seen; fix it")


def skips(component: object) -> None:
    """It may not apply."""
    raise CheckSkipped("no reason to")


def leaves(component: object) -> None:
    """It ends the process."""
    raise SystemExit(3)


def crashes(component: object) -> None:
    """It crashes."""
    raise ValueError("two\nlines")


def place_in(function: Callable[..., None]) -> str:
    """Return where a check raises: the line after its docstring."""
    return f"testing/test_runner.py:{function.__code__.co_firstlineno + 2}, in {function.__name__}"


def run(*checks: Callable[[object], None], **options: object) -> list[Outcome]:
    return list(outcomes((check(function) for function in checks), object, **options))  # type: ignore[arg-type]


def test_every_check_has_an_outcome_with_its_reason() -> None:
    found = run(holds, fails, skips, leaves, crashes)
    assert [(outcome.check, outcome.status, outcome.reason) for outcome in found] == [
        ("holds", "passed", ""),
        ("fails", "failed", "seen; fix it"),
        ("skips", "skipped", "no reason to"),
        ("leaves", "failed", f"it raises SystemExit: 3 ({place_in(leaves)})"),
        ("crashes", "failed", f"it raises ValueError: two lines ({place_in(crashes)})"),
    ]
    assert [outcome.claim for outcome in found][:2] == ["It holds", "It does not"]


def test_a_check_that_hangs_fails_and_those_after_it_are_not_run() -> None:
    end = threading.Event()

    def hangs(component: object) -> None:
        """It ends."""
        end.wait(300)

    # Nothing before it: on a busy machine, each check may take longer.
    found = run(hangs, holds, fails, seconds=0.2)
    end.set()
    assert [outcome.status for outcome in found] == ["failed", "skipped", "skipped"]
    assert found[0].reason == "it did not end within 0.2 s; look for an endless loop"
    assert {outcome.reason for outcome in found[1:]} == {"not run, since hangs did not end"}


def test_what_a_check_does_to_the_process_is_undone(tmp_path: Path) -> None:
    def wanders(component: object) -> None:
        """It stays."""
        os.chdir(tmp_path)
        random.seed(0)

    before = Path.cwd(), random.getstate()
    assert run(wanders)[0].status == "passed"
    assert (Path.cwd(), random.getstate()) == before


def test_checks_are_left_out_by_name() -> None:
    assert [outcome.reason for outcome in run(fails, holds, skips={"fails": "known"})] == ["known", ""]


@pytest.mark.parametrize("function", [fails, skips])
def test_outcomes_come_one_by_one(function: Callable[[object], None]) -> None:
    started: list[str] = []

    def checks() -> Iterator[Check]:
        for number in range(3):
            started.append(str(number))
            yield check(function)

    next(outcomes(checks(), object))
    assert started == ["0"]
