"""The commands of the core, in the order in which the help shows them; it says where each one is, and loads none."""

from __future__ import annotations

COMMANDS = {
    "build": "build:build",
    "shrink": "shrink:shrink",
    "search": "search:search",
    "trials": "trials:trials",
    "rank": "trials:rank",
    "report": "report:report",
    "compare": "compare:compare",
    "repair": "repair:repair",
    "score": "score:score",
    "evaluate-proxy": "evaluate_proxy:evaluate_proxy",
    "calibrate": "calibrate:calibrate",
    "train": "train:train",
    "evaluate": "evaluate:evaluate",
    "predict": "predict:predict",
    "export": "export:export",
    "worker": "worker:worker",
    "plugins": "plugins:plugins",
    "show": "plugins:show",
    "check": "check:check",
    "new-plugin": "new_plugin:new_plugin",
    "doctor": "doctor:doctor",
}
"""Command -> ``module:function`` below `denas_core.cli.commands`."""

GROUPS = {"data": "data:app", "latency": "latency:app", "run": "run:app", "config": "config:app"}
"""Group of commands -> ``module:app`` below `denas_core.cli.commands`."""

OPEN_GROUPS = {"data": ("describe",)}
"""Group to which plugins may add commands -> its commands in the core."""

NAMES = (*COMMANDS, *GROUPS)
"""Every name that a plugin cannot give to a command of its own."""
