"""An input that a network cannot take has a fault, and all others are answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from denas_core import Answer, Batch, Metric, Outputs, Predictor, Split, Task
from denas_core.errors import ConfigError, Infeasible, PluginError
from denas_core.system.memory import memory_errors
from denas_core.testing.samples.spaces import SampleMLP


class Numbers(Split[float]):
    """One number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def __len__(self) -> int:
        return 1

    def sample(self, index: int, rng: Any = None) -> float:
        return self.number


@dataclasses.dataclass(kw_only=True)
class Doubling(Task[float]):
    """Answers with what the network makes of a number."""

    metric = Metric(name="accuracy")

    def why_unsuitable(self, space: Any) -> str:
        return ""

    def read(self, data: Path, space: Any, *, facts: Any = None) -> Any:
        raise ConfigError("there are no data")

    def head(self, width: int, facts: Any) -> None:
        return None

    def loss(self, outputs: Outputs, targets: Any, *, label_smoothing: float = 0.0) -> Tensor:
        return outputs.features.sum()

    def metrics(self, predictions: Tensor, targets: Any, split: Any) -> dict[str, float]:
        return {}

    def items(self, path: Path) -> Iterator[tuple[str, Any]]:
        if path.name == "nothing":
            return
        yield f"{path}:1", "1"
        if path.name == "broken":
            yield f"{path}:2", ConfigError("line 2 is not a number")
            yield f"{path}:3", "3"
            raise OSError("the disk has gone")

    def item(self, text: str) -> float:
        return float(text)

    def input_reader(self, space: Any, *, facts: Any) -> Callable[[float], Split[float]]:
        return Numbers

    def collate(self, samples: Any, rng: Any = None) -> Any:
        return Batch(inputs={"x": torch.tensor(samples)[:, None]}), {}

    def details(self, space: Any, network: Any, batch: Batch, outputs: Outputs, split: Any) -> Tensor:
        if (batch.inputs["x"] == 8).any():
            raise ConfigError("this network does not write")
        return outputs.features

    def answer(self, details: Tensor, split: Any, *, facts: Any) -> Answer:
        if float(details) == 14:
            raise ValueError("no name for 14")
        return Answer(text=f"{float(details):g}")


def predictor(fault: BaseException, *, network: nn.Module | None = None, batch_size: int = 4) -> Predictor:
    """Return a predictor whose network doubles numbers, and raises `fault` for a number above 100."""

    def forward(batch: Batch) -> Outputs:
        if (batch.inputs["x"] > 100).any():
            raise fault
        return Outputs(features=2 * batch.inputs["x"], logits={})

    return Predictor(
        path=Path("model"),
        space=SampleMLP().named("sample/mlp"),
        task=Doubling().named("sample/doubling"),
        facts={},
        forward=forward,
        network=network,
        batch_size=batch_size,
    )


@pytest.mark.parametrize("network", [None, nn.Identity()])
@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (ConfigError("at most 100"), ConfigError, "at most 100"),
        (RuntimeError("size mismatch"), PluginError, "failed: RuntimeError: size mismatch"),
    ],
)
def test_a_network_that_refuses_an_input_answers_the_others_of_its_batch(
    fault: Exception, kind: type[Exception], said: str, network: nn.Module | None
) -> None:
    found = predictor(fault, network=network)(["1", "200", "3", "x", "5", "6", "400"])
    assert [each.answer and each.answer.text for each in found] == ["2", None, "6", None, "10", "12", None]
    assert [each.name for each in found if isinstance(each.fault, kind) and said in str(each.fault)] == [
        "200",
        "400",
    ]
    assert "failed: ValueError: could not convert" in str(found[3].fault)


def test_an_answer_that_fails_is_a_fault_of_its_input() -> None:
    first, failed, last = predictor(RuntimeError())(["1", "7", "2"])
    assert first.answer is not None and last.answer is not None
    assert failed.answer is None and "ValueError: no name for 14" in str(failed.fault)


def test_what_a_task_refuses_for_every_input_ends_it() -> None:
    with pytest.raises(ConfigError, match="does not write"):
        predictor(RuntimeError())(["1", "8"])


def test_memory_that_runs_out_is_no_fault_of_an_input() -> None:
    with pytest.raises(Infeasible, match="lower --batch-size"), memory_errors(4):
        predictor(torch.OutOfMemoryError("CUDA out of memory"))(["1", "200"])


def test_a_path_that_cannot_be_read_to_its_end_keeps_what_was_read_and_the_next_path() -> None:
    one = predictor(RuntimeError())
    found = list(one.stream(one.named_inputs([Path("broken"), Path("whole")])))
    assert [each.answer and each.answer.text for each in found] == ["2", None, "6", None, "2"]
    assert [each.name for each in found] == ["broken:1", "broken:2", "broken:3", "broken", "whole:1"]
    assert "line 2" in str(found[1].fault) and "the disk has gone" in str(found[3].fault)


def test_a_path_that_holds_nothing_is_named() -> None:
    one = predictor(RuntimeError())
    empty, whole = one.stream(one.named_inputs([Path("nothing"), Path("whole")]))
    assert isinstance(empty.fault, ConfigError) and "'nothing' has nothing to answer" in str(empty.fault)
    assert whole.answer is not None


def test_a_full_batch_is_answered_before_the_next_input_is_read() -> None:
    read: list[str] = []

    def inputs() -> Iterator[tuple[str, str]]:
        for text in ("1", "2", "3"):
            read.append(text)
            yield text, text

    answers = predictor(RuntimeError(), batch_size=2).stream(inputs())
    assert next(answers).name == "1" and read == ["1", "2"]
    assert [each.name for each in answers] == ["2", "3"]
