"""A few random images, with which a task can be tried."""

from __future__ import annotations

from pathlib import Path


def write_example(folder: Path, size: int) -> None:
    """Write folders of random images of 3 classes, each with 4 training and 2 validation images of `size` pixels."""
    import torch
    from PIL import Image

    generator = torch.Generator().manual_seed(0)
    for part, count in (("train", 4), ("val", 2)):
        for label in ("circle", "square", "triangle"):
            (folder / part / label).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = torch.randint(256, (size, size, 3), generator=generator, dtype=torch.uint8)
                Image.fromarray(pixels.numpy()).save(folder / part / label / f"{number}.png")
