"""A small data set of questions, to try the task with."""

from __future__ import annotations

import json
import re
from pathlib import Path

from denas_core import SearchSpace
from denas_nlp.text.example import write_vocabulary


def write_example(folder: Path, space: SearchSpace, *, train: str, valid: str) -> Path:
    """Write two paragraphs with 3 questions each for both parts, and a vocabulary if the space has none."""
    words = write_vocabulary(folder, space)
    for part, name in enumerate((train, valid)):
        paragraphs = []
        for number in range(2):
            text = words.sentence(10 * part + number, least=30, most=40)
            starts = [match.start() for match in re.finditer(r"\S+", text)][:3]
            answers = [{"text": text[start:].split()[0], "answer_start": start} for start in starts]
            paragraphs.append(
                {
                    "context": text,
                    "qas": [
                        {
                            "id": f"{name}-{number}-{place}",
                            "question": words.sentence(100 * (10 * part + number) + place),
                            "answers": [answer],
                        }
                        for place, answer in enumerate(answers)
                    ],
                }
            )
        document = {"version": "1.1", "data": [{"title": "Example", "paragraphs": paragraphs}]}
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return folder
