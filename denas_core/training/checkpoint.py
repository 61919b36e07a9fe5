"""Checkpoints: the state of a training after a step. A checkpoint is complete or absent, and has no pickle."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from denas_core.errors import ConfigError
from denas_core.system.atomic import storage_errors, sync_directory

SCHEMA = "denas.checkpoint/1"
MANIFEST = "manifest.json"
STATE = "state.json"
TRAINER_STATE = "trainer_state.json"
"""The file from which `transformers.Trainer` reads its own state."""

KEPT = 2
"""Number of checkpoints that are kept."""

UNFINISHED = "unfinished-"

_NAME = re.compile(r"step-(\d{9})")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state from which a training goes on.

    Attributes:
        tensors: Tensors by group (``weights``, ``optimizer``, ``random-<rank>``) and name.
        state: Everything else, fit for JSON.
        trainer: The state of `transformers.Trainer`, fit for JSON.
    """

    tensors: Mapping[str, Mapping[str, Tensor]]
    state: Mapping[str, Any]
    trainer: Mapping[str, Any]


def write_checkpoint(directory: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, remove all but the last `KEPT` ones, and return its path.

    A kill or a full disk leaves the earlier checkpoints as they were: the files are written into a directory beside
    them, the list of files with their hashes is written last, and then the directory is renamed.

    Raises:
        StorageError: the file system refuses.
    """
    path = directory / f"step-{step:09d}"
    aside = directory / f"{UNFINISHED}{path.name}"
    with storage_errors(path):
        directory.mkdir(parents=True, exist_ok=True)
        for left in directory.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left)
        aside.mkdir()
        hashes = {}
        # One group after the other: all groups at once would double the memory of the training.
        for group, tensors in checkpoint.tensors.items():
            hashes[f"{group}.safetensors"] = _write(aside / f"{group}.safetensors", _bytes(tensors))
        hashes[STATE] = _write(aside / STATE, json.dumps(dict(checkpoint.state), allow_nan=False).encode())
        hashes[TRAINER_STATE] = _write(aside / TRAINER_STATE, json.dumps(dict(checkpoint.trainer)).encode())
        _write(aside / MANIFEST, json.dumps({"schema": SCHEMA, "step": step, "files": hashes}).encode())
        sync_directory(aside)
        if path.exists():  # the training has gone back to an earlier step
            shutil.rmtree(path)
        aside.rename(path)
        sync_directory(directory)
        found = checkpoints(directory)
        # Later checkpoints are damaged: the training has gone on from one before them.
        late = [other for other in found if other.name > path.name]
        for old in (*late, *found[len(late) + KEPT :]):
            shutil.rmtree(old)
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ConfigError: it is damaged.
        StorageError: the file system refuses.
    """
    if fault := damage(path):
        raise ConfigError(f"checkpoint {str(path)!r} is damaged: {fault}")
    with storage_errors(path):
        tensors = {file.stem: load(file.read_bytes()) for file in sorted(path.glob("*.safetensors"))}
        return Checkpoint(
            tensors=tensors,
            state=json.loads((path / STATE).read_bytes()),
            trainer=json.loads((path / TRAINER_STATE).read_bytes()),
        )


def checkpoints(directory: Path) -> list[Path]:
    """Return the directories that have the name of a checkpoint, the last one first."""
    with storage_errors(directory):
        if not directory.is_dir():
            return []
        return sorted((path for path in directory.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def latest_checkpoint(directory: Path) -> tuple[Path | None, list[str]]:
    """Return the last complete checkpoint, or None, and a notice for each later checkpoint that is damaged."""
    notices: list[str] = []
    for path in checkpoints(directory):
        if not (fault := damage(path)):
            return path, notices
        notices.append(f"checkpoint {path.name} is damaged ({fault}) and left out")
    return None, notices


def damage(path: Path) -> str:
    """Return what is wrong with a checkpoint; empty if it is complete."""
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        if manifest["schema"] != SCHEMA:
            return f"its format is {manifest['schema']!r}, but this version reads {SCHEMA!r}"
        for name, expected in manifest["files"].items():
            if hashlib.sha256((path / name).read_bytes()).hexdigest() != expected:
                return f"{name} is not what was written"
    except OSError as error:
        return f"{Path(error.filename or path).name}: {error.strerror or error}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{MANIFEST} cannot be read"
    return ""


def flatten_optimizer(state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of an optimizer's ``state_dict()`` by name, and everything else, fit for JSON."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for number, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{number}.{name}"] = value
            else:
                plain.setdefault(str(number), {})[name] = value
    return tensors, {"plain": plain, "groups": state["param_groups"]}


def unflatten_optimizer(tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``state_dict()`` from which `flatten_optimizer` made its two results."""
    state: dict[int, dict[str, Any]] = {int(number): dict(values) for number, values in rest["plain"].items()}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    return {"state": state, "param_groups": rest["groups"]}


def _bytes(tensors: Mapping[str, Tensor]) -> bytes:
    plain: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        # safetensors refuses tensors that share memory, as tied weights do.
        plain[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return save(plain)


def _write(path: Path, content: bytes) -> str:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()
