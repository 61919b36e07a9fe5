"""Checkpoints on disk: whole or not there."""

from __future__ import annotations

import errno
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from denas_core.errors import ConfigError, StorageError
from denas_core.training.checkpoint import (
    Checkpoint,
    checkpoints,
    flatten_optimizer,
    latest_checkpoint,
    read_checkpoint,
    unflatten_optimizer,
    write_checkpoint,
)
from denas_core.training.random_state import random_numbers, random_tensors, restore_random


def some(value: float) -> Checkpoint:
    shared = torch.full((3,), value)
    return Checkpoint(
        tensors={"weights": {"a": shared, "b": shared, "t": torch.arange(6).view(2, 3).T}},
        state={"value": value},
        trainer={"global_step": int(value)},
    )


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, 7, some(0.1))
    again = read_checkpoint(path)
    assert again.state == {"value": 0.1} and again.trainer == {"global_step": 0}
    for name, tensor in some(0.1).tensors["weights"].items():
        assert torch.equal(again.tensors["weights"][name], tensor)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        write_checkpoint(tmp_path, step, some(step))
    assert [path.name for path in checkpoints(tmp_path)] == ["step-000000010", "step-000000002"]
    assert latest_checkpoint(tmp_path) == (tmp_path / "step-000000010", [])


@pytest.mark.parametrize("name", ["weights.safetensors", "state.json", "trainer_state.json", "manifest.json"])
@pytest.mark.parametrize("how", ["cut", "flip", "gone"])
def test_a_torn_one_is_left_for_the_one_before(tmp_path: Path, name: str, how: str) -> None:
    before, last = write_checkpoint(tmp_path, 1, some(1)), write_checkpoint(tmp_path, 2, some(2))
    content = bytearray((last / name).read_bytes())
    (last / name).unlink()
    if how == "cut":
        (last / name).write_bytes(content[: len(content) // 2])
    elif how == "flip":
        content[len(content) // 2] ^= 1
        (last / name).write_bytes(content)
    found, notices = latest_checkpoint(tmp_path)
    assert found == before
    assert len(notices) == 1 and notices[0].startswith("checkpoint step-000000002 is damaged (")
    with pytest.raises(ConfigError, match="is damaged"):
        read_checkpoint(last)


def test_damaged_ones_that_were_fallen_back_behind_are_no_newer_ones(tmp_path: Path) -> None:
    for step in (1, 20, 30):
        last = write_checkpoint(tmp_path, step, some(step))
        if step > 1:
            (last / "state.json").unlink()
    again = write_checkpoint(tmp_path, 10, some(10))
    assert checkpoints(tmp_path)[0] == again
    assert latest_checkpoint(tmp_path)[0] == again


def test_a_write_that_fails_at_any_file_leaves_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(tmp_path, 1, some(1))
    whole = write_checkpoint(tmp_path, 2, some(2))
    real = os.fsync
    for failing in range(6):
        calls = iter(range(100))

        def fsync(descriptor: int, calls: object = calls, failing: int = failing) -> None:
            if next(calls) == failing:  # type: ignore[call-overload]
                raise OSError(errno.ENOSPC, "No space left on device")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        if failing < 5:  # the sixth comes after the rename
            with pytest.raises(StorageError, match="No space left on device"):
                write_checkpoint(tmp_path, 3, some(3))
            assert latest_checkpoint(tmp_path) == (whole, [])
    monkeypatch.setattr(os, "fsync", real)
    write_checkpoint(tmp_path, 3, some(3))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-000000002", "step-000000003"]


def test_what_a_search_removes_on_resume_is_no_checkpoint_in_the_making(tmp_path: Path) -> None:
    from denas_core.system.atomic import remove_leftovers

    (tmp_path / "training" / "checkpoints" / "unfinished-step-000000001").mkdir(parents=True)
    remove_leftovers(tmp_path)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.AdamW(p, lr=0.1),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.SGD(p, lr=0.1),
    ],
)
def test_an_optimizer_goes_on_bit_for_bit(tmp_path: Path, make: object) -> None:
    def stepped(optimizer: torch.optim.Optimizer, parameter: torch.Tensor) -> None:
        for _ in range(3):
            optimizer.zero_grad()
            (parameter.sin() * torch.arange(4.0)).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    first = torch.nn.Parameter(torch.ones(4))
    one = make([first])  # type: ignore[operator]
    stepped(one, first)
    tensors, rest = flatten_optimizer(one.state_dict())
    second = torch.nn.Parameter(first.detach().clone())
    other = make([second])  # type: ignore[operator]
    written = Checkpoint(tensors={"optimizer": tensors}, state=rest, trainer={})
    read = read_checkpoint(write_checkpoint(tmp_path, 1, written))
    other.load_state_dict(unflatten_optimizer(read.tensors["optimizer"], read.state))
    stepped(one, first)
    stepped(other, second)
    assert torch.equal(first, second)


def test_random_generators_go_on_where_they_were() -> None:
    def drawn() -> list[float]:
        return [
            random.random(),
            random.gauss(0, 1),
            np.random.rand(),
            np.random.randn(),
            float(torch.randn(())),
        ]

    random.gauss(0, 1)
    np.random.randn()
    tensors, numbers = random_tensors(), json.loads(json.dumps(random_numbers()))
    first = drawn()
    drawn()
    restore_random(tensors, numbers)
    assert drawn() == first
