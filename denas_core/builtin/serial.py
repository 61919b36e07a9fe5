"""The executor for one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from denas_core.contracts.executor import Executor
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation


@dataclasses.dataclass(kw_only=True)
class Serial(Executor):
    """Evaluates one architecture after another in this process."""

    def run(
        self, evaluate: Callable[[Architecture], Evaluation], work: Iterable[tuple[int, Architecture]]
    ) -> Iterator[tuple[int, Evaluation]]:
        """Yield each result as soon as it is known."""
        for index, arch in work:
            yield index, evaluate(arch)
