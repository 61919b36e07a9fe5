"""What commands that plugins add share with those of the core: options, what is printed, and what is refused."""

from __future__ import annotations

from denas_core.actions.training_options import device_of
from denas_core.system.extras import require_extra
from denas_core.system.memory import memory_errors

from .arguments import DeviceOption, JsonOption, SetOption
from .output import print_json, print_notice
from .task_options import DecodeOption, LmOption, task_for_once

__all__ = [
    "DecodeOption",
    "DeviceOption",
    "JsonOption",
    "LmOption",
    "SetOption",
    "device_of",
    "memory_errors",
    "print_json",
    "print_notice",
    "require_extra",
    "task_for_once",
]
