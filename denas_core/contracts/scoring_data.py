"""The user's data in a run of scores: the batches that replace noise, the head of the network and the loss."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, keep_notices
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.seeding import digest

from .split import Split
from .task import Task, TaskData, build_network

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.values.architecture import Architecture
    from denas_core.values.batch import Batch, Outputs

    from .space import SearchSpace, Variant

Drawn = tuple["Batch", dict[str, "Tensor"]]
"""A batch, and its targets by name."""

IDENTIFYING_SAMPLES = 32
"""Number of samples, spread over the data, that `ScoringData.fingerprint` reads."""


class ScoringData:
    """A data set from which passes take their batches in place of noise.

    The task that reads the data also gives the head of each network and the loss. Scores therefore see the network that
    would be trained on the data. A batch is drawn from the samples for training, without augmentation.

    Attributes:
        task: The task.
        path: The data set.
    """

    def __init__(
        self,
        space: SearchSpace,
        task: Task[Any],
        path: Path,
        *,
        facts: Mapping[str, Any] | None = None,
        batches: Mapping[tuple[int, int], Drawn] | None = None,
    ) -> None:
        """Use the data set at `path` for networks of `space`. It is read when something is needed from it.

        Args:
            space: The space.
            task: The task that reads the data.
            path: The data set.
            facts: What is known of the data already, see `TaskData.facts`.
            batches: Batches that are drawn already, by size and seed.
        """
        self.task = task
        self.path = path
        self._space = space
        self._data: TaskData[Any] | None = None
        self._facts = facts
        self._batches: dict[tuple[int, int], Drawn] = dict(batches or {})
        self._record: dict[str, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process gets the batches, because reading and preparing the data may take minutes.
        drawn: dict[str, Any] = {"facts": self.facts(), "batches": self._batches}
        return functools.partial(ScoringData, **drawn), (self._space, self.task, self.path)

    def open(self) -> TaskData[Any]:
        """Return the data set. It is read at the first call.

        Raises:
            ConfigError: it is missing, damaged, empty or unsuitable.
        """
        if self._data is None:
            with plugin_errors(f"task {self.task.id!r}", guard=False):
                data = self.task.read(self.path, self._space)
            with keep_notices(lambda: data.notices):
                if not len(data.train or ()):
                    raise ConfigError(f"{str(self.path)!r} holds no sample to score with")
            self._data = data
        return self._data

    def __len__(self) -> int:
        """Return the number of samples to draw from."""
        return len(self._samples())

    def __bool__(self) -> bool:
        """Return True, also before the data are read."""
        return True

    def facts(self) -> Mapping[str, Any]:
        """Return what the task knows of the data, see `TaskData.facts`."""
        if self._facts is None:
            self._facts = self.open().facts
        return self._facts

    def check_size(self, size: int) -> None:
        """Check that a batch of `size` different samples can be drawn.

        Raises:
            ConfigError: there are fewer samples.
        """
        samples = len(self._samples())
        if size > samples:
            raise ConfigError(
                f"a score needs a batch of {size} samples, and {str(self.path)!r} has {samples} to train on; lower the "
                "batch_size of the score, or use more data"
            )

    def build(self, arch: Architecture, *, variant: Variant = "full") -> nn.Module:
        """Return the network of `arch` on the meta device, with the head of the task."""
        return build_network(self._space, arch, task=self.task, facts=self.facts(), variant=variant)

    def draw(self, size: int, *, seed: int) -> Drawn:
        """Return a batch of `size` different samples, and its targets by name, on the CPU. The caller gets copies."""
        if (size, seed) not in self._batches:
            self.check_size(size)
            split = self._samples()
            chosen = random.Random(seed).sample(range(len(split)), size)
            with plugin_errors(f"task {self.task.id!r}", guard=False):
                batch, targets = self.task.collate([split.sample(index) for index in chosen])
            if not batch.positions:
                batch = dataclasses.replace(batch, positions=self._positions(batch))
            self._batches[size, seed] = batch, targets
        batch, targets = self._batches[size, seed]
        copies = dataclasses.replace(
            batch, inputs={name: tensor.clone() for name, tensor in batch.inputs.items()}
        )
        return copies, {name: tensor.clone() for name, tensor in targets.items()}

    def losses(self, outputs: Outputs, targets: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of each sample, (samples,)."""
        import torch

        losses = []
        for index in range(len(outputs.features)):
            sample = slice(index, index + 1)
            of_sample = dataclasses.replace(
                outputs,
                features=outputs.features[sample],
                logits={name: tensor[sample] for name, tensor in outputs.logits.items()},
                masks={name: mask[sample] for name, mask in outputs.masks.items()},
            )
            losses.append(
                self.task.loss(of_sample, {name: target[sample] for name, target in targets.items()})
            )
        return torch.stack(losses)

    def fingerprint(self) -> str:
        """Return what identifies the data: a hash of its facts, its number of samples and a few of the samples.

        Of real numbers, only the rounded mean of each sample counts, because processors round them differently.
        """
        split = self._samples()
        step = max(len(split) // IDENTIFYING_SAMPLES, 1)
        rows = []
        for index in range(0, len(split), step)[:IDENTIFYING_SAMPLES]:
            with plugin_errors(f"task {self.task.id!r}", guard=False):
                batch, targets = self.task.collate([split.sample(index)])
            rows.append({name: _summary(tensor) for name, tensor in {**batch.inputs, **targets}.items()})
        identity = {"facts": dict(self.facts()), "samples": len(split), "rows": rows}
        return digest(identity)

    def as_dict(self) -> dict[str, Any]:
        """Return the record of the data for the header of a run."""
        if not self._record:
            self._record = {"fingerprint": self.fingerprint(), "samples": len(self._samples())}
        return dict(self._record)

    def _samples(self) -> Split[Any]:
        data = self.open()
        assert data.train is not None
        return data.train

    def _positions(self, batch: Batch) -> int:
        """Return the positions of a sample if the network has any, so that a pass can run in parts."""
        if not self._space.batch(1, seed=0, kind="noise").positions:
            return 0
        return max(tensor.shape[1] for tensor in batch.inputs.values() if tensor.dim() > 1)


def _summary(tensor: Tensor) -> list[Any]:
    shape = list(tensor.shape)
    if tensor.is_floating_point():
        return [shape, round(float(tensor.double().mean()), 2)]
    return [shape, hashlib.sha256(tensor.long().numpy().tobytes()).hexdigest()[:16]]
