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
