"""``denas worker``: evaluate candidates of searches that share a directory with this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from denas_core.cli.output import print_notice

if TYPE_CHECKING:
    from denas_core.workers.transport import Transport


def worker(
    directory: Annotated[
        Path, typer.Argument(metavar="DIRECTORY", help="Directory that the search and its workers share.")
    ],
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Processes on this machine. [default: as many as its cores and memory allow]",
        ),
    ] = None,
    memory_gb: Annotated[
        float | None,
        typer.Option("--memory-gb", help="GB that a process may hold. [default: its share of what is free]"),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="When a search has ended, wait for the next.")] = False,
    patience: Annotated[
        float, typer.Option("--patience", min=0, help="Seconds to wait for a search, without --wait.")
    ] = 600.0,
    allow_others: Annotated[
        bool,
        typer.Option(
            "--allow-others", help="Use a directory to which other users may write; you trust them."
        ),
    ] = False,
) -> None:
    """Evaluate candidates of a search on another machine.

    The search runs with --executor queue --set executor.directory=DIRECTORY. Start workers before it or while it runs,
    on any machine that has the same versions and can write to the directory. They end with the search. Ctrl-C or a
    SIGTERM ends a worker at once, and others evaluate what it leaves.

    Whoever may write to the directory can run code as you: candidates arrive as pickles.
    """
    from denas_core.builtin.process import Process
    from denas_core.contracts.executor import Demand
    from denas_core.registry.options import make_component
    from denas_core.workers.directory import check_directory
    from denas_core.workers.directory_worker import serve

    options = {"workers": workers, "memory_gb": memory_gb}
    processes: Process = make_component(Process, options, id="builtin/process", origin="denas worker")
    check_directory(directory, allow_others=allow_others)

    def make_transport(facts: Mapping[str, Any]) -> Transport:
        return processes.make_transport(Demand(**facts["demand"]))

    serve(directory, make_transport, waits=wait, patience=patience, report=print_notice)
