"""The task ``cv/image-classification``."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from denas_core import Answer, Batch, ImageInput, Metric, Outputs, SearchSpace, Split, Task, TaskData, option
from denas_core.errors import ConfigError, did_you_mean

from .augmentation import Augmentation
from .folder import images_in
from .form import LARGE, InputForm, Normalisation, form_of, measure_normalisation
from .formats import open_images
from .images import FileSource, Images, ImageSource
from .mixing import mix_images
from .split import ImageSample, ImageSplit, readable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.legacy import KeyTable

TOP = 5


@dataclasses.dataclass(kw_only=True)
class ImageClassification(Task[ImageSample]):
    """Image classification: find the class of an image.

    It reads folders of images by class, CIFAR-10 and CIFAR-100 (Python and binary batches), and MNIST as idx files.
    """

    metric: ClassVar[Metric] = Metric(name="accuracy", is_share=True)
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
        # Source: Touvron et al. 2020, arXiv:2012.12877, table 9.
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
        0.1,
        "Share of each class used for validation if the data has no validation part",
        above=0.0,
        at_most=0.5,
    )
    skip_corrupt: bool = option(False, "Check every image first, and leave out unreadable ones with a notice")
    crop: Literal["auto", "pad", "resized", "none"] = option(
        "auto",
        "pad: a random square of the padded image; resized: a random part, resized; auto: pad below 96 pixels",
    )
    smallest_crop: float = option(
        0.25, "Smallest area of a resized crop, as a share of the image's area", above=0.0, at_most=1.0
    )
    flip: Literal["auto", "random", "none"] = option(
        "auto",
        "Mirror half of the images; auto: only coloured ones, since mirrored digits are wrong",
    )
    rand_augment: int = option(0, "Number of random operations on each image (RandAugment)", at_least=0)
    magnitude: float = option(9.0, "Strength of these operations", at_least=0.0, at_most=10.0)
    erasing: float = option(
        0.0, "Share of images in which a rectangle becomes noise", at_least=0.0, at_most=1.0
    )
    mixup: float = option(0.0, "Beta parameter of mixup, which blends two images; 0 is off", at_least=0.0)
    cutmix: float = option(
        0.0, "Beta parameter of CutMix, which pastes part of another image; 0 is off", at_least=0.0
    )

    @classmethod
    def legacy(cls) -> KeyTable:
        """Return the translation of the original's training keys for this task."""
        from .legacy import IMAGES

        return IMAGES

    def why_unsuitable(self, space: SearchSpace) -> str:
        """Return why the inputs of `space` are not square images; empty if they are."""
        found = form_of(space)
        return found if isinstance(found, str) else ""

    def read(
        self, data: Path, space: SearchSpace, *, facts: Mapping[str, Any] | None = None
    ) -> TaskData[ImageSample]:
        """Open the images in `data`; see `open_images` for formats and errors.

        Without `facts`, the validation images of a training are read (``val/`` is preferred over ``test/``). With
        `facts`, the images for an evaluation are read (``test/`` is preferred over ``val/``).
        """
        form = form_of(space)
        if isinstance(form, str):
            raise ConfigError(f"space {space.id!r} cannot classify images: {form}")
        images = open_images(Path(data), valid_share=self.valid_share, to_evaluate=facts is not None)
        if facts is None:
            return self._training_data(images, form)
        form = dataclasses.replace(form, centre_crop=float(facts["centre_crop"]))
        return self._evaluation_data(images, form, facts, data)

    def head(self, width: int, facts: Mapping[str, Any]) -> nn.Module:
        """Return a linear layer with one output for each class."""
        from torch import nn

        return nn.Linear(width, len(facts["labels"]))

    def collate(
        self, samples: Sequence[ImageSample], rng: random.Random | None = None
    ) -> tuple[Batch, dict[str, Tensor]]:
        """Return normalised images; for mixed images also the label ``other`` and the ``share`` of the first label."""
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
            pixels, partners, share = mix_images(pixels, rng, mixup=self.mixup, cutmix=self.cutmix)
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
        """Return the mean cross entropy, computed in float32 for any precision of the network."""
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
        """Return ``accuracy``, the mean accuracy over classes and, with more than 5 classes, ``top5_accuracy``."""
        labels = targets["label"]
        hits = predictions == labels[:, None]
        first = hits[:, 0].double()
        counts = labels.bincount()
        by_class = labels.bincount(weights=first)[counts > 0] / counts[counts > 0]
        found = {"accuracy": float(first.mean()), "balanced_accuracy": float(by_class.mean())}
        if predictions.shape[1] == TOP:
            found["top5_accuracy"] = float(hits.any(1).double().mean())
        return found

    def items(self, path: Path) -> Iterator[tuple[str, Path]]:
        """Yield an image file, or every image in a folder."""
        yield from ((str(file), file) for file in images_in(path))

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[Path], Split[ImageSample]]:
        """Return a function that reads an image file as images for an evaluation are read."""
        form = form_of(space)
        if isinstance(form, str):
            raise ConfigError(f"space {space.id!r} cannot classify images: {form}")
        form = dataclasses.replace(form, centre_crop=float(facts["centre_crop"]))
        normalisation = _normalisation(form, facts)
        return lambda path: ImageSplit(FileSource([str(path)], [0]), form, normalisation)

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> ImageInput | None:
        """Return how `InputForm.view` and `collate` make the input of an image."""
        form = form_of(space)
        if isinstance(form, str) or "centre_crop" not in facts:
            return None
        return ImageInput(
            input=form.name,
            channels=form.channels,
            size=form.size,
            centre_crop=float(facts["centre_crop"]),
            mean=tuple(facts["mean"]),
            std=tuple(facts["std"]),
            activation="softmax",
        )

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[ImageSample],
    ) -> Tensor:
        """Return the probability of each class (samples, classes)."""
        return _logits(outputs).float().softmax(-1)

    def answer(self, details: Tensor, split: Split[ImageSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the likeliest class."""
        return Answer.of_labels(dict(zip(facts["labels"], details[0].tolist(), strict=True)))

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write folders of random images of 3 classes, each with 4 training and 2 validation images."""
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

    def _training_data(self, images: Images, form: InputForm) -> TaskData[ImageSample]:
        train, valid = images.train, images.valid
        if train is None or valid is None:
            raise ConfigError(f"the data ({images.kind}) has no training images or no validation images")
        notices = list(images.notices)
        if self.skip_corrupt:
            train, more = readable(train, "training")
            valid, others = readable(valid, "measured")
            notices += [*more, *others]
        normalisation = measure_normalisation(train, form)
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

    def _evaluation_data(
        self, images: Images, form: InputForm, facts: Mapping[str, Any], data: Path
    ) -> TaskData[ImageSample]:
        if images.valid is None:
            raise ConfigError(f"{str(data)!r} has no validation images")
        valid: ImageSource = _relabel(images.valid, images.labels, facts["labels"], data)
        notices = list(images.notices)
        if self.skip_corrupt:
            valid, more = readable(valid, "measured")
            notices += more
        return TaskData(
            train=None,
            valid=ImageSplit(valid, form, _normalisation(form, facts)),
            facts=dict(facts),
            notices=notices,
        )

    def _augmentation(self, form: InputForm, normalisation: Normalisation) -> Augmentation:
        crop = self.crop
        if crop == "auto":
            crop = "resized" if form.size >= LARGE else "pad"
        # The background of digits is black. Coloured images have no common background, so their mean is used, which
        # normalisation maps to 0.
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


def _relabel(source: ImageSource, labels: Sequence[str], known: Sequence[str], data: Path) -> ImageSource:
    """Return the images with the class numbers of a trained network; classes are matched by name."""
    numbers = {label: number for number, label in enumerate(known)}
    for label in {labels[number] for number in source.labels}:
        if label not in numbers:
            raise ConfigError(
                f"{str(data)!r} has images of the class {label!r}, which the network was not trained for"
                f"{did_you_mean(label, known)}"
            )
    return source.part(range(len(source)), [numbers[labels[number]] for number in source.labels])


def _normalisation(form: InputForm, facts: Mapping[str, Any]) -> Normalisation:
    return Normalisation(mean=tuple(facts["mean"]), std=tuple(facts["std"]), in_colour=form.channels == 3)


def _logits(outputs: Outputs) -> Tensor:
    return next(iter(outputs.logits.values()))
