"""A model of latency that predicts the time of a network from the operators that it runs."""

from __future__ import annotations

import dataclasses
import math
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.seeding import digest
from denas_core.text import safe_repr
from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency

from .fit import TERMS, ModelError, terms_of
from .nonnegative import Floats
from .pieces import PieceReader
from .table import OperatorTable

SCHEMA = "denas.latency-model/1"
MOST_PIECES = 20_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """What latencies are predicted for.

    Attributes:
        probe: Id and options of the probe that measured, as ``{"name": ..., **options}``.
        batch_size: Samples of one call.
        device: ``cpu`` or ``cuda``.
        threads: Number of threads of one call.
        fingerprint: Hash of the machine, its software and all of the above, see `latency_fingerprint`.
        machine: Facts about the machine, for people.
    """

    probe: Mapping[str, Any]
    batch_size: int
    device: str
    threads: int
    fingerprint: str
    machine: Mapping[str, str]


class LatencyModel:
    """Predicts the latency of the networks of one space, for one probe on one machine. It is a `LatencyPredictor`.

    Attributes:
        space: The space whose networks it predicts.
        target: The probe and the machine.
        table: The times of operators there.
        weights: The weight of each of `fit.TERMS`.
        error: Its error on networks that it has not seen, on the machine where its weights were learnt.
        is_transferred: Whether that was another machine than the one whose operators were timed. The error is then
            unknown.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        target: Target,
        table: OperatorTable,
        weights: Mapping[str, float],
        error: ModelError,
        is_transferred: bool = False,
    ) -> None:
        self.space = space
        self.target = target
        self.table = table
        self.weights = dict(weights)
        self.error = error
        self.is_transferred = is_transferred
        self._weights = np.array([self.weights[name] for name in TERMS])
        self._reader = PieceReader(space, batch_size=target.batch_size)
        self._pieces: OrderedDict[Hashable, Floats] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return LatencyModel.from_dict, (self.as_dict(), self.space)

    def describe_error(self) -> str:
        """Return what is known of the error of its predictions, in words."""
        if not self.is_transferred:
            return str(self.error)
        return (
            "its error there is unknown, because no network was measured there; the correction was learnt on another "
            f"machine, with {self.error}"
        )

    def predict(self, arch: Architecture) -> Latency:
        """Return the predicted latency of one call, with the verdict ``predicted`` and the interval of the error."""
        ms = max(float(np.append(self.terms(arch), 1.0) @ self._weights), 1e-6)
        factor = math.exp(self.error.spread)
        return Latency(median=ms, low=ms / factor, high=ms * factor, verdict="predicted", rounds=0)

    def terms(self, arch: Architecture) -> Floats:
        """Return the value of each term of the model but the constant, for the network of `arch`."""
        total = np.zeros(len(TERMS) - 1)
        for piece in self.space.pieces(arch):
            if not piece.count:
                continue
            if piece.key not in self._pieces:
                if len(self._pieces) >= MOST_PIECES:
                    self._pieces.popitem(last=False)
                self._pieces[piece.key] = terms_of(self._reader.of_piece(piece), self.table)
            total += piece.count * self._pieces[piece.key]
        return total

    def as_dict(self) -> dict[str, Any]:
        """Return the model as JSON can represent it. The space is only named."""
        return {
            "schema": SCHEMA,
            "space": {"name": self.space.id, "options": self.space.portable()},
            "space_fingerprint": space_fingerprint(self.space),
            "target": dataclasses.asdict(self.target),
            "weights": self.weights,
            "error": dataclasses.asdict(self.error),
            "operators": self.table.as_list(),
            **({"transferred": True} if self.is_transferred else {}),
        }

    @classmethod
    def from_dict(
        cls, document: Mapping[str, Any], space: SearchSpace, *, origin: str = "latency model"
    ) -> LatencyModel:
        """Return the model that `as_dict` described.

        Raises:
            ConfigError: the document is damaged, or is for networks of another space.
        """
        check_document(document, origin=origin)
        if document["space_fingerprint"] != space_fingerprint(space):
            raise ConfigError(
                f"{origin} is a latency model of {document['space']['name']!r} with options "
                f"{safe_repr(document['space']['options'], 200)}, and not of this space with options "
                f"{safe_repr(space.options(), 200)}; calibrate this one with 'denas latency calibrate'"
            )
        try:
            return cls(
                space,
                target=Target(**document["target"]),
                table=OperatorTable.from_list(document["operators"]),
                weights={name: float(document["weights"][name]) for name in TERMS},
                error=ModelError(**document["error"]),
                is_transferred=document.get("transferred", False) is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(origin, error) from error


def space_fingerprint(space: SearchSpace) -> str:
    """Return a hash that is equal for spaces that give the same network for the same architecture."""
    return digest([space.id, space.fingerprint()])


def check_document(document: Mapping[str, Any], *, origin: str) -> None:
    """Check the format of a document that `LatencyModel.as_dict` returned.

    Raises:
        ConfigError: the document is not a latency model, or is damaged.
    """
    try:
        if document["schema"] != SCHEMA:
            raise ValueError(f"its format is {document['schema']!r}, not {SCHEMA!r}")
        for name in ("space", "target", "weights", "error"):
            if not isinstance(document[name], dict):
                raise TypeError(f"{name!r} is not a mapping")
        if not isinstance(document["space_fingerprint"], str) or not isinstance(document["operators"], list):
            raise TypeError("'space_fingerprint' or 'operators' is missing")
        numbers = [*document["weights"].values(), document["error"]["spread"]]
        if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
            raise ValueError("a weight is not a finite number")
        if not {"name", "options"} <= document["space"].keys():
            raise ValueError("its space has no name or options")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(origin, error) from error


def damaged(origin: str, error: Exception) -> ConfigError:
    """Return the error for a document that cannot be read."""
    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return ConfigError(
        f"{origin} is not a latency model, or is damaged: {reason}; write it again with 'denas latency export'"
    )
