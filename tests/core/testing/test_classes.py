"""The test classes: one test a check, skips with reasons, and nothing that needs a test runner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from denas_core.testing import CheckSkipped, ExecutorTests, ScoreTests, SpaceTests, StrategyTests
from denas_core.testing.classes import KINDS


def test_each_class_has_one_test_a_check_with_its_claim() -> None:
    tests = {name: method for name, method in vars(SpaceTests).items() if name.startswith("test_")}
    assert list(tests) == [f"test_{check.name}" for check in SpaceTests.every_check()]
    assert [method.__doc__ for method in tests.values()] == [
        f"{check.claim}." for check in SpaceTests.every_check()
    ]


def test_there_is_a_class_for_every_contract() -> None:
    import denas_core.testing as kit

    classes = [getattr(kit, name) for name in kit.__all__ if name.endswith("Tests")]
    assert set(classes) == set(KINDS)


def test_importing_the_kit_loads_neither_torch_nor_a_test_runner() -> None:
    code = (
        "import sys, denas_core.testing; "
        "sys.exit(', '.join({'torch', 'numpy', 'pytest', 'hypothesis', 'pydantic'} & set(sys.modules)) or 0)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_a_class_without_make_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match=r"ExecutorTests must define make\(\)"):
        ExecutorTests().test_it_repeats()  # type: ignore[attr-defined]


def test_a_check_is_skipped_with_the_reason_given() -> None:
    class Enumerates(StrategyTests):
        skips = {"another_seed_gives_another_result": "it enumerates"}  # noqa: RUF012

    with pytest.raises(CheckSkipped, match="it enumerates"):
        Enumerates().test_another_seed_gives_another_result()  # type: ignore[attr-defined]


def test_a_skip_that_names_no_check_is_an_error() -> None:
    class Misspelt(ScoreTests):
        skips = {"values_repet": "it is noisy"}  # noqa: RUF012

    with pytest.raises(ValueError, match="values_repet"):
        Misspelt().test_declarations_are_known()  # type: ignore[attr-defined]


def test_pytest_reports_passed_failed_and_skipped_checks(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "from denas_core.builtin.random_search import RandomSearch\n"
        "from denas_core.testing import StrategyTests\n\n"
        "class Chatty(RandomSearch):\n"
        "    '''Random search that talks.'''\n"
        "    def ask(self, problem, history, *, count, seed):\n"
        "        print('asking')\n"
        "        return super().ask(problem, history, count=count, seed=seed)\n\n"
        "class TestChatty(StrategyTests):\n"
        "    skips = {'another_seed_gives_another_result': 'it enumerates'}\n\n"
        "    def make(self):\n"
        "        return Chatty()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"},
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("FAILED") and "test_it_prints_nothing" in line], (
        done.stdout
    )
    assert lines[-1].startswith("1 failed, 17 passed, 1 skipped"), done.stdout
    assert "it enumerates" in done.stdout
