"""``denas doctor``: describe this machine, say whether it is quiet, and how to fix what is broken."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from typing import Any

from denas_core.cli.arguments import JsonOption
from denas_core.cli.output import print_json, print_table, print_text
from denas_core.registry.loading import UNKNOWN
from denas_core.text import describe_error

PACKAGES = ("denas-core", "torch", "numpy", "pluggy", "typer", "pydantic", "pyyaml", "filelock", "rich")
OPTIONAL = (
    *(
        "transformers",
        "accelerate",
        "safetensors",
        "peft",
        "tensorboard",
        "mlflow",
        "mlflow-skinny",
        "wandb",
        "trackio",
    ),
    *("onnx", "onnxruntime", "openvino", "executorch"),
)
"""Packages that are listed if they are installed."""

CHANGED = 0.03
"""A quiet machine whose reference latency differs from the known one by more than this share has changed."""


def doctor(json_: JsonOption = False) -> None:
    """Check this installation and this machine.

    Prints versions, devices, threads, whether the machine is quiet enough to measure latency, and broken plugins with
    how to fix them. The reference latency of this machine is measured again, and kept for searches if it is quiet.
    """
    document = examine()
    if json_:
        print_json(document)
    else:
        show(document)


def show(document: Mapping[str, Any]) -> None:
    """Print what `examine` returns, for people."""
    print_table(["package", "version"], list(document["versions"].items()), title="Versions")
    rows = list(document["machine"].items())
    print_table(["property", "value"], rows, title="Machine", prose=("value",))
    print_table(
        ["plugin", "distribution", "status", "how to fix"],
        [[row["name"], row["distribution"], row["status"], row["fix"] or "-"] for row in document["plugins"]],
        title="Plugins",
        prose=("how to fix",),
        least=("distribution",),
    )
    notes = [[row["name"], *note] for row in document["plugins"] for note in row["notes"].items()]
    if notes:
        print_table(["plugin", "subject", "note"], notes, title="Notes of plugins", prose=("note",))
    for line in document["advice"]:
        print_text(f"- {line}")
    if not document["advice"]:
        print_text("Nothing to fix.")


def examine() -> dict[str, Any]:
    """Return everything that ``denas doctor`` prints, as plain values for JSON."""
    import os
    import sqlite3

    from denas_core.cli.doctor_imports import examine_plugins
    from denas_core.system.machine import (
        environment,
        environment_fingerprint,
        installed_version,
        memory_bytes,
    )
    from denas_core.workers.capacity import capacity

    torch, fault = _torch()
    reference, noise = reference_latency() if torch else (None, "")
    plugins = [{**row, "fix": fix(row)} for row in examine_plugins()]
    advice = [f"plugin {row['name']}: {row['fix']}" for row in plugins if row["fix"]]
    if fault:
        advice.append(f"torch cannot be imported: {fault}; fix the plugins above first, then reinstall torch")
    if noise:
        advice.append(f"this machine is not quiet ({noise}): close other programs before you measure latency")
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
            "devices": ", ".join(_devices(torch)) if torch else None,
            "workers": capacity().describe(),
            "torch_threads": torch.get_num_threads() if torch else None,
            "reference": reference,
            "environment": environment_fingerprint(),
        },
        "plugins": plugins,
        "advice": advice,
    }


def _torch() -> tuple[Any, str]:
    # torch reads the entry points of every installed package, so one damaged file can stop its import.
    try:
        import torch
    except Exception as error:
        return None, describe_error(error)
    return torch, ""


def _devices(torch: Any) -> list[str]:
    return ["cpu"] + [f"cuda: {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]


def reference_latency() -> tuple[str, str]:
    """Measure the reference network of one thread, and return what is known of it and why the machine is not quiet.

    A measurement on a quiet machine replaces the known one, see `denas_core.timing.reference`.
    """
    from denas_core.timing.reference import better, calibrate, keep, known_calibration, reference_call

    known = known_calibration(threads=1, device="cpu")
    now = calibrate(reference_call(), threads=1)
    used = better(known, now)
    keep(used, threads=1, device="cpu")
    state = f"not quiet: {now.noise}" if now.noise else "quiet"
    line = f"{now.ms:.3g} ms now, {state}"
    if known is None or (known.noise and not now.noise):
        return f"{line}; the first measurement" + ("" if now.noise else " on the quiet machine"), now.noise
    line += f"; {known.ms:.3g} ms " + ("when quiet" if not known.noise else "before, not quiet")
    line += f", measured {known.measured}"
    if not now.noise and abs(now.ms / known.ms - 1) > CHANGED:
        line += "; the machine has changed, and latencies measured before and after differ"
    return line, now.noise


def fix(row: Mapping[str, Any]) -> str:
    """Return how to fix a plugin; empty if nothing is wrong with it.

    Args:
        row: As `examine_plugins` returns it.
    """
    name, distribution = row["name"], row["distribution"]
    if row["status"] == "ok" and not row["faults"]:
        return ""
    if row["status"] == "disabled":
        return "remove its name from DENAS_DISABLE_PLUGINS"
    if row["status"] == "conflict":
        return f"{row['reason']}; uninstall one of them, e.g. pip uninstall {distribution}"
    reason = row["reason"]
    if row["status"] == "ok":
        (component, reason), *others = row["faults"].items()
        more = f" (and {len(others)} more of its components)" if others else ""
        reason = f"{reason if component in reason else f'{component}: {reason}'}{more}"
    missing = re.search(r"No module named '([^'.]+)", reason)
    if missing and importlib.util.find_spec(missing.group(1)) is None:
        return f"{reason}; pip install {missing.group(1)}, or reinstall {distribution}"
    if missing:
        return f"{reason}; reinstall {distribution}, and upgrade {missing.group(1)}"
    if "import does not end" in reason or "import ends the process" in reason:
        return f"{reason}; switch it off with DENAS_DISABLE_PLUGINS={name}, or pip uninstall {distribution}"
    if distribution == UNKNOWN or "entry_points.txt" in reason:
        return f"{reason}; reinstall {distribution}, or delete its .dist-info directory"
    return f"{reason}; upgrade it, or pip uninstall {distribution}"
