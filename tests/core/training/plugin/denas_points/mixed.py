"""A combined score, one of whose components says nothing."""

import dataclasses

from denas_core import CombinedScore, ProxyScore

from .space import Size


@dataclasses.dataclass(kw_only=True)
class Digits(ProxyScore):
    """The digits of the key of an architecture, which are as good as random."""

    def measure(self, candidate):
        return float(int(candidate.arch.key[:8], 16))


@dataclasses.dataclass(kw_only=True)
class Mixed(CombinedScore):
    """The size of a network, and the digits of its key."""

    def default_weights(self, space):
        return {"size": 1.0, "digits": 1.0, "latency": 0.0}

    def component(self, name, space):
        return {"size": Size, "digits": Digits}[name]() if name in ("size", "digits") else None
