"""``denas latency measure``: measure the front of a finished run on this machine."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denas_core.cli.arguments import ColumnsOption, JsonOption, ProbeOption, SetOption, build_config
from denas_core.cli.completion import runs
from denas_core.cli.output import MORE, print_json, print_notice, print_table, print_text
from denas_core.cli.trial_tables import KEY_DIGITS
from denas_core.errors import ConfigError, NoResult

if TYPE_CHECKING:
    from denas_core.evaluation.evaluator import Evaluator
    from denas_core.runs.measurements import Measurement
    from denas_core.setup.setup import Setup
    from denas_core.values.trial import Trial

SCHEMA = "denas.latency-measure/1"


def measure(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.", autocompletion=runs)],
    machine: Annotated[
        str | None,
        typer.Option(
            "--machine",
            metavar="NAME",
            help="Name under which the run keeps the latencies. [default: the name of this host]",
        ),
    ] = None,
    probe: ProbeOption = None,
    set_: SetOption = None,
    columns: ColumnsOption = None,
    json_: JsonOption = False,
) -> None:
    """Measure the best network and the front of a finished run on this machine.

    The run keeps the latencies under the name of the machine; 'denas compare' sets machines side by side. A network
    that is measured under this name already is not measured again.
    """
    from denas_core.runs.measurements import OF_SEARCH
    from denas_core.study.run_directory import RunDirectory
    from denas_core.system.machine import check_machine_name

    name = check_machine_name(platform.node() or "this machine" if machine is None else machine)
    setup = _setup(run, probe, set_)
    with RunDirectory.open(run) as directory:
        store = directory.store
        chosen = _front(run, store.trials())
        known = store.measurements().get(name, {})
        _check_setting(name, known, setup)
        evaluator = setup.evaluator()
        for place, trial in enumerate(chosen, start=1):
            if trial.arch.key not in known:
                print_notice(f"measuring network {place} of {len(chosen)}")
                one = _measured(setup, evaluator, trial, name)
                store.add_measurements([one])
                if one.reason:
                    print_notice(f"note: {trial.arch.key[:KEY_DIGITS]}: {one.reason}")
        everything = store.measurements()
    kept = everything[name]
    of_search = everything.get(OF_SEARCH, {})
    if json_:
        rows = [{"key": trial.arch.key, **kept[trial.arch.key].as_dict()} for trial in chosen]
        print_json({"schema": SCHEMA, "run": str(run), "machine": name, "networks": rows})
    else:
        _print(name, chosen, kept, of_search, columns)
    if not any(kept[trial.arch.key].latency for trial in chosen):
        raise NoResult(f"no network could be measured: {kept[chosen[0].arch.key].reason}")


def _setup(run: Path, probe: str | None, settings: list[str] | None) -> Setup:
    from denas_core.cli.run_source import read_config
    from denas_core.registry.registry import Registry
    from denas_core.runs.files import read_run
    from denas_core.setup.setup import Setup
    from denas_core.setup.stored import check_unchanged

    with read_run(run) as store:
        header = store.header()
    config = build_config(
        None, file=None, stored=read_config(run), given={"probe": probe}, settings=settings, weights=None
    )
    # Bounds belong to the search. Here a network is measured whatever it takes.
    config = config.model_copy(update={"constraints": ()})
    setup = Setup.from_config(config, Registry.discover(), measure_latency=True)
    check_unchanged(setup.space, header)
    return setup


def _front(run: Path, trials: Sequence[Trial]) -> list[Trial]:
    """Return the best trial and the front of the last result of a run.

    Raises:
        NoResult: the run has no result yet.
        StoreDamaged: the result cannot be read.
    """
    from denas_core.errors import StoreDamaged
    from denas_core.runs.files import RESULT

    path = run / RESULT
    if not path.is_file():
        raise NoResult(f"run {str(run)!r} has no result yet; finish its search first")
    try:
        document = json.loads(path.read_bytes())
        keys = dict.fromkeys(row["key"] for row in (document["best"], *document["front"]))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(
            f"{str(path)!r} is damaged: {error!r}; 'denas search --resume' writes it anew"
        ) from error
    by_key = {trial.arch.key: trial for trial in trials}
    return [by_key[key] for key in keys if key in by_key]


def _measured(setup: Setup, evaluator: Evaluator, trial: Trial, name: str) -> Measurement:
    from denas_core.runs.measurements import Measurement
    from denas_core.system.machine import moment

    # What the search knows of the latency is left out, so that everything measured here is new.
    blank = dataclasses.replace(trial.evaluation, latency=None, predicted=None, metrics={})
    found = evaluator.measure(trial.arch, blank)
    return Measurement.of(
        dataclasses.replace(trial, evaluation=blank),
        found,
        has_bounds=False,
        machine=name,
        when=moment(),
        setting=_setting(setup),
    )


def _setting(setup: Setup) -> dict[str, str]:
    from denas_core.system.machine import environment

    facts = environment(setup.device)
    probe = setup.config.probe
    names = ("processor", "device", "torch")
    options = ", ".join(f"{name}={value}" for name, value in probe.options.items())
    return {"probe": probe.name, "options": options} | {name: facts[name] for name in names if name in facts}


def _check_setting(name: str, known: dict[str, Measurement], setup: Setup) -> None:
    now = _setting(setup)
    for one in known.values():
        differing = [key for key in now if one.setting.get(key) != now[key]]
        if differing:
            raise ConfigError(
                f"the run keeps latencies of {name!r} that were measured with another {' and '.join(differing)}; give "
                "this machine another name: --machine NAME"
            )


def _print(
    name: str,
    chosen: Sequence[Trial],
    kept: dict[str, Measurement],
    of_search: dict[str, Measurement],
    columns: str | None,
) -> None:
    from denas_core.values.latency import predicted_metrics, with_interval

    def text(latency: object) -> str | None:
        if not isinstance(latency, dict):
            return None
        mark = "~" if predicted_metrics(latency) else ""
        return mark + with_interval(latency)

    rows = []
    for trial in chosen:
        one = kept[trial.arch.key]
        before = of_search.get(trial.arch.key)
        in_run = trial.evaluation.latency if before is None or before.latency is None else before.latency
        rows.append(
            [
                trial.arch.key[:KEY_DIGITS],
                text(None if in_run is None else dict(in_run)),
                text(None if one.latency is None else dict(one.latency)),
                one.latency["verdict"] if one.latency else one.reason,
            ]
        )
    print_table(
        ["key", "in the run, ms", f"{name}, ms", "verdict"],
        rows,
        prose=("verdict",),
        chosen=columns,
        more=MORE,
    )
    if any("~" in str(row[1]) for row in rows):
        print_text("~: predicted")
