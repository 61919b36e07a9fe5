"""The origin of a training: an architecture of a run, and the task that fits its space."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError, Infeasible
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.runs.choices import chosen_key
from denas_core.runs.files import ARCHITECTURES, BEST, CONFIG, is_run, read_run
from denas_core.setup.config import make_config
from denas_core.setup.memory_limit import MEMORY_SHARE
from denas_core.setup.stored import check_unchanged
from denas_core.system.guarded_yaml import read_text
from denas_core.system.machine import memory_bytes
from denas_core.text import quantity
from denas_core.values.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn

COPIES = 2
"""The network, and the one that is read again from what was written."""

STREAMED_SHARE = 0.5
"""A network that takes more of the machine's memory, together with its copy, is read while it runs if that is possible.
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A run as training sees it.

    Attributes:
        path: Its directory.
        space: Its space.
        seed: Its seed.
        device: The device that its configuration names.
    """

    path: Path
    space: SearchSpace
    seed: int
    device: str

    def best(self) -> Architecture:
        """Return the best architecture.

        Raises:
            ConfigError: the search has none yet.
        """
        best = self.path / BEST
        if not best.is_file():
            raise ConfigError(
                f"run {str(self.path)!r} has no best architecture yet; finish its search: "
                f"denas search --resume {shlex.quote(str(self.path))}"
            )
        return self.space.parse(read_text(best), origin=str(best))

    def finalists(self) -> list[str]:
        """Return the keys of the finalists."""
        return sorted(file.stem for file in (self.path / ARCHITECTURES).glob("*.json"))

    def finalist(self, prefix: str) -> Architecture | None:
        """Return the finalist whose key begins with `prefix`, or None.

        Raises:
            ConfigError: several do.
        """
        files = sorted((self.path / ARCHITECTURES).glob("*.json"))
        found = [file for file in files if prefix and file.stem.startswith(prefix)]
        if len(found) > 1:
            raise ConfigError(
                f"{len(found)} finalists have keys that begin with {prefix!r}; write more of the key: "
                f"{', '.join(file.stem[:12] for file in found)}"
            )
        return self.space.parse(read_text(found[0]), origin=str(found[0])) if found else None


def read_origin(path: Path, registry: Registry, *, options: Mapping[str, Any]) -> Origin:
    """Return what training needs of a run.

    Args:
        path: Its directory.
        registry: The installed plugins.
        options: Options of its space that replace those of the run; they must not change the networks.

    Raises:
        ConfigError: there is no run, or its space has changed.
        StoreDamaged, StorageError: it cannot be read.
    """
    with read_run(path) as store:
        header = store.header()
    config = make_config(header["config"], origin=str(store.path))
    origin = "the command line" if options else ""
    space = registry.create("space", config.space.name, {**config.space.options, **options}, origin=origin)
    check_unchanged(space, header)
    return Origin(path=path, space=space, seed=config.seed, device=config.device)


def untrained_model(
    run: Path, registry: Registry, *, choice: str | None = None, streams: bool = False
) -> TrainedModel:
    """Return the network of a finalist of a run as a training would begin with it, without the head of a task.

    Weights are inherited if the space has a checkpoint, and otherwise fresh under the run's seed. A network that
    inherits has the head of the checkpoint, if its space says that there is one.

    Args:
        run: The run directory.
        registry: The installed plugins.
        choice: The first digits of a finalist's key, or a name of `CHOICES`; by default the best one.
        streams: Whether the network may read its weights while it runs, if it does not fit into memory twice.

    Raises:
        ConfigError: there is no run, it has no best architecture yet, or no such finalist.
        Infeasible: the network does not fit into memory.
    """
    from denas_core.setup.config import make_config, read_document
    from denas_core.system.guarded_yaml import read_text

    best = run / BEST
    if not is_run(run) or not best.is_file():
        raise ConfigError(
            f"{str(run)!r} is not a run with a best architecture ({best.name} is missing); finish its search first"
        )
    document, text = read_document(str(run / CONFIG))
    config = make_config(document, origin=str(run / CONFIG), text=text)
    space = registry.create("space", config.space.name, config.space.options)
    arch = space.parse(read_text(str(best)), origin=str(best))
    if choice is not None:
        origin = Origin(path=run, space=space, seed=config.seed, device=config.device)
        found = origin.finalist(chosen_key(run, choice))
        if found is None:
            raise ConfigError(
                f"no finalist of run {str(run)!r} has a key that begins with {choice!r}; choose from "
                f"{', '.join(key[:12] for key in origin.finalists())}"
            )
        arch = found
    weights: Literal["fresh", "inherited"] = "inherited" if space.inherits else "fresh"
    with plugin_errors(f"space {space.id!r}", guard=False):
        network = _begun(space, arch, seed=config.seed, weights=weights, streams=streams)
    return TrainedModel(
        space=space,
        arch=arch,
        network=network.eval(),
        history={"run": str(run), "weights": weights, "seed": config.seed},
    )


def _begun(
    space: SearchSpace,
    arch: Architecture,
    *,
    seed: int,
    weights: Literal["fresh", "inherited"],
    streams: bool,
) -> nn.Module:
    """Return the network of `arch` with the weights with which a training begins."""
    import torch

    from denas_core.networks.cost import weight_bytes

    head = space.own_head() if weights == "inherited" else None
    with torch.device("meta"):
        structure = space.build(arch, head=head)
    # What is written is read again and compared with the network.
    needed, available = COPIES * weight_bytes(structure), memory_bytes() or math.inf
    is_large = needed > available * STREAMED_SHARE
    if is_large and streams and weights == "inherited" and not space.reconstructs_weights(arch):
        streamed = space.stream(structure, arch, seed=seed)
        if streamed is not None:
            return streamed
    if needed > available * MEMORY_SHARE:
        raise Infeasible(
            f"the network and a copy take {quantity(needed)}B of memory, and {quantity(available * MEMORY_SHARE)}B are "
            "there; 'denas export --untrained --to huggingface' writes inherited weights that are not fitted without "
            "having all of them in memory"
        )
    network = space.load(structure, arch, seed=seed, weights=weights)
    return space.reconstruct(network, arch) if weights == "inherited" else network
