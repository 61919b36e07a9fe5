"""Spaces, strategies and probes that fail or lie end their own search at most, in one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import DenasError
from denas_core.registry.registry import Registry

from .conftest import Zoo
from .good import GOOD
from .others import PROBES, SPACES, STRATEGIES, failing
from .trying import bits, changed, process, search, stirred


@pytest.fixture(scope="module")
def registry(zoo: Zoo) -> Registry:
    return zoo([GOOD, *map(failing, {**SPACES, **STRATEGIES, **PROBES})])


def told(out: Path, registry: Registry, **changes: Any) -> str:
    """Return what a search says in the end: its error, or the reasons of its trials."""
    before = stirred()
    try:
        trials = search(out, registry, **changes)
        text = "; ".join(sorted({trial.evaluation.reason for trial in trials} - {""}))
    except DenasError as error:
        text = str(error)
    assert changed(before, process()) == []
    assert text.isprintable() and len(text) <= 600
    return text


def expect(pattern: str | None, text: str) -> None:
    assert text == "" if pattern is None else re.search(pattern, text), text


@pytest.mark.parametrize("name", SPACES)
def test_a_faulty_space_is_told_in_one_line(name: str, registry: Registry, desk: Path) -> None:
    expect(SPACES[name][1], told(desk / "run", registry, space=f"{name}/it"))


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_faulty_strategy_is_told_in_one_line(name: str, registry: Registry, desk: Path) -> None:
    expect(STRATEGIES[name][1], told(desk / "run", registry, strategy=f"{name}/it"))


@pytest.mark.parametrize("name", PROBES)
def test_a_faulty_probe_is_told_in_one_line(name: str, registry: Registry, desk: Path) -> None:
    expect(PROBES[name][1], told(desk / "run", registry, probe=f"{name}/it", constraints=["latency_ms<=5"]))


def test_a_space_that_changes_the_process_changes_no_score(registry: Registry, desk: Path) -> None:
    calm = search(desk / "calm", registry, space="good/tiny")
    odd = search(desk / "odd", registry, space="global_changes/it")
    again = search(desk / "again", registry, space="good/tiny")
    assert len(odd) == len(calm)
    assert [bits(trial.evaluation.components["first"]) for trial in calm] == [
        bits(trial.evaluation.components["first"]) for trial in again
    ]
