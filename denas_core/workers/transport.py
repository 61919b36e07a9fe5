"""What a supervisor needs from the processes or machines that evaluate: a transport to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, Protocol


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened to a worker.

    Attributes:
        worker: The name of the worker.
        kind: ``ready``: it has loaded the job and can take work; ``answer``: it has answered; ``lost``: it has ended,
            or cannot be reached any more; ``returned``: it has left in an orderly way and gives its work back;
            ``unable``: it cannot load the job.
        message: The answer, see `denas_core.workers.messages.Answer`.
        reason: Why the worker is lost or unable, as text for the user.
        is_final: Whether the worker was lost because of its work, so that evaluating it again is pointless.
    """

    worker: str
    kind: Literal["ready", "answer", "lost", "returned", "unable"]
    message: bytes = b""
    reason: str = ""
    is_final: bool = False


class Transport(Protocol):
    """Carries jobs, work and answers to and from workers. It replaces workers that are lost.

    A transport decides nothing about candidates: the supervisor gives leases, counts attempts and watches deadlines.
    """

    def load(self, job: bytes) -> None:
        """Send a job, see `dump_job`, to each worker, present or future. Start workers if none has been started.

        Raises:
            ConfigError: no worker can be started. The text says what the user can do.
        """

    def free(self) -> Sequence[str]:
        """Return the names of the workers that can take a piece of work now."""

    def send(self, worker: str, message: bytes) -> None:
        """Give a piece of work to a free worker. A worker that has ended meanwhile becomes a ``lost`` event later."""

    def wait(self, seconds: float) -> Sequence[Event]:
        """Return what has happened, as soon as something has, or after `seconds`."""

    def end(self, worker: str) -> None:
        """End a worker that does not answer, at once, and replace it. No event follows."""

    def close(self) -> None:
        """End every worker. A later `load` starts new ones."""
