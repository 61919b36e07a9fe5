"""The latency of a network that torch.compile has compiled."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.system.threads import pinned_threads
from denas_core.text import describe_error
from denas_core.values.architecture import Architecture

from .wall_clock import WallClock

if TYPE_CHECKING:
    from denas_core.models.deployable import Deployable

COMPILERS = ("g++", "clang++")
"""Compilers of C++ that torch.compile can use; the variable CXX names another one."""


@dataclasses.dataclass(kw_only=True)
class Compile(WallClock):
    """Times one batch of a network that torch.compile has compiled for exactly this batch and number of threads.

    Each candidate is first compiled with fresh weights, which takes many seconds and is not timed. The rounds and the
    test of stability are the same as in ``builtin/wall-clock``.
    """

    def prepare(
        self, space: SearchSpace, arch: Architecture, *, seed: int, device: str
    ) -> Callable[[], object]:
        """Return a call that runs the compiled network once and waits for the result.

        Raises:
            ConfigError: there is no C++ compiler, or torch cannot compile the network.
        """
        _check_compiler()
        import torch

        from denas_core.models.deployable import DeployableNetwork

        with torch.device("meta"):
            network = space.build(arch)
        module = DeployableNetwork(space, space.load(network, arch, seed=seed).eval()).eval()
        inputs = tuple(space.batch(self.batch_size, seed=seed).to(device=device).inputs.values())
        run = self._compiled(module, inputs, device)

        def call() -> object:
            with torch.inference_mode():
                outputs = run(*inputs)
            if device == "cuda":
                torch.cuda.synchronize()
            return outputs

        return call

    def _compiled(self, module: Deployable, inputs: Any, device: str) -> Callable[..., Any]:
        import torch
        from torch._inductor import config

        from denas_core.models.deployable import traced

        # A traced program has code of its own. torch counts how often it compiles the same code, and gives up after a
        # few times; networks of a space would share theirs.
        program = traced(module)
        if device != "cpu":
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, device)
        compiled = torch.compile(program.module(), fullgraph=True, dynamic=False)
        # Without these settings, torch keeps processes that compile, and files outside the folder for compiled code.
        quiet = config.patch(compile_threads=1, cpp_cache_precompile_headers=False)
        # The number of threads becomes a part of the compiled code.
        with quiet, pinned_threads(self.threads), torch.inference_mode():
            try:
                compiled(*inputs)
            except Exception as error:
                raise ConfigError(
                    f"torch.compile cannot compile this network of {module.space.id!r}: {describe_error(error, 300)}; "
                    "choose --probe builtin/wall-clock"
                ) from error
        return compiled


def _check_compiler() -> None:
    named = os.environ.get("CXX", "")
    tried = (named,) if named else COMPILERS
    if not any(map(shutil.which, tried)):
        raise ConfigError(
            f"builtin/compile needs a C++ compiler, and there is no {' or '.join(tried)}: install one, for example "
            "with 'apt-get install g++', or choose --probe builtin/wall-clock"
        )
