"""``denas doctor``: what this machine is, how quiet it is, and how to mend what is broken."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from .arguments import JsonOption
from .output import print_json, print_table

if TYPE_CHECKING:
    from denas_core.registry import Plugin

PACKAGES = ("denas-core", "torch", "numpy", "pluggy", "typer", "pydantic", "pyyaml", "filelock", "rich")
OPTIONAL = ("transformers", "accelerate", "safetensors", "tensorboard", "onnx", "onnxruntime")
"""Packages that are listed where they are installed."""

NOISE_ROUNDS = 40
NOISY = 0.1
"""Half-width of the middle half of equal timings, relative to their median, from which latencies are doubtful."""


def doctor(json_: JsonOption = False) -> None:
    """Show versions, devices, threads, the noise of this machine, broken plugins and how to mend them."""
    document = examine()
    if json_:
        print_json(document)
        return
    print_table(["package", "version"], list(document["versions"].items()), title="Versions")
    print_table(["", ""], [[name, value] for name, value in document["machine"].items()], title="Machine")
    print_table(
        ["plugin", "distribution", "status", "how to mend"],
        [
            [row["name"], row["distribution"], row["status"], row["mend"] or "-"]
            for row in document["plugins"]
        ],
        title="Plugins",
    )
    for line in document["advice"]:
        print(f"- {line}")  # noqa: T201
    if not document["advice"]:
        print("Nothing to mend.")  # noqa: T201


def examine() -> dict[str, Any]:
    """Return everything that ``denas doctor`` knows, fit for JSON."""
    import os
    import sqlite3

    import torch

    from denas_core.machine import environment, environment_fingerprint, installed_version, memory_bytes
    from denas_core.registry import Registry

    noise = machine_noise()
    devices = ["cpu"] + [f"cuda: {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    plugins = [{**plugin.as_dict(), "mend": mend(plugin)} for plugin in Registry.discover().plugins]
    advice = [f"plugin {row['name']}: {row['mend']}" for row in plugins if row["mend"]]
    if noise > NOISY:
        advice.append(
            f"this machine is noisy (equal work varies by {noise:.0%}): close other programs before you measure latency"
        )
    memory = memory_bytes()
    return {
        "schema": "denas.doctor/1",
        "versions": {
            "python": environment()["python"],
            **{name: installed_version(name) for name in PACKAGES},
            **{name: version for name in OPTIONAL if (version := installed_version(name)) != "not installed"},
            "sqlite": sqlite3.sqlite_version,
        },
        "machine": {
            "processor": environment()["processor"],
            "cores": os.cpu_count(),
            "memory_gb": None if memory is None else round(memory / 1e9, 1),
            "devices": ", ".join(devices),
            "torch_threads": torch.get_num_threads(),
            "noise": round(noise, 4),
            "environment": environment_fingerprint(),
        },
        "plugins": plugins,
        "advice": advice,
    }


def machine_noise() -> float:
    """Return how much equal work varies in time here: half the interquartile range by the median."""
    import statistics

    import torch

    matrix = torch.ones(192, 192)
    times = []
    for _ in range(NOISE_ROUNDS):
        start = time.perf_counter()
        for _ in range(10):
            matrix @ matrix
        times.append(time.perf_counter() - start)
    quarter, median, three_quarters = statistics.quantiles(times[5:], n=4)
    return (three_quarters - quarter) / 2 / median


def mend(plugin: Plugin) -> str:
    """Return what to do about a plugin; empty if nothing is wrong with it."""
    if plugin.status == "ok":
        return ""
    if plugin.status == "disabled":
        return "take its name out of DENAS_DISABLE_PLUGINS"
    if plugin.status == "conflict":
        return f"{plugin.reason}; uninstall one of them, e.g. pip uninstall {plugin.distribution}"
    missing = re.search(r"No module named '([^']+)'", plugin.reason)
    if missing:
        return f"{plugin.reason}; pip install {missing.group(1).partition('.')[0]}, or reinstall {plugin.distribution}"
    return f"{plugin.reason}; upgrade it, or pip uninstall {plugin.distribution}"
