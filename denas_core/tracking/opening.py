"""One tracker of Accelerate, which writes into the folder of a run and uses no network unless the user asks for it."""

from __future__ import annotations

import contextlib
import io
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from .experiment import EVENTS, Experiment
from .names import TrackerName


class OpenTracker:
    """A tracker that logs.

    Attributes:
        name: Its name.
        identity: What a resume needs to go on with the same experiment.
    """

    def __init__(
        self, name: TrackerName, experiment: Experiment, identity: Mapping[str, Any], *, step: int
    ) -> None:
        """Start a tracker, and store the configuration unless an earlier start has done so.

        Args:
            name: Its name.
            experiment: What it shows.
            identity: What an earlier start has returned; empty for a new experiment.
            step: The step after which the experiment goes on; later ones of an earlier start are hidden if possible.

        Raises:
            Exception: whatever the library raises.
        """
        self.name = name
        self._variables = _VARIABLES[name](experiment)
        with self._calling():
            self._tracker = _MAKERS[name](experiment, identity, step)
            # Only the first process of a training has trackers.
            self._tracker.main_process_only = False
            self._tracker.start()
            self.identity = {**_identity(name, self._tracker), **identity}
            if not identity and name in _STORING:
                self._tracker.store_init_configuration(dict(experiment.settings))

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        """Log numbers of a step."""
        with self._calling():
            self._tracker.log(dict(values), step=step)

    def finish(self) -> None:
        """Write what is not written yet, and close the tracker."""
        with self._calling():
            if self.name == "trackio":
                # The end of a run by itself would be called again when Python ends.
                import_module("trackio").finish()
            else:
                self._tracker.finish()

    @contextlib.contextmanager
    def _calling(self) -> Iterator[None]:
        """Set the variables that the user has not set, and let nothing be printed on standard output."""
        added = {name: value for name, value in self._variables.items() if name not in os.environ}
        os.environ.update(added)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        finally:
            for name in added:
                os.environ.pop(name, None)


def _identity(name: TrackerName, tracker: Any) -> dict[str, Any]:
    if name == "mlflow":
        return {"id": tracker.tracker.info.run_id}
    return {"id": tracker.init_kwargs["id"]} if name == "wandb" else {"started": True}


def _tensorboard(experiment: Experiment, identity: Mapping[str, Any], step: int) -> Any:
    return import_module("accelerate.tracking").TensorBoardTracker(
        EVENTS, logging_dir=str(experiment.directory), purge_step=step + 1 if step else None
    )


def _mlflow(experiment: Experiment, identity: Mapping[str, Any], step: int) -> Any:
    return import_module("accelerate.tracking").MLflowTracker(
        experiment_name=experiment.project,
        run_id=identity.get("id"),
        run_name=experiment.name,
        nested_run=import_module("mlflow").active_run() is not None,
    )


def _wandb(experiment: Experiment, identity: Mapping[str, Any], step: int) -> Any:
    return import_module("accelerate.tracking").WandBTracker(
        experiment.project,
        name=experiment.name,
        id=identity.get("id") or uuid.uuid4().hex[:8],
        resume="allow",
        config=dict(experiment.settings),
        # A run that the user has open in this process stays as it is.
        reinit="create_new",
    )


def _trackio(experiment: Experiment, identity: Mapping[str, Any], step: int) -> Any:
    folder = str(import_module("trackio.utils").TRACKIO_DIR)
    if folder != os.environ["TRACKIO_DIR"]:
        raise RuntimeError(f"a process has one folder for Trackio, and this one has {folder!r} already")
    return import_module("accelerate.tracking").TrackioTracker(
        experiment.project,
        name=experiment.name,
        resume="allow",
        config=dict(experiment.settings),
        embed=False,
        auto_log_gpu=False,
        auto_log_cpu=False,
    )


_MAKERS: dict[TrackerName, Callable[[Experiment, Mapping[str, Any], int], Any]] = {
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
    "wandb": _wandb,
    "trackio": _trackio,
}

_STORING = ("tensorboard", "mlflow")
"""The trackers that get the configuration by a call of its own; the others get it when they start."""

_VARIABLES: dict[TrackerName, Callable[[Experiment], dict[str, str]]] = {
    "tensorboard": lambda experiment: {},
    "mlflow": lambda experiment: {
        "MLFLOW_TRACKING_URI": (experiment.folder / "mlflow").as_uri(),
        # MLflow refuses to write files without it, and a database does not suit several processes.
        "MLFLOW_ALLOW_FILE_STORE": "true",
    },
    "wandb": lambda experiment: {
        "WANDB_MODE": "offline",
        "WANDB_DIR": str(experiment.folder),
        "WANDB_CACHE_DIR": str(experiment.folder / "wandb" / "cache"),
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
    },
    "trackio": lambda experiment: {"TRACKIO_DIR": str(experiment.folder / "trackio")},
}
"""What each library reads from its environment. A variable that the user has set keeps its value."""
