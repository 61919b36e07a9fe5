"""A time limit stops what can be stopped, and nothing else."""

from __future__ import annotations

import contextlib
import time

import pytest

from denas_core.system.interrupt import ended_after, interruptible, time_limit


def test_a_time_limit_is_a_first_signal_for_what_can_be_stopped() -> None:
    with time_limit(0.3) as limit:
        with interruptible() as interruption:
            until = time.monotonic() + 300
            while not interruption and time.monotonic() < until:
                time.sleep(0.01)
        assert interruption and limit.is_reached


def test_a_time_limit_waits_until_something_can_be_stopped_and_ends_with_its_body() -> None:
    with time_limit(0.2) as limit:
        time.sleep(0.6)
        assert not limit.is_reached
        with interruptible() as late:
            until = time.monotonic() + 300
            while not late and time.monotonic() < until:
                time.sleep(0.01)
        assert limit.is_reached
    with time_limit(0.2) as unused:
        pass
    with interruptible() as later:
        time.sleep(0.5)
    assert not later and not unused.is_reached


def test_a_body_is_ended_after_its_seconds_though_it_handles_errors() -> None:
    until = time.monotonic() + 300
    with pytest.raises(TimeoutError, match=r"longer than 0\.3 s"), ended_after(0.3):
        while time.monotonic() < until:
            with contextlib.suppress(Exception):
                time.sleep(0.01)
    assert time.monotonic() < until
    with ended_after(0.2):
        pass
    time.sleep(0.5)


def test_a_signal_of_the_user_is_no_time_limit() -> None:
    with pytest.raises(KeyboardInterrupt), ended_after(300):
        raise KeyboardInterrupt
