"""Evaluate scores: score the networks in a table of trained networks, and measure how well the two agree."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.problem import Problem
from denas_core.contracts.scoring_data import ScoringData
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.registry.registry import Registry
from denas_core.setup.checks import check_knobs, choose_device
from denas_core.setup.config import DEFAULT_EXECUTOR, make_config
from denas_core.setup.data import check_batches, choose_data
from denas_core.system.atomic import remove_leftovers, storage_errors
from denas_core.system.lock import RunLock
from denas_core.system.machine import environment, installed_version, moment

from .columns import (
    EvaluatedScore,
    distinct_components,
    label_of_score,
    make_scores,
    make_scores_of_run,
)
from .document import describe_failures, describe_scores
from .measured import MeasuredNetworks
from .measuring import Measuring, OnProgress
from .table import AccuracyTable, check_rows
from .values import ScoreValues, count_values, score_values

SCHEMA = "denas.proxies/1"
DEFAULT_SCORE = "de-score"
DEFAULT_SEEDS = 3

Truth = Callable[[SearchSpace], AccuracyTable]
"""Returns the results of training for networks of a space."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The settings of an evaluation.

    Attributes:
        space: Id of the space, with or without a preset.
        scores: Names of scores, see `make_scores`.
        baseline: Name of the score with which the others are compared. It is evaluated too.
        options: Options of the space, with the key ``space``, of the task of the data, with the key ``task``, and of
            scores, with their label as key.
        seeds: Number of initialisations of each network.
        networks: Number of networks that are drawn from the table; None for all.
        smaller_is_better: Whether the targets are errors or losses.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Number of threads that torch may use.
        executor: Name of the executor that scores the networks.
        data: The data whose samples replace noise, as in the configuration of a search; None for noise.
        out: Directory of the evaluation; None for ``evaluations/<space>-<table>``.
        run_score: The score of a run, as in its configuration. It is evaluated, and without `scores` each of its
            components, too.
    """

    space: str
    scores: Sequence[str] = (DEFAULT_SCORE,)
    baseline: str = DEFAULT_SCORE
    options: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    seeds: int = DEFAULT_SEEDS
    networks: int | None = None
    smaller_is_better: bool = False
    device: str = "auto"
    threads: int = 1
    executor: str = DEFAULT_EXECUTOR
    data: Mapping[str, Any] | None = None
    out: Path | None = None
    run_score: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished evaluation.

    Attributes:
        out: Its directory.
        document: All of its numbers, as JSON can represent them.
        space: The space.
        table: The trained networks that were scored.
        values: The values of each score and count for the distinct networks of the table.
    """

    out: Path
    document: dict[str, Any]
    space: SearchSpace
    table: AccuracyTable
    values: Sequence[ScoreValues]


def evaluate_scores(
    request: Request, truth: Truth, *, registry: Registry, on_progress: OnProgress = lambda done, total: None
) -> Result:
    """Score the networks of a table, except those with stored scores, and compare scores and targets.

    Raises:
        ConfigError: a name, an option, the table or the directory cannot be used. Nothing has been scored then.
        Interrupted: a signal stopped the evaluation. The same request continues it.
        RunBusy, StoreDamaged, StorageError: the directory cannot be used.
    """
    space = registry.create("space", request.space, request.options.get("space", {}), origin="--set space")
    with plugin_errors(f"space {space.id!r}"):
        check_knobs(space)
    scores, baseline = _scores(registry, space, request)
    table = draw_networks(truth(space), request.networks)
    device = choose_device(request.device)
    out = request.out or default_directory(request.space, Path(table.name).stem)
    with storage_errors(out):
        if out.exists() and not out.is_dir():
            raise ConfigError(f"out {str(out)!r} is a file; name a directory")
        out.mkdir(parents=True, exist_ok=True)
    networks = table.architectures()
    data = _data(registry, space, request)
    components = distinct_components(scores)
    if data is not None:
        check_batches(data, components.values())
    measuring = Measuring(
        problem=Problem(space),
        components=components,
        data=data,
        device=device,
        threads=request.threads,
        executor=registry.create("executor", request.executor),
    )
    header = _header(space, scores, registry, data, device=device, threads=request.threads)
    with contextlib.ExitStack() as stack:
        lock = RunLock(out)
        stack.callback(lock.release)
        remove_leftovers(out)
        by_seed: dict[int, MeasuredNetworks] = {}
        for seed in range(request.seeds):
            by_seed[seed] = MeasuredNetworks(out, seed, header)
            stack.callback(by_seed[seed].close)
        measuring.run(networks, by_seed, out=out, on_progress=on_progress)
        found = {seed: measured.found for seed, measured in by_seed.items()}
    values = [score_values(score, networks, found) for score in scores] + count_values(networks, found)
    return Result(
        out=out,
        document={
            "schema": SCHEMA,
            "generated": moment(),
            "out": str(out),
            "space": {"name": space.id, **space.options()},
            "table": table.name,
            "targets": list(table.targets),
            "smaller_is_better": request.smaller_is_better,
            "rows": len(table.rows),
            "networks": len(networks),
            "seeds": request.seeds,
            "baseline": baseline,
            "device": device,
            "threads": request.threads,
            "distributions": header["distributions"],
            "environment": environment(device),
            **({"data": {"path": str(data.path), **_described(data)}} if data is not None else {}),
            "options": {score.label: {"name": score.id, **score.options} for score in scores},
            "scores": describe_scores(
                table, values, baseline=baseline, smaller_is_better=request.smaller_is_better
            ),
            "failures": describe_failures(values, space),
            "notices": list(dict.fromkeys(note for score in scores for note in score.scoring.notices)),
        },
        space=space,
        table=table,
        values=values,
    )


def default_directory(space: str, table: str) -> Path:
    """Return the directory of an evaluation whose user names none."""
    stem = re.sub(r"[^a-z0-9]+", "-", f"{space}-{table}".lower()).strip("-") or "table"
    return Path("evaluations") / stem


def draw_networks(table: AccuracyTable, count: int | None) -> AccuracyTable:
    """Return a table with `count` randomly drawn networks of `table`. A larger draw contains each smaller one.

    Raises:
        ConfigError: the drawn networks have too few rows, or a target has the same value in all of them.
    """
    networks = table.architectures()
    if count is None or count >= len(networks):
        return table
    random.Random(0).shuffle(networks)
    chosen = set(networks[:count])
    rows = tuple(row for row in table.rows if row.arch in chosen)
    check_rows(rows, table.targets, f"the sample of {count} networks from {table.name}")
    return dataclasses.replace(table, rows=rows)


def _scores(registry: Registry, space: SearchSpace, request: Request) -> tuple[list[EvaluatedScore], str]:
    options = {
        label: dict(values) for label, values in request.options.items() if label not in ("space", "task")
    }
    of_run = []
    if request.run_score is not None:
        label = label_of_score(request.run_score["name"])
        of_run = make_scores_of_run(registry, space, request.run_score, options.get(label, {}))
        if request.scores:
            of_run = of_run[:1]
    # A score that the user names has precedence over one of the run with the same name.
    scores = make_scores(registry, space, request.scores, settings=options)
    named = {score.label for score in scores}
    scores = [score for score in of_run if score.label not in named] + scores
    wanted = request.baseline
    baseline = next((one.label for one in scores if wanted in (one.label, one.id)), None)
    if baseline is None and (made := make_scores(registry, space, [wanted], settings=options)):
        same = next(
            (one.label for one in scores if one.id == made[0].id and one.options == made[0].options), None
        )
        scores += [] if same else made
        baseline = same or made[0].label
    known = {score.label: None for score in scores if score not in of_run[1:]}
    unknown = next((label for label in options if label not in known), None)
    if unknown is not None:
        raise ConfigError(
            f"--set names {unknown!r}, which is neither 'space' nor 'task' nor one of the evaluated scores "
            f"({', '.join(known)})"
        )
    # Without a label of a score, the baseline is a count, and counts are always evaluated.
    return scores, baseline or wanted


def _header(
    space: SearchSpace,
    scores: Sequence[EvaluatedScore],
    registry: Registry,
    data: ScoringData | None,
    *,
    device: str,
    threads: int,
) -> dict[str, Any]:
    used = {component.partition("/")[0] for component in (space.id, *(score.id for score in scores))}
    plugins = {p.distribution: p.version for p in registry.plugins if p.name in used and p.status == "ok"}
    software = {
        name: text for name, text in environment(device).items() if name not in ("machine", "processor")
    }
    return {
        "schema": "denas.scored/1",
        "space": {"name": space.id, **space.options()},
        "fingerprint": space.fingerprint(),
        "device": device,
        "threads": threads,
        "distributions": {"denas-core": installed_version("denas-core"), **plugins},
        "environment": software,
        **({} if data is None else {"data": _described(data)}),
    }


def _data(registry: Registry, space: SearchSpace, request: Request) -> ScoringData | None:
    options = request.options.get("task", {})
    if request.data is None:
        if options:
            raise ConfigError("--set task.OPTION sets an option of the task of --data; name the data too")
        return None
    task = request.data.get("task", {})
    named = {"name": task} if isinstance(task, str) else dict(task)
    document = {"space": request.space, "data": {**request.data, "task": {**named, **options}}}
    config = make_config(document, origin="the command line").data
    return None if config is None else choose_data(registry, space, config)


def _described(data: ScoringData) -> dict[str, Any]:
    return {"task": data.task.reference(), **data.as_dict()}
