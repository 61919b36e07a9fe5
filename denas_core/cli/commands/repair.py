"""``denas repair``."""

from __future__ import annotations

import shlex

import typer

from denas_core.cli.arguments import JsonOption
from denas_core.cli.output import print_json, print_notice

from .trials import RunArgument


def repair(run: RunArgument, json_: JsonOption = False) -> None:
    """Repair a run whose store is damaged: keep its whole trials, let --resume evaluate the others again.

    The damaged files are kept beside the new store.
    """
    from denas_core.registry.registry import Registry
    from denas_core.study.repair import repair_run

    done = repair_run(run, Registry.discover())
    if json_:
        print_json(
            {
                "schema": "denas.repair/1",
                "run": str(run),
                "repaired": bool(done.damaged),
                "kept": done.kept,
                "dropped": done.dropped,
                "damaged": list(done.damaged),
                "notices": list(done.notices),
            }
        )
        return
    if not done.damaged:
        typer.echo(f"nothing to repair: the store of {run} is whole, with {done.kept} trials")
        return
    kept = f"kept {done.kept} of {done.kept + done.dropped} trials"
    again = f"; {done.dropped} are evaluated again on --resume" if done.dropped else ""
    typer.echo(kept + again)
    for notice in done.notices:
        print_notice(f"note: {notice}")
    print_notice(f"the damaged files are kept: {', '.join(str(run / name) for name in done.damaged)}")
    print_notice(f"next: denas search --resume {shlex.quote(str(run))}")
