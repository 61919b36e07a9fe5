"""Environment variables that Accelerate, Trainer and torch obey in a training, and what is done about each.

A training is what its settings say. A variable that asks for another training is refused. The others that Accelerate
and Trainer read are taken out of the environment while they work. Those that torch and its libraries read when they are
loaded can no longer be taken out; they are recorded beside the settings.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from denas_core.errors import ConfigError

from .plan import Plan
from .processes import MPI_SIZES, VARIABLES, read_processes

OFF = ("", "0", "false", "no", "none", "off", "n", "f")
"""Values that switch nothing on; `accelerate launch` sets several variables to them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """A variable that asks for another training than the settings say.

    Attributes:
        name: Name of the variable.
        asks_for: What its value asks for, in words.
        instead: What to use instead.
        harmless: Values that ask for nothing that the settings do not say.
    """

    name: str
    asks_for: str
    instead: str
    harmless: tuple[str, ...] = OFF


def refused_variables(plan: Plan) -> list[Refused]:
    """Return the variables that may ask for another training than `plan`."""
    settings = plan.settings
    unsupported = "DE-NAS does not support it"
    return [
        Refused(
            "ACCELERATE_MIXED_PRECISION",
            "a precision of the computation",
            "use --set training.bf16=true for bfloat16; there is no other",
            (*OFF, *(("bf16",) if settings.bf16 else ())),
        ),
        Refused("ACCELERATE_DYNAMO_BACKEND", "a compiled network", unsupported),
        Refused("ACCELERATE_USE_DEEPSPEED", "a training with DeepSpeed", unsupported),
        Refused("ACCELERATE_USE_FSDP", "a network in parts on several devices", unsupported),
        Refused("ACCELERATE_USE_MEGATRON_LM", "a training with Megatron-LM", unsupported),
        Refused("ACCELERATE_USE_PARALLELISM_CONFIG", "a network in parts on several devices", unsupported),
        Refused("ACCELERATE_USE_SAGEMAKER", "a training with SageMaker", unsupported),
        Refused(
            "ACCELERATE_GRADIENT_ACCUMULATION_STEPS",
            "batches whose gradients are summed",
            "use --set training.accumulate=N",
            ("", "auto", "1", str(settings.accumulate)),
        ),
        Refused(
            "ACCELERATE_GRADIENT_CLIPPING",
            "a largest norm of the gradients",
            "use --set training.clip=X",
            (*OFF, "auto", f"{settings.clip:g}", str(settings.clip)),
        ),
        Refused(
            "ACCELERATE_USE_CPU",
            "a training on the processor",
            "use --device cpu",
            OFF if plan.device != "cpu" else (*OFF, "1", "true", "yes", "on", "y", "t"),
        ),
        Refused("ACCELERATE_TORCH_DEVICE", "a device", "use --device", ("", plan.device)),
    ]


HIDDEN_PREFIXES = ("ACCELERATE_", "FSDP_", "MEGATRON_LM_", "PARALLELISM_CONFIG_")
"""Accelerate reads several hundred options from these. All belong to what is refused, or to the launcher."""

HIDDEN = (
    *MPI_SIZES,  # a size of 1, or of an MPI job that is started as torchrun does
    *("PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"),
    *("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_RANK"),
    *("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE"),
    "FORK_LAUNCHED",  # notebooks: process groups are never destroyed
    "KUBEFLOW_TRAINER_SERVER_URL",  # Trainer sends the progress to this server, even where nothing is to be reported
    *(
        "SM_FRAMEWORK_PARAMS",
        "SM_HP_MP_PARAMETERS",
    ),  # Trainer hands the training to the libraries of SageMaker
)
"""Single variables that Accelerate and Trainer read, and that say nothing a setting does not say."""

FIXED = {"USE_TORCH_XLA": "0"}
"""Variables with a value of our own: Accelerate and Trainer use torch_xla, whatever the device, if it is installed."""

RECORDED = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "MKL_DYNAMIC"),
    # Which instructions, and therefore which order of additions.
    *("ATEN_CPU_CAPABILITY", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "MKL_DISABLE_FAST_MM"),
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"),
    *("TORCH_MKLDNN_MATMUL_MIN_DIM", "TORCH_MKLDNN_MATMUL_MIN_SIZE"),
    # Which precision products of float32 have.
    *("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
    # Which kernels a GPU runs.
    *("CUBLAS_WORKSPACE_CONFIG", "TORCH_BLAS_PREFER_CUBLASLT", "TORCH_BLAS_PREFER_HIPBLASLT"),
    *("TORCH_CUDNN_V8_API_DISABLED", "TORCH_CUDNN_USE_HEURISTIC_MODE_B"),
    *("TORCH_LINALG_PREFER_CUSOLVER", "TORCH_LINALG_PREFER_HIPSOLVER", "TORCH_ROCM_FA_PREFER_CK"),
)
"""Variables that may change the last bits of a result; torch and its libraries read them when they are loaded."""


def check_environment(plan: Plan, environment: Mapping[str, str] | None = None) -> None:
    """Check that no variable asks for another training than the settings say.

    Args:
        plan: The plan of the training.
        environment: The environment variables; by default those of this process.

    Raises:
        ConfigError: a variable does; says what to use instead.
    """
    variables = os.environ if environment is None else environment
    for refused in refused_variables(plan):
        value = variables.get(refused.name, "").strip()
        if value.lower() not in refused.harmless:
            raise ConfigError(
                f"the environment variable {refused.name}={value!r} asks for {refused.asks_for}, which the settings "
                f"of this training do not say; unset it: {refused.instead}"
            )


@contextlib.contextmanager
def only_settings_count() -> Iterator[None]:
    """Take out of the environment what Accelerate and Trainer would obey while the body runs."""
    names = {name for name in os.environ if name.startswith(HIDDEN_PREFIXES)}
    fixed = dict(FIXED)
    names |= set(HIDDEN)
    processes = read_processes()
    if processes.world == 1:
        # Accelerate would set up the communication of several processes for one.
        names |= set(VARIABLES)
    else:
        # Accelerate would set it to 1 if it is missing.
        fixed["LOCAL_WORLD_SIZE"] = str(processes.local_world)
    names |= set(fixed)
    before = {name: os.environ[name] for name in names if name in os.environ}
    try:
        for name in before:
            del os.environ[name]
        os.environ.update(fixed)
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def computed_with(plan: Plan) -> dict[str, Any]:
    """Return what the last bits of a training depend on besides its settings; for its record, fit for JSON."""
    import torch

    variables = {name: os.environ[name] for name in RECORDED if name in os.environ}
    return {
        "precision": "bfloat16" if plan.settings.bf16 else "float32",
        "float32_products": torch.get_float32_matmul_precision(),
        "processes": read_processes().world,
        "threads": torch.get_num_threads(),
        "variables": variables,
    }


def check_accelerator(accelerator: Any, plan: Plan) -> None:
    """Check that Accelerate will train as the plan says, whatever else it has read.

    Raises:
        ConfigError: it would train otherwise.
    """
    expected = {
        "device": plan.device,
        "precision": "bf16" if plan.settings.bf16 else "no",
        "compiler": "NO",
        "kind": "NO" if read_processes().world == 1 else f"MULTI_{'CPU' if plan.device == 'cpu' else 'GPU'}",
    }
    found = {
        "device": accelerator.device.type,
        "precision": accelerator.mixed_precision,
        "compiler": accelerator.state.dynamo_plugin.backend.value,
        "kind": accelerator.distributed_type.value,
    }
    if differing := [name for name in expected if found[name] != expected[name]]:
        raise ConfigError(
            "Accelerate would not train as the settings say: "
            + "; ".join(f"its {name} is {found[name]!r}, not {expected[name]!r}" for name in differing)
        )
