"""LibriSpeech's folders are read, and whatever is wrong with an utterance is counted and named."""

from __future__ import annotations

import random
from pathlib import Path

import numpy
import pytest
import soundfile

from denas_asr.data.layouts import part_names
from denas_asr.data.problems import Problems
from denas_asr.data.utterance import Limits
from denas_asr.data.utterances import read_split
from denas_core.errors import ConfigError
from tests.asr.speech_files import REAL, TEXTS, cut, needs_real_data, scratch, write_audio, write_librispeech


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_librispeech(tmp_path / "train-clean-100")
    return tmp_path


def refused(data: Path, part: str | None = None, **options: bool) -> str:
    with pytest.raises(ConfigError) as told:
        read_split(data, part, **options)
    assert str(told.value).isprintable()
    return str(told.value)


def test_each_transcript_belongs_to_its_audio(data: Path) -> None:
    utterances, problems = read_split(data, "train-clean-100")
    assert {each.id: each.text for each in utterances} == TEXTS
    # Speaker by speaker, in the order of their names, which are texts.
    assert [each.speaker for each in utterances] == ["174", "84", "84", "84"]
    assert [each.seconds for each in utterances] == [0.5] * 4
    assert utterances[0].audio == data / "train-clean-100/174/50/174-50-0000.flac"
    assert len(problems) == 0 and problems.lines() == [] and problems.notices() == ()


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("", "train-clean-100"),
        ("", None),
        ("train-clean-100", None),
        ("train-clean-100", "train-clean-100"),
        ("..", "train-clean-100"),
    ],
    ids=["named", "the only one", "itself", "itself, named", "below LibriSpeech"],
)
def test_a_part_is_found_from_where_the_user_points(tmp_path: Path, place: str, part: str | None) -> None:
    write_librispeech(tmp_path / "LibriSpeech" / "train-clean-100")
    assert len(read_split(tmp_path / "LibriSpeech" / place, part).utterances) == 4


def test_a_part_that_is_not_there_is_told_with_those_that_are(data: Path) -> None:
    write_librispeech(data / "dev-clean")
    assert (
        refused(data, "train-clean")
        == f"{str(data)!r} has no part 'train-clean'; did you mean 'train-clean-100'?"
    )
    assert refused(data, "xyz").endswith("has no part 'xyz'; it has dev-clean, train-clean-100")
    assert refused(data).endswith("has several parts, dev-clean, train-clean-100; choose one")
    assert part_names(data) == ["dev-clean", "train-clean-100"]


def test_folders_without_speech_are_told_what_is_looked_for(tmp_path: Path) -> None:
    assert "looked for PART/SPEAKER/CHAPTER/*.trans.txt" in refused(tmp_path)
    assert "has no part 'dev'; looked for PART/SPEAKER/CHAPTER/*.trans.txt" in refused(tmp_path, "dev")
    assert refused(tmp_path / "none").startswith(f"there is no folder or manifest {str(tmp_path / 'none')!r}")


def test_wav_files_chapters_without_folders_and_other_ends_of_lines_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "flat"
    for number in range(3):
        write_audio(folder / f"7-8-000{number}.WAV".lower())
    (folder / "7-8.trans.txt").write_bytes(
        b"\xef\xbb\xbf7-8-0000 one\r\n\r\n7-8-0001   two  words \r\n7-8-0002\tthree\r\n".replace(b"\t", b" ")
    )
    utterances, problems = read_split(folder)
    assert [(each.speaker, each.text) for each in utterances] == [
        ("7", "one"),
        ("7", "two words"),
        ("7", "three"),
    ]
    assert not len(problems)


def test_letters_stay_as_they_are_but_for_one_form_of_each(tmp_path: Path) -> None:
    # Written as a letter and an accent behind it.
    write_librispeech(tmp_path, {"1-2-0000": "Cafe\u0301 OK"})
    assert read_split(tmp_path).utterances[0].text == "Caf\u00e9 OK"


def test_of_two_files_of_an_utterance_one_is_read(data: Path) -> None:
    write_audio(data / "train-clean-100/174/50/174-50-0000.wav", 1.0)
    utterances, problems = read_split(data)
    assert utterances[0].audio.suffix == ".flac" and not len(problems)


def spoil(part: Path) -> dict[str, list[str]]:
    """Spoil data in every way, and return the ids or names by kind."""
    chapter = part / "84/121"
    transcripts = chapter / "84-121.trans.txt"
    write_audio(chapter / "84-121-0009.flac")
    write_audio(chapter / "84-121-0010.flac", 0.05)
    write_audio(chapter / "84-121-0011.flac", 3.0)
    write_audio(chapter / "84-121-0012.wav", 0.0)
    (chapter / "84-121-0013.flac").write_bytes(b"no sound")
    noise = numpy.random.default_rng(0).normal(0, 0.1, 16000)
    soundfile.write(scratch_me := chapter / "84-121-0014.flac", noise, 16000)
    scratch(scratch_me)
    soundfile.write(cut_me := chapter / "84-121-0015.flac", noise, 16000)
    cut(cut_me)
    write_audio(chapter / "84-121-0016.flac")
    lines = [f"84-121-{number:04} WORDS" for number in (*range(10, 16), 99, 99)]
    with transcripts.open("ab") as file:
        file.write("\n".join(["", *lines, "84-121-0016", "84-121-0000 AGAIN", ""]).encode())
        file.write(b"84-121-0020 \xff\xfe\n")
    return {
        "damaged transcript": ["line 13 of 84-121.trans.txt is not UTF-8"],
        "empty transcript": ["84-121-0016"],
        "transcript without audio": ["84-121-0099", "84-121-0099"],
        "audio without transcript": ["84/121/84-121-0009.flac"],
        "repeated id": ["84-121-0000"],
        "empty audio": ["84-121-0012"],
        "undecodable audio": ["84-121-0013", "84-121-0014", "84-121-0015"],
        "too short audio": ["84-121-0010 lasts 0.05 of 0.1 s"],
        "too long audio": ["84-121-0011 lasts 3.0 of 2 s"],
    }


def test_every_problem_is_counted_and_named_and_the_rest_is_used(data: Path) -> None:
    expected = spoil(data / "train-clean-100")
    utterances, problems = read_split(data, limits=Limits(longest=2.0))
    assert {each.id for each in utterances} == set(TEXTS)
    assert problems.counts == {kind: len(names) for kind, names in expected.items()}
    for kind, names in expected.items():
        assert all(name in told for name, told in zip(names, problems.named[kind], strict=True))  # type: ignore[index]
    assert len(problems) == 12 == sum(each["count"] for each in problems.as_dict().values())
    assert len(problems.notices()) == 9


def test_strict_refuses_and_names_what_is_wrong(data: Path) -> None:
    spoil(data / "train-clean-100")
    text = refused(data, strict=True)
    assert text.startswith(
        f"{str(data / 'train-clean-100')!r} has 11 problems: damaged transcript: 1 (line 13 of"
    )
    assert "audio without transcript: 1 (84/121/84-121-0009.flac)" in text
    assert text.endswith("; fix them, or leave out strict")
    assert read_split(write_librispeech(data / "dev"), strict=True).utterances


def test_headers_alone_do_not_show_what_is_scratched(data: Path) -> None:
    spoil(data / "train-clean-100")
    assert read_split(data, decode=False).problems.counts["undecodable audio"] == 1


def test_links_that_lead_nowhere_are_told(data: Path) -> None:
    part = data / "train-clean-100"
    (part / "84/122/84-122-0000.flac").unlink()
    (part / "84/122/84-122-0000.flac").symlink_to(data / "gone.flac")
    (part / "174/50/174-50.trans.txt").unlink()
    (part / "174/50/174-50.trans.txt").symlink_to(data / "gone.txt")
    _, problems = read_split(data)
    assert [line.replace(str(part), "") for line in problems.lines()] == [
        "damaged transcript: 1 (174-50.trans.txt cannot be read: No such file or directory)",
        "audio without transcript: 1 (174/50/174-50-0000.flac)",
        "undecodable audio: 1 (audio '/84/122/84-122-0000.flac' cannot be read: No such file or directory)",
    ]
    (part / "circle").symlink_to(part / "circle")
    assert refused(data) == f"folder {str(part)!r} cannot be read: Too many levels of symbolic links"


def test_an_id_that_comes_twice_is_used_once(data: Path) -> None:
    chapter = data / "train-clean-100/84/122"
    write_audio(chapter / "84-121-0000.flac")
    with (chapter / "84-122.trans.txt").open("a") as file:
        file.write("\n84-121-0000 SOMETHING ELSE")
    utterances, problems = read_split(data)
    assert {each.id: each.text for each in utterances} == TEXTS
    assert problems.lines() == ["repeated id: 1 (84-121-0000)"]


def test_data_of_which_nothing_can_be_used_is_an_error(tmp_path: Path) -> None:
    write_librispeech(tmp_path, {"1-2-0000": ""})
    assert refused(tmp_path).endswith("has no usable utterance: empty transcript: 1 (1-2-0000)")


def test_many_cases_of_a_kind_are_told_by_the_first_three() -> None:
    problems = Problems(where="here")
    for number in range(5):
        problems.add("empty audio", f"a{number}")
    assert problems.lines() == ["empty audio: 5 (a0; a1; a2; ...)"]
    assert problems.notices() == ("'here' leaves out empty audio: 5 (a0; a1; a2; ...)",)


def test_any_bytes_for_transcripts_and_audio_end_in_a_line_or_in_utterances(tmp_path: Path) -> None:
    rng = random.Random(0)
    for round in range(20):
        folder = write_librispeech(tmp_path / str(round), {"1-2-0000": "ONE", "1-2-0001": "TWO"})
        for path in sorted(folder.glob("*/*/*")):
            content = bytearray(path.read_bytes())
            for _ in range(rng.randint(0, 20)):
                content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content[: rng.randint(1, len(content))])
        try:
            assert read_split(folder).utterances
        except ConfigError as error:
            assert str(error).isprintable()


@needs_real_data
def test_the_real_parts_are_whole() -> None:
    for part, count, minutes, words, speakers in (
        ("train-clean-5", 189, 19.0, 3076, 22),
        ("dev-cut", 35, 2.8, 470, 6),
    ):
        utterances, problems = read_split(REAL, part, decode=False)
        assert not len(problems)
        assert len(utterances) == count
        assert round(sum(each.seconds for each in utterances) / 60, 1) == minutes
        assert sum(len(each.text.split()) for each in utterances) == words
        assert len({each.speaker for each in utterances}) == speakers
