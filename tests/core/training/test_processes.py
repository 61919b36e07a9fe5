"""What torchrun says about the processes of a training, and what else may be said."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.training.processes import Processes, read_processes
from tests.core.toy_searches import denas_here

TORCHRUN = {
    "RANK": "1",
    "WORLD_SIZE": "2",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "localhost",
    "MASTER_PORT": "29500",
}


def test_what_torchrun_sets_is_read() -> None:
    expected = Processes(rank=1, world=2, local_rank=1, local_world=2, address=("localhost", 29500))
    assert read_processes(TORCHRUN) == expected
    without = {name: value for name, value in TORCHRUN.items() if name != "LOCAL_WORLD_SIZE"}
    assert read_processes(without) == expected
    assert read_processes({}) == Processes()
    assert read_processes({"RANK": "0", "WORLD_SIZE": "1"}) == Processes()
    assert read_processes({"PMI_SIZE": "1"}) == Processes()


@pytest.mark.parametrize("name", TORCHRUN)
def test_a_missing_variable_is_named(name: str) -> None:
    given = {key: value for key, value in TORCHRUN.items() if key != name}
    if name == "LOCAL_WORLD_SIZE":
        return
    with pytest.raises(ConfigError, match=rf"^[^\n]* but {name} is missing; torchrun sets it"):
        read_processes(given)


@pytest.mark.parametrize("name", TORCHRUN)
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} is empty; torchrun sets it"):
        read_processes({**TORCHRUN, name: value})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("RANK", ("x", "-1", "2", "1.0", "1_0", "+1", "²", "0x1")),
        ("WORLD_SIZE", ("two", "0", "-2")),
        ("LOCAL_RANK", ("x", "-1", "2")),
        ("LOCAL_WORLD_SIZE", ("x", "0", "3")),
        ("MASTER_PORT", ("http", "0", "-1", "65536", "99999999999")),
    ],
)
def test_a_value_out_of_range_is_one_line(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        with pytest.raises(ConfigError, match=r"^[^\n]*$") as caught:
            read_processes({**TORCHRUN, name: value})
        assert str(caught.value).startswith(f"{name}={value!r} is not a whole number from ")


def test_processes_that_mpi_has_started_are_refused() -> None:
    with pytest.raises(ConfigError, match="OMPI_COMM_WORLD_SIZE='2': MPI has started several processes"):
        read_processes({"OMPI_COMM_WORLD_SIZE": "2"})
    assert read_processes({**TORCHRUN, "OMPI_COMM_WORLD_SIZE": "2"}).world == 2


@pytest.mark.parametrize(
    "given", [{"RANK": ""}, {"RANK": "0"}, {"MASTER_ADDR": "localhost"}, {**TORCHRUN, "RANK": "7"}]
)
def test_the_command_refuses_them_and_leaves_nothing(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    arguments = ("--arch", '{"depth": 1, "width": 4}', "--data", str(points), "--out", str(tmp_path / "out"))
    done = denas_here("train", "points/mlp", *arguments)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stdout == ""
    assert not (tmp_path / "out").exists()
