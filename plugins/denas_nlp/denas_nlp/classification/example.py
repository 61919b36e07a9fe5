"""Example data for the classification of texts."""

from __future__ import annotations

import csv
from pathlib import Path

from denas_core import SearchSpace
from denas_nlp.text.example import write_vocabulary

LABELS = ("bad", "good", "so-so")


def write_example(folder: Path, space: SearchSpace, *, multi_label: bool) -> Path:
    """Write ``train.csv`` and ``valid.csv``, and a vocabulary if the space has none."""
    words = write_vocabulary(folder, space)
    for part, (name, count) in enumerate((("train.csv", 24), ("valid.csv", 12))):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "labels" if multi_label else "label"])
            for number in range(count):
                labels = [LABELS[number % len(LABELS)]]
                if multi_label and number % 2:
                    labels.append(LABELS[(number + 1) % len(LABELS)])
                writer.writerow([words.sentence(100 * part + number), "|".join(labels)])
    return folder
