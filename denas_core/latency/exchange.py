"""Latency models as files: written here, read on another machine, and made from operator times of another machine."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError
from denas_core.seeding import digest
from denas_core.system.atomic import storage_errors
from denas_core.system.cache import cache_folder, read_cached, write_cached
from denas_core.system.machine import latency_fingerprint

from . import operator_times
from .calibrate import model_name
from .model import SCHEMA, LatencyModel, Target, damaged
from .operators import Operator
from .table import LEAST_MS, OperatorTable, describe_call

if TYPE_CHECKING:
    from denas_core.contracts.operator_timer import OperatorTimer
    from denas_core.contracts.space import SearchSpace

CALLS = "denas.operator-calls/1"
FOLDER = "latency"
"""Folder of models in the cache."""


def read_file(path: Path) -> dict[str, Any]:
    """Return the document of a file that holds a latency model, or operator times of another machine.

    Raises:
        ConfigError: it holds neither, or is damaged.
        StorageError: it cannot be read.
    """
    with storage_errors(path):
        if not path.is_file():
            raise ConfigError(f"there is no file {str(path)!r}; 'denas latency export' writes one")
        content = path.read_bytes()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise damaged(f"{str(path)!r}", ValueError("it is not JSON")) from error
    if isinstance(document, dict) and document.get("schema") == CALLS:
        raise ConfigError(
            f"{str(path)!r} has operator calls without times; run the script of 'denas latency script' on the "
            "other machine with it, and import what that writes"
        )
    if not isinstance(document, dict) or document.get("schema") not in (SCHEMA, operator_times.SCHEMA):
        raise damaged(f"{str(path)!r}", ValueError("its format is unknown"))
    space = document.get("space")
    if not (
        isinstance(space, dict)
        and isinstance(space.get("name"), str)
        and isinstance(space.get("options"), dict)
    ):
        raise damaged(f"{str(path)!r}", ValueError("it names no space"))
    return document


def is_of_this_machine(target: Target) -> bool:
    """Return whether a model was calibrated on this machine, with the software that is installed now."""
    here = latency_fingerprint(device=target.device, threads=target.threads, probe=dict(target.probe))
    return target.fingerprint == here


def keep_model(model: LatencyModel, *, machine: str | None) -> str:
    """Keep a model in the cache: as that of this machine, or under the name of another one. Return where.

    Raises:
        ConfigError: it is of another machine, and no name is given; or the cache is switched off or cannot be written.
    """
    if machine is None and not is_of_this_machine(model.target):
        raise ConfigError(
            f"this latency model is of another machine, or of other versions ({describe_target(model.target)}); name "
            "that machine with --machine NAME, or calibrate here with 'denas latency calibrate'"
        )
    name = model_name(model.space, model.target) if machine is None else machine_name(model.space, machine)
    named = {} if machine is None else {"machine": machine}
    if not write_cached(name, {**model.as_dict(), **named}):
        raise ConfigError(
            "there is no folder to keep a latency model in; set DENAS_CACHE to a folder that can be written"
        )
    return str(cache_folder() or "") + "/" + name


def imported_model(space: SearchSpace, machine: str) -> LatencyModel:
    """Return the model of a space that was imported under the name of another machine.

    Raises:
        ConfigError: there is none, or it is damaged. The text names what was imported.
    """
    document = read_cached(machine_name(space, machine))
    if document is None:
        raise ConfigError(
            f"no latency model of {space.id!r} with these options was imported for machine {machine!r} "
            f"({_describe_imported()}); import one with 'denas latency import FILE --machine {machine}'"
        )
    return LatencyModel.from_dict(document, space, origin=f"the latency model of machine {machine!r}")


def imported_machines() -> dict[str, list[str]]:
    """Return the machines whose models were imported, each with the spaces of its models."""
    folder = cache_folder()
    found: dict[str, list[str]] = {}
    for path in sorted((folder / FOLDER).glob("machine-*.json")) if folder is not None else ():
        document = read_cached(f"{FOLDER}/{path.name}") or {}
        machine, space = document.get("machine"), document.get("space")
        if isinstance(machine, str) and isinstance(space, dict):
            found.setdefault(machine, []).append(str(space.get("name")))
    return dict(sorted(found.items()))


def _describe_imported() -> str:
    known = imported_machines()
    if not known:
        return "none was imported for any machine"
    return "imported: " + "; ".join(
        f"{machine!r} for {', '.join(sorted(set(spaces)))}" for machine, spaces in known.items()
    )


def machine_name(space: SearchSpace, machine: str) -> str:
    """Return the name in the cache of a model of another machine."""
    return f"{FOLDER}/machine-{digest([machine, space.id, space.fingerprint()], size=8)}.json"


def describe_target(target: Target) -> str:
    """Return what a model predicts for, in a few words."""
    facts = target.machine
    processor = str(facts.get("processor", "unknown processor")).partition(" (")[0]
    threads = f"{target.threads} thread" + ("s" if target.threads != 1 else "")
    runtime = next((name for name in ("torch", "onnxruntime", "openvino") if name in facts), "torch")
    version = facts.get(runtime, "unknown")
    return f"{target.probe.get('name')}, {threads}, {target.device}, {processor}, {runtime} {version}"


def operator_calls(model: LatencyModel, timer: OperatorTimer) -> dict[str, Any]:
    """Return the document that the script of a timer reads on another machine."""
    document = model.as_dict()
    return {
        "schema": CALLS,
        "space": document["space"],
        "space_fingerprint": document["space_fingerprint"],
        "target": document["target"],
        "calls": timer.portable([describe_call(operator) for operator in model.table.times]),
    }


def _as_fast_as_others(here: OperatorTable, there: OperatorTable) -> dict[Operator, float]:
    """Return times for operators of which the other machine timed no call: it is as much faster there as for others."""
    names = {operator.name for operator in there.times}
    both = [
        there.times[operator] / ms
        for operator, ms in here.times.items()
        if operator in there.times and min(ms, there.times[operator]) > LEAST_MS
    ]
    ratio = statistics.median(both) if both else 1.0
    return {operator: ms * ratio for operator, ms in here.times.items() if operator.name not in names}


def with_times(model: LatencyModel, document: Mapping[str, Any], *, origin: str) -> LatencyModel:
    """Return a model with the operator times of another machine, and the correction that was learnt on this one.

    Raises:
        ConfigError: the times are damaged, or there are none.
    """
    try:
        if document["target"]["probe"] != json.loads(json.dumps(dict(model.target.probe))):
            raise ConfigError(
                f"{origin} has the operators of probe {document['target']['probe'].get('name')!r} with other options; "
                "give the same --probe and --set as to 'denas latency script'"
            )
        there = OperatorTable.from_list(document["calls"])
        machine = {str(name): str(value) for name, value in document["machine"].items()}
        fingerprint = digest([document["machine"], document["target"]], size=8)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(origin, error) from error
    if not there.times:
        raise ConfigError(f"{origin} has no time of any operator; none could be called on that machine")
    target = Target(
        probe=model.target.probe,
        batch_size=model.target.batch_size,
        device=model.target.device,
        threads=model.target.threads,
        fingerprint=fingerprint,
        machine=machine,
    )
    return LatencyModel(
        model.space,
        target=target,
        table=OperatorTable({**_as_fast_as_others(model.table, there), **there.times}),
        weights=model.weights,
        error=model.error,
        is_transferred=True,
    )
