"""The task ``cv/image-multilabel``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core import Answer, Metric, Outputs, SearchSpace, Split, WrongAnswer, worst_answers

from .form import form_of
from .images import Label
from .script import SEVERAL_LABELS, script_of
from .split import ImageSample, ImageSplit
from .task import ImageClassification, logits_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core import Batch
    from denas_core.legacy import KeyTable

THRESHOLD = 0.5
"""Probability above which a label belongs to the answer."""


@dataclasses.dataclass(kw_only=True)
class ImageMultilabel(ImageClassification):
    """Multi-label image classification: find all labels of an image, of which there may be several or none.

    It reads what image-classification reads. In a table, a cell has several labels, or there is a column of 0 and 1 for
    each label.
    """

    metric: ClassVar[Metric] = Metric(name="micro_f1", worst=0.0)
    recipe: ClassVar[Mapping[str, Any]] = {**ImageClassification.recipe, "label_smoothing": 0.0}
    has_sets: ClassVar[bool] = True
    no_label: ClassVar[Label] = ()

    @classmethod
    def legacy(cls) -> KeyTable | None:
        """Return None: the original had no such task."""
        return None

    def targets(self, samples: Sequence[ImageSample]) -> Tensor:
        """Return 1 for each label that an image has, and 0 for the others (samples, classes)."""
        import torch

        targets = torch.zeros(len(samples), samples[0].classes)
        for row, sample in zip(targets, samples, strict=True):
            row[list(sample.label if isinstance(sample.label, tuple) else (sample.label,))] = 1
        return targets

    def losses(self, logits: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
        """Return the binary cross entropy of each image, its mean over the labels (samples)."""
        from torch.nn import functional as F

        smoothed = labels * (1 - label_smoothing) + label_smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, smoothed, reduction="none").mean(-1)

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the probability of each label (samples, classes)."""
        return logits_of(outputs).float().sigmoid()

    def mistakes(
        self, predictions: Tensor, targets: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return nothing: an image has several labels, so none is taken for another."""
        return {}

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[ImageSample],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the images with the most labels that are missing or too many."""
        if not isinstance(split, ImageSplit):
            return {}
        return worst_answers(
            WrongAnswer.of_labels(
                targets["label"] > 0.5, predictions > THRESHOLD, facts["labels"], split.name
            ),
            "wrong labels",
        )

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[ImageSample]
    ) -> dict[str, float]:
        """Return ``micro_f1`` over all labels, ``macro_f1`` and ``mAP``, the means over the labels that occur."""
        import torch

        truth = targets["label"] > 0.5
        found = predictions > THRESHOLD
        hits, named, true = (each.sum(0).double() for each in (found & truth, found, truth))
        occurs = true > 0
        by_label = 2 * hits / (named + true).clamp(min=1)
        precisions = [
            average_precision(predictions[:, label], truth[:, label])
            for label in occurs.nonzero().flatten().tolist()
        ]
        return {
            "micro_f1": float(2 * hits.sum() / (named.sum() + true.sum()).clamp(min=1)),
            "macro_f1": float(by_label[occurs].mean()) if len(precisions) else 0.0,
            "mAP": float(torch.stack(precisions).mean()) if precisions else 0.0,
        }

    def chance(self, targets: Mapping[str, Tensor], split: Split[ImageSample]) -> float:
        """Return the best micro F1 of some labels for all images: of the most frequent label, of the first two, etc."""
        import torch

        truth = targets["label"] > 0.5
        hits = truth.sum(0).double().sort(descending=True).values.cumsum(0)
        named = len(truth) * torch.arange(1, len(hits) + 1)
        return float((2 * hits / (named + hits[-1])).max())

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[ImageSample],
    ) -> Tensor:
        """Return the probability of each label (samples, classes)."""
        return self.predict(outputs)

    def imitation(self, outputs: Outputs, taught: Outputs, *, temperature: float) -> Tensor:
        """Return the binary cross entropy with the softened probabilities of the teacher."""
        from torch.nn import functional as F

        ours, theirs = (logits_of(each).float() / temperature for each in (outputs, taught))
        return F.binary_cross_entropy_with_logits(ours, theirs.sigmoid())

    def script(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> str:
        """Return code that reads an image file with Pillow, and names its labels."""
        form = form_of(space)
        return "" if isinstance(form, str) else script_of(form, facts, answer=SEVERAL_LABELS)

    def answer(self, details: Tensor, split: Split[ImageSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the labels that are likelier than not, the likeliest first, with the smallest of their probabilities.

        If there is none, the text is empty, and the probability is that of the likeliest label being absent.
        """
        likeliest = Answer.of_labels(
            dict(zip(facts["labels"], details[0].tolist(), strict=True))
        ).probabilities
        named = {label: share for label, share in likeliest.items() if share > THRESHOLD}
        probability = min(named.values()) if named else 1 - max(likeliest.values())
        return Answer(text=", ".join(named), probability=probability, probabilities=likeliest)

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write random images and a table that gives some of them two labels, and some none."""
        import torch
        from PIL import Image

        generator = torch.Generator().manual_seed(0)
        lines = ["path,label,split"]
        for number, labels in enumerate(
            ("round", "red", "round|red", "", "red", "round|red", "round", "red|large")
        ):
            for part in ("train", "valid"):
                pixels = torch.randint(256, (8, 8, 3), generator=generator, dtype=torch.uint8)
                Image.fromarray(pixels.numpy()).save(folder / f"{part}-{number}.png")
                lines.append(f"{part}-{number}.png,{labels},{part}")
        (folder / "images.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder


def average_precision(scores: Tensor, truth: Tensor) -> Tensor:
    """Return the mean, over the images that have a label, of the precision down to each of them in the order of scores.

    Images with equal scores count together, so that their order does not matter.
    """
    import torch

    values, order = scores.double().sort(descending=True)
    hits = truth[order].double().cumsum(0)
    # The last place of each run of equal scores.
    ends = torch.searchsorted(-values, -values, right=True) - 1
    precision = hits[ends] / (ends + 1)
    return precision[truth[order]].mean()
