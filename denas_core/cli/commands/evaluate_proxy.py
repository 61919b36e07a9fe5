"""``denas evaluate-proxy``: how well scores predict what training has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import (
    AllowPickleOption,
    ColumnsOption,
    DataTaskOption,
    DeviceOption,
    ExecutorOption,
    JsonOption,
    QuietOption,
    with_data,
    with_pickles,
)
from denas_core.cli.from_run import open_run
from denas_core.cli.output import MORE, print_json, print_notice, print_table, print_text
from denas_core.cli.work_progress import WorkProgress
from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.agreement.from_run import TableFromRun
    from denas_core.agreement.table import AccuracyTable
    from denas_core.contracts.space import SearchSpace

TRAINED_NETWORKS = 20
HEADINGS = ("score", "tau-b", "rho", "difference", "bands", "seeds", "regret", "ties", "failed", "time")
LEAST = ("ties", "failed", "regret", "rho")
"""What is left out first where a terminal is narrow; failures are named under the table."""


def evaluate_proxy(
    table: Annotated[
        Path | None,
        typer.Option(
            "--table",
            metavar="FILE",
            help="CSV or JSON file of trained networks: architectures, and a column for each target.",
        ),
    ] = None,
    from_run: Annotated[
        Path | None,
        typer.Option(
            "--from-run",
            metavar="RUN",
            help="In place of a table: train networks of this run on --data, and evaluate its score with them.",
        ),
    ] = None,
    train: Annotated[
        int | None,
        typer.Option(
            "--train", metavar="N", help=f"Networks of --from-run to train. [default: {TRAINED_NETWORKS}]"
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", "-e", min=1, help="Epochs of each training. [default: the task's]"),
    ] = None,
    on_data: Annotated[
        bool,
        typer.Option(
            "--on-data",
            help="With --from-run: also score on samples of --data, and not on what the search of the run used.",
        ),
    ] = False,
    space: Annotated[
        str | None, typer.Option("--space", help="Search space of the networks, e.g. bench/nasbench201.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="COLUMN",
            help="Column of accuracies; may be repeated. [default with --from-run: the metric of the task]",
        ),
    ] = None,
    scores: Annotated[
        str | None,
        typer.Option(
            "--scores",
            metavar="NAME,...",
            help="Scores; MINE=NAME calls one MINE, e.g. for another set of options. [default: de-score; with "
            "--from-run that of the run, and each of its components]",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="NAME",
            help="Score or count that the others are compared with. [default: de-score, or that of the run]",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Initialisations of each network.")] = 3,
    networks: Annotated[
        int | None, typer.Option("--networks", min=1, help="Networks drawn from the table. [default: all]")
    ] = None,
    arch_column: Annotated[
        str,
        typer.Option(
            "--arch-column",
            metavar="COLUMN",
            help="Column of architectures. [default: the one that fits the space]",
        ),
    ] = "",
    smaller_is_better: Annotated[
        bool, typer.Option("--smaller-is-better", help="The targets are errors or losses.")
    ] = False,
    device: DeviceOption = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads torch may use.")] = 1,
    executor: ExecutorOption = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="With --table: score on samples of this data set in place of noise. With --from-run: train on it. "
            "[default with --from-run: the data of the run]",
        ),
    ] = None,
    task: DataTaskOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Directory of the results. [default: evaluations/<space>-<table or run>]"
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME.OPTION=VALUE",
            help="Set an option of the space (space.classes=100), of a score (zen.batch_size=32), of the data's task "
            "(task.image_size=32) or of the training (training.lr=0.01).",
        ),
    ] = None,
    allow_pickle: AllowPickleOption = False,
    columns: ColumnsOption = None,
    json_: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare scores with the accuracies of trained networks.

    For each score: rank correlations with intervals, alone and within bands of size, beside those of parameters, FLOPs
    and depth x width, which cost nothing. The same command goes on after a stop, and trains and scores only what is
    new: further scores, seeds or networks.
    """
    from denas_core.agreement.evaluate import DEFAULT_SCORE, Request, evaluate_scores
    from denas_core.agreement.table import read_table
    from denas_core.agreement.write import write_result
    from denas_core.registry.registry import Registry
    from denas_core.setup.checks import DEVICES
    from denas_core.setup.config import DEFAULT_EXECUTOR

    _check_sources(
        table=table,
        from_run=from_run,
        only_table={"--space": space, "--networks": networks, "--arch-column": arch_column or None},
        only_run={"--train": train, "--epochs": epochs, "--on-data": on_data or None},
    )
    if device not in (None, *DEVICES):
        raise ConfigError(f"device {device!r} is none of {', '.join(DEVICES)}")
    registry = Registry.discover()
    default = "" if from_run else DEFAULT_SCORE
    request = Request(
        space=space or "",
        scores=[name for name in (default if scores is None else scores).split(",") if name.strip()],
        baseline=baseline or default,
        options=read_options(with_pickles(set_, allow_pickle=allow_pickle)),
        seeds=seeds,
        networks=networks,
        smaller_is_better=smaller_is_better,
        device=device or "auto",
        threads=threads,
        executor=executor or DEFAULT_EXECUTOR,
        data=None if from_run or (data is None and task is None) else with_data(None, data, task),
        out=out,
    )
    source: TableFromRun | None = None
    if from_run is not None:
        source, request = open_run(
            from_run,
            request,
            registry,
            count=TRAINED_NETWORKS if train is None else train,
            data=data,
            task=task,
            epochs=epochs,
            on_data=on_data,
            device=device,
        )

    def truth(made: SearchSpace) -> AccuracyTable:
        if source is None:
            assert table is not None
            return read_table(table, made, targets=target or (), column=arch_column)
        with WorkProgress("trainings") as trainings:
            return source.read(
                made,
                targets=target or (),
                registry=registry,
                on_progress=(lambda done, total: None) if quiet else trainings,
                notify=lambda line: print_notice(f"note: {line}"),
            )

    with WorkProgress("networks and seeds") as progress:
        result = evaluate_scores(
            request,
            truth,
            registry=registry,
            on_progress=(lambda done, total: None) if quiet else progress,
        )
    if source is not None:
        result.document["trained"] = source.as_dict()
        result.document["notices"] += source.notices
    write_result(result)
    if json_:
        print_json(result.document)
    else:
        _print(result.document, columns)


def _check_sources(
    *,
    table: Path | None,
    from_run: Path | None,
    only_table: Mapping[str, object],
    only_run: Mapping[str, object],
) -> None:
    if table is not None and from_run is not None:
        raise ConfigError(
            "--table and --from-run exclude each other: a table has networks that are trained already"
        )
    wrong, source = (only_table, "--table") if from_run is not None else (only_run, "--from-run")
    for name, value in wrong.items():
        if value is not None:
            raise ConfigError(f"{name} belongs to {source}; leave it out, or name {source}")
    if from_run is not None:
        return
    if table is None:
        raise ConfigError(
            "no table of trained networks is named; name one with --table FILE, or train networks of a run with "
            "--from-run RUN"
        )
    if only_table["--space"] is None:
        raise ConfigError(
            "no search space is named; name that of the networks, e.g. --space bench/nasbench201"
        )


def read_options(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the options of ``--set``, by what they belong to: ``space``, or the name of a score.

    Raises:
        ConfigError: one is not of the form ``score.option=value``.
    """
    from denas_core.setup.config import apply_settings

    names = {setting.partition("=")[0].partition(".")[0].strip() for setting in settings}
    document = apply_settings({name: {} for name in names}, settings)
    for name, options in document.items():
        if not isinstance(options, dict):
            raise ConfigError(f"--set {name}={options} names no option; write --set {name}.OPTION=VALUE")
    return document


def _print(document: Mapping[str, Any], columns: str | None) -> None:
    from denas_core.agreement.wording import counted, estimate, failed_in_words, of_target, share, verdict
    from denas_core.text import number, seconds

    for target in document["targets"]:
        rows = [
            [
                entry["score"],
                estimate(entry["kendall"], entry["kendall_ci"]),
                share(entry["spearman"]),
                estimate(entry["difference"], entry["difference_ci"], sign=True),
                share(entry["kendall_in_bands"]),
                share(entry["kendall_between_seeds"]),
                number(entry["top_regret"]),
                str(entry["ties"]),
                str(entry["failed"]),
                seconds(entry["seconds"]),
            ]
            for entry in of_target(document, target)
        ]
        title = f"{target}: {document['networks']} networks, {counted(document['seeds'], 'seed')}"
        print_table(HEADINGS, rows, title=title, least=LEAST, chosen=columns, more=MORE)
        print_text("\n".join(["", *verdict(document, target)]))
    print_text(
        f"\ndifference: tau-b less that of {document['baseline']}; bands: tau-b in four bands of size; seeds: tau-b "
        f"between seeds; regret: of the best {document['scores'][0]['top']}; time: for a network and seed"
    )
    print_text(f"report: {document['out']}/report.html")
    for line in (*document["notices"], *failed_in_words(document)):
        print_notice(f"note: {line}")
