"""Exports: a trained model in another format. An export is kept only if it gives the same outputs as the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.system.atomic import storage_errors, write_atomically, write_json
from denas_core.system.machine import environment, moment
from denas_core.text import safe_repr
from denas_core.values.batch import Batch, OpenDimension
from denas_core.values.html import paragraphs_html
from denas_core.values.preprocessing import SCHEMA as PREPROCESSING

from .export_folder import CARD, SCHEMA, export_folder, files_in, place_of

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.contracts.space import SearchSpace
    from denas_core.contracts.task import Task

    from .deployable import Deployable
    from .predictor import Predictor

SIZES = (1, 2, 5)
"""Numbers of samples in the batches on which outputs are compared."""

SMALL_OUTPUT = 0.1
"""Smaller outputs count as this: they are differences of larger numbers, and rounding is relative to those."""

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

    def predictor(self, **options: Any) -> Predictor:
        """Return the export as a `Predictor`; the options are those of `Predictor.load`."""
        from .predictor import Predictor

        return Predictor.load(self.directory, **options)

    def _repr_html_(self) -> str:
        exported = f"{self.exporter}: {self.path} ({self.size_mb:.3g} MB)"
        checked = f"largest difference from the network: {self.difference:.2g}; {self.tolerance:g} is allowed"
        return paragraphs_html([exported, checked, "load it in Python with:", *self.usage.splitlines()])


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
    from .portable import portable_model, without_paths

    model = portable_model(model)
    owner = f"exporter {exporter.id!r}"
    with export_folder(directory, replace=replace) as partial:
        module = deployable_network(model)
        with plugin_errors(owner), storage_errors(directory):
            artefact = exporter.write(model, partial)
        place = place_of(artefact, partial, owner)
        with plugin_errors(owner):
            difference = largest_difference(exporter, module, artefact)
            usage = exporter.usage(model, directory / place)
            beside = model.preprocessing()
            preprocessing = describe_inputs(model, module.output_names, **exporter.own_inputs(model))
        for name, text in ({} if beside is None else beside.files()).items():
            if not (partial / name).exists():
                write_atomically(partial / name, text)
        write_json(
            partial / CARD,
            {
                "schema": SCHEMA,
                "exporter": without_paths(exporter.reference()),
                "artefact": place.as_posix(),
                "difference": difference,
                **{name: value for name, value in model.card().items() if name != "schema"},
                "inputs": inputs_of(model.space, model.task),
                "outputs": list(module.output_names),
                "preprocessing": preprocessing,
                "environment": environment(),
                "written": moment(),
            },
        )
        with storage_errors(directory):
            size = sum(path.stat().st_size for path in files_in(partial))
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
    run = exporter.opened(artefact)
    for batch in proof_batches(module.space, module.task):
        inputs = batch.inputs
        with torch.inference_mode():
            expected = module.named(module(*inputs.values()))
        found = run(Batch(inputs=inputs))
        if set(found) != set(expected):
            raise PluginError(
                f"what {exporter.id!r} wrote has the outputs {safe_repr(sorted(found))}, the network "
                f"{sorted(expected)}; nothing is kept"
            )
        for name, tensor in expected.items():
            largest = max(largest, _difference(exporter, name, tensor, found[name]))
    return largest


def proof_batches(space: SearchSpace, task: Task[Any] | None = None) -> Iterator[Batch]:
    """Yield the batches on which outputs are compared. In the last one, open dimensions have half their size.

    Args:
        space: The space.
        task: The task whose batches have further inputs; None for none.
    """
    from .deployable import batch_of, shortened

    for size in SIZES:
        yield batch_of(space, task, size, seed=PROOF_SEED)
    last = batch_of(space, task, SIZES[-1], seed=PROOF_SEED)
    if last.open:
        yield shortened(last)


def inputs_of(space: SearchSpace, task: Task[Any] | None = None) -> list[dict[str, Any]]:
    """Return name, shape and type of each input of the networks of `space`, as JSON can represent them.

    Args:
        space: The space.
        task: The task whose batches have further inputs; None for none.
    """
    from .deployable import batch_of

    batch = batch_of(space, task, 1)
    return [
        {"name": name, "shape": _shape(tensor, batch.open.get(name, {})), "dtype": _dtype(tensor)}
        for name, tensor in batch.inputs.items()
    ]


def describe_inputs(model: TrainedModel, output_names: Sequence[str], **others: Any) -> dict[str, Any]:
    """Return what the inputs of the network of `model` are made of and what its outputs mean, fit for JSON.

    Args:
        model: The model.
        output_names: Names of the outputs.
        others: What the description of a form says otherwise, see `Exporter.own_inputs`.
    """
    known = model.preprocessing()
    labels = model.facts.get("labels")
    return {
        **({} if known is None else known.as_dict()),
        # What the exported network has comes last: a class of a plugin may override `as_dict`.
        "schema": PREPROCESSING,
        "inputs": inputs_of(model.space, model.task),
        "outputs": list(output_names),
        **({"labels": labels} if labels else {}),
        **others,
    }


def file_facts(model: TrainedModel, output_names: Sequence[str], **others: Any) -> dict[str, Any]:
    """Return what a file says of its network: facts of the task, space, architecture, and ``preprocessing``.

    Args:
        model: The model.
        output_names: Names of the outputs.
        others: See `describe_inputs`.
    """
    described = describe_inputs(model, output_names, **others)
    return {**model.facts, "space": model.space.id, "key": model.arch.key, "preprocessing": described}


def _shape(tensor: Tensor, open: Mapping[int, OpenDimension]) -> list[str | int]:
    return [
        "batch",
        *(open[place].name if place in open else tensor.shape[place] for place in range(1, tensor.dim())),
    ]


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


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
    scale = max(float(expected.double().abs().max()), SMALL_OUTPUT)
    difference = float((found.double() - expected.double()).abs().max()) / scale
    # The comparison is not written with >, because NaN would then be accepted.
    if not difference <= exporter.tolerance:
        raise PluginError(
            f"what {exporter.id!r} wrote differs from the network by {difference:.2g} of its largest output {name!r} "
            f"for a batch of {size}, and {exporter.tolerance:g} is allowed; nothing is kept, choose another form"
        )
    return difference
