"""Options that several commands have, and how their texts are read: configuration, weights, architectures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.completion import names, trackers
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.setup.config import RunConfig

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Set any key of the configuration, e.g. space.classes=100."
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option("--weights", metavar="NAME=W,...", help="Weights of score components; 0 leaves one out."),
]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE|RUN", help="YAML configuration, or that of a run; options beat it."
    ),
]
AllowPickleOption = Annotated[
    bool,
    typer.Option(
        "--allow-pickle",
        help="Allow the space to read a checkpoint that is a pickle; only its tensors are loaded.",
    ),
]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, cpu or cuda.")]
TrackerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tracker",
        metavar="NAME",
        help="Log also to tensorboard, mlflow, wandb or trackio, without a network; may be repeated.",
        autocompletion=trackers,
    ),
]
ArchOption = Annotated[
    str | None,
    typer.Option(
        "--arch",
        "--select",
        metavar="KEY|NAME|FILE|TEXT",
        help="Architecture: first digits of a key of the run; best, knee, fastest, smallest or large; a YAML or "
        "JSON file, or the space's notation. [default: the best one of the run]",
    ),
]
ScoreOption = Annotated[
    str | None,
    typer.Option("--score", help="Score. [default: scores/de-score]", autocompletion=names("score")),
]
ProbeOption = Annotated[
    str | None,
    typer.Option(
        "--probe", help="Latency probe. [default: builtin/wall-clock]", autocompletion=names("probe")
    ),
]
ExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="Where candidates are scored. [default: that of the run, or builtin/process]",
        autocompletion=names("executor"),
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Score on samples of this data set in place of noise; the task that reads it gives labels and loss.",
    ),
]
DataTaskOption = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="NAME",
        help="Task that reads --data. [default: the only one that fits]",
        autocompletion=names("task"),
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="NAME,...", help="Print these columns, however wide; 'all' prints every column."
    ),
]


def with_options(
    document: Mapping[str, Any], given: Mapping[str, Any], *, weights: str | None
) -> dict[str, Any]:
    """Return a configuration, changed by the options of the command line."""
    named = {key: value for key, value in given.items() if value is not None}
    path, task = named.pop("data", None), named.pop("task", None)
    of_search = {key: named.pop(key) for key in ("machine", "trackers") if key in named}
    changed = {**document, **named}
    if of_search:
        before = document.get("search", {})
        # A value of another form is refused when the configuration is checked.
        changed["search"] = {**before, **of_search} if isinstance(before, dict) else before
    if path is not None or task is not None:
        changed["data"] = with_data(document.get("data"), path, task)
    if weights is not None:
        score = changed.get("score", "scores/de-score")
        score = {"name": score} if isinstance(score, str) else score
        before = score.get("weights", {}) if isinstance(score, dict) else None
        # A score of another form is refused when the configuration is checked.
        if isinstance(before, dict):
            changed["score"] = {**score, "weights": {**before, **parse_weights(weights)}}
    return changed


def with_data(before: Any, path: str | None, task: str | None) -> dict[str, Any]:
    """Return the data of a configuration, changed by ``--data`` and ``--task``.

    Raises:
        ConfigError: a task is named, and no data.
    """
    data = dict(before) if isinstance(before, dict) else {"path": before}
    if path is not None:
        # Absolute, because a run may be resumed from another folder. An empty name would become this folder.
        data["path"] = str(Path(path).absolute()) if path.strip() else path
    if task is not None:
        kept = data.get("task")
        same = isinstance(kept, dict) and task in (kept.get("name"), str(kept.get("name")).partition("/")[2])
        data["task"] = kept if same else task
    if data.get("path") is None:
        raise ConfigError(f"--task {task!r} names the task that reads the data; name the data with --data")
    return data


def build_config(
    space: str | None,
    *,
    file: str | None = None,
    stored: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    weights: str | None = None,
    settings: Sequence[str] | None = None,
    allow_pickle: bool = False,
) -> RunConfig:
    """Return the configuration of a command: a file or that of a run, then options, then ``--set``.

    Args:
        space: The space that the user names.
        file: A YAML file, or a run directory that holds one.
        stored: The configuration of a run, in place of a file.
        given: Options by key; None for those that were not given.
        weights: What ``--weights`` was given.
        settings: What ``--set`` was given.
        allow_pickle: Whether ``--allow-pickle`` was given.

    Raises:
        ConfigError: no space is named, or a value is wrong.
    """
    from denas_core.setup.config import apply_settings, make_config, read_document

    if file is not None:
        file = _config_file(file)
    document, text = read_document(file) if file is not None else (dict(stored or {}), None)
    named = document.get("space", {})
    if (
        space is not None
        and isinstance(named, dict)
        and str(named.get("name", "")).partition(":")[0] == space
    ):
        space = None
    document = with_options(document, {"space": space, **(given or {})}, weights=weights)
    document = apply_settings(document, with_pickles(settings, allow_pickle=allow_pickle))
    if "space" not in document:
        raise ConfigError(
            "no search space is named; name one, for example cv/cnn ('denas plugins' lists them)"
        )
    return make_config(document, origin=file or "the command line", text=text)


def with_pickles(settings: Sequence[str] | None, *, allow_pickle: bool) -> list[str]:
    """Return the settings with that of ``--allow-pickle``; a space without such an option refuses it."""
    return [*(settings or ()), *(["space.allow_pickle=true"] if allow_pickle else [])]


def parse_weights(text: str) -> dict[str, float]:
    """Read ``saliency=0,expressivity=2``.

    Raises:
        ConfigError: the text has another form.
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = part.partition("=")
        try:
            if not (equals and name.strip()):
                raise ValueError
            weights[name.strip()] = float(number)
            if not math.isfinite(weights[name.strip()]):
                raise ValueError
        except ValueError:
            raise ConfigError(f"weights {text!r} are not of the form name=number,name=number") from None
    return weights


def _config_file(name: str) -> str:
    from denas_core.runs.files import CONFIG

    try:
        is_run = Path(name).is_dir() and (Path(name) / CONFIG).is_file()
    except (OSError, ValueError):
        return name
    return str(Path(name) / CONFIG) if is_run else name
