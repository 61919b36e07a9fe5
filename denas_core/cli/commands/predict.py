"""``denas predict``: the answers of a trained model for inputs of the user."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.actions.training_options import device_of
from denas_core.cli.arguments import DeviceOption, JsonOption
from denas_core.cli.output import print_json, print_notice
from denas_core.cli.task_options import DecodeOption, LmOption, task_for_once
from denas_core.text import one_line, printable

if TYPE_CHECKING:
    from denas_core.models.predictor import Prediction, Predictor

STANDARD_INPUT = "-"


def predict(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A trained run, the directory of a trained model, or an exported file."
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="Pictures, recordings, files of texts, folders of them, or - to read one input a line.",
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="TEXT", help="A text itself, or what a line of a file would be."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Labels to print for each input.")] = 1,
    csv_: Annotated[
        bool, typer.Option("--csv", help="Print CSV, with the probability of each label.")
    ] = False,
    decode: DecodeOption = None,
    lm: LmOption = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Inputs that the network processes together.")
    ] = 32,
    device: DeviceOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="task.KEY=VALUE", help="Set an option of the task for this call only."),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Answer for new inputs with a trained model.

    The answer is a label, a score, a part of a text or a transcript. Each line has the name of an input, its answer,
    and the probability of the answer, separated by tabs. Inputs that cannot be answered are named, and all others are
    answered.
    """
    from denas_core.errors import ConfigError
    from denas_core.models.predictor import Predictor
    from denas_core.registry.registry import Registry
    from denas_core.system.extras import require_extra
    from denas_core.system.memory import memory_errors

    if csv_ and json_:
        raise ConfigError("--csv and --json exclude each other")
    if not inputs and not text:
        raise ConfigError("there is nothing to predict; name files, give --text, or - to read lines")
    require_extra("train", "safetensors", purpose="a trained model")
    registry = Registry.discover()
    # A person who types lines waits for each answer.
    is_typed = STANDARD_INPUT in (inputs or []) and sys.stdin is not None and sys.stdin.isatty()
    predictor = Predictor.load(
        model,
        device=device_of(device or "auto"),
        batch_size=1 if is_typed else batch_size,
        registry=registry,
        change=lambda task: task_for_once(registry, task, set_ or [], decoding=decode, lm=lm),
    )
    show = _Csv() if csv_ else _Lines(top)
    found: list[Prediction] = []
    with memory_errors(batch_size):
        for each in predictor.stream(_named(predictor, inputs or [], text or [])):
            if json_ or each.fault is not None:
                found.append(each)
            if each.fault is not None:
                print_notice(_left_out(each))
            elif not json_:
                show.print(each)
    if json_:
        print_json(
            {
                "schema": "denas.predictions/1",
                "model": str(predictor.path),
                "task": predictor.task.id,
                "predictions": [each.as_dict() for each in found],
            }
        )
    _refuse([each for each in found if each.fault is not None])


def _named(predictor: Predictor, inputs: Sequence[str], texts: Sequence[str]) -> Iterator[tuple[str, Any]]:
    from denas_core.errors import ConfigError

    if isinstance(sys.stdin, io.TextIOWrapper):
        # Names of files may have bytes that are not UTF-8, and so may a line that is not a text.
        sys.stdin.reconfigure(errors="surrogateescape")
    for text in texts:
        yield text, text
    for name in inputs:
        if name != STANDARD_INPUT:
            yield from predictor.named_inputs([Path(name)])
            continue
        is_empty = True
        for line in sys.stdin or ():
            if line.strip():
                is_empty = False
                yield line.strip(), line.rstrip("\r\n")
        if is_empty:
            yield name, ConfigError("the standard input has nothing to answer: no line with content")


def _left_out(each: Prediction) -> str:
    fault = str(each.fault)
    # Errors about files have the name of the file.
    return f"left out: {fault}" if each.name in fault else f"left out: {one_line(each.name)}: {fault}"


def _whole_line(text: str) -> str:
    # Transcripts and texts that are written may be longer than the lines of errors.
    return one_line(text, max(len(text), 1))


class _Lines:
    """Lines of name, answer and probability, separated by tabs."""

    def __init__(self, top: int) -> None:
        self._top = top

    def print(self, each: Prediction) -> None:
        """Print one prediction."""
        assert each.answer is not None, "inputs that cannot be read are not printed"
        cells = [_whole_line(each.name), _whole_line(each.answer.text)]
        likeliest = list(each.answer.probabilities.items())[: self._top]
        if self._top > 1 and likeliest:
            cells[1:] = [cell for label, share in likeliest for cell in (label, f"{share:.3f}")]
        elif each.answer.probability is not None:
            cells.append(f"{each.answer.probability:.3f}")
        sys.stdout.write("\t".join(cells) + "\n")
        sys.stdout.flush()


class _Csv:
    """CSV with a header; labels are in alphabetical order."""

    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._labels: list[str] | None = None

    def print(self, each: Prediction) -> None:
        """Print one prediction, and the header before the first one."""
        assert each.answer is not None, "inputs that cannot be read are not printed"
        if self._labels is None:
            self._labels = sorted(each.answer.probabilities)
            self._writer.writerow(["input", "answer", *self._labels])
        shares = [f"{each.answer.probabilities[label]:.6g}" for label in self._labels]
        self._writer.writerow([printable(each.name, keep="\t"), each.answer.text, *shares])
        sys.stdout.flush()


def _refuse(left_out: Sequence[Prediction]) -> None:
    from denas_core.errors import ConfigError, StorageError

    if not left_out:
        return
    is_storage = all(isinstance(each.fault, StorageError) for each in left_out)
    kind = StorageError if is_storage else ConfigError
    count = len(left_out)
    raise kind(f"{count} of the inputs could not be answered; see above")
