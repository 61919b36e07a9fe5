"""What `transformers.Trainer` is told: what it has to do itself, and silence."""

from __future__ import annotations

from pathlib import Path

from transformers import TrainingArguments

from .plan import Plan
from .processes import world_size


def make_arguments(plan: Plan, directory: Path, batch_size: int) -> TrainingArguments:
    """Return the arguments of a plan.

    Args:
        plan: The plan.
        directory: The only place that Trainer may make.
        batch_size: Samples of a batch over all processes.
    """
    settings = plan.settings
    made = TrainingArguments(
        output_dir=str(directory),
        per_device_train_batch_size=batch_size // world_size(),
        num_train_epochs=settings.epochs,
        gradient_accumulation_steps=settings.accumulate,
        max_grad_norm=settings.clip,
        seed=settings.seed % 2**32,  # numpy takes no larger one
        bf16=settings.bf16,
        use_cpu=plan.device == "cpu",
        ddp_backend="gloo" if plan.device == "cpu" and world_size() > 1 else None,
        ddp_find_unused_parameters=False,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        log_level="error",
        remove_unused_columns=False,
        label_names=[],
    )
    # Several GPUs are for torchrun; Trainer would split batches over them by threads.
    _ = made.device
    made._n_gpu = min(made._n_gpu, 1)
    return made
