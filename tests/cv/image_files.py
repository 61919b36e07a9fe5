"""Tiny data sets in every format that the image task reads, and where the real ones lie if there are any."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy
import pytest
from PIL import Image

REAL = Path(os.environ.get("DENAS_TEST_DATA", Path(__file__).parents[3] / "shared" / "datasets"))
needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="no data sets in DENAS_TEST_DATA")

NAMES = ("airplane", "automobile", "bird")


def pixels(count: int, *, seed: int = 0, channels: int = 3, size: int = 32) -> numpy.ndarray:
    """Return random images (count, channels, size, size)."""
    return numpy.random.default_rng(seed).integers(0, 256, (count, channels, size, size)).astype(numpy.uint8)


def write_python_batches(
    folder: Path, *, files: Sequence[str] = ("data_batch_1", "test_batch"), count: int = 6, fine: bool = False
) -> Path:
    """Write CIFAR for Python; labels go 0, 1, 2, 0, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(files):
        labels = [number % len(NAMES) for number in range(count)]
        content = {"data": pixels(count, seed=seed).reshape(count, -1)}
        content |= {"fine_labels": labels, "coarse_labels": [0] * count} if fine else {"labels": labels}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    meta = {"fine_label_names" if fine else "label_names": list(NAMES)}
    (folder / ("meta" if fine else "batches.meta")).write_bytes(pickle.dumps(meta, protocol=2))
    return folder


def write_binary_batches(
    folder: Path,
    *,
    files: Sequence[str] = ("data_batch_1.bin", "test_batch.bin"),
    count: int = 6,
    fine: bool = False,
) -> Path:
    """Write the binary version with the same images as `write_python_batches`."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(files):
        records = b""
        for number, image in enumerate(pixels(count, seed=seed)):
            # The coarse label of CIFAR-100 comes first.
            records += bytes([17] if fine else []) + bytes([number % len(NAMES)]) + image.tobytes()
        (folder / name).write_bytes(records)
    (folder / ("fine_label_names.txt" if fine else "batches.meta.txt")).write_text("\n".join(NAMES) + "\n\n")
    return folder


def write_idx(folder: Path, part: str, labels: Sequence[int], *, compressed: bool = True) -> Path:
    """Write one part of MNIST: images of 28 x 28 pixels that are all as bright as their label."""
    folder.mkdir(parents=True, exist_ok=True)
    images = b"".join(bytes([label]) * 784 for label in labels)
    contents = {
        f"{part}-images-idx3-ubyte": struct.pack(">4I", 2051, len(labels), 28, 28) + images,
        f"{part}-labels-idx1-ubyte": struct.pack(">2I", 2049, len(labels)) + bytes(labels),
    }
    for name, content in contents.items():
        if compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def write_folder(folder: Path, counts: Mapping[str, int], *, size: tuple[int, int] = (12, 9)) -> Path:
    """Write images as PNG, so many for each folder such as ``train/cat``."""
    for seed, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            values = numpy.random.default_rng([seed, number]).integers(0, 256, (size[1], size[0], 3))
            Image.fromarray(values.astype(numpy.uint8)).save(folder / name / f"{number}.png")
    return folder
