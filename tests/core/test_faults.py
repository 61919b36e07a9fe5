"""The experiments of ``benchmarks/reliability.py`` in small: nothing is lost, nothing wrong is read."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import reliability
from benchmarks.faults.toy import Counts

HERE = (
    "kill",
    "kill-calls",
    "enospc",
    "eio",
    "repair-kill-calls",
    "repair-enospc",
    "torn",
    "flips",
    "repair",
    "crowd",
    "beginners",
    "readers",
    "interrupt",
)
"""Those of the store; hostile plugins and values have tests of their own."""


@pytest.mark.parametrize("name", HERE)
def test_a_fault_loses_nothing(name: str) -> None:
    counts = reliability.measure(name, long=False)
    if "left out" in counts:
        pytest.skip(counts["left out"])
    assert counts["failures"] == []
    done = ("kills", "points", "stores", "runs", "rounds", "reads", "signals")
    assert any(counts.get(number) for number in done), counts


def test_an_experiment_that_breaks_off_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def experiment(long: bool) -> Counts:
        raise ValueError("no answer")

    monkeypatch.setattr(reliability, "EXPERIMENTS", {"kill": ("killed", experiment)})
    assert reliability.measure("kill", long=False)["failures"] == ["broken off: ValueError: no answer"]


def test_the_table_is_written_between_the_marks(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def experiment(long: bool) -> Counts:
        return {"kills": 3 if long else 1, "failures": ["one"]}

    monkeypatch.setattr(reliability, "EXPERIMENTS", {"kill": ("killed", experiment)})
    document = tmp_path / "a.md"
    document.write_text(f"before\n{reliability.MARKS[0]}\nold\n{reliability.MARKS[1]}\nafter\n")
    table = reliability.as_markdown({"kill": reliability.measure("kill", long=True)}, long=True)
    reliability.write(document, table)
    text = document.read_text()
    assert "| killed | kills: 3 | 1 | 0 |" in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
