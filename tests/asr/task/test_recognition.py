"""Speech recognition from a folder to metrics."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_asr.features.normalisation import LEAST_SPREAD
from denas_asr.task.recognition import SpeechRecognition
from denas_core.contracts.split import Split
from denas_core.contracts.task import TaskData
from denas_core.errors import ConfigError, PluginError
from denas_core.models.trained import build_network
from denas_core.values.batch import Outputs
from tests.asr.speech_files import cut, scratch, write_librispeech
from tests.asr.toy_recognition import PARTS, PLAIN, toy_space, toy_task

pytestmark = pytest.mark.numerics

TRAIN = {"1-1-0000": "GO DO YOU HEAR", "1-1-0001": "BUT IN LESS", "2-1-0000": "HE'S GONE"}
DEV = {"3-1-0000": "AT THIS MOMENT ÉTÉ", "3-1-0001": "GO"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_librispeech(tmp_path / "data" / "train-a", TRAIN, seconds=1.0)
    write_librispeech(tmp_path / "data" / "dev-a", DEV, seconds=1.0)
    return tmp_path / "data"


def read(data: Path, *, facts: dict[str, Any] | None = None, **options: Any) -> TaskData[Any]:
    return toy_task(**options).read(data, toy_space(), facts=facts)


def test_facts_hold_what_a_model_cannot_be_used_without(data: Path) -> None:
    facts = read(data).facts
    assert facts == {
        "symbols": 3 + 17,
        "vocabulary": {"kind": "characters", "characters": list(" 'ABDEGHILNORSTUY")},
        "features": {"rate": 16000, "mels": 20, "frame_ms": 25.0, "hop_ms": 10.0, "cmvn": "utterance"},
    }


def test_samples_are_features_and_symbols(data: Path) -> None:
    found = read(data, speed=[100], spec_augment=False)
    sample = found.train.sample(0)
    assert sample.features.shape == (98, 20)
    assert found.train.vocabulary.decode(sample.symbols) == "GO DO YOU HEAR"
    # Before they are normalised, logarithms go down to -16, and float32 rounds their mean; then they are divided by
    # their spread, which is small in the bands beside a tone.
    rounding = 8 * 16 * torch.finfo(torch.float32).eps / LEAST_SPREAD
    assert torch.allclose(sample.features.mean(0), torch.zeros(20), atol=rounding)
    assert torch.equal(found.train.sample(0, random.Random(1)).features, sample.features)
    assert found.train.length(0) == 1.0


def test_what_is_learnt_from_is_spoken_at_other_speeds_and_masked(data: Path) -> None:
    faster = read(data, speed=[200], spec_augment=False)
    assert len(faster.train.sample(0, random.Random(0)).features) == 48
    assert len(faster.train.sample(0).features) == len(faster.valid.sample(0).features) == 98
    masked = read(data, speed=[100], spec_augment=True)
    plain, seen = masked.train.sample(0).features, masked.train.sample(0, random.Random(0)).features
    assert seen.shape == plain.shape and not torch.equal(seen, plain)
    assert torch.equal(seen, masked.train.sample(0, random.Random(0)).features)


def test_bands_are_normalised_by_all_that_is_learnt_from(data: Path) -> None:
    found = read(data, cmvn="global", speed=[90, 110], spec_augment=False)
    frames = torch.cat([found.train.sample(index).features for index in range(3)])
    assert torch.allclose(frames.mean(0), torch.zeros(20), atol=1e-2)
    facts = json.loads(json.dumps(found.facts))
    again = read(data, facts=facts, split="dev-a")
    assert torch.equal(again.valid.sample(1).features, found.valid.sample(1).features)
    raw = read(data, cmvn="none")
    assert float(raw.train.sample(0).features.mean()) < -3


def test_characters_that_are_not_learnt_are_told(data: Path) -> None:
    assert [notice for notice in read(data).notices if "not in the vocabulary" in notice] == [
        "4 pieces of the validation transcripts are not in the vocabulary ('M' 2 times, 'É' 2 times) and "
        "cannot be recognised"
    ]


def test_utterances_too_short_for_their_transcript_are_told(tmp_path: Path) -> None:
    # 0.5 s are 48 frames, of which 12 are encoded; "GO DO YOU HEAR" has 14 symbols.
    write_librispeech(tmp_path / "train", TRAIN, seconds=0.5)
    write_librispeech(tmp_path / "dev", DEV, seconds=0.5)
    found = [notice for notice in read(tmp_path).notices if "too short" in notice]
    assert found == [
        "1 of 3 training utterances are too short for their transcripts (1-1-0000): only the decoder learns from them, "
        "CTC cannot"
    ]


def test_faults_are_left_out_with_a_notice_and_refused_if_strict(data: Path) -> None:
    cut(data / "train-a" / "1" / "1" / "1-1-0001.flac")
    scratch(data / "dev-a" / "3" / "1" / "3-1-0000.flac")
    found = read(data)
    assert (len(found.train), len(found.valid)) == (2, 1)
    assert sum("undecodable audio: 1" in notice for notice in found.notices) == 2
    with pytest.raises(ConfigError, match=r"train-a' has 1 problems: undecodable audio: 1 "):
        read(data, strict=True)


def test_what_lasts_too_long_is_left_out(data: Path) -> None:
    write_librispeech(data / "train-a", {"9-1-0000": "LONG"}, seconds=3.0)
    found = read(data, max_seconds=2.0)
    assert len(found.train) == 3
    assert any("too long audio: 1 (9-1-0000 lasts 3.0 of 2 s)" in notice for notice in found.notices)


def test_an_evaluation_needs_no_vocabulary_and_tells_which_part_it_measures(data: Path) -> None:
    facts = json.loads(json.dumps(read(data).facts))
    again = read(data, facts=facts, vocab="gone.model")
    assert again.train is None and again.facts == facts
    assert again.notices[0] == "measured on the part 'dev-a' (task.split)"
    named = read(data, facts=facts, split="train-a")
    assert named.valid.utterances[0].text == "GO DO YOU HEAR" and "task.split" not in "".join(named.notices)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"dev": "train-a"},
            "part 'train-a' cannot be used for both training and validation; name another with --dev",
        ),
        ({"train": "train-b"}, "has no part 'train-b'; did you mean 'train-a'?"),
        ({"vocab": "words"}, "vocab 'words' is not a vocabulary; choose char"),
        ({"lm": "words.arpa"}, "is not used by greedy decoding; set decode to beam or joint"),
        ({"speed": [0]}, "speed must have values from 50 to 200 percent, got [0]"),
        ({"speed": []}, "speed must have values from 50 to 200 percent, got []"),
        ({"cmvn": "speaker"}, "should be 'utterance', 'global' or 'none', got 'speaker'"),
        ({"ctc_loss": 2.0}, "option 'ctc_loss'"),
    ],
)
def test_what_cannot_be_is_one_line(data: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(data, **options)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_model_of_other_bands_is_refused(data: Path) -> None:
    facts = json.loads(json.dumps(read(data).facts))
    facts["features"]["mels"] = 80
    with pytest.raises(ConfigError, match=r"trained on 80 mel bands, but networks of its space take 20"):
        read(data, facts=facts)


def test_paths_are_whole_so_that_a_training_goes_on_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    task = toy_task(vocab="words.model", lm="words.arpa", decoding="beam")
    assert (task.vocab, task.lm) == (str(tmp_path / "words.model"), str(tmp_path / "words.arpa"))
    assert toy_task(vocab="sentencepiece:9").vocab == "sentencepiece:9"


def outputs(*rows: list[int], frames: list[int]) -> Outputs:
    """Return outputs of CTC that are sure of a symbol in each frame."""
    logits = torch.nn.functional.one_hot(torch.tensor(rows), 6).float()
    mask = torch.arange(logits.shape[1]) < torch.tensor(frames)[:, None]
    return Outputs(features=logits, logits={"ctc": logits, "attention": logits}, masks={"ctc": mask})


def test_predictions_are_what_ctc_says_in_the_frames_that_count() -> None:
    found = toy_task().predict(outputs([3, 3, 0, 3, 4], [0, 5, 5, 4, 4], frames=[5, 3]))
    assert found.tolist() == [[3, 3, 4], [5, -1, -1]]


def test_every_error_is_counted_by_what_was_said(data: Path) -> None:
    split = read(data).valid
    predictions = torch.full((2, 3), -1)
    predictions[1, :2] = torch.tensor(split.vocabulary.encode("GO"))
    # Of the five words in two utterances, the four of the first are not heard; of its 20 characters all but GO.
    assert toy_task().metrics(predictions, {}, split) == {"wer": 4 / 5, "cer": 18 / 20}


def test_another_split_is_refused() -> None:
    class Other(Split[Any]):
        def __len__(self) -> int:
            return 0

        def sample(self, index: int, rng: Any = None) -> None: ...

    with pytest.raises(PluginError, match="measures utterances, not Other"):
        toy_task().metrics(torch.zeros(0, 0), {}, Other())


@pytest.mark.parametrize("decoding", ["greedy", "beam", "joint"])
def test_every_decoder_gives_a_row_of_symbols_for_each_utterance(speech: Path, decoding: str) -> None:
    task, space = toy_task(**PARTS, decoding=decoding, beam=2), toy_space()
    data = task.read(speech, space)
    network = space.load(
        build_network(space, space.full(), task=task, facts=data.facts), space.full(), seed=0
    ).eval()
    batch, _ = task.collate([data.valid.sample(index) for index in range(3)])
    with torch.no_grad():
        outputs = space.forward(network, batch)
        found = task.decode(space, network, batch, outputs, data.valid)
    assert found.shape[0] == 3 and found.dtype == torch.int64
    symbols = found[found != -1]
    assert not len(symbols) or (int(symbols.min()) >= 3 and int(symbols.max()) < data.facts["symbols"])
    if decoding == "greedy":
        assert torch.equal(found, task.predict(outputs))


def test_it_is_told_why_a_space_of_images_does_not_fit() -> None:
    pytest.importorskip("denas_cv")
    from denas_cv.cnn.space import CNN

    assert SpeechRecognition(**PLAIN).why_unsuitable(CNN()) == "its inputs are x, not features and tokens"


def test_chance_is_silence_or_the_most_frequent_word(data: Path) -> None:
    # AT THIS MOMENT ÉTÉ and GO: GO for both is right once in five words.
    assert toy_task().chance({}, read(data).valid) == pytest.approx(4 / 5)


def test_the_worst_answers_are_the_transcripts_with_the_most_wrong_words(data: Path) -> None:
    found, task = read(data), toy_task()
    symbols = found.valid.vocabulary.encode("GO")
    heard = torch.full((2, 20), -1)
    heard[:, : len(symbols)] = torch.tensor(list(symbols))
    worst = task.worst_answers(heard, {}, found.valid, found.facts)
    assert (worst["errors"], worst["samples"], worst["wrong"]) == ("wrong words", 2, 1)
    assert worst["answers"] == [
        {"sample": "3-1-0000", "expected": "AT THIS MOMENT ÉTÉ", "answered": "GO", "errors": 4.0}
    ]
