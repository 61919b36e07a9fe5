"""Where the trainings of a race run."""

from __future__ import annotations

import pytest

from denas_core.builtin.process import Process
from denas_core.builtin.serial import Serial
from denas_core.errors import ConfigError
from denas_core.racing.executor import NO_DEADLINE, choose_executor
from denas_core.registry.registry import Registry
from denas_core.workers import capacity


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of eight cores with much memory."""
    monkeypatch.delenv("DENAS_WORKERS", raising=False)
    monkeypatch.setattr(capacity, "free_memory", lambda: 2**40)
    for module in (capacity, __import__("denas_core.racing.executor", fromlist=["usable_cores"])):
        monkeypatch.setattr(module, "usable_cores", lambda: 8)


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(
    ("trainings", "device", "options", "workers", "threads"),
    [
        (20, "cpu", {}, 8, 1),
        (3, "cpu", {}, 3, 2),
        (1, "cpu", {}, 1, 8),
        (20, "cuda", {}, 1, 8),
        (20, "cpu", {"workers": 4}, 4, 2),
        (20, "cpu", {"workers": 16}, 16, 1),
    ],
)
def test_the_cores_are_shared_by_the_trainings(
    trainings: int, device: str, options: dict[str, int], workers: int, threads: int
) -> None:
    executor, demand = choose_executor(Registry.discover(), None, options, trainings=trainings, device=device)
    assert isinstance(executor, Process) and executor.workers == workers
    assert (demand.threads, demand.device) == (threads, device)
    assert executor.deadline == NO_DEADLINE


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(
    ("memory", "memory_gb", "workers", "said"),
    [
        (2 * 10**9, None, 8, []),
        (
            4 * 10**9,
            None,
            4,
            [
                "trainings run 4 at a time and not 8, because each of them takes up to 4.472GB of memory, and 20GB are "
                "free"
            ],
        ),
        (4 * 10**9, 9.0, 2, ["and training.memory_gb allows 9 GB"]),
        (4 * 10**9, 1000.0, 4, ["and 20GB are free"]),
        (10**12, None, 1, ["trainings run one at a time, because each of them takes up to 1TB"]),
    ],
)
def test_no_more_trainings_run_at_a_time_than_fit_into_memory(
    memory: int, memory_gb: float | None, workers: int, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "free_memory", lambda: 20 * 10**9 if said else 2**40)
    lines: list[str] = []
    executor, demand = choose_executor(
        Registry.discover(),
        None,
        {},
        trainings=20,
        device="cpu",
        memory=memory,
        memory_gb=memory_gb,
        notify=lines.append,
    )
    assert isinstance(executor, Process) and executor.workers == workers
    assert demand.threads == 8 // workers
    assert len(lines) == len(said) and all(text in line for text, line in zip(said, lines, strict=True))


@pytest.mark.usefixtures("cores")
def test_a_number_of_processes_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "free_memory", lambda: 20 * 10**9)
    options = {"trainings": 20, "device": "cpu", "memory": 4 * 10**9}
    executor, demand = choose_executor(Registry.discover(), None, {"workers": 6}, **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"6 workers need about 26.83GB .* at most 4 fit"):
        executor.open(demand)


def test_another_executor_keeps_its_options() -> None:
    registry = Registry.discover()
    serial, _ = choose_executor(registry, "serial", {}, trainings=3, device="cpu")
    assert isinstance(serial, Serial)
    queue, _ = choose_executor(
        registry, "builtin/queue", {"directory": "shared", "deadline": 60}, trainings=3, device="cpu"
    )
    assert queue.options()["directory"] == "shared" and queue.options()["deadline"] == 60
    with pytest.raises(ConfigError, match="'wrokers'"):
        choose_executor(registry, None, {"wrokers": 2}, trainings=3, device="cpu")
