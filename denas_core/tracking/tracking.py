"""The trackers of a search or a training. A tracker that fails is left out, and the work goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from denas_core.errors import StorageError
from denas_core.runs.files import read_document
from denas_core.system.atomic import write_json
from denas_core.text import describe_error

from .experiment import Experiment
from .names import TrackerName

if TYPE_CHECKING:
    from .opening import OpenTracker

IDENTITIES = "trackers.json"
"""A file beside the work with what a resume needs to go on with the same experiments."""


class Tracking:
    """The trackers of one search or training.

    Attributes:
        notify: Called with a sentence for the user when a tracker fails.
    """

    def __init__(
        self, names: Sequence[TrackerName], experiment: Experiment, *, notify: Callable[[str], object]
    ) -> None:
        self.notify = notify
        self._names = tuple(dict.fromkeys(names))
        self._experiment = experiment
        self._open: list[OpenTracker] = []
        self._made_state = False

    def start(self, *, step: int) -> None:
        """Start the trackers, or go on with the experiments of an earlier start, after so many steps."""
        from .opening import OpenTracker

        # Accelerate's trackers need its state. A training has one; a search must leave none behind, because the state
        # decides on which device a later training in this process computes.
        state = import_module("accelerate").PartialState
        self._made_state = not state._shared_state
        state(cpu=True)
        path = self._experiment.directory / IDENTITIES
        before = read_document(path)
        known: dict[str, Any] = {}
        for name in self._names:
            found = before.get(name)
            identity = found if isinstance(found, dict) else {}

            def begin(name: TrackerName = name, identity: Mapping[str, Any] = identity) -> None:
                opened = OpenTracker(name, self._experiment, identity, step=step)
                self._open.append(opened)
                known[name] = opened.identity

            self._try(name, begin)
        try:
            write_json(path, {**before, **known})
        except StorageError as error:
            self.notify(f"a resume would begin new experiments in trackers: {error}")

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        """Log numbers of a step."""
        for tracker in list(self._open):
            if not self._try(tracker.name, lambda tracker=tracker: tracker.log(values, step=step)):  # type: ignore[misc]
                self._open.remove(tracker)

    def finish(self) -> None:
        """Close the trackers."""
        for tracker in self._open:
            self._try(tracker.name, tracker.finish)
        self._open.clear()
        if self._made_state:
            import_module("accelerate").PartialState._reset_state()
            self._made_state = False

    def _try(self, name: str, call: Callable[[], None]) -> bool:
        """Return whether a call of a tracker has ended without an error; tell the user if it has not."""
        try:
            call()
        except Exception as error:
            self.notify(f"tracker {name!r} failed and is left out from here on: {describe_error(error)}")
            return False
        return True
