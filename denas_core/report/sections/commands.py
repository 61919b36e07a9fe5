"""Command lines for the next steps with a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.setup.config import COMPONENTS, is_own_class
from denas_core.values.objectives import Budget


def next_commands(
    run: Path,
    config: Mapping[str, Any],
    *,
    components: Sequence[str],
    has_best: bool,
    has_network: bool,
    has_confidence: bool,
    is_trained: bool = False,
) -> list[dict[str, str]]:
    """Return ``what`` (an explanation) and ``command`` (quoted for a shell) of each next step.

    If a component was made in Python, no command line can name it. Steps that need the components are then left out.
    """
    path = _quoted(run)
    named = not any(is_own_class(config[kind]["name"]) for kind in COMPONENTS if kind in config)
    rows = []
    if named and has_best and not has_confidence:
        rows.append(("Measure how certain the ranking is", f"denas report {path} --confidence"))
    if has_best and len(components) > 1:
        weights = shlex.quote(f"{components[0]}=2")
        rows.append(
            (
                "Rank the stored trials with other weights",
                f"denas rank {path} --weights {weights}",
            )
        )
    if named and has_best and has_network and not is_trained:
        race = f"denas train {path} --top 6 --also random:2 --also largest --data DATA"
        rows.append(("Train the best network on your data", f"denas train {path} --data DATA"))
        rows.append(("Or let the first networks compete on your data, and keep the best", race))
    if named and has_best and is_trained:
        rows.append(("Measure the trained network on other data", f"denas evaluate {path} --data DATA"))
    if named and has_best and (has_network or is_trained):
        rows.append(("Export the trained network", f"denas export {path} --to safetensors"))
    if named and has_best:
        rows.append(
            (
                "Measure the latency of the best network on this machine",
                f"denas latency {path}",
            )
        )
        rows.append(
            (
                "Continue the search with a larger budget",
                f"denas search --resume {path} --budget {_doubled(config['budget'])}",
            )
        )
    rows.append(("List every trial", f"denas trials {path}"))
    rows.append(("Write the trials to a CSV file", f"denas report {path} --csv trials.csv"))
    return [{"what": what, "command": command} for what, command in rows]


def resume_command(run: Path) -> str:
    """Return the command that goes on with the race of a run."""
    return f"denas train {_quoted(run)} --resume"


def _quoted(path: Path) -> str:
    # A command would read a path that begins with a dash as an option.
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def _doubled(budget: str | int) -> str:
    parsed = Budget.parse(budget)
    if parsed.candidates is not None:
        return str(2 * parsed.candidates)
    return f"{2 * (parsed.seconds or 0):g}s"
