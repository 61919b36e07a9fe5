"""What every exporter promises: what it writes gives the same outputs, wherever it lies, for batches of any size."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from denas_core.contracts.exporter import Exporter
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.trained_model import TrainedModel
from denas_core.errors import ConfigError, PluginError
from denas_core.models.export import SIZES, largest_difference
from denas_core.models.trained import build_network
from denas_core.testing.check import CheckSkipped, check, check_on, fail, must_succeed
from denas_core.testing.samples.built import contents_of
from denas_core.testing.samples.difference import brief
from denas_core.testing.samples.members import samples
from denas_core.values.batch import Batch

from .calls import Call, Loan
from .processes import fault_of

Spaces = tuple[SearchSpace, ...]

FACTS = {"labels": ["a cat", "\N{DOG}", 'quote " and \\'], "mean": [0.5, 0.25], "size": 8}
MOST_TOLERANT = 1e-2


@dataclasses.dataclass(frozen=True, slots=True)
class Export:
    """What was exported, the path that the exporter returned, and the directory that it was given."""

    model: TrainedModel
    artefact: Path
    directory: Path


def exports(exporter: Exporter, spaces: Spaces) -> Iterator[Export]:
    """Yield the export of a network of each space that the exporter accepts; skip the check if it accepts none."""
    refusals, count = [], 0
    for space in spaces:
        model = _model(space)
        with _folder() as folder:
            try:
                artefact = exporter.write(model, folder)
            except ConfigError as error:
                # A form may not suit every network: that the exporter says so is all that can be asked of it then.
                refusals.append(str(error))
                continue
            count += 1
            yield Export(model, artefact, folder)
    if not count:
        raise CheckSkipped(f"it refuses every network: {refusals[0]}")


def first_export(exporter: Exporter, spaces: Spaces) -> Iterator[Export]:
    """Yield one export alone, for checks that start a process, which takes seconds."""
    yield from itertools.islice(exports(exporter, spaces), 1)


def standalone_export(exporter: Exporter, spaces: Spaces) -> Iterator[Export]:
    """Yield one export that runs without DE-NAS, if there is one."""
    if not exporter.standalone:
        raise CheckSkipped("what it writes is for DE-NAS; it is not standalone")
    for export in exports(exporter, spaces):
        if exporter.is_standalone(export.model):
            yield export
            return


def calls(exporter: Exporter, spaces: Spaces) -> Iterator[list[Call]]:
    """Yield how an export calls an exporter."""
    yield from ([_call(exporter, space)] for space in spaces)


def loans(exporter: Exporter, spaces: Spaces) -> Iterator[Loan]:
    """Yield the calls of an exporter with a trained model that others use too."""
    yield from (_loan(exporter, _model(space)) for space in spaces)


@check_on(exports)
def artefacts_can_be_moved(exporter: Exporter, export: Export) -> None:
    """write() returns a path in its directory, which gives outputs after that is renamed, as it is when it is kept."""
    path: Any = export.artefact
    if not isinstance(path, Path) or not path.is_relative_to(export.directory) or not path.exists():
        fail(f"write() returns {brief(path)}, which is not in its directory; return what a user opens")
    moved = export.directory.with_name("moved")
    export.directory.rename(moved)
    with must_succeed("after its directory is renamed outputs()", "keep no path in what is written"):
        exporter.outputs(moved / path.relative_to(export.directory), _batch(export.model))


@check_on(exports)
def outputs_are_those_of_the_network(exporter: Exporter, export: Export) -> None:
    """What was written gives the outputs of the network, by name and within its tolerance."""
    from denas_core.models.deployable import deployable_network

    try:
        largest_difference(exporter, deployable_network(export.model), export.artefact)
    except PluginError as error:
        fail(f"{error}; write the network as it is in eval mode, and name its outputs as it does")


@check_on(exports)
def batches_of_any_size_run(exporter: Exporter, export: Export) -> None:
    """outputs() takes batches of several sizes, one sample among them, and gives as many rows."""
    advice = "leave the first dimension of the inputs open"
    for size in SIZES:
        with must_succeed(f"outputs() of a batch of {size}", advice):
            found = exporter.outputs(export.artefact, _batch(export.model, size))
        rows = {name: len(tensor) for name, tensor in found.items()}
        if set(rows.values()) != {size}:
            fail(f"for a batch of {size} the outputs have the rows {rows}; {advice}")


@check_on(first_export)
def usage_runs(exporter: Exporter, export: Export) -> None:
    """The lines of usage() run in a new Python process, in another directory."""
    code = exporter.usage(export.model, export.artefact)
    if fault := fault_of(code):
        fail(f"usage() gives {brief(code)}, which ends with {fault}; give whole lines that load it")


@check_on(standalone_export)
def standalone_forms_need_no_denas(exporter: Exporter, export: Export) -> None:
    """Where it is standalone for a network, the lines of usage() run in a process that cannot import DE-NAS."""
    owners = (type(exporter).__module__, type(export.model.space).__module__)
    absent = [owner.partition(".")[0] for owner in owners]
    if fault := fault_of(exporter.usage(export.model, export.artefact), absent=absent):
        fail(f"without DE-NAS usage() ends with {fault}; make it stand alone, or is_standalone() False")


@check
def tolerance_is_small(exporter: Exporter) -> None:
    """Its tolerance is positive and at most 0.01: more would keep a network that answers otherwise."""
    if not isinstance(exporter.tolerance, float) or not 0 < exporter.tolerance <= MOST_TOLERANT:
        fail(f"tolerance is {exporter.tolerance!r}; give a relative difference up to {MOST_TOLERANT}")


def _call(exporter: Exporter, space: SearchSpace) -> Call:
    return Call("write() or outputs()", lambda seed: _exported(exporter, _model(space)))


def _loan(exporter: Exporter, model: TrainedModel) -> Loan:
    run = partial(_exported, exporter, model)
    return Loan("write()", run, lambda: {**contents_of(model.network), "facts": dict(model.facts)})


def _exported(exporter: Exporter, model: TrainedModel) -> Any:
    with _folder() as folder, contextlib.suppress(ConfigError):
        return exporter.outputs(exporter.write(model, folder), _batch(model))
    return None


def _model(space: SearchSpace) -> TrainedModel:
    arch = samples(space, 1)[0]
    network = space.load(build_network(space, arch), arch, seed=0).eval()
    return TrainedModel(space=space, arch=arch, network=network, facts=json.loads(json.dumps(FACTS)))


def _batch(model: TrainedModel, size: int = 2) -> Batch:
    return Batch(inputs=model.space.batch(size, seed=0).inputs)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "export"
        folder.mkdir()
        yield folder
