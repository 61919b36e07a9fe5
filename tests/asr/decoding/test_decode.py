"""Decoders by name: settings, and one way in."""

from __future__ import annotations

import math
import types
from pathlib import Path

import pytest
import torch

from denas_asr.decoding.decode import DECODERS, DecodingSettings, decode, read_language_model
from denas_asr.decoding.greedy import greedy
from denas_asr.decoding.joint import joint_beam
from denas_asr.decoding.language_scorer import SymbolFusion
from denas_asr.decoding.ngram import NgramModel
from denas_asr.decoding.prefix_beam import prefix_beam
from denas_asr.decoding.word_model import WordFusion
from denas_core.errors import ConfigError
from tests.asr.tiny_recogniser import TinyRecogniser, random_speech

from .test_language import ARPA

LETTERS = types.SimpleNamespace(pieces=["", "", "", " ", "ONE", "TWO"])
NETWORK = TinyRecogniser(3, seed=1)
LENGTHS = torch.tensor([7, 4])
SPEECH = random_speech(2, 7, seed=2)
LOG_PROBS = NETWORK.ctc(SPEECH).log_softmax(-1)


def decoded(settings: DecodingSettings, **language_model: SymbolFusion) -> list[list[int]]:
    return decode(settings, NETWORK, SPEECH, LENGTHS, LETTERS, **language_model)


@pytest.fixture
def arpa(tmp_path: Path) -> Path:
    pytest.importorskip("kenlm")
    path = tmp_path / "words.arpa"
    path.write_text(ARPA)
    return path


def test_greedy_is_the_default() -> None:
    assert decoded(DecodingSettings()) == greedy(LOG_PROBS, LENGTHS)


def test_beam_takes_the_settings_of_its_own(arpa: Path) -> None:
    plain = decoded(DecodingSettings(decode="beam", beam=3))
    assert plain == [list(prefix_beam(x[:n], 3)[0].symbols) for x, n in zip(LOG_PROBS, LENGTHS, strict=True)]
    settings = DecodingSettings(decode="beam", beam=3, lm=str(arpa), lm_weight=2.0, word_bonus=3.0)
    lm = WordFusion(NgramModel(arpa), LETTERS.pieces, weight=2.0, bonus=3.0)
    fused = [list(prefix_beam(x[:n], 3, lm)[0].symbols) for x, n in zip(LOG_PROBS, LENGTHS, strict=True)]
    assert decoded(settings) == fused
    assert fused != plain


def test_joint_takes_the_settings_of_its_own(arpa: Path) -> None:
    plain = joint_beam(NETWORK, SPEECH, LENGTHS, beam=3, ctc_weight=0.7)
    assert decoded(DecodingSettings(decode="joint", beam=3, ctc_weight=0.7)) == [
        list(f[0].symbols) for f in plain
    ]
    settings = DecodingSettings(
        decode="joint", beam=3, ctc_weight=0.7, lm=str(arpa), lm_weight=2.0, word_bonus=3.0
    )
    lm = WordFusion(NgramModel(arpa), LETTERS.pieces, weight=2.0, bonus=3.0)
    fused = joint_beam(NETWORK, SPEECH, LENGTHS, beam=3, ctc_weight=0.7, lm=lm)
    assert decoded(settings) == [list(found[0].symbols) for found in fused]


def test_a_language_model_is_read_once_and_used_for_many_batches(arpa: Path) -> None:
    settings = DecodingSettings(decode="beam", lm=str(arpa))
    language_model = read_language_model(settings, LETTERS)
    expected = decoded(settings)
    arpa.unlink()
    assert decode(settings, NETWORK, SPEECH, LENGTHS, LETTERS, language_model=language_model) == expected


def test_joint_takes_the_checkpoint_of_a_transformer(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=6, n_embd=8, n_layer=1, n_head=2, n_positions=12, bos_token_id=1, eos_token_id=2
    )
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "lm")
    settings = DecodingSettings(decode="joint", beam=3, lm=str(tmp_path / "lm"))
    assert isinstance(read_language_model(settings, LETTERS), SymbolFusion)
    assert len(decoded(settings)) == 2
    with pytest.raises(ConfigError, match="decode=beam needs a file of n-grams; set decode to joint"):
        decoded(DecodingSettings(decode="beam", lm=str(tmp_path / "lm")))


def test_a_model_of_symbols_has_no_part_in_a_search_over_words() -> None:
    lm = SymbolFusion(lambda texts: torch.zeros(len(texts), 6), weight=1.0, bonus=0.0)
    with pytest.raises(ConfigError, match="decode=beam needs a language model of words"):
        decoded(DecodingSettings(decode="beam"), language_model=lm)


def test_frames_beyond_the_length_change_nothing_for_any_decoder() -> None:
    padded = torch.cat([SPEECH, torch.full((2, 3, SPEECH.shape[2]), 99.0, dtype=SPEECH.dtype)], 1)
    padded[1, 4:] = -50.0
    for name in DECODERS:
        settings = DecodingSettings(decode=name, beam=4)
        together = decode(settings, NETWORK, padded, LENGTHS, LETTERS)
        alone = [
            decode(settings, NETWORK, SPEECH[row : row + 1, :length], None, LETTERS)[0]
            for row, length in enumerate(LENGTHS.tolist())
        ]
        assert together == alone


def test_a_network_without_an_attention_decoder_is_not_decoded_jointly() -> None:
    encoder = types.SimpleNamespace(ctc=NETWORK.ctc)
    with pytest.raises(ConfigError, match="the network has none; use greedy or beam"):
        decode(DecodingSettings(decode="joint"), encoder, SPEECH, LENGTHS, LETTERS)
    assert decode(DecodingSettings(), encoder, SPEECH, LENGTHS, LETTERS) == greedy(LOG_PROBS, LENGTHS)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"decode": "joined"}, "there is no decoder 'joined'; did you mean 'joint'?"),
        ({"decode": "best"}, "there is no decoder 'best'; take greedy, beam, joint"),
        ({"beam": 0}, "beam 0 must be at least 1"),
        ({"ctc_weight": 1.5}, "ctc_weight 1.5 must be from 0 to 1"),
        ({"ctc_weight": math.nan}, "ctc_weight nan must be from 0 to 1"),
        ({"lm_weight": -1.0}, "lm_weight -1.0 must be 0 or more"),
        ({"word_bonus": math.inf}, "word_bonus inf must be a finite number"),
        ({"lm": "words.arpa"}, "lm 'words.arpa' is not used by greedy decoding; set decode to beam or joint"),
    ],
)
def test_settings_that_no_decoder_takes_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        DecodingSettings(**options)  # type: ignore[arg-type]
    assert str(refused.value) == reason


def test_a_language_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"lm 'no/words\.arpa' does not exist"):
        decoded(DecodingSettings(decode="beam", lm="no/words.arpa"))
