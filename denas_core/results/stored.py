"""The result of a run that is on disk."""

from __future__ import annotations

from pathlib import Path

from denas_core.registry.registry import Registry
from denas_core.runs.files import RESULT, read_document, read_run
from denas_core.runs.measurements import OF_SEARCH, with_measurements
from denas_core.setup.stored import stored_setup

from .calibrated import calibrated_setup
from .result import SearchResult, make_result


def load_run(path: str | Path) -> SearchResult:
    """Return the result of a search from its run directory, as the search returned it.

    A calibration of the run is in force. A run that has not ended gives what it has so far.

    Args:
        path: The run directory.

    Raises:
        ConfigError: there is no run, or its space has changed since.
        NotInstalled, PluginError: one of its plugins cannot be had.
        NoResult: no trial is scored.
        StoreDamaged, StorageError: it cannot be read.
    """
    path = Path(path)
    registry = Registry.discover()
    with read_run(path) as store:
        header, trials, measured = store.header(), store.trials(), store.measurements()
    setup = calibrated_setup(path, stored_setup(header, registry, origin=str(path)), registry)
    return make_result(
        path,
        setup,
        with_measurements(trials, measured.get(OF_SEARCH, {})),
        is_finished=read_document(path / RESULT).get("finished") is True,
    )
