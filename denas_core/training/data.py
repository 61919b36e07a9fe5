"""Batches of a split. Seed, epoch and sample alone decide their order and their augmentation."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from denas_core.contracts.split import Split
from denas_core.contracts.task import Task
from denas_core.errors import DenasError
from denas_core.seeding import derive_rng, derive_seed

SPREAD = 0.05
"""Share by which lengths are blurred before they are sorted, so that each epoch has other batches."""


class Draw(NamedTuple):
    """A request for one sample of one batch. It contains the epoch, which processes that read samples do not know."""

    epoch: int
    batch: int
    sample: int


class EpochBatches(Sampler[list[Draw]]):
    """The part of the batches of an epoch that one process reads.

    Samples that do not fill a batch are left out of an epoch, other samples each time: a batch of one sample would
    break batch normalisation. Shuffled samples with lengths are batched by length, so that there is little padding.
    """

    def __init__(
        self,
        samples: int,
        batch_size: int,
        *,
        seed: int,
        shuffle: bool,
        lengths: Sequence[float] | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """Prepare the batches.

        Args:
            samples: Samples of the split.
            batch_size: Samples of a batch over all processes, at most `samples` and a multiple of `world`.
            seed: Seed of the order.
            shuffle: Whether the order differs from that of the split.
            lengths: Length of each sample; None if samples have no length.
            rank: Number of this process.
            world: Number of processes.
        """
        self.epoch = 0
        self._samples, self._batch_size, self._seed, self._shuffle = samples, batch_size, seed, shuffle
        self._lengths = None if lengths is None else torch.tensor(lengths, dtype=torch.float64)
        self._share = batch_size // world
        self._first = rank * self._share

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration draws."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self._samples // self._batch_size

    def __iter__(self) -> Iterator[list[Draw]]:
        epoch = self.epoch
        order = torch.arange(self._samples)
        if self._shuffle:
            generator = torch.Generator().manual_seed(derive_seed(self._seed, "order", epoch))
            order = torch.randperm(self._samples, generator=generator)
            if self._lengths is not None:
                order = self._by_length(order, self._lengths, generator)
        samples = order.tolist()
        for batch in range(len(self)):
            start = batch * self._batch_size + self._first
            yield [Draw(epoch, batch, sample) for sample in samples[start : start + self._share]]

    def _by_length(self, order: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
        drawn = order[: len(self) * self._batch_size]
        noise = torch.empty(len(drawn), dtype=torch.float64).uniform_(
            1 - SPREAD, 1 + SPREAD, generator=generator
        )
        batches = (lengths[drawn] * noise).argsort(stable=True).view(len(self), self._batch_size)
        # Within a batch the drawn order stays, so that short and long samples are spread over the processes.
        return drawn[batches[torch.randperm(len(self), generator=generator)].sort(1).values].flatten()


class Draws(Dataset[Any]):
    """The augmented samples of a split to learn from."""

    def __init__(self, split: Split[Any], *, seed: int) -> None:
        self._split, self._seed = split, seed

    def __len__(self) -> int:
        return len(self._split)

    def __getitems__(self, draws: Sequence[Draw]) -> tuple[Draw, list[Any]]:
        return draws[0], [
            self._split.sample(draw.sample, derive_rng(self._seed, "augment", draw.epoch, draw.sample))
            for draw in draws
        ]


class Collator:
    """Joins the samples of a batch into the arguments of `TrainableNetwork`."""

    def __init__(self, task: Task[Any], *, seed: int) -> None:
        self._task, self._seed = task, seed

    def __call__(self, drawn: Any) -> dict[str, Any]:
        first, samples = drawn
        batch, targets = self._task.collate(
            samples, derive_rng(self._seed, "collate", first.epoch, first.batch)
        )
        return {"batch": batch, "targets": targets}


class Loader(DataLoader[Any]):
    """A loader that passes the number of the epoch on to its batches."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration draws."""
        assert isinstance(self.batch_sampler, EpochBatches)
        self.batch_sampler.set_epoch(epoch)


def training_loader(
    split: Split[Any], task: Task[Any], batches: EpochBatches, *, seed: int, workers: int
) -> Loader:
    """Return the loader of a split to learn from."""
    return Loader(
        Draws(split, seed=seed),
        batch_sampler=batches,
        collate_fn=Collator(task, seed=seed),
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=ignore_interrupts,
        # Without a generator of its own, a loader uses the global one, at moments that a resume does not repeat.
        generator=torch.Generator().manual_seed(0),
    )


def lengths_of(split: Split[Any]) -> list[float] | None:
    """Return the length of each sample, or None if one has none."""
    lengths: list[float] = []
    for index in range(len(split)):
        length = split.length(index)
        if length is None:
            return None
        lengths.append(length)
    return lengths


def ignore_interrupts(_: int) -> None:
    """Ignore Ctrl-C in a process that reads samples: a terminal sends it to all processes, and the main one reacts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def worker_faults() -> Iterator[None]:
    """Restore the one line of an error in a process that reads samples, of which torch makes a traceback."""
    try:
        yield
    except DenasError as error:
        text = str(error).strip()
        if "in DataLoader worker process" not in text:
            raise
        raise type(error)(text.splitlines()[-1].partition(": ")[2]) from error
