"""The messages between a supervisor and its workers. They are the same whatever carries them.

A work message holds a lease and an architecture. An answer holds the lease of its work and an evaluation, or the
exception that the function of the job raised. Both are JSON, so that an answer can be checked before it is believed.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import pickle
from collections.abc import Mapping
from typing import Any

from denas_core.text import describe_error
from denas_core.values.architecture import Architecture
from denas_core.values.contender import Contender
from denas_core.values.number import coerce_score
from denas_core.values.trial import STATES, Evaluation

LARGEST_ANSWER = 1_000_000
"""An answer with more bytes than this is refused. A usual one has about 500."""


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """An architecture to evaluate.

    Attributes:
        lease: Number of this hand-out. A second hand-out of the same architecture has another number, so that the
            answer to the first one is recognised as late.
        arch: The architecture.
    """

    lease: int
    arch: Architecture

    def encode(self) -> bytes:
        """Return the message."""
        arch = self.arch
        rungs = arch.as_message() if isinstance(arch, Contender) else None
        return json.dumps([self.lease, arch.space, list(arch.values.items()), arch.key, rungs]).encode()

    @classmethod
    def decode(cls, message: bytes) -> Work:
        """Return the work of a message that `encode` made."""
        lease, space, values, key, rungs = json.loads(message)
        if rungs is None:
            return cls(lease, Architecture(space, dict(values), key))
        return cls(lease, Contender.from_message(space, dict(values), key, rungs))


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The result of a piece of work: an evaluation, or what the function raised.

    Attributes:
        lease: The lease of the work.
        evaluation: The evaluation; None if the function raised an exception.
        raised: The exception; None if there is an evaluation.
    """

    lease: int
    evaluation: Evaluation | None = None
    raised: BaseException | None = None

    def encode(self) -> bytes:
        """Return the message. An evaluation that JSON cannot represent becomes a failed evaluation."""
        if self.evaluation is None:
            return json.dumps({"lease": self.lease, "raised": _pickled(self.raised)}).encode()
        try:
            text = json.dumps({"lease": self.lease, **_content(self.evaluation)}, allow_nan=False)
        except (TypeError, ValueError) as error:
            failed = Evaluation(state="failed", reason=f"the result cannot be sent: {describe_error(error)}")
            text = json.dumps({"lease": self.lease, **_content(failed)})
        return text.encode()

    @classmethod
    def decode(cls, message: bytes) -> Answer:
        """Return the answer of a message.

        Raises:
            ValueError: the message is not an answer.
        """
        if len(message) > LARGEST_ANSWER:
            raise ValueError(f"an answer of {len(message)} bytes")
        try:
            found = json.loads(message)
            lease = found.pop("lease")
            if not isinstance(lease, int):
                raise TypeError("a lease that is not a number")
            if "raised" in found:
                return cls(lease, raised=_unpickled(found["raised"]))
            return cls(lease, _evaluation(found))
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(describe_error(error)) from error


def _content(evaluation: Evaluation) -> dict[str, Any]:
    fields = {field.name: getattr(evaluation, field.name) for field in dataclasses.fields(evaluation)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in fields.items()}


def _evaluation(found: dict[str, Any]) -> Evaluation:
    if found.get("state") not in STATES or not isinstance(found.get("reason"), str):
        raise ValueError("an answer without a state and a reason")
    for name in ("components", "metrics", "seconds"):
        for value in found[name].values():
            coerce_score(value)
    coerce_score(found["violation"])
    return Evaluation(**found)


def _pickled(error: BaseException | None) -> str:
    try:
        content = pickle.dumps(error)
    except Exception:
        content = pickle.dumps(RuntimeError(describe_error(error) if error else "unknown"))
    return base64.b64encode(content).decode()


def _unpickled(text: str) -> BaseException:
    # It comes from a process that this one has started, or that runs the same job for it.
    error = pickle.loads(base64.b64decode(text))  # noqa: S301
    return error if isinstance(error, BaseException) else RuntimeError("a worker raised something else")
