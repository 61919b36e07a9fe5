"""The arguments of `transformers.Trainer`: the training steps are its own, everything else is switched off."""

from __future__ import annotations

from pathlib import Path

from transformers import TrainingArguments

from .plan import Plan
from .processes import world_size


def make_arguments(plan: Plan, directory: Path, batch_size: int, *, steps: int) -> TrainingArguments:
    """Return the arguments of Trainer for a plan.

    Args:
        plan: The plan.
        directory: The only directory that Trainer may make.
        batch_size: Samples of a batch over all processes.
        steps: Optimizer steps of the whole training.
    """
    settings = plan.settings
    made = TrainingArguments(
        output_dir=str(directory),
        per_device_train_batch_size=batch_size // world_size(),
        num_train_epochs=settings.epochs,
        max_steps=steps if settings.max_steps else -1,
        gradient_accumulation_steps=settings.accumulate,
        max_grad_norm=settings.clip,
        seed=settings.seed % 2**32,  # numpy accepts no larger seed
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
    # Trainer would split batches over several GPUs by threads; torchrun starts a process for each GPU instead.
    _ = made.device
    made._n_gpu = min(made._n_gpu, 1)
    return made
