"""The schedule of the learning rate, as a factor of its highest value."""

from __future__ import annotations

import math

from .settings import TrainingSettings


def count_steps_per_epoch(settings: TrainingSettings, *, samples: int, batch_size: int) -> int:
    """Return the optimizer steps of an epoch; samples that do not fill a batch are left out."""
    return max(math.ceil(samples // batch_size / settings.accumulate), 1)


def count_steps(settings: TrainingSettings, steps_per_epoch: int) -> int:
    """Return the optimizer steps of a whole training that no time limits."""
    total = settings.epochs * steps_per_epoch
    return min(total, settings.max_steps) if settings.max_steps else total


def learning_rate_factor(
    settings: TrainingSettings, step: int, *, total: int, steps_per_epoch: int, share: float = 0.0
) -> float:
    """Return the factor for an optimizer step, from 0 on.

    A linear warm-up of `warm_up_steps` reaches 1 with its last step; the schedule covers the steps that remain. With
    ``noam`` the whole is sqrt(W) min(n^-1/2, n W^-3/2) for step n from 1 on and a warm-up of W (Vaswani et al. 2017,
    arXiv:1706.03762, section 5.3).

    Args:
        settings: The settings.
        step: The step.
        total: Steps of the whole training.
        steps_per_epoch: Steps of one epoch.
        share: Share of the time that is spent, if the time is limited. If it is larger than the share of the steps,
            it decides on the warm-up, on ``noam``, and on the schedules that end: they are over when the time is.
    """
    warm_up = warm_up_steps(settings, total)
    place = max(float(step), share * total)
    if place < warm_up:
        return (place + 1) / warm_up if place + 1 < warm_up else 1.0
    if settings.schedule == "constant":
        return 1.0
    if settings.schedule == "noam":
        # After a warm-up that the time has ended, the count of steps alone would give a factor above 1.
        return math.sqrt(max(warm_up, 1) / (place + 1))
    if settings.schedule == "step":
        return float(settings.step_factor ** (step // steps_per_epoch // settings.step_epochs))
    progress = min((place - warm_up) / max(total - warm_up, 1), 1.0)
    left = 1 - progress if settings.schedule == "linear" else (1 + math.cos(math.pi * progress)) / 2
    return settings.final_lr + (1 - settings.final_lr) * left


def warm_up_steps(settings: TrainingSettings, total: int) -> int:
    """Return the optimizer steps of the warm-up: a share of `total` below 1, else a count."""
    wanted = settings.warmup * total if settings.warmup < 1 else settings.warmup
    return min(round(wanted), total)
