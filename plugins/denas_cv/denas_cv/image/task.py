"""The task ``cv/image-classification``."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denas_core import Batch, Metric, Outputs, SearchSpace, Split, Task, TaskData, option
from denas_core.errors import ConfigError, did_you_mean

from .augmentation import Augmentation
from .form import LARGE, InputForm, Normalisation, form_of, measured
from .formats import open_images
from .images import Images, ImageSource
from .mixing import mixed
from .split import ImageSample, ImageSplit, readable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.legacy import KeyTable

TOP = 5


@dataclasses.dataclass(kw_only=True)
class ImageClassification(Task[ImageSample]):
    """Tell which class an image shows.

    Reads folders of images by class, CIFAR-10 and CIFAR-100 (batches for Python and binary ones) and MNIST as idx.
    """

    metric: ClassVar[Metric] = Metric(name="accuracy")
    recipe: ClassVar[Mapping[str, Any]] = {
        "epochs": 30,
        "batch_size": 128,
        "optimizer": "adamw",
        "lr": 1e-3,
        "weight_decay": 0.05,
        "schedule": "cosine",
        "warmup": 0.05,
        "label_smoothing": 0.1,
    }
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        # Touvron et al. 2020, arXiv:2012.12877, table 9.
        "strong": {
            "smallest_crop": 0.08,
            "rand_augment": 2,
            "magnitude": 9.0,
            "erasing": 0.25,
            "mixup": 0.8,
            "cutmix": 1.0,
        },
        "plain": {"crop": "none", "flip": "none"},
    }

    valid_share: float = option(
        0.1, "Share of each class to measure on, where the data has no such part", above=0.0, at_most=0.5
    )
    skip_corrupt: bool = option(
        False, "Look at every image first and leave out those that cannot be read, with a notice"
    )
    crop: Literal["auto", "pad", "resized", "none"] = option(
        "auto",
        "pad: a random square of the padded image; resized: a random part, resized; auto: pad below 96 pixels",
    )
    smallest_crop: float = option(
        0.25, "Least area of a resized crop, by that of the image", above=0.0, at_most=1.0
    )
    flip: Literal["auto", "random", "none"] = option(
        "auto",
        "Whether every second image is mirrored; auto: those of coloured data, since digits have a side",
    )
    rand_augment: int = option(0, "Random changes of each image (RandAugment)", at_least=0)
    magnitude: float = option(9.0, "Strength of these changes", at_least=0.0, at_most=10.0)
    erasing: float = option(
        0.0, "Share of images of which a rectangle becomes noise", at_least=0.0, at_most=1.0
    )
    mixup: float = option(0.0, "Spread of mixup: two images laid over each other; 0 is off", at_least=0.0)
    cutmix: float = option(0.0, "Spread of CutMix: a part of another image pasted in; 0 is off", at_least=0.0)

    @classmethod
    def legacy(cls) -> KeyTable:
        """Return what the original's keys of trainings mean for this task."""
        from .legacy import IMAGES

        return IMAGES

    def misfit(self, space: SearchSpace) -> str:
        """Return why the inputs of `space` are no square images; empty if they are."""
        found = form_of(space)
        return found if isinstance(found, str) else ""

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[ImageSample]:
        """Open the images in `data`; see `open_images` for formats and errors.

        Without `facts` the part that training is steered by is measured on (``val/`` before ``test/``); with them, the
        one that it should not have seen (``test/`` before ``val/``).
        """
        form = form_of(space)
        if isinstance(form, str):
            raise ConfigError(f"space {space.id!r} cannot classify images: {form}")
        images = open_images(Path(data), valid_share=self.valid_share, to_evaluate=facts is not None)
        if facts is None:
            return self._to_learn(images, form)
        form = dataclasses.replace(form, centre_crop=float(facts["centre_crop"]))
        return self._to_evaluate(images, form, facts, data)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with one output a class."""
        from torch import nn

        return nn.Linear(width, len(facts["labels"]))

    def collate(
        self, samples: Sequence[ImageSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return normalised images; of mixed ones also the ``other`` label, and the ``share`` of the first."""
        import torch

        form, normalisation = samples[0].form, samples[0].normalisation
        mean, std = (
            torch.tensor(values).mul_(255).view(-1, 1, 1)
            for values in (normalisation.mean, normalisation.std)
        )
        pixels = torch.stack([sample.pixels for sample in samples]).float().sub_(mean).div_(std)
        labels = torch.tensor([sample.label for sample in samples])
        targets = {"label": labels}
        if rng is not None and (self.mixup or self.cutmix):
            pixels, partners, share = mixed(pixels, rng, mixup=self.mixup, cutmix=self.cutmix)
            targets |= {"other": labels[partners], "share": torch.full((len(samples),), share)}
        batch = Batch(
            inputs={form.name: pixels},
            perturbable=(form.name,),
            units={"samples": float(len(samples))},
        )
        return batch, targets

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean cross entropy, in float32 whatever the network computes in."""
        from torch.nn import functional as F

        logits = _logits(outputs).float()

        def entropy(labels: Tensor) -> Tensor:
            return F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)

        losses = entropy(targets["label"])
        if "other" in targets:
            share = targets["share"]
            losses = share * losses + (1 - share) * entropy(targets["other"])
        return losses.mean()

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the numbers of the likeliest classes, best first (samples, 5 or fewer)."""
        logits = _logits(outputs).float()
        return logits.topk(min(TOP, logits.shape[-1])).indices

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[ImageSample]
    ) -> dict[str, float]:
        """Return ``accuracy``, its mean over classes and, with more than 5 classes, ``top5_accuracy``."""
        labels = targets["label"]
        hits = predictions == labels[:, None]
        first = hits[:, 0].double()
        counts = labels.bincount()
        by_class = labels.bincount(weights=first)[counts > 0] / counts[counts > 0]
        found = {"accuracy": float(first.mean()), "balanced_accuracy": float(by_class.mean())}
        if predictions.shape[1] == TOP:
            found["top5_accuracy"] = float(hits.any(1).double().mean())
        return found

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write a folder of random images by class: 3 classes, 4 images each to learn from and 2 to measure on."""
        import torch
        from PIL import Image

        form = form_of(space)
        size = 8 if isinstance(form, str) else form.size
        generator = torch.Generator().manual_seed(0)
        for part, count in (("train", 4), ("val", 2)):
            for label in ("circle", "square", "triangle"):
                (folder / part / label).mkdir(parents=True, exist_ok=True)
                for number in range(count):
                    pixels = torch.randint(256, (size, size, 3), generator=generator, dtype=torch.uint8)
                    Image.fromarray(pixels.numpy()).save(folder / part / label / f"{number}.png")
        return folder

    def _to_learn(self, images: Images, form: InputForm) -> TaskData[ImageSample]:
        train, valid = images.train, images.valid
        if train is None or valid is None:
            raise ConfigError(f"the data ({images.kind}) has no images to learn from, or none to measure on")
        notices = list(images.notices)
        if self.skip_corrupt:
            train, more = readable(train, "training")
            valid, others = readable(valid, "measured")
            notices += [*more, *others]
        normalisation = measured(train, form)
        facts = {
            "labels": list(images.labels),
            "image_size": form.size,
            "channels": form.channels,
            "mean": list(normalisation.mean),
            "std": list(normalisation.std),
            "centre_crop": form.centre_crop,
            "kind": images.kind,
        }
        return TaskData(
            train=ImageSplit(train, form, normalisation, self._augmentation(form, normalisation)),
            valid=ImageSplit(valid, form, normalisation),
            facts=facts,
            notices=notices,
        )

    def _to_evaluate(
        self, images: Images, form: InputForm, facts: Mapping[str, Any], data: Path
    ) -> TaskData[ImageSample]:
        if images.valid is None:
            raise ConfigError(f"{str(data)!r} has no images to measure on")
        valid: ImageSource = _relabelled(images.valid, images.labels, facts["labels"], data)
        notices = list(images.notices)
        if self.skip_corrupt:
            valid, more = readable(valid, "measured")
            notices += more
        normalisation = Normalisation(
            mean=tuple(facts["mean"]), std=tuple(facts["std"]), in_colour=form.channels == 3
        )
        return TaskData(
            train=None, valid=ImageSplit(valid, form, normalisation), facts=dict(facts), notices=notices
        )

    def _augmentation(self, form: InputForm, normalisation: Normalisation) -> Augmentation:
        crop = self.crop
        if crop == "auto":
            crop = "resized" if form.size >= LARGE else "pad"
        # Black is the paper of digits; coloured images have no such colour, and their mean becomes 0.
        fill = tuple(round(255 * mean) if normalisation.in_colour else 0 for mean in normalisation.mean)
        return Augmentation(
            size=form.size,
            crop=crop,
            smallest_crop=self.smallest_crop,
            flip=normalisation.in_colour if self.flip == "auto" else self.flip == "random",
            operations=self.rand_augment,
            magnitude=self.magnitude,
            erasing=self.erasing,
            fill=fill,
            centre_crop=form.centre_crop,
        )


def _relabelled(source: ImageSource, labels: Sequence[str], known: Sequence[str], data: Path) -> ImageSource:
    """Return the images with the class numbers of a trained network, by the names of the classes."""
    numbers = {label: number for number, label in enumerate(known)}
    for label in {labels[number] for number in source.labels}:
        if label not in numbers:
            raise ConfigError(
                f"{str(data)!r} has images of the class {label!r}, which the network was not trained for"
                f"{did_you_mean(label, known)}"
            )
    return source.part(range(len(source)), [numbers[labels[number]] for number in source.labels])


def _logits(outputs: Outputs) -> Tensor:
    return next(iter(outputs.logits.values()))
