"""The tests are tested: the product is broken on purpose, a line at a time, and the test that must notice does."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests import warm

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Break:
    """A defect that somebody may introduce one day.

    Attributes:
        file: Module of the core.
        old: Text that is there exactly once.
        new: What takes its place.
        gate: The test that must fail then, and passes before.
    """

    file: str
    old: str
    new: str
    gate: str


BREAKS = {
    "a directory is not synced": Break(
        "system/atomic.py",
        "            raise\n        sync_directory(path.parent)\n",
        "            raise\n",
        "core/system/test_atomic.py::test_a_new_name_is_synced_after_its_content_and_its_replacement",
    ),
    "an error of the disk is swallowed": Break(
        "system/atomic.py",
        "    except OSError as error:\n        remedy",
        "    except OSError as error:\n        return\n        remedy",
        "core/system/test_atomic.py::test_a_directory_that_is_not_there_is_named",
    ),
    "a file is written in place": Break(
        "system/atomic.py",
        "    with storage_errors(path):\n        try:\n",
        "    with storage_errors(path):\n        path.write_text(text)\n        try:\n",
        "core/system/test_atomic.py::test_a_failure_before_the_replacement_keeps_the_old_content",
    ),
    "a commit does not wait for the disk": Break(
        "runs/store.py",
        '"synchronous = FULL"',
        '"synchronous = OFF"',
        "core/runs/test_store.py::test_a_commit_waits_for_the_disk_and_the_log_is_one_of_writes_ahead",
    ),
    "commits are not written ahead": Break(
        "runs/store.py",
        'network_file_system(path) else "WAL"',
        'network_file_system(path) else "OFF"',
        "core/runs/test_store.py::test_a_commit_waits_for_the_disk_and_the_log_is_one_of_writes_ahead",
    ),
    "a trial and its components are committed apart": Break(
        "runs/store.py",
        '            self._insert("trial", [trial_row(trial)])\n',
        '            self._insert("trial", [trial_row(trial)])\n'
        "        with sqlite_errors(self.path), self._transaction():\n",
        "core/runs/test_store.py::test_a_score_that_is_not_finite_is_never_written",
    ),
    "digests are not compared": Break(
        "runs/rows.py",
        "return bool(digest(content, size=8) == row[-1])",
        "return True",
        "core/runs/test_store.py::test_a_changed_row_is_an_error_and_never_a_wrong_score",
    ),
    "a missing trial is passed over": Break(
        "runs/store.py",
        "if row[0] != len(trials):",
        "if False:",
        "core/runs/test_store.py::test_a_missing_trial_is_an_error_for_every_reader",
    ),
    "the lock is not taken": Break(
        "system/lock.py",
        "self._lock.acquire(timeout=0)",
        "pass",
        "core/system/test_lock.py::test_a_second_user_is_told_who_the_first_is",
    ),
    "proposals are drawn from the global generator": Break(
        "contracts/strategy.py",
        'rng = derive_rng(seed, "propose", place, attempt)',
        "rng = random.Random()",
        "core/study/test_study.py::test_the_same_seed_gives_the_same_table_and_another_seed_another",
    ),
    "a seed depends on how far the search is": Break(
        "study/study.py",
        "propose(self.setup, finished, generation, count=size)",
        "propose(self.setup, finished, len(self.trials), count=size)",
        "core/study/test_study.py::test_a_raised_budget_goes_on_to_the_same_table_as_a_longer_run",
    ),
    "a seed depends on nothing but the run": Break(
        "seeding.py",
        "digest([SCHEME, run_seed, purpose, list(names)], size=8)",
        "digest([SCHEME, run_seed, purpose], size=8)",
        "core/test_seeding.py",
    ),
    "a resumed search evaluates again what it has": Break(
        "study/study.py",
        "for trial in store.searched_trials():",
        "for trial in ():",
        "core/study/test_study.py::test_a_signal_stops_after_the_candidate_in_hand_and_a_resume_repeats_no_trial",
    ),
    "a strategy sees an unfinished generation": Break(
        "study/study.py",
        "self._ask(generation, self.trials[:closed])",
        "self._ask(generation, self.trials)",
        "core/study/test_study.py::test_a_raised_budget_goes_on_to_the_same_table_as_a_longer_run",
    ),
    "observers are called before a trial is committed": Break(
        "study/study.py",
        "        self._store.append(trial, active_seconds=self.active_seconds())\n        self._remember(trial)\n"
        '        self._pace.trial_done(trial)\n        self._tell("trial_done", trial)\n',
        '        self._tell("trial_done", trial)\n        self._remember(trial)\n        self._pace.trial_done(trial)\n'
        "        self._store.append(trial, active_seconds=self.active_seconds())\n",
        "core/study/test_study.py::test_an_observer_hears_of_a_trial_once_it_cannot_be_lost",
    ),
    "a budget of time is counted anew by each process": Break(
        "study/study.py",
        "return self._seconds_before + time.monotonic() - self._start",
        "return time.monotonic() - self._start",
        "core/study/test_pace.py::test_a_time_budget_ends_within_one_candidate_and_counts_over_resumes",
    ),
    "not a number is a score": Break(
        "values/number.py",
        "if not math.isfinite(number) or abs(number) > LARGEST:",
        "if abs(number) > LARGEST:",
        "core/contracts/test_score.py::test_anything_else_is_a_failed_score_with_its_reason",
    ),
    "a repair works on the damaged files themselves": Break(
        "study/repair.py",
        '    if "" in copies and (whole := _count_if_whole(work / STORE)) is not None:',
        '    if "" in copies and (whole := _count_if_whole(path / STORE)) is not None:',
        "core/study/test_repair.py::test_the_log_of_a_killed_run_is_read_and_stays",
    ),
    "a repair keeps trials that lack components": Break(
        "runs/salvage.py",
        "if not component_names(row) <= names.get(len(trials), set()):",
        "if False:",
        "core/study/test_repair.py::"
        "test_nothing_after_the_first_damaged_trial_is_kept[DELETE FROM component WHERE idx = 50]",
    ),
    "a repair overwrites what it kept before": Break(
        "study/repair.py",
        "    last = _last_number(path, STORE)\n    taken",
        "    last = 0\n    taken",
        "core/study/test_repair.py::test_damaged_files_are_never_overwritten",
    ),
    "an answer counts whatever its lease is": Break(
        "workers/supervisor.py",
        "if task is None or answer.lease != task.lease:",
        "if task is None:",
        "core/workers/test_supervisor.py::test_every_candidate_gives_its_own_result_in_every_order",
    ),
    "an answer counts twice": Break(
        "workers/supervisor.py",
        "return [(task.index, answer.evaluation)]",
        "return [(task.index, answer.evaluation)] * 2",
        "core/workers/test_supervisor.py::test_every_candidate_gives_its_own_result_in_every_order",
    ),
    "the work of a lost worker is forgotten": Break(
        "workers/supervisor.py",
        "            queue.put_back(task)\n            return []\n        attempts",
        "            return []\n        attempts",
        "core/workers/test_supervisor.py::test_lost_workers_and_rubbish_cost_a_second_attempt_and_no_result",
    ),
    "a candidate is evaluated again for ever": Break(
        "workers/supervisor.py",
        "if task.attempt < ATTEMPTS and not event.is_final:",
        "if not event.is_final:",
        "core/workers/test_supervisor.py::test_lost_workers_and_rubbish_cost_a_second_attempt_and_no_result",
    ),
    "a candidate has one attempt": Break(
        "workers/supervisor.py",
        "ATTEMPTS = 2",
        "ATTEMPTS = 1",
        "core/workers/test_processes.py::test_a_candidate_whose_worker_was_killed_is_evaluated_again",
    ),
    "results of a run before count": Break(
        "workers/supervisor.py",
        "        if task.run != queue.run:\n            return []\n        if answer",
        "        if answer",
        "core/workers/test_processes.py::test_results_of_an_abandoned_run_are_not_taken_for_those_of_the_next",
    ),
    "children of a worker are left": Break(
        "workers/processes.py",
        "os.killpg(self._popen.pid, signal.SIGKILL)",
        "os.kill(self._popen.pid, signal.SIGKILL)",
        "core/workers/test_processes.py::test_children_of_a_replaced_worker_end_too",
    ),
    "what took too much memory is tried again": Break(
        "workers/processes.py",
        "reason=reason, is_final=True",
        "reason=reason",
        "core/workers/test_processes.py::test_a_candidate_that_takes_too_much_memory_fails_at_once",
    ),
    "a worker is never renewed": Break(
        "workers/processes.py",
        "return half or process.answers >= self._candidates",
        "return half",
        "core/workers/test_processes.py::test_a_process_is_replaced_after_a_number_of_candidates",
    ),
    "a worker prints on the standard output of the search": Break(
        "workers/processes.py",
        "stdout=_STDERR",
        "stdout=None",
        "core/workers/test_processes.py::test_what_candidates_print_goes_to_standard_error",
    ),
    "numbers of an answer are believed": Break(
        "workers/messages.py",
        "            coerce_score(value)\n    coerce",
        "            pass\n    coerce",
        "core/workers/test_messages.py::test_numbers_that_cannot_be_stored_are_refused",
    ),
    "a latency is measured beside workers": Break(
        "study/study.py",
        "if not evaluator.measures_candidates or not executor.slots:",
        "if True:",
        "core/study/test_study.py::test_a_latency_is_measured_when_no_candidate_is_evaluated",
    ),
}


IN_THE_SUITE = (
    "a file is written in place",
    "a commit does not wait for the disk",
    "digests are not compared",
    "a seed depends on how far the search is",
    "observers are called before a trial is committed",
    "a repair works on the damaged files themselves",
    "an answer counts whatever its lease is",
)
"""One for each module and kind of defect; the others are tried at night."""


def judge(name: str, directory: Path) -> str:
    """Return what the gate of a broken product says; under an empty name, what all gates say of the whole one."""
    for part in ("denas_core", "tests"):
        # With what is compiled: it is valid for a copy of the same time and size.
        ignored = shutil.ignore_patterns("cv", "scores", "repo", "asr", "hf", "nlp", "onnx")
        shutil.copytree(ROOT / part, directory / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", directory)
    if not name:
        return outcome_of(sorted({broken.gate for broken in BREAKS.values()}), directory)
    apply(BREAKS[name], directory)
    return outcome_of([BREAKS[name].gate], directory)


def apply(broken: Break, place: Path) -> None:
    path = place / "denas_core" / broken.file
    text = path.read_text(encoding="utf-8")
    assert text.count(broken.old) == 1, f"{broken.file} holds {text.count(broken.old)} times: {broken.old}"
    path.write_text(text.replace(broken.old, broken.new), encoding="utf-8")


def outcome_of(gates: list[str], place: Path) -> str:
    # The copy comes before what is installed, and nothing but these tests is loaded.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
    ]
    done = warm.run(
        [*command, *(f"tests/{gate}" for gate in gates)],
        cwd=place,
        env={
            **{key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"},
            "PYTHONPATH": f"{place}{os.pathsep}{place / 'tests' / 'toy'}",
            "OMP_NUM_THREADS": "1",
        },
    )
    # For whoever reads why this test has failed.
    print(done.stdout, done.stderr)
    verdict = {0: "passed", 1: "failed"}.get(done.returncode, f"ended with {done.returncode}")
    return verdict if verdict != "passed" or not done.stdout.count("error") else done.stdout


def test_the_whole_product_passes_every_gate(tmp_path: Path) -> None:
    assert judge("", tmp_path) == "passed"


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_has_its_place_and_its_gate(name: str) -> None:
    assert set(IN_THE_SUITE) <= BREAKS.keys()
    broken = BREAKS[name]
    assert (ROOT / "denas_core" / broken.file).read_text(encoding="utf-8").count(broken.old) == 1
    file, _, test = broken.gate.partition("::")
    assert f"def {test.partition('[')[0]}" in (ROOT / "tests" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in IN_THE_SUITE else pytest.mark.nightly) for name in BREAKS],
)
def test_a_broken_product_fails_its_gate(name: str, tmp_path: Path) -> None:
    assert judge(name, tmp_path) == "failed"
