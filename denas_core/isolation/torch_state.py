"""The settings of torch: dtype, device, threads, gradient mode, precision, determinism."""

from __future__ import annotations

from typing import Any

import torch

from .process_state import Setting


def settings() -> list[Setting]:
    """Return the settings that change results of torch. They include the generators of the GPUs if CUDA is in use."""
    found = [torch.default_generator]
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        found += torch.cuda.default_generators
    return [*_SETTINGS, *(Setting(one.get_state, one.set_state, one.manual_seed) for one in found)]


def set_defaults() -> None:
    """Set the values with which torch starts. They may differ if a plugin was the first to import torch."""
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")
    torch.set_deterministic_debug_mode(0)


def _default_device() -> Any:
    # torch.get_default_device() returns "cpu" also if no device was set.
    return getattr(getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None), "device_context", None)


def _cudnn(name: str) -> Setting:
    owner = torch.backends.cudnn
    return Setting(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


_TINY = 1e-300
_SETTINGS = [
    Setting(torch.get_default_dtype, torch.set_default_dtype),
    Setting(_default_device, lambda context: torch.set_default_device(context and context.device)),
    Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    Setting(torch.get_num_threads, torch.set_num_threads),
    # torch does not say whether it flushes denormals, but the same register of the processor also affects Python.
    Setting(lambda: _TINY * 1e-10 == 0.0, torch.set_flush_denormal),
    Setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    Setting(torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    *map(_cudnn, ("enabled", "benchmark", "deterministic", "allow_tf32")),
]
