"""Small data sets and tokenizers for tests of text tasks, and where the real ones lie if there are any."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from denas_nlp.text.tokenizer import TextTokenizer
from denas_nlp.text.word_pieces import NEEDED, word_piece_tokenizer

REAL = Path(os.environ.get("DENAS_TEST_DATA", Path(__file__).parents[3] / "shared" / "datasets"))
needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="no data sets in DENAS_TEST_DATA")

WORDS = ("the", "town", "of", "river", "##s", "old", "in", "18", "##17", ",", ".", "a", "b")


def write_vocab(folder: Path, words: Sequence[str] = WORDS) -> Path:
    """Write a ``vocab.txt``: the tokens that BERT needs, then `words` from token 4 on."""
    path = folder / "vocab.txt"
    path.write_text("\n".join((*NEEDED, *words)) + "\n", encoding="utf-8")
    return path


def word_pieces(words: Sequence[str] = WORDS) -> TextTokenizer:
    """Return the tokenizer of that vocabulary."""
    return TextTokenizer(word_piece_tokenizer((*NEEDED, *words), lower_case=True).to_str(), origin="a test")


def byte_pairs(*, special: Mapping[str, int], single: str = "", pair: str = "") -> TextTokenizer:
    """Return a tokenizer of bytes, as GPT-2's and RoBERTa's are, with a template around texts if there is one."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    numbers = dict(special) | {letter: len(special) + place for place, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(numbers, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if pair:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=single, pair=pair, special_tokens=list(special.items())
        )
    return TextTokenizer(tokenizer.to_str(), origin="a test")


def write_rows(path: Path, rows: Sequence[str]) -> Path:
    """Write lines, with their tabs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def squad(*paragraphs: tuple[str, Sequence[tuple[str, str, int]]]) -> dict[str, Any]:
    """Return a document in the form of SQuAD: texts, each with questions of one answer and where it begins."""
    return {
        "version": "1.1",
        "data": [
            {
                "title": "Test",
                "paragraphs": [
                    {
                        "context": text,
                        "qas": [
                            {
                                "id": f"q{number}-{place}",
                                "question": question,
                                "answers": [{"text": answer, "answer_start": start}],
                            }
                            for place, (question, answer, start) in enumerate(questions)
                        ],
                    }
                    for number, (text, questions) in enumerate(paragraphs)
                ],
            }
        ],
    }


def write_json(path: Path, document: Any) -> Path:
    """Write a document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
