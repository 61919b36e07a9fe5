"""Environment variables that Accelerate, Trainer and torch obey: refused, hidden or recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from denas_core.errors import ConfigError
from denas_core.models.trained import load_model
from denas_core.training.environment import (
    FIXED,
    HIDDEN,
    HIDDEN_PREFIXES,
    RECORDED,
    check_accelerator,
    check_environment,
    only_settings_count,
    refused_variables,
)
from tests.core.toy_searches import denas_here

from .trainings import assert_same, make_plan, run, weights

ASKING = {
    "ACCELERATE_MIXED_PRECISION": ("bf16", "fp16", "fp8"),
    "ACCELERATE_DYNAMO_BACKEND": ("inductor", "EAGER"),
    "ACCELERATE_USE_DEEPSPEED": ("true", "1"),
    "ACCELERATE_USE_FSDP": ("true",),
    "ACCELERATE_USE_MEGATRON_LM": ("true",),
    "ACCELERATE_USE_PARALLELISM_CONFIG": ("true",),
    "ACCELERATE_USE_SAGEMAKER": ("true",),
    "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": ("4",),
    "ACCELERATE_GRADIENT_CLIPPING": ("0.5",),
    "ACCELERATE_TORCH_DEVICE": ("meta", "cuda:1"),
}
"""Values of each refused variable that ask for another training than that of the toy plan, on a CPU."""

IGNORED = {
    "ACCELERATE_FP8_BACKEND": "MSAMP",
    "ACCELERATE_DYNAMO_MODE": "max-autotune",
    "ACCELERATE_CPU_AFFINITY": "1",
    "ACCELERATE_DEBUG_MODE": "true",
    "FSDP_OFFLOAD_PARAMS": "true",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",
    "MEGATRON_LM_TP_DEGREE": "2",
    "PARALLELISM_CONFIG_TP_SIZE": "2",
    "FORK_LAUNCHED": "1",
    "PMI_SIZE": "1",
    "KUBEFLOW_TRAINER_SERVER_URL": "http://localhost:9/nowhere",
    "SM_FRAMEWORK_PARAMS": '{"sagemaker_distributed_dataparallel_enabled": true}',
    "SM_HP_MP_PARAMETERS": '{"partitions": 2}',
    "USE_TORCH_XLA": "1",
}
"""A value of each kind of hidden variable."""


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in ASKING.items() for value in values]
)
def test_a_variable_that_asks_for_another_training_is_one_line_and_leaves_nothing(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    out = tmp_path / "out"
    arguments = (
        "--arch",
        '{"depth": 1, "width": 4}',
        "--data",
        str(points),
        "--device",
        "cpu",
        "--out",
        str(out),
    )
    done = denas_here("train", "points/mlp", *arguments, "--epochs", "1")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"error: the environment variable {name}={value!r} asks for ")
    assert done.stderr.count("\n") == 1 and not out.exists()


def test_every_refused_variable_is_tried(points: Path) -> None:
    names = {refused.name for refused in refused_variables(make_plan(points))}
    assert names == {*ASKING, "ACCELERATE_USE_CPU"}


def test_values_that_ask_for_nothing_else_are_taken(points: Path) -> None:
    # What 'accelerate launch' sets.
    launched = {
        "ACCELERATE_MIXED_PRECISION": "no",
        "ACCELERATE_DYNAMO_BACKEND": "NO",
        "ACCELERATE_USE_CPU": "False",
        "ACCELERATE_USE_FSDP": "false",
        "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "1",
    }
    check_environment(make_plan(points), launched)
    plan = make_plan(points, bf16=True, accumulate=4, clip=0.5)
    asked = {
        "ACCELERATE_MIXED_PRECISION": "bf16",
        "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4",
        "ACCELERATE_GRADIENT_CLIPPING": "0.5",
        "ACCELERATE_USE_CPU": "true",
        "ACCELERATE_TORCH_DEVICE": "cpu",
    }
    check_environment(plan, asked)
    with pytest.raises(ConfigError, match="ACCELERATE_MIXED_PRECISION='bf16' asks for a precision"):
        check_environment(make_plan(points), asked)


def test_a_training_on_a_gpu_is_not_moved_to_the_processor(points: Path) -> None:
    import dataclasses

    plan = dataclasses.replace(make_plan(points), device="cuda")
    with pytest.raises(ConfigError, match=r"ACCELERATE_USE_CPU='True' asks for .*: use --device cpu$"):
        check_environment(plan, {"ACCELERATE_USE_CPU": "True"})


def test_what_is_hidden_changes_nothing(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(make_plan(points, epochs=1), tmp_path / "without")
    for name, value in IGNORED.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    run(make_plan(points, epochs=1), tmp_path / "with")
    assert_same(weights(tmp_path / "without"), weights(tmp_path / "with"))
    assert dict(os.environ) == before, "the environment is as it was"


def test_nothing_that_is_hidden_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(name in HIDDEN or name in FIXED or name.startswith(HIDDEN_PREFIXES) for name in IGNORED)
    for name, value in {**IGNORED, "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    with only_settings_count():
        left = {name for name in [*IGNORED, "RANK", "WORLD_SIZE", "LOCAL_RANK"] if name in os.environ}
        assert left == {"USE_TORCH_XLA"} and os.environ["USE_TORCH_XLA"] == "0"
    assert os.environ["RANK"] == "0" and os.environ["USE_TORCH_XLA"] == "1"


def test_what_changes_last_bits_is_recorded(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in RECORDED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16")
    result = run(make_plan(points, epochs=1, bf16=True), tmp_path / "out")
    assert result.notices == []
    written = json.loads((tmp_path / "out" / "settings.json").read_text())["computed_with"]
    assert written == {
        "precision": "bfloat16",
        "float32_products": torch.get_float32_matmul_precision(),
        "processes": 1,
        "threads": torch.get_num_threads(),
        "variables": {"OMP_NUM_THREADS": "1", "ONEDNN_DEFAULT_FPMATH_MODE": "BF16"},
    }
    assert load_model(tmp_path / "out" / "model").history["computed_with"] == written


def test_a_resume_says_what_it_computes_with_instead(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    run(make_plan(points, epochs=1), tmp_path / "out")
    (tmp_path / "out" / "result.json").unlink()
    monkeypatch.delenv("MKL_CBWR")
    again = run(make_plan(points, epochs=1), tmp_path / "out", resume=True)
    assert again.notices == [
        "this training goes on with variables.MKL_CBWR: 'COMPATIBLE' -> None: its numbers may differ in the last bits"
    ]


def test_what_accelerate_would_do_otherwise_is_refused(points: Path) -> None:
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        accelerator = Accelerator(cpu=True, mixed_precision="bf16")
        check_accelerator(accelerator, make_plan(points, bf16=True))
        with pytest.raises(ConfigError, match="its precision is 'bf16', not 'no'"):
            check_accelerator(accelerator, make_plan(points))
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
