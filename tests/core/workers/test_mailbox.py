"""Mailboxes: letters arrive once and whole, and silence is measured by the one who looks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from denas_core.workers.mailbox import SIGN, Pulse, post, renew_sign, take_letters, write_whole


def test_letters_arrive_once_and_those_of_a_sender_in_their_order(tmp_path: Path) -> None:
    for number in range(12):
        post(tmp_path, f"sender-{number % 2}", {"number": number})
    assert [letter["number"] for letter in take_letters(tmp_path)] == list(range(12))
    assert take_letters(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_letter_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".1.sender.letter.0a.tmp").write_text('{"a"')
    renew_sign(tmp_path, {})
    assert take_letters(tmp_path) == []


def test_a_damaged_letter_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "000.sender.letter").touch()
    post(tmp_path, "sender", 7)
    assert take_letters(tmp_path) == [7]
    assert take_letters(tmp_path) == []


def test_a_mailbox_that_is_gone_is_an_error_for_both_sides(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        post(tmp_path / "gone", "sender", 7)
    with pytest.raises(FileNotFoundError):
        take_letters(tmp_path / "gone")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_sign_that_is_renewed_ends_the_silence(tmp_path: Path) -> None:
    renew_sign(tmp_path, {"job": "a"})
    pulse = Pulse(tmp_path)
    assert (pulse.facts["job"], pulse.has_changed) == ("a", False)
    time.sleep(0.05)
    assert pulse.look() >= 0.05
    renew_sign(tmp_path, {"job": "b"})
    assert pulse.look() < 0.05
    assert (pulse.facts["job"], pulse.has_changed) == ("b", True)


def test_a_sign_of_another_clock_is_as_good(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path)
    for moment in ("9999999999", "-5"):
        (tmp_path / SIGN).write_text(f'{{"time": {moment}}}')
        time.sleep(0.05)
        assert pulse.look() < 0.05


def test_silence_goes_on_when_a_sign_is_damaged_or_removed(tmp_path: Path) -> None:
    renew_sign(tmp_path, {"job": "a"})
    pulse = Pulse(tmp_path)
    (tmp_path / SIGN).write_bytes(b"")
    time.sleep(0.05)
    assert pulse.look() >= 0.05
    assert pulse.facts["job"] == "a"
    (tmp_path / SIGN).unlink()
    assert pulse.look() >= 0.05
    assert pulse.facts == {}
