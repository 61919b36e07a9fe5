"""``denas trials`` and ``denas rank``: list the trials of a run, or rank them anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import (
    ColumnsOption,
    ExecutorOption,
    JsonOption,
    WeightsOption,
    parse_weights,
    with_options,
)
from denas_core.cli.completion import runs
from denas_core.cli.output import print_json, print_notice, print_text
from denas_core.cli.trial_tables import KEY_DIGITS, TrialRow, print_ranking, print_trial_table

if TYPE_CHECKING:
    from denas_core.registry.registry import Registry
    from denas_core.results.combination import Combination
    from denas_core.setup.setup import Setup
    from denas_core.values.architecture import Architecture
    from denas_core.values.trial import Trial

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.", autocompletion=runs)]


def trials(
    run: RunArgument,
    state: Annotated[
        str | None, typer.Option("--state", help="Only scored, cut, infeasible or failed ones.")
    ] = None,
    columns: ColumnsOption = None,
    json_: JsonOption = False,
) -> None:
    """List every trial of a run.

    Prints the state, the components of the score, the metrics, the seconds, and the reason of a trial without a score.
    """
    from denas_core.errors import ConfigError
    from denas_core.runs.files import read_run
    from denas_core.values.trial import STATES

    if state not in (None, *STATES):
        raise ConfigError(f"--state {state!r} is not one of {', '.join(STATES)}")
    with read_run(run) as store:
        rows = [trial.as_dict() for trial in store.trials() if state in (None, trial.evaluation.state)]
    if json_:
        print_json({"schema": "denas.trials/1", "run": str(run), "trials": rows})
        return
    if not rows:
        print_text(f"run {str(run)!r} has no {'' if state is None else f'{state} '}trial")
        return
    has_reasons = any(row["reason"] for row in rows)
    print_trial_table(
        [
            TrialRow(
                first={"#": row["index"], "key": row["key"][:KEY_DIGITS], "state": row["state"]},
                components=row["components"],
                metrics=row["metrics"],
                latency=row["latency"],
                last={
                    "seconds": float(sum(row["seconds"].values())),
                    **({"reason": row["reason"]} if has_reasons else {}),
                },
            )
            for row in rows
        ],
        chosen=columns,
    )


def rank(
    run: RunArgument,
    weights: WeightsOption = None,
    compute: Annotated[
        bool, typer.Option("--compute", help="Compute the components that the run does not have yet.")
    ] = False,
    executor: ExecutorOption = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Rows to print.")] = 10,
    columns: ColumnsOption = None,
    json_: JsonOption = False,
) -> None:
    """Rank the trials of a run with other weights.

    Nothing is scored again, except with --compute.
    """
    from denas_core.errors import NoResult, NotInstalled, PluginError
    from denas_core.evaluation.scoring import LATENCY
    from denas_core.registry.registry import Registry
    from denas_core.results.calibrated import calibrated_config, describe_calibration
    from denas_core.results.combination import Combination
    from denas_core.results.result import describe_value, finite
    from denas_core.runs.files import read_run
    from denas_core.setup.stored import ranking_setup

    registry = Registry.discover()
    with read_run(run) as store:
        stored, found = store.header()["config"], store.trials()
    if not any(trial.is_scored for trial in found):
        raise NoResult(f"run {str(run)!r} has no scored trial to rank")
    try:
        given = {"executor": executor if compute else None}
        config = with_options(calibrated_config(run, stored), given, weights=weights)
        setup = ranking_setup(config, registry, origin=str(run), with_data=compute)
    except (NotInstalled, PluginError) as error:
        combination = None if compute or _can_be_made(stored, registry) else _as_stored(run, found, weights)
        if combination is None:
            raise
        print_notice(f"note: {error}; the ranking uses what the search has stored")
    else:
        if compute:
            found = _compute_missing(run, setup, registry, found)
        for name, lacking in setup.scoring.lacking(found).items():
            print_notice(f"note: {lacking} trials have no {name!r} and rank last there")
        combination = Combination.of(setup.scoring)
    for notice in [] if weights else describe_calibration(run):
        print_notice(f"note: {notice}")
    ranked, values = combination.rank(found)
    sampled = combination.sampled(found)
    if json_:
        rows = [
            {"rank": i, "score": finite(values[t.arch.key]), **t.as_dict()}
            for i, t in enumerate(ranked[:top], start=1)
        ]
        print_json(
            {
                "schema": "denas.rank/1",
                "run": str(run),
                "weights": dict(combination.weights),
                "score_is": describe_value(is_relative=combination.is_relative, sampled=sampled),
                "ranked": rows,
            }
        )
        return
    print_ranking(
        ranked,
        values,
        components=[name for name in combination.weights if name != LATENCY],
        is_relative=combination.is_relative,
        sampled=sampled,
        shown=top,
        chosen=columns,
    )


def _can_be_made(stored: Mapping[str, Any], registry: Registry) -> bool:
    """Tell whether the run's own configuration works here; if so, the user's weights are at fault."""
    from denas_core.errors import DenasError
    from denas_core.setup.stored import ranking_setup

    try:
        ranking_setup(stored, registry, origin="the run")
    except DenasError:
        return False
    return True


def _as_stored(run: Path, found: Sequence[Trial], weights: str | None) -> Combination | None:
    """Return the combination that the run has stored, with the user's weights; for runs whose plugins are missing."""
    from denas_core.results.combination import stored_combination

    given = {} if weights is None else parse_weights(weights)
    return stored_combination(run, found, changed=given)


def _compute_missing(run: Path, setup: Setup, registry: Registry, found: list[Trial]) -> list[Trial]:
    from denas_core.evaluation.spread import opened, spread
    from denas_core.study.run_directory import RunDirectory, check_installation

    with RunDirectory.open(run) as directory:
        setup.open_data()
        for notice in check_installation(directory.store.header(), setup, registry, path=run):
            print_notice(f"note: {notice}")
        scored = {trial.arch: trial for trial in found if trial.is_scored}
        lacking: dict[tuple[str, ...], list[Architecture]] = defaultdict(list)
        for arch, trial in scored.items():
            missing = [name for name in setup.scoring.components if name not in trial.evaluation.components]
            if missing:
                lacking[tuple(missing)].append(arch)
        with opened(setup.executor, setup.demand()) as executor:
            for names, archs in lacking.items():
                evaluator = setup.evaluator({name: setup.scoring.components[name] for name in names})
                for arch, evaluation in spread(executor, evaluator.evaluate_scores, archs):
                    index = scored[arch].index
                    directory.store.add_components(index, evaluation.components, evaluation.seconds)
                    if evaluation.reason:
                        print_notice(f"note: trial {index}: {evaluation.reason}")
        return directory.store.trials()
