"""Exports: a trained model in another format. An export is kept only if it gives the same outputs as the model."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import glob
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.system.atomic import storage_errors, sync_directory, write_json
from denas_core.system.machine import environment, moment
from denas_core.text import safe_repr
from denas_core.values.batch import Batch, OpenDimension

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.contracts.space import SearchSpace

    from .deployable import Deployable

SCHEMA = "denas.export/1"
CARD = "card.json"
"""File in each export with what its user must know: labels, normalisation, shapes of inputs, and its origin."""

SIZES = (1, 2, 5)
"""Numbers of samples in the batches on which outputs are compared."""

PROOF_SEED = 1
"""Seed of these batches. Exporters trace the network with batches of other seeds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A finished export.

    Attributes:
        exporter: Id of the exporter.
        path: The file or folder that a user opens.
        directory: The directory with all files.
        size_mb: Total size of the files.
        difference: Largest difference from the network's own outputs, as a fraction of the largest output.
        tolerance: Largest allowed difference.
        usage: Python code that loads the export.
    """

    exporter: str
    path: Path
    directory: Path
    size_mb: float
    difference: float
    tolerance: float
    usage: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can represent them."""
        return {**dataclasses.asdict(self), "path": str(self.path), "directory": str(self.directory)}


def export_model(
    exporter: Exporter, model: TrainedModel, directory: Path, *, replace: bool = False
) -> Export:
    """Write `model` in the format of `exporter`, compare its outputs, and then move it to its place.

    The export is made in a hidden directory beside the target, so that an error leaves the target unchanged.

    Args:
        exporter: The exporter.
        model: The model, in eval mode.
        directory: The target. It is new or empty, or, with `replace`, an earlier export.
        replace: Whether an earlier export is replaced.

    Raises:
        ConfigError: the directory is in use, or the network cannot be written in this format.
        PluginError: the exporter fails, or the outputs of the export differ. The text says by how much.
        StorageError: the file system refuses.
    """
    from .deployable import deployable_network

    with storage_errors(directory):
        _recover(directory)
    check_target(directory, replace=replace)
    module = deployable_network(model)
    owner = f"exporter {exporter.id!r}"
    with _beside(directory) as partial:
        with plugin_errors(owner), storage_errors(directory):
            artefact = exporter.write(model, partial)
        place = _place(artefact, partial, owner)
        with plugin_errors(owner):
            difference = largest_difference(exporter, module, artefact)
            usage = exporter.usage(model, directory / place)
        write_json(
            partial / CARD,
            {
                "schema": SCHEMA,
                "exporter": exporter.reference(),
                "artefact": place.as_posix(),
                "difference": difference,
                **{name: value for name, value in model.card().items() if name != "schema"},
                "inputs": inputs_of(model.space),
                "outputs": list(module.output_names),
                "environment": environment(),
                "written": moment(),
            },
        )
        with storage_errors(directory):
            files = [path for path in partial.rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files)
            _sync(partial, files)
            _put(partial, directory)
    return Export(
        exporter=exporter.id,
        path=directory / place,
        directory=directory,
        size_mb=size / 1e6,
        difference=difference,
        tolerance=exporter.tolerance,
        usage=usage,
    )


def largest_difference(exporter: Exporter, module: Deployable, artefact: Path) -> float:
    """Return the largest difference between outputs of `artefact` and `module`, as a fraction of the largest output.

    Raises:
        PluginError: the difference exceeds the exporter's tolerance, or names or shapes of outputs differ.
        ConfigError: the network's own outputs are not finite.
    """
    import torch

    largest = 0.0
    for batch in proof_batches(module.space):
        inputs = batch.inputs
        with torch.inference_mode():
            expected = module.named(module(*inputs.values()))
        found = exporter.outputs(artefact, Batch(inputs=inputs))
        if set(found) != set(expected):
            raise PluginError(
                f"what {exporter.id!r} wrote has the outputs {safe_repr(sorted(found))}, the network "
                f"{sorted(expected)}; nothing is kept"
            )
        for name, tensor in expected.items():
            largest = max(largest, _difference(exporter, name, tensor, found[name]))
    return largest


def proof_batches(space: SearchSpace) -> Iterator[Batch]:
    """Yield the batches on which outputs are compared. In the last one, open dimensions have half their size."""
    from .deployable import shortened

    for size in SIZES:
        yield space.batch(size, seed=PROOF_SEED)
    last = space.batch(SIZES[-1], seed=PROOF_SEED)
    if last.open:
        yield shortened(last)


def inputs_of(space: SearchSpace) -> list[dict[str, Any]]:
    """Return name, shape and type of each input of the networks of `space`, as JSON can represent them."""
    batch = space.batch(1, seed=0)
    return [
        {"name": name, "shape": _shape(tensor, batch.open.get(name, {})), "dtype": _dtype(tensor)}
        for name, tensor in batch.inputs.items()
    ]


def _shape(tensor: Tensor, open: Mapping[int, OpenDimension]) -> list[str | int]:
    return [
        "batch",
        *(open[place].name if place in open else tensor.shape[place] for place in range(1, tensor.dim())),
    ]


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def check_target(directory: Path, *, replace: bool) -> None:
    """Check that an export would not overwrite anything.

    Raises:
        ConfigError: the target is a file, or a directory with files that may not be replaced.
    """
    if directory.name in ("", ".."):
        raise ConfigError(
            f"{str(directory)!r} cannot be replaced as a whole; name a directory of its own with --out"
        )
    with storage_errors(directory):
        if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
            return
    if not _is_export(directory):
        raise ConfigError(f"{str(directory)!r} exists and is not an export; name another place with --out")
    if not replace:
        raise ConfigError(
            f"{str(directory)!r} holds an export already; write it again with --replace, or name another place with "
            "--out"
        )


def read_card(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the directory and the card of an export, or None if there is none.

    Args:
        path: The directory of an export, or a file or folder in it.
    """
    for directory in (path, path.parent):
        try:
            card = json.loads((directory / CARD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(card, dict) and card.get("schema") == SCHEMA:
            return directory, card
    return None


def _is_export(directory: Path) -> bool:
    found = read_card(directory)
    return found is not None and found[0] == directory


def _place(artefact: Path, directory: Path, owner: str) -> Path:
    if not isinstance(artefact, Path) or not artefact.is_relative_to(directory) or not artefact.exists():
        raise PluginError(
            f"{owner} returns {safe_repr(artefact)}, which is not a file or folder that it has written"
        )
    return artefact.relative_to(directory)


def _difference(exporter: Exporter, name: str, expected: Tensor, found: Tensor) -> float:
    size = len(expected)
    if found.shape != expected.shape:
        raise PluginError(
            f"what {exporter.id!r} wrote gives {name!r} the shape {tuple(found.shape)} for a batch of {size}, the "
            f"network {tuple(expected.shape)}; nothing is kept"
        )
    if not expected.isfinite().all():
        raise ConfigError(
            f"the network's own output {name!r} is not finite on noise, so there is nothing to compare with; train it "
            "again with a smaller learning rate"
        )
    scale = float(expected.double().abs().max()) or 1.0
    difference = float((found.double() - expected.double()).abs().max()) / scale
    # The comparison is not written with >, because NaN would then be accepted.
    if not difference <= exporter.tolerance:
        raise PluginError(
            f"what {exporter.id!r} wrote differs from the network by {difference:.2g} of its largest output {name!r} "
            f"for a batch of {size}, and {exporter.tolerance:g} is allowed; nothing is kept, choose another form"
        )
    return difference


@contextlib.contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """Yield an empty directory beside `directory`. After an error it is removed."""
    with storage_errors(directory):
        missing = [parent for parent in directory.parents if not parent.exists()]
        directory.parent.mkdir(parents=True, exist_ok=True)
        for leftover in directory.parent.glob(f".{glob.escape(directory.name)}.*.partial"):
            _remove_abandoned(leftover)
        partial = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}.partial")
        partial.mkdir()
        lock = os.open(partial, os.O_RDONLY)
        # The lock is held while this process lives. It distinguishes work in progress from what a killed process left.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in missing:
            with contextlib.suppress(OSError):  # the folder contains other files
                parent.rmdir()
        raise
    finally:
        os.close(lock)


def _remove_abandoned(leftover: Path) -> None:
    descriptor = os.open(leftover, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    finally:
        os.close(descriptor)
    shutil.rmtree(leftover, ignore_errors=True)


def _sync(directory: Path, files: list[Path]) -> None:
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for folder in (path for path in directory.rglob("*") if path.is_dir()):
        sync_directory(folder)
    sync_directory(directory)


def _recover(directory: Path) -> None:
    # A kill between the two steps of a replacement leaves the earlier export under another name.
    if directory.name and (former := _former(directory)).exists():
        if directory.exists():
            shutil.rmtree(former, ignore_errors=True)
        else:
            former.rename(directory)


def _former(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.former")


def _put(partial: Path, directory: Path) -> None:
    former = _former(directory)
    if _is_export(directory):
        directory.rename(former)
    try:
        # This also replaces an empty directory.
        partial.rename(directory)
    except OSError:
        if former.exists():
            former.rename(directory)
        raise
    sync_directory(directory.parent)
    shutil.rmtree(former, ignore_errors=True)
