"""What libraries send or write by themselves when they are imported, and how DE-NAS switches it off.

`denas_core` calls `silence_dependencies` when it is imported, so it happens before any of these libraries is imported:
in every command, every worker, and every program that imports `denas_core` first. A variable that the user has set
keeps its value; ``ORT_DISABLE_TELEMETRY=0`` lets ONNX Runtime send its usage data, for example.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
from pathlib import Path

from .cache import cache_folder

VARIABLES = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime sends events, and keeps them and an id of the machine in ~/.cache
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "DISABLE_SAFETENSORS_CONVERSION": "1",  # transformers asks the hub for a converted copy of a checkpoint
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WANDB_ERROR_REPORTING": "false",
}
"""Variables that switch off what a library sends, with the value that does it."""

LOGGERS = ("torchao", "torch.utils._pytree")
"""Loggers whose warnings are not shown. transformers imports torchao where it is installed, and ExecuTorch brings it.
torchao then warns of its kernels for GPUs that do not load, and torch of calls of torchao."""

COMPILER_CACHE = "TORCHINDUCTOR_CACHE_DIR"
"""Variable that names the folder in which torch keeps compiled code; torch makes it when it is asked to export."""

OPENVINO_TELEMETRY = "openvino_telemetry"
"""Package through which OpenVINO sends events. No variable switches it off, and OpenVINO works without it."""


def silence_dependencies() -> None:
    """Set variables and levels of loggers that are not set, and keep OpenVINO from its telemetry.

    OpenVINO may send it if the user has agreed.
    """
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
    for name in LOGGERS:
        if (logger := logging.getLogger(name)).level == logging.NOTSET:
            logger.setLevel(logging.ERROR)
    if not os.environ.get(COMPILER_CACHE):
        os.environ[COMPILER_CACHE] = str(_compiler_cache())
    if not _agreed_to_openvino_telemetry():
        # An entry without a module makes Python say that the package is not installed.
        sys.modules.setdefault(OPENVINO_TELEMETRY, None)  # type: ignore[arg-type]


def _compiler_cache() -> Path:
    if (folder := cache_folder()) is not None:
        return folder / "compiled"
    import tempfile

    path = Path(tempfile.gettempdir()) / f"denas-{os.getpid()}-compiled"
    atexit.register(_remove, path, owner=os.getpid())
    return path


def _remove(path: Path, *, owner: int) -> None:
    # Processes that were forked use the folder too, and run this at their end.
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


def _agreed_to_openvino_telemetry() -> bool:
    # `opt_in_out --opt_in`, a command of OpenVINO, writes this file.
    try:
        return (Path.home() / "intel" / OPENVINO_TELEMETRY).read_text().strip() == "1"
    except (OSError, RuntimeError, ValueError):
        return False
