"""Which model is kept, and when training stops."""

from __future__ import annotations

from denas_core.contracts.task import Metric
from denas_core.training.progress import TrainingProgress
from denas_core.training.settings import TrainingSettings

WER = Metric(name="wer", direction="minimize")


def course(
    *rows: tuple[float, float], metric: Metric = WER, **settings: float
) -> tuple[list[bool], TrainingProgress]:
    """Return which of some evaluations (wer, loss) were the best so far, and where that ends."""
    progress = TrainingProgress()
    chosen = TrainingSettings(**settings)  # type: ignore[arg-type]
    best = [
        progress.record({"wer": wer, "loss": loss}, metric, epoch=float(epoch), settings=chosen)
        for epoch, (wer, loss) in enumerate(rows, start=1)
    ]
    return best, progress


def test_the_best_metric_wins_whatever_its_loss() -> None:
    best, progress = course((0.5, 1.0), (0.4, 2.0), (0.6, 0.1))
    assert best == [True, True, False]
    assert (progress.best["wer"], progress.best_epoch, progress.stale) == (0.4, 2.0, 1)


def test_of_equal_metrics_the_smallest_loss_wins() -> None:
    best, progress = course((1.0, 3.0), (1.0, 2.0), (1.0, 2.5), (1.0, 2.0))
    assert best == [True, True, False, False]
    assert (progress.best_epoch, progress.best["loss"]) == (2.0, 2.0)


def test_of_models_that_are_worse_than_none_the_smallest_loss_wins() -> None:
    """Who writes nothing has an error rate of 1, who begins to hear may put in more words than were said."""
    wer = Metric(name="wer", direction="minimize", worst=1.0)
    best, progress = course((1.0, 3.0), (1.5, 2.0), (1.2, 2.5), (0.9, 2.2), metric=wer)
    assert best == [True, True, False, True]
    assert progress.best == {"wer": 0.9, "loss": 2.2}
    accuracy = Metric(name="accuracy", worst=0.5)
    assert not accuracy.is_better(0.4, 0.3)
    assert accuracy.is_better(0.6, 0.3)


def test_a_smaller_loss_alone_does_not_hold_off_the_end() -> None:
    _, progress = course((1.0, 3.0), (1.0, 2.0), (1.0, 1.0), patience=2)
    assert progress.stopped == "no better wer in 2 evaluations"


def test_a_threshold_stops() -> None:
    _, progress = course((0.25, 1.0), metric_threshold=0.25)
    assert progress.stopped == "wer 0.25 has reached the threshold 0.25"
