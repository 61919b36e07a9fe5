"""Joining a cluster that is none, and a local cluster: it ends with its search, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from denas_core import Demand
from denas_core.errors import ConfigError
from denas_core.launch import resume_search
from denas_ray.cluster import _check_listens, _locked, _remove_leftovers
from denas_ray.executor import Ray
from tests.core.gate import Gate
from tests.core.toy_searches import denas_command, environment, table, toy_config, toy_search

pytest.importorskip("ray")

SECONDS = 300.0
"""How long a test waits for what a local cluster does within a few seconds."""


@pytest.fixture
def web_server() -> Iterator[int]:
    """The port of something that is not Ray."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            link, _ = server.accept()
            with link:
                link.recv(100)
                link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    "address", ["nowhere", "ray://10.0.0.1:10001", "10.0.0.1:", ":6379", "10.0.0.1:99999"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"must be 'auto' or host:port, such as 10\.0\.0\.1:6379"):
        Ray(address=address).open(Demand())


def test_an_address_at_which_nobody_listens_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no Ray cluster answers at .*:1: Connection refused; is its head"):
        Ray(address="127.0.0.1:1").open(Demand())


def test_an_address_of_something_else_is_refused(web_server: int) -> None:
    with pytest.raises(ConfigError, match=r"what answers at .* is not a Ray cluster"):
        _check_listens(f"127.0.0.1:{web_server}")


def test_more_workers_than_memory_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"5000 workers need about .*B of memory, and .* are free; at most"):
        Ray(workers=5000).open(Demand())


def test_a_search_on_a_local_cluster_stops_by_a_signal_and_leaves_nothing(tmp_path: Path) -> None:
    driver, started = start(tmp_path)
    driver.terminate()
    (tmp_path / "gate").unlink()
    out, err = driver.communicate()
    assert driver.returncode == 128 + signal.SIGTERM, err
    assert out == ""
    assert "go on with: denas search --resume" in err
    check_nothing_is_left(tmp_path, started)
    run = tmp_path / "run"
    before = len(table(run))
    resume_search(run, lambda stored: {**stored, "executor": {"name": "builtin/serial"}})
    toy_search(tmp_path / "serial", executor="builtin/serial")
    assert 0 < before < len(table(run))
    assert [row[:3] for row in table(run)] == [row[:3] for row in table(tmp_path / "serial")]


@pytest.mark.nightly
def test_a_second_signal_ends_a_local_cluster_at_once(tmp_path: Path) -> None:
    driver, started = start(tmp_path)
    driver.send_signal(signal.SIGINT)
    time.sleep(0.2)
    driver.send_signal(signal.SIGINT)
    driver.communicate()
    assert driver.returncode == 128 + signal.SIGINT
    check_nothing_is_left(tmp_path, started)


@pytest.mark.nightly
def test_a_local_cluster_ends_when_its_search_is_killed(tmp_path: Path) -> None:
    driver, started = start(tmp_path)
    driver.kill()
    driver.communicate()
    wait_until(lambda: not any(process.is_running() for process in started), "processes are left")
    (files,) = folders(started)
    assert files.exists()
    _remove_leftovers("/tmp")
    assert not files.exists()


def test_folders_of_running_clusters_are_not_leftovers(tmp_path: Path) -> None:
    for name in ("running", "killed", "starting"):
        (tmp_path / f"denas-ray-{name}").mkdir()
    lock = _locked(tmp_path / "denas-ray-running")
    _locked(tmp_path / "denas-ray-killed").close()
    _remove_leftovers(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["denas-ray-running", "denas-ray-starting"]
    lock.close()


def start(folder: Path) -> tuple[subprocess.Popen[str], dict[psutil.Process, list[str]]]:
    """Start a search on a local cluster, and return it and the processes of the cluster when it evaluates."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    gate = Gate(folder / "gate", folder / "run" / "study.db", trials=20)
    score = {"name": "toy/both", "gate": str(gate.path)}
    executor = {"name": "ray/ray", "workers": 2}
    (folder / "run.yaml").write_text(toy_config(folder / "run", score=score, executor=executor).as_yaml())
    driver = subprocess.Popen(
        denas_command("search", "--config", str(folder / "run.yaml")),
        env=environment(HOME=str(folder / "home"), TMPDIR=str(folder / "tmp")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: _stored(folder / "run") > 3 or driver.poll() is not None, "trials are stored")
    assert driver.poll() is None, driver.communicate()
    started = {}
    for child in psutil.Process(driver.pid).children(recursive=True):
        # Ray also starts short commands, which may end meanwhile.
        with contextlib.suppress(psutil.Error):
            started[child] = child.cmdline()
    return driver, started


def check_nothing_is_left(folder: Path, started: dict[psutil.Process, list[str]]) -> None:
    (files,) = folders(started)
    wait_until(lambda: not any(process.is_running() for process in started), "processes are left")
    assert not list((folder / "home").iterdir())
    assert not list((folder / "tmp").iterdir())
    assert not files.exists()


def folders(started: dict[psutil.Process, list[str]]) -> set[Path]:
    """Return the temporary folders that the commands of processes name."""
    texts = " ".join(" ".join(command) for command in started.values())
    return {Path(name) for name in re.findall(r"/tmp/denas-ray-\w+", texts)}


def wait_until(happened: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def _stored(run: Path) -> int:
    try:
        return len(table(run))
    except Exception:
        return 0
