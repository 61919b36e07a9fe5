from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from denas_toy.scores import Height
from denas_toy.stairs import Stairs

from denas_core.agreement.columns import DEPTH_WIDTH
from denas_core.agreement.depth_width import DepthTimesWidth
from denas_core.agreement.measured import MeasuredNetworks
from denas_core.agreement.measuring import Measuring
from denas_core.builtin.serial import Serial
from denas_core.contracts.problem import Problem
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

REASON = "timed out: no result after 10 min"


@dataclasses.dataclass(kw_only=True)
class Losing(Serial):
    """An executor that loses the worker of the first architecture."""

    def run(
        self, evaluate: Callable[[Architecture], Evaluation], work: Iterable[tuple[int, Architecture]]
    ) -> Iterator[tuple[int, Evaluation]]:
        for index, arch in work:
            yield index, Evaluation(state="failed", reason=REASON) if index == 0 else evaluate(arch)


def test_a_lost_worker_is_a_failure_of_every_column_and_is_not_tried_again(tmp_path: Path) -> None:
    space = Stairs().named("toy/stairs")
    networks = [space.smallest(), space.full()]
    header = {"distributions": {}, "generation": 1}
    measured = MeasuredNetworks(tmp_path, 0, header)
    measuring = Measuring(
        problem=Problem(space),
        components={"height": Height(), DEPTH_WIDTH: DepthTimesWidth()},
        device="cpu",
        threads=1,
        executor=Losing().named("test/losing"),
    )
    measuring.run(networks, {0: measured}, out=tmp_path)
    lost, kept = (measured.of(arch) for arch in networks)
    assert lost.failures == {"height": REASON, DEPTH_WIDTH: REASON}
    assert kept.values.keys() | kept.failures.keys() == {"height", DEPTH_WIDTH}
    measured.close()
    again = MeasuredNetworks(tmp_path, 0, header)
    assert again.of(networks[0]).missing(["height", DEPTH_WIDTH]) == []
    again.close()
