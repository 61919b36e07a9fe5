"""The same table of trials from one process and from any number of workers, and for all commands that score."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from denas_core import Demand
from denas_core.builtin.process import Process
from denas_core.contracts.supervised import SHOWN_LOSSES
from denas_core.errors import ConfigError
from denas_core.launch import resume, search
from denas_core.report.sections.confidence import FILE
from denas_core.testing import SampleMLP
from tests.core.toy_searches import denas, table, toy_search

SERIAL = {"name": "builtin/serial"}


def processes(workers: int) -> dict[str, Any]:
    return {"name": "builtin/process", "workers": workers}


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_do_not_change_the_table(tmp_path: Path, workers: int) -> None:
    score = {"name": "toy/both", "failing": 7}
    toy_search(tmp_path / "serial", score=score, budget=70, executor=SERIAL)
    toy_search(tmp_path / "workers", score=score, budget=70, executor=processes(workers))
    assert table(tmp_path / "serial") == table(tmp_path / "workers")


def test_a_run_goes_on_with_another_number_of_workers(tmp_path: Path) -> None:
    toy_search(tmp_path / "serial", budget=90, executor=SERIAL)
    toy_search(tmp_path / "workers", budget=31, executor=processes(2))
    resume(tmp_path / "workers", budget=90)
    assert table(tmp_path / "serial") == table(tmp_path / "workers")


def test_commands_that_score_again_use_workers(tmp_path: Path) -> None:
    for name in ("serial", "process"):
        run = str(tmp_path / name)
        toy_search(tmp_path / name, budget=20, score={"name": "toy/both", "weights": {"slope": 0}})
        chosen = ("--executor", f"builtin/{name}")
        assert denas("rank", run, "--weights", "slope=1", "--compute", *chosen).returncode == 0
        assert denas("report", run, "--confidence", "--seeds", "1", *chosen).returncode == 0
    assert table(tmp_path / "serial") == table(tmp_path / "process")
    first, second = (json.loads((tmp_path / name / FILE).read_text()) for name in ("serial", "process"))
    assert first["values"] == second["values"]


def test_latency_is_measured_while_workers_are_idle(tmp_path: Path) -> None:
    options = {"probe": "toy/ruler", "objectives": ["score", "latency_ms"], "budget": 20}
    options["search"] = {"latency": "measured"}
    toy_search(tmp_path / "serial", executor=SERIAL, **options)
    toy_search(tmp_path / "workers", executor=processes(2), **options)
    keys = [[row[2] for row in table(tmp_path / name)] for name in ("serial", "workers")]
    assert keys[0] == keys[1]


def test_components_of_a_program_of_ones_own_are_sent_to_workers(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import dataclasses, denas_core\n"
        "from denas_core import ProxyScore\n"
        "from denas_core.testing import SampleMLP\n"
        "@dataclasses.dataclass(kw_only=True)\n"
        "class Size(ProxyScore):\n"
        "    def measure(self, candidate):\n"
        "        return float(sum(p.numel() for p in candidate.space.build(candidate.arch).parameters()))\n"
        "result = denas_core.search(SampleMLP(), score=Size(), budget=5, out='run',\n"
        "                           executor={'name': 'builtin/process', 'workers': 2})\n"
        "print(result.counts['scored'])\n"
    )
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "5\n"), done.stderr


def test_more_workers_than_memory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"5000 workers need about .*B of memory, and .* are free; at most"):
        toy_search(tmp_path / "r", executor=processes(5000))
    assert not (tmp_path / "r").exists()


def test_the_environment_says_how_many_workers_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = Process()
    monkeypatch.setenv("DENAS_WORKERS", "3")
    executor.open(Demand())
    assert (executor.slots, executor.describe()) == (3, "3 workers")
    executor.close()
    monkeypatch.setenv("DENAS_WORKERS", "many")
    with pytest.raises(ConfigError, match=r"DENAS_WORKERS='many' must be a number of workers"):
        executor.open(Demand())


def test_a_space_of_a_notebook_that_cannot_be_sent_is_searched_on_one_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_WORKERS", "2")
    space = SampleMLP()
    lock = threading.Lock()

    class Bound(type(space)):  # type: ignore[misc]
        def __reduce__(self) -> Any:
            raise TypeError(f"bound to {lock}")

    result = search(Bound(), score="scores/params", budget=3, out=tmp_path / "r")
    assert result.counts["scored"] == 3
    assert any("one core is used" in notice for notice in result.notices)


def test_the_result_and_the_report_say_which_workers_were_replaced(tmp_path: Path) -> None:
    options = {"name": "builtin/process", "workers": 2, "deadline": 2.0}
    result = toy_search(tmp_path / "r", score={"name": "toy/both", "hanging": 9}, budget=12, executor=options)
    late = [row for row in table(tmp_path / "r") if row[4] == "failed"]
    assert late
    assert {row[5] for row in late} == {"timed out: no result after 2 s"}
    lines = [f"the worker of candidate {row[0]} was replaced: timed out: no result after 2 s" for row in late]
    # On a busy machine more candidates are late than those that hang, and some are only counted.
    shown = [line for line in lines if line in result.notices]
    assert len(shown) == min(len(lines), SHOWN_LOSSES)
    page = (tmp_path / "r" / "report.html").read_text()
    assert all(line in page for line in shown)


def test_a_search_ends_with_its_budget_though_a_candidate_hangs(tmp_path: Path) -> None:
    executor = {"name": "builtin/process", "workers": 2, "deadline": 1000.0}
    score = {"name": "toy/both", "hanging": 9}
    # Candidate 6 hangs for longer than this test may take, and the budget is met before it.
    result = toy_search(tmp_path / "r", score=score, budget=6, executor=executor)
    assert result.counts == {"scored": 6, "infeasible": 0, "failed": 0}
