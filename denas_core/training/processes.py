"""The processes of one training, as torchrun describes them to each of its processes in the environment."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

from denas_core.errors import ConfigError

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun sets for each process."""

REQUIRED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What each of several processes needs."""

LARGEST_PORT = 65535

_ADVICE = "torchrun sets it for several processes; for a single process, unset " + ", ".join(VARIABLES)

MPI_SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""What MPI sets to the number of processes that it has started. Accelerate reads it, too."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The place of this process among the processes of its training.

    Attributes:
        rank: Number of this process, from 0 on; only process 0 writes and prints.
        world: Number of processes.
        local_rank: Number of this process among those of the same machine.
        local_world: Number of processes on this machine.
        address: Host and port where the processes meet; None for a single process.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1
    address: tuple[str, int] | None = None


def read_processes(environment: Mapping[str, str] | None = None) -> Processes:
    """Return what the environment says about the processes of this training.

    Args:
        environment: The environment variables; by default those of this process.

    Raises:
        ConfigError: a variable is missing, empty, not a number or out of range.
    """
    variables = os.environ if environment is None else environment
    given = {name: variables[name] for name in VARIABLES if name in variables}
    if not given:
        _refuse_mpi(variables)
        return Processes()
    for name, value in given.items():
        if not value.strip():
            raise ConfigError(f"{name} is empty; {_ADVICE}")
    _require(given, ("RANK", "WORLD_SIZE"))
    world = _number(given, "WORLD_SIZE", at_least=1)
    rank = _number(given, "RANK", at_most=world - 1)
    if world > 1:
        _require(given, REQUIRED)
    local_world = _number(given, "LOCAL_WORLD_SIZE", at_least=1, at_most=world) or world
    local_rank = _number(given, "LOCAL_RANK", at_most=local_world - 1)
    port = _number(given, "MASTER_PORT", at_least=1, at_most=LARGEST_PORT)
    return Processes(
        rank=rank,
        world=world,
        local_rank=local_rank,
        local_world=local_world,
        address=(given["MASTER_ADDR"].strip(), port) if world > 1 else None,
    )


def rank() -> int:
    """Return the number of this process; only process 0 writes and prints."""
    return read_processes().rank


def world_size() -> int:
    """Return the number of processes."""
    return read_processes().world


def is_first() -> bool:
    """Tell whether this process is the one that writes and prints."""
    return rank() == 0


def _require(given: Mapping[str, str], names: tuple[str, ...]) -> None:
    if missing := [name for name in names if name not in given]:
        is_set = "is set" if len(given) == 1 else "are set"
        is_missing = "is missing" if len(missing) == 1 else "are missing"
        raise ConfigError(
            f"{' and '.join(given)} {is_set}, but {' and '.join(missing)} {is_missing}; {_ADVICE}"
        )


def _number(given: Mapping[str, str], name: str, *, at_least: int = 0, at_most: int | None = None) -> int:
    if name not in given:
        return 0
    text = given[name].strip()
    # int() would accept signs, underscores and digits of other scripts.
    is_whole = text.isascii() and text.isdecimal()
    if not is_whole or int(text) < at_least or (at_most is not None and int(text) > at_most):
        allowed = f"from {at_least} on" if at_most is None else f"from {at_least} to {at_most}"
        raise ConfigError(f"{name}={given[name]!r} is not a whole number {allowed}; {_ADVICE}")
    return int(text)


def _refuse_mpi(variables: Mapping[str, str]) -> None:
    for name in MPI_SIZES:
        if variables.get(name, "1").strip() not in ("", "0", "1"):
            raise ConfigError(
                f"{name}={variables[name]!r}: MPI has started several processes, which DE-NAS does not support; "
                f"start them with torchrun, or unset {name}"
            )
