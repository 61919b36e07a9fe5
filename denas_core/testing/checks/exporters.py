"""What every exporter must do: write what gives the same outputs, wherever it is moved, for batches of any size."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError, PluginError
from denas_core.models.export import SIZES, largest_difference
from denas_core.models.trained import build_network
from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.samples.members import samples
from denas_core.testing.samples.surroundings import left_alone, silent
from denas_core.text import describe_error, safe_repr
from denas_core.values.batch import Batch

from .loading import fault_of

if TYPE_CHECKING:
    from denas_core.contracts.exporter import Exporter
    from denas_core.contracts.space import SearchSpace

FACTS = {"labels": ["a cat", "\N{DOG}", 'quote " and \\'], "mean": [0.5, 0.25], "size": 8}
MOST_TOLERANT = 1e-2


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """An export to check.

    Attributes:
        model: What was exported.
        artefact: What the exporter returned.
        directory: Where it was told to write.
    """

    model: TrainedModel
    artefact: Path
    directory: Path


def artefacts_lie_where_they_are_written(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """write() returns a path that exists, in the directory that it is given or the directory itself."""
    for written in _exports(exporter, spaces):
        path: Any = written.artefact
        require(
            isinstance(path, Path) and path.is_relative_to(written.directory) and path.exists(),
            f"write() returns {safe_repr(path)}, which is no file or folder in the directory that it was given; "
            "return the path of what a user opens",
        )


def outputs_are_those_of_the_network(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """What was written gives the outputs of the network, by name and within its tolerance."""
    from denas_core.models.deployable import deployable

    for written in _exports(exporter, spaces):
        try:
            largest_difference(exporter, deployable(written.model), written.artefact)
        except PluginError as error:
            require(
                False, f"{error}; write the network as it is in eval mode, and name its outputs as it does"
            )


def batches_of_any_size_run(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """outputs() takes batches of 1, 2 and 5 samples, and gives as many rows."""
    for written in _exports(exporter, spaces):
        for size in SIZES:
            inputs = written.model.space.batch(size, seed=0).inputs
            try:
                found = exporter.outputs(written.artefact, Batch(inputs=inputs))
            except Exception as error:
                require(
                    False,
                    f"a batch of {size} raises {describe_error(error)}; leave the first dimension of the inputs open",
                )
            rows = {name: len(tensor) for name, tensor in found.items()}
            require(
                set(rows.values()) == {size},
                f"for a batch of {size} the outputs have the rows {rows}; leave the first dimension of the inputs open",
            )


def artefacts_can_be_moved(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """What was written gives outputs after its directory is renamed, as it is when it is kept."""
    for written in _exports(exporter, spaces):
        moved = written.directory.with_name("moved")
        place = written.artefact.relative_to(written.directory)
        written.directory.rename(moved)
        try:
            exporter.outputs(moved / place, _batch(written.model))
        except Exception as error:
            require(
                False,
                f"after its directory is renamed outputs() raises {describe_error(error)}; keep no path in it",
            )


def models_are_left_alone(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """write() changes neither weights nor modes of the network, nor the facts."""
    for space in spaces:
        model = _model(space)
        before = _readings(model)
        with _folder() as folder, _refusals([]):
            exporter.write(model, folder)
        after = _readings(model)
        changed = [name for name, reading in before.items() if not _same(reading, after.get(name))]
        require(
            not changed and before.keys() == after.keys(),
            f"write() changes {safe_repr(changed or sorted(after.keys() ^ before.keys()))} of the model; work on a "
            "copy",
        )


def usage_runs(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """The lines of usage() run in a new Python process, in another directory."""
    # On one network: a new process that loads it takes seconds.
    for written in itertools.islice(_exports(exporter, spaces), 1):
        code = exporter.usage(written.model, written.artefact)
        fault = fault_of(code)
        require(
            not fault,
            f"usage() gives {safe_repr(code)}, which ends with {fault}; give whole lines that load it",
        )


def standalone_forms_need_no_denas(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """Where it is standalone for a network, the lines of usage() run in a process that cannot import DE-NAS."""
    if not exporter.standalone:
        raise CheckSkipped("what it writes is for DE-NAS; it is not standalone")
    alone = (written for written in _exports(exporter, spaces) if exporter.is_standalone(written.model))
    for written in itertools.islice(alone, 1):
        code = exporter.usage(written.model, written.artefact)
        owners = (type(exporter).__module__, type(written.model.space).__module__)
        fault = fault_of(code, absent=[owner.partition(".")[0] for owner in owners])
        require(
            not fault,
            f"without DE-NAS usage() ends with {fault}; make it stand alone, or is_standalone() False",
        )


def tolerance_is_small(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """Its tolerance is positive and at most 0.01: more would keep a network that answers otherwise."""
    tolerance = exporter.tolerance
    require(
        isinstance(tolerance, float) and 0 < tolerance <= MOST_TOLERANT,
        f"tolerance is {tolerance!r}; give the largest difference of outputs, relative to the largest, at most "
        f"{MOST_TOLERANT}",
    )


def it_leaves_the_process_alone(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """Exporting changes neither global random generators nor settings of torch nor the working directory."""
    for space in spaces:
        with left_alone("write() or outputs()"):
            _write_and_run(exporter, space)


def it_prints_nothing(exporter: Exporter, spaces: Sequence[SearchSpace]) -> None:
    """Exporting prints nothing."""
    for space in spaces:
        with silent("write() or outputs()"):
            _write_and_run(exporter, space)


def _exports(exporter: Exporter, spaces: Sequence[SearchSpace]) -> Iterator[Written]:
    refusals: list[str] = []
    count = 0
    for space in spaces:
        model = _model(space)
        with _folder() as folder, _refusals(refusals):
            artefact = exporter.write(model, folder)
            count += 1
            yield Written(model, artefact, folder)
    if spaces and not count:
        raise CheckSkipped(f"it refuses every network: {refusals[0]}")


def _write_and_run(exporter: Exporter, space: SearchSpace) -> None:
    model = _model(space)
    with _folder() as folder, _refusals([]):
        exporter.outputs(exporter.write(model, folder), _batch(model))


def _model(space: SearchSpace) -> TrainedModel:
    arch = samples(space, 1)[0]
    network = space.load(build_network(space, arch), arch, seed=0).eval()
    return TrainedModel(space=space, arch=arch, network=network, facts=json.loads(json.dumps(FACTS)))


def _batch(model: TrainedModel) -> Batch:
    return Batch(inputs=model.space.batch(2, seed=0).inputs)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "export"
        folder.mkdir()
        yield folder


@contextlib.contextmanager
def _refusals(told: list[str]) -> Iterator[None]:
    # A form may not suit every network: that it says so is all that can be asked of it then.
    try:
        yield
    except ConfigError as error:
        told.append(str(error))


def _readings(model: TrainedModel) -> dict[str, Any]:
    modes = {f"the mode of {name or 'the network'}": m.training for name, m in model.network.named_modules()}
    tensors = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    return {**tensors, **modes, "the facts": json.dumps(dict(model.facts))}


def _same(before: Any, after: Any) -> bool:
    import torch

    if isinstance(before, torch.Tensor):
        return isinstance(after, torch.Tensor) and torch.equal(before, after)
    return bool(before == after)


EXPORTER_CHECKS: tuple[Check, ...] = (
    artefacts_lie_where_they_are_written,
    outputs_are_those_of_the_network,
    batches_of_any_size_run,
    artefacts_can_be_moved,
    models_are_left_alone,
    usage_runs,
    standalone_forms_need_no_denas,
    tolerance_is_small,
    it_leaves_the_process_alone,
    it_prints_nothing,
)
