"""Tokenizers of other kinds: what is around texts comes from them, and so does padding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from denas_core.errors import ConfigError
from denas_nlp.text.tokenizer import TextTokenizer
from tests.nlp.texts import REAL, byte_pairs, needs_real_data, word_pieces

ROBERTA = {
    "special": {"<s>": 0, "<pad>": 1, "</s>": 2},
    "single": "<s> $A </s>",
    "pair": "<s> $A </s> </s> $B </s>",
}
T5 = {"special": {"<pad>": 0, "</s>": 1}, "single": "$A </s>", "pair": "$A </s> $B </s>"}
GPT2 = {"special": {"<|endoftext|>": 0}}


@pytest.mark.parametrize("kind", [ROBERTA, T5, GPT2], ids=["roberta", "t5", "gpt2"])
def test_texts_that_are_put_together_are_what_the_tokenizer_makes_of_both(kind: dict) -> None:  # type: ignore[type-arg]
    ours = byte_pairs(**kind)
    theirs = Tokenizer.from_str(ours.text)
    first, second = "an old town", "by the river"
    for frame, texts in ((ours.single, [first]), (ours.pair, [first, second])):
        ids, segments = frame.around(*(ours.tokens(text).ids for text in texts))
        encoding = theirs.encode(*texts)
        assert list(ids) == encoding.ids
        assert list(segments) == encoding.type_ids
        assert frame.length == len(encoding.ids) - sum(len(ours.tokens(text)) for text in texts)


def test_padding_is_the_tokenizers_own_or_the_token_behind_the_end_or_0() -> None:
    assert byte_pairs(**ROBERTA).pad == 1  # type: ignore[arg-type]
    assert byte_pairs(**T5).pad == 0  # type: ignore[arg-type]
    assert byte_pairs(special={"<s>": 0, "</s>": 1}).pad == 1
    assert byte_pairs(special={"<s>": 0, "<|endoftext|>": 1}).pad == 1
    assert byte_pairs(special={}).pad == 0


def test_places_are_those_of_characters_where_tokens_are_bytes() -> None:
    tokens = byte_pairs(special={}).tokens("aé b")
    # é is two bytes, each of which stands for the whole character.
    assert list(zip(tokens.starts, tokens.ends, strict=True)) == [(0, 1), (1, 2), (1, 2), (2, 3), (3, 4)]


def test_settings_of_length_are_left_out() -> None:
    text = json.loads(word_pieces().text)
    text["truncation"] = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    text["padding"] = {
        **{"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None},
        **{"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
    }
    tokenizer = TextTokenizer(json.dumps(text), origin="a test")
    assert len(tokenizer.tokens("the town of old rivers in the town")) == 9
    assert tokenizer.single.length == 2
    assert tokenizer.text == word_pieces().text


def test_the_text_of_a_tokenizer_makes_the_same_one() -> None:
    first = byte_pairs(**ROBERTA)  # type: ignore[arg-type]
    second = TextTokenizer(first.text, origin="a test")
    assert second.text == first.text
    assert second.tokens("old").ids == first.tokens("old").ids
    assert second.pair == first.pair


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"model": {"type": "BPE"}}', "[PAD]\n[UNK]"])
def test_what_is_no_tokenizer_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^'x\.json' is not a tokenizer: ") as caught:
        TextTokenizer(text, origin="'x.json'")
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_turns_texts_round_or_repeats_them_is_refused() -> None:
    for pair in ("$B $A", "$A $B $A"):
        tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1, "[UNK]": 2}, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair=pair, special_tokens=[])
        with pytest.raises(
            ConfigError, match="'x' does not join two texts one after the other, each once and complete"
        ):
            TextTokenizer(tokenizer.to_str(), origin="'x'")


def test_a_tokenizer_that_makes_nothing_of_words_is_refused() -> None:
    # Letters that it does not know it leaves out.
    tokenizer = Tokenizer(models.BPE({"§": 0}, []))
    with pytest.raises(ConfigError, match="'x' returns no tokens for plain words; give the vocabulary"):
        TextTokenizer(tokenizer.to_str(), origin="'x'")


@needs_real_data
@pytest.mark.parametrize(
    ("name", "single", "pad"),
    [
        ("BertForSequenceClassification", (1, 1), 0),
        ("T5ForConditionalGeneration", (0, 1), 0),
        ("BloomForCausalLM", (0, 0), 3),
    ],
)
def test_real_tokenizers_put_around_texts_what_they_do(name: str, single: tuple[int, int], pad: int) -> None:
    path = REAL / "hf-tiny-checkpoints" / name / "tokenizer.json"
    ours = TextTokenizer(Path(path).read_text(encoding="utf-8"), origin=name)
    theirs = Tokenizer.from_file(str(path))
    assert (tuple(map(len, ours.single.special)), ours.pad) == (single, pad)
    texts = ("Rivers of old towns", "Élan, 1817 — naïve?")
    ids, segments = ours.pair.around(*(ours.tokens(text).ids for text in texts))
    encoding = theirs.encode(*texts)
    assert (list(ids), list(segments)) == (encoding.ids, encoding.type_ids)
