"""Processes that wait for each other: the wait is announced, can be stopped, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.core.toy_searches import environment
from tests.warm import Process

from .test_resume import start_command, wait_for_checkpoint
from .trainings import PLUGIN, write_points

ARCH = ["points/mlp", "--arch", '{"depth": 2, "width": 8}', "--device", "cpu", "--batch-size", "20"]


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return str(found.getsockname()[1])


def start_one(rank: int, port: str, out: Path, data: Path, *settings: str) -> Process:
    """Start one of two processes."""
    arguments = [*ARCH, "--data", str(data), "--out", str(out)]
    for setting in settings:
        arguments += ["--set", f"training.{setting}"]
    place = {"MASTER_ADDR": "localhost", "MASTER_PORT": port}
    return start_command("train", *arguments, RANK=str(rank), WORLD_SIZE="2", LOCAL_RANK=str(rank), **place)


def read_line(process: Process) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_alone_says_that_it_waits_and_gives_up(points: Path, tmp_path: Path, rank: int) -> None:
    port, out = free_port(), tmp_path / "out"
    process = start_one(rank, port, out, points, "peer_timeout=5")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors
    waits, gives_up = errors.splitlines()
    other = f"process {1 - rank} at localhost:{port}"
    assert waits == (f"process {rank} of 2 waits for {other}; it gives up after 5 s (training.peer_timeout)")
    assert gives_up.startswith(f"error: process {rank} of 2 gives up after 5 s without {other}")
    assert gives_up.endswith("or raise training.peer_timeout")
    assert not out.exists(), "nothing is half-made"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_waits_ends_by_the_first_signal(
    points: Path, tmp_path: Path, rank: int, number: int
) -> None:
    process = start_one(rank, free_port(), tmp_path / "out", points)
    assert f"process {rank} of 2 waits for process {1 - rank}" in read_line(process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 128 + number
    # On a busy machine it may end as one that waits in native code, which says so.
    assert errors.startswith("error: stopped") and "Traceback" not in errors
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_process_whose_peer_does_not_answer_ends_by_the_first_signal(tmp_path: Path) -> None:
    data, out, port = write_points(tmp_path / "points.txt", 800), tmp_path / "out", free_port()
    both = [start_one(rank, port, out, data, "epochs=1000", "checkpoint_steps=5") for rank in (0, 1)]
    try:
        wait_for_checkpoint(both[0], out)
        both[1].send_signal(signal.SIGSTOP)
        time.sleep(2)
        # It waits in native code now, in which Python runs no handler.
        both[0].send_signal(signal.SIGTERM)
        assert both[0].wait(timeout=300) == 143
    finally:
        for process in both:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_a_lost_peer_is_one_line_and_the_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    data, out, port = write_points(tmp_path / "points.txt", 800), tmp_path / "out", free_port()
    both = [start_one(rank, port, out, data, "epochs=1000", "checkpoint_steps=5") for rank in (0, 1)]
    wait_for_checkpoint(both[0], out)
    both[1].kill()
    _, errors = both[0].communicate(timeout=300)
    both[1].communicate()
    assert both[0].returncode == 1, errors
    assert errors.splitlines()[-1].startswith("error: process 0 has lost the other processes of its training")
    assert f"denas train {out} --resume" in errors and "internal error" not in errors
    assert list((out / "checkpoints").glob("step-*"))


def test_connected_processes_end_without_the_clean_up_of_python(tmp_path: Path) -> None:
    """Torch may hang in it: see `denas_core.training.peers.join`."""
    script = """
import atexit, sys, torch
torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
atexit.register(print, "Python cleans up", file=sys.stderr)
from denas_core.cli import main
main(sys.argv[1:])
"""
    for arguments, code, output in ((["--version"], 0, "denas "), (["nothing"], 2, "")):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert done.stdout.startswith(output) and "Python cleans up" not in done.stderr


@pytest.mark.slow
def test_a_single_process_of_torchrun_trains_alone(points: Path, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1"]
    arguments = [*ARCH, "--data", str(points), "--out", str(tmp_path / "out"), "--epochs", "1"]
    done = subprocess.run(
        [*torchrun, "-m", "denas_core.cli", "train", *arguments],
        env=environment(PYTHONPATH=os.pathsep.join([str(PLUGIN), environment()["PYTHONPATH"]])),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "result.json").exists()
