"""``denas repair``: rebuild a damaged store."""

from __future__ import annotations

import shlex
import sys

from denas_core.cli.arguments import JsonOption
from denas_core.cli.output import print_json, print_next, print_notice, print_text

from .trials import RunArgument


def repair(run: RunArgument, json_: JsonOption = False) -> None:
    """Repair a run whose store is damaged.

    Undamaged trials are kept; --resume evaluates the others again. The damaged files stay beside the new store.
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
        print_text(f"nothing to repair: the store of {run} is whole, with {done.kept} trials")
        return
    kept = f"kept {done.kept} of {done.kept + done.dropped} trials"
    again = f"; {done.dropped} are evaluated again on --resume" if done.dropped else ""
    print_text(kept + again)
    for notice in done.notices:
        print_notice(f"note: {notice}")
    print_notice(f"the damaged files are kept: {', '.join(str(run / name) for name in done.damaged)}")
    print_next([f"denas search --resume {shlex.quote(str(run))}"], file=sys.stderr)
