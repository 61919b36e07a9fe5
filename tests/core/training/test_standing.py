"""Which model is kept, and when training stops."""

from __future__ import annotations

from denas_core.task import Metric
from denas_core.training.settings import TrainingSettings
from denas_core.training.standing import Standing

WER = Metric(name="wer", direction="minimize")


def course(*rows: tuple[float, float], **settings: float) -> tuple[list[bool], Standing]:
    """Return which of some evaluations (wer, loss) were the best so far, and where that ends."""
    standing = Standing()
    chosen = TrainingSettings(**settings)  # type: ignore[arg-type]
    best = [
        standing.note({"wer": wer, "loss": loss}, WER, epoch=float(epoch), settings=chosen)
        for epoch, (wer, loss) in enumerate(rows, start=1)
    ]
    return best, standing


def test_the_best_metric_wins_whatever_its_loss() -> None:
    best, standing = course((0.5, 1.0), (0.4, 2.0), (0.6, 0.1))
    assert best == [True, True, False]
    assert (standing.best["wer"], standing.best_epoch, standing.stale) == (0.4, 2.0, 1)


def test_of_equal_metrics_the_smallest_loss_wins() -> None:
    best, standing = course((1.0, 3.0), (1.0, 2.0), (1.0, 2.5), (1.0, 2.0))
    assert best == [True, True, False, False]
    assert (standing.best_epoch, standing.best["loss"]) == (2.0, 2.0)


def test_a_smaller_loss_alone_does_not_hold_off_the_end() -> None:
    _, standing = course((1.0, 3.0), (1.0, 2.0), (1.0, 1.0), patience=2)
    assert standing.stopped == "no better wer in 2 evaluations"


def test_a_threshold_stops() -> None:
    _, standing = course((0.25, 1.0), metric_threshold=0.25)
    assert standing.stopped == "wer 0.25 has reached the threshold 0.25"
