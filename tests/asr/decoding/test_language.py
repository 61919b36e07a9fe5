"""Language models: words told in symbols, n-gram files, checkpoints of transformers."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
import torch

from denas_asr.decoding.causal_model import CausalModel
from denas_asr.decoding.ngram import NgramModel
from denas_asr.decoding.symbols import BOS
from denas_asr.decoding.word_model import WordFusion
from denas_core.errors import ConfigError
from tests.asr.enumerated import FIRST
from tests.asr.word_bigrams import WordBigrams

CHARACTERS = ["", "", "", " ", "a", "b"]
# The same mark that SentencePiece writes for a space.
SUBWORDS = ["", "", "", "\u2581a", "b", "\u2581", "a", "\u2581ab"]

ARPA = r"""\data\
ngram 1=5
ngram 2=4

\1-grams:
-1.0	<unk>
0	<s>	-0.5
-0.9	</s>
-0.7	ONE	-0.3
-1.2	TWO	-0.2

\2-grams:
-0.2	<s> ONE
-0.4	ONE TWO
-0.6	TWO </s>
-0.8	ONE </s>

\end\
"""

BINARY = Path(__file__).parents[1] / "golden" / "words.kenlm"
"""What KenLM's own build_binary makes of `ARPA`."""

TENFOLD = math.log(10)


@pytest.fixture
def arpa(tmp_path: Path) -> Path:
    path = tmp_path / "words.arpa"
    path.write_text(ARPA)
    return path


def added(fusion: WordFusion, symbols: list[int]) -> tuple[float, float]:
    """Return what symbols add, and what the end adds behind them."""
    writing = fusion.begin()
    for symbol in symbols:
        writing = fusion.after(writing, symbol)
    return writing.score, fusion.end(writing)


@pytest.mark.parametrize(
    ("pieces", "symbols"),
    [
        (CHARACTERS, [4, 5, 3, 4]),
        # Spaces before, behind and between words are no words.
        (CHARACTERS, [3, 4, 5, 3, 3, 4, 3]),
        (SUBWORDS, [3, 4, 3]),
        (SUBWORDS, [7, 5, 6]),
        (SUBWORDS, [5, 6, 4, 3, 5]),
    ],
)
def test_words_are_told_in_characters_and_in_pieces(pieces: list[str], symbols: list[int]) -> None:
    score, end = added(WordFusion(WordBigrams(), pieces, weight=2.0, bonus=0.25), symbols)
    # "ab a": p(ab | <s>) = .5, p(a | ab) = .4, p(</s> | a) = .2.
    assert score + end == pytest.approx(2 * math.log(0.5 * 0.4 * 0.2) + 2 * 0.25)


def test_a_word_counts_once_it_is_closed() -> None:
    fusion = WordFusion(WordBigrams(), CHARACTERS, weight=1.0, bonus=0.0)
    assert added(fusion, [4, 5])[0] == 0.0
    assert added(fusion, [4, 5, 3])[0] == pytest.approx(math.log(0.5))
    assert added(fusion, [])[1] == pytest.approx(math.log(0.1))


def test_a_vocabulary_without_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="no symbol of the vocabulary begins with a space"):
        WordFusion(WordBigrams(), ["", "", "", "a"], weight=1.0, bonus=0.0)
    with pytest.raises(
        ConfigError, match="symbol 'a b' of the vocabulary has a space after its first character"
    ):
        WordFusion(WordBigrams(), ["", "", "", " ", "a b"], weight=1.0, bonus=0.0)


def test_an_arpa_file_is_read_with_back_off_in_natural_logarithms(arpa: Path) -> None:
    pytest.importorskip("kenlm")
    model = NgramModel(arpa)
    context = model.begin()
    one, context = model.after(context, "ONE")
    assert one == pytest.approx(-0.2 * TENFOLD)
    again, behind = model.after(context, "ONE")
    # Back-off of ONE, then its own.
    assert again == pytest.approx((-0.3 - 0.7) * TENFOLD)
    unknown, _ = model.after(context, "three")
    assert unknown == pytest.approx((-0.3 - 1.0) * TENFOLD)
    assert model.end(context) == pytest.approx(-0.8 * TENFOLD)
    # A context is a value: what was asked of it since has not changed it.
    assert model.after(context, "TWO")[0] == pytest.approx(-0.4 * TENFOLD)
    assert model.end(behind) == pytest.approx(-0.8 * TENFOLD)


def test_whole_texts_score_as_kenlm_says(arpa: Path) -> None:
    kenlm = pytest.importorskip("kenlm")
    letters = ["", "", "", *" ONETW"]
    fusion = WordFusion(NgramModel(arpa), letters, weight=0.7, bonus=1.5)
    for text in ("ONE TWO", "TWO", "WET ONE ONE", "ONE  TWO "):
        score, end = added(fusion, [letters.index(letter) for letter in text])
        words = text.split()
        expected = 0.7 * TENFOLD * kenlm.Model(str(arpa)).score(" ".join(words)) + 1.5 * len(words)
        assert score + end == pytest.approx(expected, abs=1e-5)


def test_binary_files_are_read_as_the_text_they_were_made_of(arpa: Path) -> None:
    pytest.importorskip("kenlm")
    binary, text = NgramModel(BINARY), NgramModel(arpa)
    for word in ("ONE", "TWO", "three", "</s>"):
        assert binary.after(binary.begin(), word)[0] == text.after(text.begin(), word)[0]


def test_reading_prints_nothing(arpa: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("kenlm")
    NgramModel(arpa)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "content",
    [b"", b"not an n-gram\n", ARPA[:120].encode(), BINARY.read_bytes()[:200], bytes(range(256)) * 20],
)
def test_files_of_another_kind_are_refused(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("kenlm")
    # A path is named whole, however long it is.
    folder = tmp_path / ("a" * 100)
    folder.mkdir()
    path = folder / "words.arpa"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"words\.arpa' is neither ARPA text nor a kenlm binary") as refused:
        NgramModel(path)
    assert "\n" not in str(refused.value)


def test_without_kenlm_the_extra_is_named(arpa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What Python itself does with a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "kenlm", None)
    with pytest.raises(ConfigError, match=r"needs kenlm: pip install 'denas-asr\[lm\]'"):
        NgramModel(arpa)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=9, n_embd=8, n_layer=1, n_head=2, n_positions=12, bos_token_id=1, eos_token_id=2
    )
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "lm")
    return tmp_path / "lm"


def test_a_transformer_says_what_comes_behind_each_text(checkpoint: Path) -> None:
    model = CausalModel(checkpoint, symbols=9)
    texts = torch.tensor([[BOS, 3, 4], [BOS, 8, 5]])
    log_probs = model(texts)
    assert log_probs.shape == (2, 9)
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(2))
    torch.testing.assert_close(model(texts[1:]), log_probs[1:])
    assert not torch.allclose(log_probs[0], log_probs[1])


def test_a_text_beyond_its_positions_is_read_from_where_they_reach_to(checkpoint: Path) -> None:
    model = CausalModel(checkpoint, symbols=9)
    text = torch.tensor([[BOS, *[FIRST + i % 5 for i in range(20)]]])
    torch.testing.assert_close(model(text), model(text[:, -12:]))


def test_checkpoints_that_do_not_fit_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has 9 tokens and the vocabulary 31 symbols"):
        CausalModel(checkpoint, symbols=31)
    (tmp_path / "empty").mkdir()
    for folder, content in (
        ("empty", None),
        ("odd", {"model_type": "none of these"}),
        ("bert", {"model_type": "t5"}),
    ):
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        if content is not None:
            (path / "config.json").write_text(json.dumps(content))
        with pytest.raises(ConfigError, match="is not a causal language model") as refused:
            CausalModel(path, symbols=9)
        assert "\n" not in str(refused.value)
