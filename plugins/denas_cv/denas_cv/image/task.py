"""The task ``cv/image-classification``."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core import (
    Answer,
    Batch,
    DataDescription,
    ImageInput,
    Metric,
    Outputs,
    SearchSpace,
    Split,
    Task,
    TaskData,
    confusion,
    largest_share,
    option,
)
from denas_core.errors import ConfigError

from .augmentation_options import AugmentationOptions
from .class_metrics import TOP, class_metrics
from .describing import describe_images, describe_sizes, shorten, sizes_of, too_large
from .example import write_example
from .folder import images_in
from .form import (
    InputForm,
    form_of,
    image_input,
    measure_normalisation,
    normalisation_of,
)
from .formats import open_images
from .images import FileSource, Images, Label
from .mixing import mix_images
from .relabelling import SEVERAL_LABELS, relabelled
from .script import script_of_one_label
from .split import ImageSample, ImageSplit, readable
from .tables.columns import Columns

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.legacy import KeyTable


@dataclasses.dataclass(kw_only=True)
class ImageClassification(AugmentationOptions, Task[ImageSample]):
    """Image classification: find the class of an image.

    It reads folders of images by class, tables of paths and labels, CIFAR-10 and CIFAR-100 (Python and binary batches),
    and MNIST and EMNIST as idx files.
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
    path: str = option(
        "", "Column of a table that has the paths of the images; found by its content if not given"
    )
    label: str = option(
        "",
        "Column of a table that has the labels, or several columns of 0 and 1 with commas between their names",
    )
    split: str = option("", "Column of a table that says train, valid or test of each image")
    separator: str = option(
        "", "What separates several labels in a cell of a table, or none; found if not given"
    )
    subset: str = option(
        "", "Which of several data sets in a folder is read: a part of its name, such as letters"
    )
    skip_corrupt: bool = option(False, "Check every image first, and leave out unreadable ones with a notice")

    has_sets: ClassVar[bool] = False
    """Whether an image may have several labels or none."""

    no_label: ClassVar[Label] = 0
    """The label of an image whose label is not known."""

    def columns(self) -> Columns:
        """Return the columns that the options name."""
        return Columns(path=self.path, label=self.label, split=self.split, separator=self.separator)

    def describe(self, data: Path) -> DataDescription | None:
        """Return what the images in `data` are; None if they are of another kind, or may have several labels."""
        return describe_images(
            data,
            multiple=self.has_sets,
            subset=self.subset,
            columns=self.columns(),
            valid_share=self.valid_share,
        )

    @classmethod
    def legacy(cls) -> KeyTable | None:
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
        images = open_images(
            Path(data),
            valid_share=self.valid_share,
            to_evaluate=facts is not None,
            multiple=self.has_sets,
            subset=self.subset,
            columns=self.columns(),
        )
        if images.multiple and not self.has_sets:
            raise ConfigError(f"{str(data)!r} {SEVERAL_LABELS}")
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
        labels = self.targets(samples)
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

    def targets(self, samples: Sequence[ImageSample]) -> Tensor:
        """Return the numbers of the classes (samples)."""
        import torch

        return torch.tensor([sample.label for sample in samples])

    def loss(
        self, outputs: Outputs, targets: Mapping[str, Tensor], *, label_smoothing: float = 0.0
    ) -> Tensor:
        """Return the mean loss, computed in float32 for any precision of the network."""
        logits = logits_of(outputs).float()
        losses = self.losses(logits, targets["label"], label_smoothing)
        if "other" in targets:
            share = targets["share"]
            losses = share * losses + (1 - share) * self.losses(logits, targets["other"], label_smoothing)
        return losses.mean()

    def losses(self, logits: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
        """Return the cross entropy of each image (samples)."""
        from torch.nn import functional as F

        return F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)

    def predict(self, outputs: Outputs) -> Tensor:
        """Return the numbers of the likeliest classes, best first (samples, 5 or fewer)."""
        logits = logits_of(outputs).float()
        return logits.topk(min(TOP, logits.shape[-1])).indices

    def metrics(
        self, predictions: Tensor, targets: Mapping[str, Tensor], split: Split[ImageSample]
    ) -> dict[str, float]:
        """Return ``accuracy``, the mean accuracy over classes and, with more than 5 classes, ``top5_accuracy``."""
        return class_metrics(predictions, targets["label"])

    def chance(self, targets: Mapping[str, Tensor], split: Split[ImageSample]) -> float | None:
        """Return the share of the most frequent class."""
        return largest_share(targets["label"])

    def mistakes(
        self, predictions: Tensor, targets: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return which classes are taken for which others."""
        return confusion(predictions[:, 0], targets["label"], facts["labels"])

    def items(self, path: Path) -> Iterator[tuple[str, Path]]:
        """Yield an image file, or every image in a folder."""
        yield from ((str(file), file) for file in images_in(path))

    script = script_of_one_label

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[Path], Split[ImageSample]]:
        """Return a function that reads an image file as images for an evaluation are read."""
        form = form_of(space)
        if isinstance(form, str):
            raise ConfigError(f"space {space.id!r} cannot classify images: {form}")
        form = dataclasses.replace(form, centre_crop=float(facts["centre_crop"]))
        normalisation, classes = normalisation_of(form, facts), len(facts["labels"])
        return lambda path: ImageSplit(
            FileSource([str(path)], [self.no_label]), form, normalisation, classes=classes
        )

    def preprocessing(self, space: SearchSpace, *, facts: Mapping[str, Any]) -> ImageInput | None:
        """Return how `InputForm.view` and `collate` make the input of an image."""
        form = form_of(space)
        return None if isinstance(form, str) else image_input(form, facts, has_sets=self.has_sets)

    def details(
        self,
        space: SearchSpace,
        network: nn.Module | None,
        batch: Batch,
        outputs: Outputs,
        split: Split[ImageSample],
    ) -> Tensor:
        """Return the probability of each class (samples, classes)."""
        return logits_of(outputs).float().softmax(-1)

    def answer(self, details: Tensor, split: Split[ImageSample], *, facts: Mapping[str, Any]) -> Answer:
        """Return the likeliest class."""
        return Answer.of_labels(dict(zip(facts["labels"], details[0].tolist(), strict=True)))

    def example(self, folder: Path, space: SearchSpace) -> Path:
        """Write folders of random images of 3 classes, each with 4 training and 2 validation images."""
        form = form_of(space)
        write_example(folder, 8 if isinstance(form, str) else form.size)
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
        sizes = sizes_of(train)
        normalisation, classes = measure_normalisation(train, form), len(images.labels)
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
            train=ImageSplit(
                train, form, normalisation, self.augmentation(form, normalisation), classes=classes
            ),
            valid=ImageSplit(valid, form, normalisation, classes=classes),
            facts=facts,
            notices=[*notices, *too_large(sizes, form.size, len(train))],
            contents=(
                f"{classes} classes: {shorten(', '.join(images.labels))}",
                f"images of {describe_sizes(sizes)}, of which the network sees {form.size} x {form.size}",
            ),
        )

    def _evaluation_data(
        self, images: Images, form: InputForm, facts: Mapping[str, Any], data: Path
    ) -> TaskData[ImageSample]:
        if images.valid is None:
            raise ConfigError(f"{str(data)!r} has no validation images")
        valid, more = relabelled(images, facts["labels"], data)
        notices = [*images.notices, *more]
        if self.skip_corrupt:
            valid, others = readable(valid, "measured")
            notices += others
        return TaskData(
            train=None,
            valid=ImageSplit(valid, form, normalisation_of(form, facts), classes=len(facts["labels"])),
            facts=dict(facts),
            notices=notices,
        )


def logits_of(outputs: Outputs) -> Tensor:
    """Return the outputs of the classes (samples, classes)."""
    return next(iter(outputs.logits.values()))
