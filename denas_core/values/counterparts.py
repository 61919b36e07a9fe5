"""Which module of a teacher a module of a network should imitate."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Counterpart:
    """A module of a network, and the module of its teacher whose output it should have.

    Attributes:
        module: Name of the module. It returns a tensor (samples, ..., features), or a sequence that begins with one.
        original: Name of the module of the teacher.
        features: For each feature of the module, its place among those of the module of the teacher.
    """

    module: str
    original: str
    features: tuple[int, ...]
