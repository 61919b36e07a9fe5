"""Answers for new inputs from Python: one call does what ``denas predict`` does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from denas_core.models.predictor import Prediction, Predictor
from denas_core.system.extras import require_extra
from denas_core.system.memory import memory_errors
from denas_core.text import one_line
from denas_core.values.html import table_html

from .places import HasPath, path_of
from .training_options import device_of


class Predictions(list[Prediction]):
    """Predictions in the order of their inputs. A notebook shows them as a table."""

    def _repr_html_(self) -> str:
        rows = [
            [
                one.name,
                str(one.fault) if one.answer is None else one.answer.text,
                ""
                if one.answer is None or one.answer.probability is None
                else f"{one.answer.probability:.3f}",
            ]
            for one in self
        ]
        return table_html(["input", "answer", "probability"], rows)


def predict(
    model: str | Path | HasPath | Predictor,
    inputs: Any,
    *,
    device: str = "auto",
    batch_size: int = 32,
) -> Predictions:
    """Return the answers of a trained model, or of an export, for inputs.

    >>> import denas_core
    >>> denas_core.predict("runs/cv-cnn-1", ["holiday.jpg"])[0].answer.text  # doctest: +SKIP
    'cat'

    Args:
        model: A trained run or model, an export, or the result of `search`, `train`, `race`, `build` or `export`; a
            `Predictor`, which is loaded only once, for many calls.
        inputs: One input or several: files, folders of files, texts, or what the task takes.
        device: Where a trained model runs: ``auto``, ``cpu`` or ``cuda``; exports run on the CPU.
        batch_size: Samples of a batch.

    Returns:
        A `Prediction` for each input, in order. If one of several inputs cannot be answered, its ``fault`` says why.

    Raises:
        ConfigError: there is no model at the path, it was trained for no task, or the only input cannot be answered.
        NotInstalled: a plugin of the model is missing.
        StoreDamaged: the file of the model is damaged.
    """
    if isinstance(model, Predictor):
        predictor = model
    else:
        require_extra("train", "safetensors", purpose="a trained model")
        path = path_of(model, what="a trained model")
        predictor = Predictor.load(path, device=device_of(device), batch_size=batch_size)
    are_several = isinstance(inputs, (Sequence, Iterator)) and not isinstance(inputs, (str, bytes))
    with memory_errors(batch_size):
        found = Predictions(predictor.stream(_named(predictor, inputs if are_several else [inputs])))
    if not are_several and len(found) == 1 and (fault := found[0].fault) is not None:
        raise fault
    return found


def _named(predictor: Predictor, inputs: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for given in inputs:
        if isinstance(given, os.PathLike) or (isinstance(given, str) and _is_folder(given)):
            yield from predictor.named_inputs([Path(given).expanduser()])
        else:
            yield one_line(str(given)), given


def _is_folder(text: str) -> bool:
    try:
        return Path(text).is_dir()
    except (OSError, ValueError):
        return False
