"""``denas report``: the result of a run as a page, as tables, as CSV or as JSON."""

from __future__ import annotations

import dataclasses
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.arguments import ExecutorOption, JsonOption, with_options
from denas_core.cli.output import cell, print_json, print_notice, print_text

from .trials import RunArgument

if TYPE_CHECKING:
    from denas_core.results.insight import Insight
    from denas_core.runs.store import Store
    from denas_core.setup.setup import Setup

SEEDS = 4


def report(
    run: RunArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="File of the page. [default: RUN/report.html]"),
    ] = None,
    confidence: Annotated[
        bool,
        typer.Option(
            "--confidence", help="First score the finalists again with other seeds, to see how sure they are."
        ),
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, max=100, help=f"Other seeds for --confidence. [default: {SEEDS}]"),
    ] = None,
    executor: ExecutorOption = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Also write one row for each trial; - for standard output."
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="Finalists to list.")] = 10,
    json_: JsonOption = False,
) -> None:
    """Show what a run found.

    The report has the verdict, how sure it is, the Pareto front, which knobs mattered, and where budgets cut. It is one
    HTML file that needs no network, and its tables are printed. With --json, or --csv -, nothing else is printed and no
    page is written unless --out names one.
    """
    from denas_core.cli.report_tables import print_report
    from denas_core.errors import ConfigError, StorageError
    from denas_core.report.gather import gather
    from denas_core.report.page.table import render_csv
    from denas_core.report.without_search import is_training
    from denas_core.report.write import write_report
    from denas_core.runs.files import REPORT, read_run
    from denas_core.system.atomic import write_atomically

    to_pipe = csv is not None and str(csv) == "-"
    if to_pipe and json_:
        raise ConfigError(
            "--csv - and --json would share standard output; name a file for --csv, or drop --json"
        )
    if seeds is not None and not confidence:
        raise ConfigError("--seeds is the number of other seeds for --confidence; add --confidence")
    _check_targets(out, None if to_pipe else csv)
    if is_training(run):
        _report_training(run, out, confidence=confidence, csv=csv, json_=json_)
        return
    with read_run(run) as store:
        if confidence:
            _measure(run, store, seeds or SEEDS, executor)
        insight, notices = _insight(run, store)
        document = gather(run, store, insight, top=top, notices=notices)
    page = out or (None if json_ or to_pipe else run / REPORT)
    try:
        if page is not None:
            write_report(page, document)
    except StorageError:
        # The tables need no file: print them although the run cannot be written to.
        if out is None:
            print_report(document)
        raise
    if csv is not None and to_pipe:
        sys.stdout.write(render_csv(document))
    elif csv is not None:
        write_atomically(csv, render_csv(document))
    if json_:
        print_json(document)
    elif not to_pipe:
        print_report(document, page)
    if json_ or to_pipe:
        for notice in document["notices"]:
            print_notice(f"note: {notice}")


def _report_training(
    directory: Path, out: Path | None, *, confidence: bool, csv: Path | None, json_: bool
) -> None:
    """Report a training that no search came before."""
    from denas_core.cli.report_tables import print_trained
    from denas_core.errors import ConfigError
    from denas_core.report.page.html import render_training
    from denas_core.report.without_search import gather_training
    from denas_core.runs.files import REPORT
    from denas_core.system.atomic import write_atomically

    for option, given in (("--confidence", confidence), ("--csv", csv is not None)):
        if given:
            raise ConfigError(
                f"{str(directory)!r} is a training without a search, so it has no candidates for {option}"
            )
    document = gather_training(directory)
    page = out or (None if json_ else directory / REPORT)
    if page is not None:
        write_atomically(page, render_training(document))
    if json_:
        print_json(document)
        return
    print_text(cell(document["verdict"][0]))
    print_trained(document["trained"])
    print_text(f"report: {page}")


def _check_targets(page: Path | None, csv: Path | None) -> None:
    """Refuse to overwrite a file of a run, or one output with the other.

    Raises:
        ConfigError: names the file.
    """
    from denas_core.errors import ConfigError
    from denas_core.runs.files import REPORT, is_run
    from denas_core.runs.removal import PARTS

    if str(page) == "-":
        raise ConfigError(
            "--out names the file of the page; for standard output there are --json and --csv -"
        )
    if page is not None and csv is not None and page.absolute() == csv.absolute():
        raise ConfigError(f"--out and --csv are both {str(csv)!r}; name two files")
    for option, path in (("--out", page), ("--csv", csv)):
        if path is None:
            continue
        for run in list(path.absolute().parents)[:5]:
            inside = str(path.absolute().relative_to(run))
            is_part = any(fnmatch(inside, part) for part in PARTS) and not (page is path and inside == REPORT)
            if is_part and is_run(run):
                raise ConfigError(
                    f"{option} {str(path)!r} is a file of the run in {str(run)!r}; choose another name"
                )


def _setup(run: Path, store: Store, **changes: Any) -> Setup:
    from denas_core.registry.registry import Registry
    from denas_core.results.calibrated import calibrated_config
    from denas_core.setup.stored import stored_setup

    header = store.header()
    header = {**header, "config": calibrated_config(run, header["config"])}
    return stored_setup(header, Registry.discover(), origin=str(store.path), **changes)


def _insight(run: Path, store: Store) -> tuple[Insight | None, list[str]]:
    from denas_core.errors import DenasError
    from denas_core.report.write import insight_of
    from denas_core.results.calibrated import describe_calibration
    from denas_core.results.insight import Insight

    left = Insight.read(run)
    try:
        # Nothing is scored, so the device of the run does not matter.
        found = insight_of(_setup(run, store, device="cpu"), store.trials())
        return dataclasses.replace(
            found, familiar=None if left is None else left.familiar
        ), describe_calibration(run)
    except DenasError as error:
        source = "the report shows what the search has stored" if left else "ranking and drawing are left out"
        return left, [f"{error}; {source}"]


def _measure(run: Path, store: Store, seeds: int, executor: str | None) -> None:
    from denas_core.report.sections.confidence import measure_confidence
    from denas_core.setup.data import check_same_data

    setup = _setup(run, store, **with_options({}, {"executor": executor}, weights=None))
    setup.open_data()
    check_same_data(setup.data, store.header().get("data"), path=run)

    def show(done: int, total: int) -> None:
        end = "\r" if sys.stderr.isatty() and done < total else "\n"
        if end == "\r" or done % 20 == 0 or done == total:
            sys.stderr.write(f"scored again: {done} of {total}{end}")
            sys.stderr.flush()

    measure_confidence(run, store.header(), setup, store.trials(), seeds=seeds, on_progress=show)
