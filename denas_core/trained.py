"""A trained model: an architecture, its weights and what is needed to use them; kept as safetensors and JSON."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .architecture import Architecture
from .atomic import storage_errors, write_atomically, write_json
from .component import Component
from .errors import ConfigError, StoreDamaged
from .machine import environment, moment
from .registry import Registry
from .space import SearchSpace
from .task import Task, head_width

if TYPE_CHECKING:
    from torch import nn

SCHEMA = "denas.model/1"
WEIGHTS = "model.safetensors"
CARD = "model.json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A network with its weights, on the CPU and in eval mode, and what it was trained for.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        network: The network.
        task: What it was trained for; None for a network that was not trained.
        facts: What the task needs to use it, see `TaskData.facts`.
        metrics: Metrics of the split it was chosen by.
        history: Where it comes from, fit for JSON: settings of its training, the run of its search.
    """

    space: SearchSpace
    arch: Architecture
    network: nn.Module
    task: Task[Any] | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    history: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def card(self) -> dict[str, Any]:
        """Return everything but the weights, fit for JSON."""
        return {
            "schema": SCHEMA,
            "space": _component(self.space),
            "arch": self.arch.as_dict(),
            "key": self.arch.key,
            "task": None if self.task is None else _component(self.task),
            "facts": dict(self.facts),
            "metrics": dict(self.metrics),
            "history": dict(self.history),
        }


def build_network(
    space: SearchSpace,
    arch: Architecture,
    *,
    task: Task[Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Return the structure of `arch` on the meta device, under the head of `task` if it has one."""
    import torch
    from torch import nn

    with torch.device("meta"):
        head = None
        if task is not None:
            head = task.head(head_width(space, space.build(arch, head=nn.Identity())), facts or {})
        return space.build(arch, head=head)


def save_model(directory: Path, model: TrainedModel) -> None:
    """Write `model` into `directory`, weights first: a card without its weights is never there.

    Raises:
        StorageError: the file system refuses.
    """
    from safetensors.torch import save

    with storage_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        weights = save(
            {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
        )
        write_atomically(directory / WEIGHTS, weights)
    write_json(
        directory / CARD,
        {
            **model.card(),
            "sha256": hashlib.sha256(weights).hexdigest(),
            "environment": environment(),
            "written": moment(),
        },
    )


def load_model(directory: Path | str, registry: Registry | None = None) -> TrainedModel:
    """Read what `save_model` wrote; the network is on the CPU, in eval mode.

    Args:
        directory: The folder.
        registry: Where space and task are found; by default all installed plugins.

    Raises:
        ConfigError: there is no model.
        NotInstalled: the plugin of its space or task is missing.
        StoreDamaged: the files do not belong together.
    """
    from safetensors.torch import load

    directory = Path(directory)
    card = read_card(directory)
    registry = registry or Registry.discover()
    space = registry.create("space", card["space"]["id"], card["space"]["options"], origin=CARD)
    task = card["task"] and registry.create("task", card["task"]["id"], card["task"]["options"], origin=CARD)
    arch = space.parse(json.dumps(card["arch"]), origin=CARD)
    with storage_errors(directory / WEIGHTS):
        weights = (directory / WEIGHTS).read_bytes()
    if hashlib.sha256(weights).hexdigest() != card["sha256"]:
        raise StoreDamaged(f"{str(directory / WEIGHTS)!r} is damaged: it is not what {CARD} was written for")
    # Loaded first for what is no weight, such as a table of indices.
    network = space.load(build_network(space, arch, task=task, facts=card["facts"]), arch, seed=0)
    network.load_state_dict(load(weights))
    return TrainedModel(
        space=space,
        arch=arch,
        network=network.eval(),
        task=task,
        facts=card["facts"],
        metrics=card["metrics"],
        history=card["history"],
    )


def read_card(directory: Path) -> dict[str, Any]:
    """Return what stands beside the weights in `directory`.

    Raises:
        ConfigError: there is no model, or one of a newer version.
        StoreDamaged: the card is no JSON.
    """
    path = directory / CARD
    if not path.is_file():
        raise ConfigError(
            f"{str(directory)!r} holds no trained model ({CARD} is missing); train one with 'denas train'"
        )
    with storage_errors(path):
        text = path.read_text(encoding="utf-8")
    try:
        card = json.loads(text)
    except ValueError as error:
        raise StoreDamaged(f"{str(path)!r} is damaged: {error}") from error
    if not isinstance(card, dict) or card.get("schema") != SCHEMA:
        raise ConfigError(
            f"{str(path)!r} is not of the form {SCHEMA!r} that this version reads; upgrade DE-NAS"
        )
    return card


def _component(component: Component) -> dict[str, Any]:
    return {"id": component.id, "options": component.options()}
