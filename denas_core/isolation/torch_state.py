"""The part of the process's state that torch holds: precision, determinism, threads, generators, global hooks."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import torch
import torch.nn.functional

from .process_state import Setting


def namespaces() -> list[MutableMapping[str, Any]]:
    """Return the namespaces in which a plugin could replace what every network runs through."""
    return [vars(torch), vars(torch.nn), vars(torch.nn.functional), vars(torch.linalg), vars(torch.autograd)]


def generators() -> list[Setting]:
    """Return the global generators that exist: the CPU's, and those of the GPUs once CUDA is in use."""
    found = [Setting(torch.default_generator.get_state, torch.default_generator.set_state)]
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        found += [
            Setting(generator.get_state, generator.set_state) for generator in torch.cuda.default_generators
        ]
    return found


def set_defaults() -> None:
    """Set what torch starts with: for a torch that the guarded code was the first to import, and may have changed."""
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")
    torch.use_deterministic_algorithms(False)


def _attribute(owner: Any, name: str) -> Setting:
    return Setting(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def _methods(owner: type[Any]) -> Setting:
    def write(before: dict[str, Any]) -> None:
        for name in vars(owner).keys() - before.keys():
            delattr(owner, name)
        for name, value in before.items():
            if vars(owner).get(name) is not value:
                setattr(owner, name, value)

    return Setting(lambda: dict(vars(owner)), write)


def _layers() -> Setting:
    # The methods of torch's layers that decide what a network computes; all of them would take ten times as long.
    methods = [
        (owner, name)
        for owner in vars(torch.nn).values()
        if isinstance(owner, type) and issubclass(owner, torch.nn.Module)
        for name in ("__init__", "forward", "reset_parameters", "_conv_forward", "_reset_parameters")
        if name in vars(owner)
    ]
    owners, names = zip(*methods, strict=True)

    def write(before: list[Any]) -> None:
        for owner, name, value in zip(owners, names, before, strict=True):
            if getattr(owner, name) is not value:
                setattr(owner, name, value)

    return Setting(lambda: list(map(getattr, owners, names)), write)


def _hooks(name: str) -> Setting:
    # Hooks that every module calls, left by register_module_forward_hook and its like.
    hooks = getattr(torch.nn.modules.module, name)

    def write(before: dict[int, Any]) -> None:
        hooks.clear()
        hooks.update(before)

    return Setting(lambda: dict(hooks), write)


def _default_device() -> Any:
    return getattr(getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None), "device_context", None)


def _flushes_denormals() -> bool:
    # torch has no getter; Python's own arithmetic uses the same register of the processor.
    return 1e-310 * _ONE == 0.0


_ONE = 1.0

_CUDNN = ("enabled", "benchmark", "deterministic", "allow_tf32")
_ATTENTION = ("flash", "mem_efficient", "math", "cudnn")


def _switch(read: str, write: str) -> list[Setting]:
    owner = torch.backends.cuda
    reader: Callable[[], Any] | None = getattr(owner, read, None)
    writer: Callable[[Any], object] | None = getattr(owner, write, None)
    return [] if reader is None or writer is None else [Setting(reader, writer)]


def _write_deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


SETTINGS: list[Setting] = [
    Setting(torch.get_default_dtype, torch.set_default_dtype),
    Setting(_default_device, lambda context: torch.set_default_device(context and context.device)),
    Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    Setting(torch.get_num_threads, torch.set_num_threads),
    Setting(_flushes_denormals, torch.set_flush_denormal),
    Setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    Setting(
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        _write_deterministic,
    ),
    Setting(torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    Setting(lambda: torch.is_autocast_enabled("cpu"), lambda value: torch.set_autocast_enabled("cpu", value)),
    Setting(
        lambda: torch.is_autocast_enabled("cuda"), lambda value: torch.set_autocast_enabled("cuda", value)
    ),
    *(_attribute(torch.backends.cudnn, name) for name in _CUDNN),
    _attribute(torch.backends.cuda.matmul, "allow_tf32"),
    *(setting for name in _ATTENTION for setting in _switch(f"{name}_sdp_enabled", f"enable_{name}_sdp")),
    _methods(torch.Tensor),
    _methods(torch.nn.Module),
    _layers(),
    *(
        _hooks(name)
        for name in vars(torch.nn.modules.module)
        if name.startswith("_global_") and name.endswith("_hooks")
    ),
]
