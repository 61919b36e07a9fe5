"""Saving and loading trained models. One safetensors file contains the architecture, weights and facts of a model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task
from denas_core.contracts.task import build_network as build_network
from denas_core.contracts.trained_model import SCHEMA, TrainedModel
from denas_core.errors import ConfigError, StoreDamaged
from denas_core.registry.registry import Registry
from denas_core.seeding import canonical_json
from denas_core.system.atomic import storage_errors, write_atomically, write_json
from denas_core.system.machine import environment, moment
from denas_core.text import describe_error
from denas_core.values.architecture import Architecture

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = "model.safetensors"
CARD = "model.json"
METADATA = "denas"
"""Name of the card in the metadata of the weights."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModelStructure:
    """What the network of a trained model is built from, without its weights.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        task: The task that it was trained for; None for a network that was not trained.
        facts: What the task needs to use the network.
    """

    space: SearchSpace
    arch: Architecture
    task: Task[Any] | None
    facts: Mapping[str, Any]


def save_model(directory: Path, model: TrainedModel) -> None:
    """Write `model` into `directory`: weights and card in one file, and a copy of the card for people to read.

    Raises:
        StorageError: the file system refuses.
    """
    from safetensors.torch import save

    # Copies are needed because safetensors refuses weights that share memory, such as tied ones.
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in model.network.state_dict().items()
    }
    card = {**model.card(), "environment": environment(), "written": moment()}
    card["sha256"] = _digest(card, tensors)
    with storage_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    # With two files, a kill could leave the weights of one model beside the card of another.
    write_atomically(directory / WEIGHTS, save(tensors, metadata={METADATA: json.dumps(card)}))
    write_json(directory / CARD, card)


def load_model(directory: Path | str, registry: Registry | None = None) -> TrainedModel:
    """Read a model that `save_model` wrote. Its network is on the CPU, in eval mode.

    Args:
        directory: The folder of the model.
        registry: The plugins with its space and task; by default all installed plugins.

    Raises:
        ConfigError: there is no model, or its space or task has changed since it was saved.
        NotInstalled: the plugin of its space or task is missing.
        StoreDamaged: the file is damaged.
    """
    directory = Path(directory)
    card, tensors = _read(directory)
    structure = _structure(card, directory, registry)
    space, arch, task = structure.space, structure.arch, structure.task
    # The space loads weights first, because buffers that are not stored, such as index tables, need values too.
    network = space.load(build_network(space, arch, task=task, facts=card["facts"]), arch, seed=0)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ConfigError(
            f"the weights in {str(directory)!r} do not fit the network that {space.id!r} builds: "
            f"{describe_error(error)}"
        ) from error
    return TrainedModel(
        space=space,
        arch=arch,
        network=network.eval(),
        task=task,
        facts=card["facts"],
        metrics=card["metrics"],
        history=card["history"],
    )


def read_structure(directory: Path | str, registry: Registry | None = None) -> ModelStructure:
    """Read what the network of a saved model is built from. The weights stay in the file, and are not checked.

    Arguments and errors are those of `load_model`.
    """
    directory = Path(directory)
    card, _ = _read(directory, with_weights=False)
    return _structure(card, directory, registry)


def _structure(card: Mapping[str, Any], directory: Path, registry: Registry | None) -> ModelStructure:
    registry = registry or Registry.discover()
    space = registry.create("space", card["space"]["id"], card["space"]["options"], origin=WEIGHTS)
    task = card["task"] and registry.create(
        "task", card["task"]["id"], card["task"]["options"], origin=WEIGHTS
    )
    arch = space.parse(json.dumps(card["arch"]), origin=WEIGHTS)
    if arch.key != card["key"]:
        raise ConfigError(
            f"{str(directory)!r} was trained with another version of {space.id!r}, whose networks differ; load it "
            "with that version"
        )
    return ModelStructure(space=space, arch=arch, task=task, facts=card["facts"])


def _read(directory: Path, *, with_weights: bool = True) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    path = directory / WEIGHTS
    if not path.is_file():
        raise ConfigError(
            f"{str(directory)!r} holds no trained model ({WEIGHTS} is missing); train one with 'denas train'"
        )
    try:
        with storage_errors(path), safe_open(path, "pt") as file:
            card = json.loads((file.metadata() or {}).get(METADATA, "null"))
            names = file.keys() if with_weights else ()
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, ValueError) as error:
        raise StoreDamaged(f"{str(path)!r} is damaged: {describe_error(error)}") from error
    if not isinstance(card, dict) or card.get("schema") != SCHEMA:
        raise ConfigError(
            f"{str(path)!r} is not a model of the form {SCHEMA!r} that this version reads; upgrade DE-NAS"
        )
    if with_weights and _digest(card, tensors) != card.get("sha256"):
        raise StoreDamaged(f"{str(path)!r} is damaged: it does not hold what was written")
    return card, tensors


def _digest(card: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    import torch

    facts = {name: value for name, value in card.items() if name != "sha256"}
    digest = hashlib.sha256(canonical_json(facts).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
