"""How a search comes to predict latencies: a model of this machine, which the run keeps for when it goes on."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from denas_core.contracts.component import Component
from denas_core.contracts.prediction import Predicts
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, DenasError, Infeasible, NoResult, StorageError, StoreDamaged
from denas_core.isolation.guard import guarded
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.latency.calibrate import SECONDS, calibrated_model
from denas_core.latency.exchange import imported_model
from denas_core.latency.model import LatencyModel
from denas_core.registry.registry import Registry
from denas_core.runs.files import LATENCY_MODEL
from denas_core.system.atomic import storage_errors
from denas_core.text import describe_error, one_line

from .config import ComponentConfig, RunConfig
from .setup import Setup

SCHEMA = "denas.run-latency-model/1"
SHARE = 1 / 3
"""The largest share of a time budget that a calibration takes."""

USABLE_TAU = 0.5
"""A model whose order of unseen networks agrees less with measurements is not used."""

GIVEN = "given"
IMPORTED = "imported"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """The latency model of a run, as the run keeps it.

    Attributes:
        predictor: Predicts latencies.
        source: ``cache``, ``calibrated`` (measured for this run), ``imported`` (from another machine) or ``given`` (an
            object of a Python program).
        error: Its error on networks that it has not seen, in words; empty if it does not say it.
        model: What the predictor can be made from again; None for an object of a Python program.
        machine: Name of the other machine whose latency it predicts; None for the machine of the search.
        is_restored: Whether an earlier part of the run had it.
    """

    predictor: Predicts
    source: str
    error: str
    model: dict[str, Any] | None = None
    machine: str | None = None
    is_restored: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the document of the file in the run."""
        other = {} if self.machine is None else {"machine": self.machine}
        return {"schema": SCHEMA, "source": self.source, "error": self.error, "model": self.model, **other}

    def describe(self, *, measures: bool = True) -> str:
        """Return a sentence for the user; `measures` is whether finalists are measured on this machine."""
        origin = {
            "cache": "an earlier calibration of this machine",
            "calibrated": "a calibration of this machine just now",
            IMPORTED: "the model that was imported",
        }.get(self.source, "an object of the Python program")
        origin = "the model that the run keeps" if self.is_restored else origin
        error = self.error or "its error is not known"
        if self.machine is not None:
            return (
                f"latency is predicted for machine {self.machine!r} ({origin}; {error}), and nothing is measured "
                "here"
            )
        then = (
            "and finalists are measured at the end"
            if measures
            else "from networks of few layers, because whole networks take too much memory. Theirs is the error above; "
            "that of whole networks is unknown, and none of them is measured"
        )
        return f"latency is predicted ({origin}; {error}), {then}"


def begin_predictions(
    setup: Setup,
    *,
    predictor: Predicts | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> KeptModel | None:
    """Let a new search predict latencies if it should, and return the model to be kept in the run.

    Where there can be no model, the search measures each candidate and a notice says why.

    Args:
        setup: The objects of the search.
        predictor: Predicts latencies in place of a model of this machine.
        on_progress: Is called with the number of networks that are measured for a calibration, and the number that will
            be.

    Raises:
        ConfigError, Infeasible, StorageError: the user can do something about it, such as install a runtime.
    """
    if not _wants_predictions(setup):
        return None
    machine = setup.config.search.machine
    if machine is not None:
        kept = _imported(setup, machine, predictor)
        setup.predict_latency(kept.predictor)
        setup.notices.append(kept.describe(measures=setup.measures))
        return kept
    if names := setup.unpredictable:
        _measure_instead(setup, f"{', '.join(names)} cannot be predicted")
        return None
    if predictor is not None:
        error = getattr(predictor, "error", None)
        kept = KeptModel(predictor=predictor, source=GIVEN, error="" if error is None else str(error))
    else:
        try:
            kept = _usable(setup, on_progress)
        except (ConfigError, Infeasible, StorageError):
            raise
        except Exception as error:
            why = one_line(error) if isinstance(error, DenasError) else describe_error(error)
            _measure_instead(setup, f"there is no model of it: {why}")
            return None
    setup.predict_latency(kept.predictor)
    setup.notices.append(kept.describe(measures=setup.measures))
    return kept


def with_probe_of_machine(
    config: RunConfig, registry: Registry, *, objects: Mapping[str, Component] | None = None
) -> RunConfig:
    """Return the configuration of a search for another machine, with the probe whose latencies its model predicts.

    Args:
        config: The configuration of a new search; it is returned as it is if it names no machine.
        registry: The installed plugins.
        objects: Components made by the caller, by kind.

    Raises:
        ConfigError: no model of the space was imported for the machine, or it is that of another probe than the one
            that the configuration names.
    """
    machine = config.search.machine
    if machine is None:
        return config
    given = objects or {}
    space = given.get("space") or registry.create("space", config.space.name, config.space.options)
    assert isinstance(space, SearchSpace), "the registry and the caller have made it"
    with plugin_errors(f"space {space.id!r}"):
        known = dict(imported_model(space, machine).target.probe)
    if "probe" in config.model_fields_set:
        wanted = given.get("probe") or registry.create("probe", config.probe.name, config.probe.options)
        asked = {"name": wanted.id, **(wanted.options() if "probe" in given else config.probe.options)}
        if changed := [name for name in asked if known.get(name) != asked[name]]:
            raise ConfigError(
                f"the latency model of machine {machine!r} is that of probe {known['name']!r} with "
                f"{', '.join(f'{name}={value}' for name, value in known.items() if name != 'name') or 'no options'}, "
                f"and not with {', '.join(f'{name}={asked[name]}' for name in changed)}; leave out the probe, or "
                "import a model of that one"
            )
    return config.model_copy(update={"probe": ComponentConfig(**known)})


def restore_predictions(setup: Setup, run: Path, *, predictor: Predicts | None = None) -> KeptModel | None:
    """Let a resumed search predict latencies as it did before; None if it did not.

    Args:
        setup: The objects of the search.
        run: The run directory.
        predictor: The object that the search was begun with, if it was one.

    Raises:
        ConfigError: the search was begun with an object, which is not given now.
        StoreDamaged, StorageError: the model that the run keeps cannot be read.
    """
    if not _wants_predictions(setup):
        return None
    kept = read_model(run, setup, predictor=predictor)
    setup.predict_latency(kept.predictor)
    setup.notices.append(kept.describe(measures=setup.measures))
    return kept


def read_model(run: Path, setup: Setup, *, predictor: Predicts | None = None) -> KeptModel:
    """Return the model that a run keeps.

    Raises:
        ConfigError, StoreDamaged, StorageError: see `restore_predictions`.
    """
    document = read_document(run)
    if document is None:
        raise StoreDamaged(
            f"run {str(run)!r} has lost its {LATENCY_MODEL}, so the latency of its candidates cannot be predicted; put "
            "it back, or start a new run"
        )
    source, error = document["source"], document["error"]
    if source == GIVEN:
        if predictor is None:
            raise ConfigError(
                f"run {str(run)!r} predicts latency by an object of a Python program; resume it from Python with "
                f"denas_core.resume({str(run)!r}, predictor=...)"
            )
        return KeptModel(predictor=predictor, source=source, error=error, is_restored=True)
    origin = str(run / LATENCY_MODEL)
    try:
        model = LatencyModel.from_dict(document["model"], setup.space, origin=origin)
    except ConfigError as failure:
        raise _damaged(run, failure) from failure
    return KeptModel(
        predictor=model,
        source=source,
        error=error,
        model=document["model"],
        machine=setup.config.search.machine,
        is_restored=True,
    )


def read_document(run: Path) -> dict[str, Any] | None:
    """Return the document of the latency model of a run; None if it has none.

    Raises:
        StoreDamaged, StorageError: it cannot be read.
    """
    path = run / LATENCY_MODEL
    with storage_errors(path):
        if not path.is_file():
            return None
        content = path.read_bytes()
    try:
        document: dict[str, Any] = json.loads(content)
        if document["schema"] != SCHEMA:
            raise ValueError(f"its format is {document['schema']!r}")
        if not isinstance(document["source"], str) or not isinstance(document["error"], str):
            raise ValueError("its source or its error is not a text")
        if not isinstance(document["model"], dict if document["source"] != GIVEN else type(None)):
            raise ValueError("its model is missing")
        return document
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(run, error) from error


def _damaged(run: Path, error: Exception) -> StoreDamaged:
    return StoreDamaged(
        f"{str(run / LATENCY_MODEL)!r} is damaged: {describe_error(error)}; put it back from a copy, or start a new "
        f"run with --config {shlex.quote(str(run))}"
    )


def _wants_predictions(setup: Setup) -> bool:
    return setup.probe is not None and setup.config.search.latency == "predicted"


def _imported(setup: Setup, machine: str, predictor: Predicts | None) -> KeptModel:
    """Return the model of another machine.

    Raises:
        ConfigError: there is none, it is of no use, or something is asked for that it cannot predict.
    """
    if predictor is not None:
        raise ConfigError(
            f"search.machine {machine!r} and predictor exclude each other; leave one of them out"
        )
    if names := setup.unpredictable:
        raise ConfigError(
            f"{', '.join(names)} cannot be predicted, and machine {machine!r} is not here to be measured; leave out "
            "what asks for it"
        )
    with plugin_errors(f"space {setup.space.id!r}"):
        model = imported_model(setup.space, machine)
    if not _agrees(model):
        raise ConfigError(
            f"the latency model of machine {machine!r} does not agree with measurements ({model.error}); calibrate "
            "there again when the machine is idle, and import the new model"
        )
    return KeptModel(
        predictor=model,
        source=IMPORTED,
        error=model.describe_error(),
        model=model.as_dict(),
        machine=machine,
    )


def _measure_instead(setup: Setup, reason: str) -> None:
    setup.measure_candidates()
    setup.notices.append(f"the latency of each candidate is measured, because {reason}")


def _usable(setup: Setup, on_progress: Callable[[int, int], None] | None) -> KeptModel:
    """Return a model of this machine; one from the cache that is not usable is measured again.

    Raises:
        NoResult: its predictions hardly agree with measurements, for example because the machine is too noisy.
    """
    kept = _calibrated(setup, on_progress)
    if kept.source == "cache" and not _agrees(kept.predictor):
        kept = _calibrated(setup, on_progress, fresh=True)
    if not _agrees(kept.predictor):
        raise NoResult(f"it does not agree with measurements ({kept.error}), so the machine may be too noisy")
    return kept


def _agrees(predictor: Predicts) -> bool:
    assert isinstance(predictor, LatencyModel)
    tau = predictor.error.tau
    return tau is not None and tau >= USABLE_TAU


def _calibrated(
    setup: Setup, on_progress: Callable[[int, int], None] | None, *, fresh: bool = False
) -> KeptModel:
    measured = 0

    def progress(done: int, total: int) -> None:
        nonlocal measured
        measured = done
        if on_progress is not None:
            on_progress(done, total)

    assert setup.probe is not None, "_wants_predictions has checked it"
    budget = setup.budget.seconds
    with guarded():
        model = calibrated_model(
            setup.space,
            setup.probe,
            seed=setup.config.seed,
            device=setup.device,
            threads=setup.config.threads,
            seconds=SECONDS if budget is None else min(SECONDS, SHARE * budget),
            on_progress=progress,
            fresh=fresh,
        )
    return KeptModel(
        predictor=model,
        source="calibrated" if measured else "cache",
        error=str(model.error),
        model=model.as_dict(),
    )
