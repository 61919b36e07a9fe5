"""Which tokens a smaller vocabulary keeps, and how texts are then written."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from tokenizers import Tokenizer

from denas_core.errors import ConfigError
from denas_hf.vocabulary.choosing import choose_tokens
from denas_hf.vocabulary.tokenizer_file import TokenizerFile

from .tokenizers_of_kinds import ENGLISH, KINDS, SIZE, sentences, tokenizer

UNKNOWN = {"word-pieces": "[UNK]", "unigrams": "<unk>"}


def trimmed(
    kind: str, wanted: int | None, texts: list[str]
) -> tuple[Tokenizer, dict[int, int], dict[int, int]]:
    """Return a tokenizer with fewer tokens for texts, the new number of each token, and the counts of the texts.

    `wanted` is None for the smallest one that has all tokens of the texts.
    """
    original = tokenizer(kind)
    counts = Counter(id for text in texts for id in original.encode(text).ids)
    file = TokenizerFile(original.to_str(), origin="a test")
    for size in range(1, SIZE) if wanted is None else [wanted]:
        try:
            kept = choose_tokens(file.pieces, wanted=size, counts=counts, needed=file.added)
        except ConfigError:
            if wanted is None:
                continue
            raise
        if wanted is not None or counts.keys() <= set(kept):
            break
    numbers = {old: new for new, old in enumerate(kept)}
    return Tokenizer.from_str(file.without(numbers)), numbers, counts


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_kept_tokens_are_written_as_before(kind: str) -> None:
    texts = sentences(40, words=tuple(ENGLISH), seed=1)
    small, numbers, counts = trimmed(kind, None, texts)
    assert small.get_vocab_size() == len(numbers) < SIZE
    assert counts.keys() <= numbers.keys()
    for text in texts:
        before = tokenizer(kind).encode(text)
        after = small.encode(text)
        assert after.tokens == before.tokens
        assert after.ids == [numbers[id] for id in before.ids]


@pytest.mark.parametrize("kind", KINDS)
def test_other_texts_are_written_with_shorter_tokens(kind: str) -> None:
    few = sentences(4, words=tuple(ENGLISH[:8]), seed=2)
    small, numbers, _ = trimmed(kind, None, few)
    others = sentences(40, words=tuple(ENGLISH), seed=3)
    longer = 0
    for text in others:
        before, after = tokenizer(kind).encode(text), small.encode(text)
        assert max(after.ids) < len(numbers)
        assert small.decode(after.ids) == tokenizer(kind).decode(before.ids)
        assert kind not in UNKNOWN or small.token_to_id(UNKNOWN[kind]) not in after.ids
        longer += len(after.ids) - len(before.ids)
    assert longer > 0


@pytest.mark.parametrize("kind", ["word-pieces", "unigrams"])
def test_letters_of_scripts_that_the_data_lack_are_left_out(kind: str) -> None:
    english, russian = "the film was slow", "фильм был медленным"
    small, _, _ = trimmed(kind, None, [english] * 50)
    assert small.token_to_id(UNKNOWN[kind]) in small.encode(russian).ids
    assert small.token_to_id(UNKNOWN[kind]) not in small.encode(english).ids
    both, _, _ = trimmed(kind, None, [english, russian] * 50)
    assert both.token_to_id(UNKNOWN[kind]) not in both.encode("слишком").ids
    # Nothing is known of the texts without data.
    every, _, _ = trimmed(kind, None, [])
    assert every.token_to_id(UNKNOWN[kind]) not in every.encode(f"{english} {russian}").ids


def test_what_is_left_is_filled_in_the_order_of_the_vocabulary_without_unused_tokens() -> None:
    vocabulary = [
        "[UNK]",
        "[unused0]",
        *"[]unsed0",
        *(f"##{letter}" for letter in "[]unsed0"),
        "un",
        "us",
        "see",
    ]
    document = {
        "added_tokens": [],
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "vocab": {token: place for place, token in enumerate(vocabulary)},
        },
    }
    file = TokenizerFile(json.dumps(document), origin="a test")
    characters = len(vocabulary) - 4
    for wanted, kept in ((1, {"us"}), (2, {"us", "un"}), (3, {"us", "un", "see"})):
        chosen = choose_tokens(
            file.pieces, wanted=characters + wanted, counts={vocabulary.index("us"): 3}, needed=[]
        )
        assert {"un", "us", "see", "[unused0]"} & {vocabulary[id] for id in chosen} == kept


def test_too_few_tokens_are_refused_with_the_number_that_is_needed() -> None:
    with pytest.raises(ConfigError, match=r"a vocabulary of 20 tokens is too small: \d+ are needed") as error:
        trimmed("word-pieces", 20, [])
    needed = int(str(error.value).split("small: ")[1].split()[0])
    assert trimmed("word-pieces", needed, [])[0].get_vocab_size() == needed
    with pytest.raises(ConfigError):
        trimmed("word-pieces", needed - 1, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a tokenizer"),
        ("[]", "is not a tokenizer"),
        (
            '{"model": {"type": "BPE", "vocab": {}, "merges": ["ab"]}, "added_tokens": []}',
            "is not a tokenizer",
        ),
        (
            '{"model": {"type": "WordLevel", "vocab": {}}, "added_tokens": []}',
            "of the kind 'WordLevel' cannot do",
        ),
    ],
)
def test_files_of_other_forms_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TokenizerFile(text, origin="tokenizer.json")
