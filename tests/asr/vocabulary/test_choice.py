"""What ``--vocab`` takes."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from denas_asr.vocabulary.characters import Characters
from denas_asr.vocabulary.choice import make_vocabulary
from denas_core.errors import ConfigError


def test_characters_are_those_of_the_transcripts() -> None:
    assert make_vocabulary("char", ["BA"]).as_facts() == Characters("AB").as_facts()


def test_pieces_are_trained_or_read_from_a_file(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    trained = make_vocabulary("sentencepiece:5", ["AB ABC BC"] * 3)
    assert len(trained) == 3 + 5
    facts = trained.as_facts()
    path = tmp_path / "words.model"
    path.write_bytes(base64.b64decode(facts["model"]))
    assert make_vocabulary(str(path), []).as_facts() == facts


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            "chars",
            "vocab 'chars' is not a vocabulary; did you mean 'char'?; choose char, sentencepiece:N with N pieces, or",
        ),
        ("sentencepiece", "vocab 'sentencepiece' is not a vocabulary; choose char, sentencepiece:N with N"),
        ("sentencepiece:many", "vocab 'sentencepiece:many' is not a vocabulary"),
        ("", "vocab '' is not a vocabulary; choose char"),
        ("there/is none.model", "vocab 'there/is none.model' cannot be read: No such file or directory"),
    ],
)
def test_anything_else_is_one_line(chosen: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_vocabulary(chosen, ["A"])
    assert message in str(caught.value) and "\n" not in str(caught.value)
