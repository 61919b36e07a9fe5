"""The guard puts back what a plugin has changed by mistake."""

from __future__ import annotations

import contextlib
import io
import os
import random
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
import torch

from denas_core.errors import ConfigError, PluginError
from denas_core.isolation.guard import TURN, as_before_the_call, guarded
from denas_core.isolation.plugin_errors import plugin_errors
from tests.faults.plugins.trying import changed, process, stirred


def test_a_guard_draws_the_same_numbers_each_time_and_moves_no_generator() -> None:
    before = stirred()
    drawn = []
    for _ in range(2):
        with guarded(seed=5):
            drawn.append((random.random(), torch.rand(1).item()))
    assert drawn[0] == drawn[1]
    assert changed(before, process()) == []


def test_an_error_passes_the_guard_and_the_turn_is_given_back() -> None:
    with pytest.raises(SystemExit), guarded():
        raise SystemExit
    taken: list[bool] = []

    def take() -> None:
        taken.append(TURN.acquire(timeout=300))
        TURN.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    assert taken == [True]


def test_guards_in_guards_put_back_what_each_has_seen() -> None:
    start = torch.get_default_dtype()
    with guarded():
        torch.set_default_dtype(torch.float64)
        with guarded():
            torch.set_default_dtype(torch.float16)
        assert torch.get_default_dtype() == torch.float64
        with as_before_the_call():
            assert torch.get_default_dtype() == start
        assert torch.get_default_dtype() == torch.float64
    assert torch.get_default_dtype() == start


def test_a_guard_of_another_thread_is_waited_for_not_looked_into() -> None:
    entered, leave = threading.Event(), threading.Event()
    seen: list[object] = []

    def guard() -> None:
        with guarded():
            entered.set()
            leave.wait(300)

    def work() -> None:
        try:
            with as_before_the_call():
                seen.append("worked")
        except BaseException as error:
            seen.append(error)

    threads = [threading.Thread(target=guard), threading.Thread(target=work)]
    threads[0].start()
    assert entered.wait(300)
    threads[1].start()
    threads[1].join(0.2)
    assert seen == []
    leave.set()
    for thread in threads:
        thread.join(300)
    assert seen == ["worked"]


def test_what_c_code_and_children_print_does_not_reach_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with guarded():
        os.write(1, b"C code\n")
        subprocess.run(["echo", "child"], check=True)
    os.write(1, b"ours\n")
    printed = capfd.readouterr()
    assert printed.out == "ours\n"
    assert printed.err == "C code\nchild\n"


def test_a_closed_descriptor_is_open_again(capfd: pytest.CaptureFixture[str]) -> None:
    with guarded():
        os.close(1)
        os.close(2)
    os.write(1, b"out")
    os.write(2, b"err")
    assert tuple(capfd.readouterr()) == ("out", "err")


def test_a_stream_that_nobody_can_write_to_fails_no_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with guarded():
        print("lost")


def test_a_deleted_directory_is_left_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with guarded():
        Path("gone").mkdir()
        os.chdir("gone")
        Path("../gone").rmdir()
    assert Path.cwd() == tmp_path


def test_an_exception_of_a_plugin_is_reported_as_its_own() -> None:
    with pytest.raises(PluginError, match=r"^it failed: ValueError: no$"), plugin_errors("it"):
        raise ValueError("no")
    with pytest.raises(ConfigError, match=r"^yours$"), plugin_errors("it"):
        raise ConfigError("yours")


def test_a_stream_that_a_plugin_closes_or_wraps_still_takes_what_others_print(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with guarded():
        wrapped = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
        print("wrapped", file=wrapped, flush=True)
        wrapped.close()
        io.TextIOWrapper(sys.stdout.detach()).close()
        sys.stdout.close()
        print("plugin's")
    print("ours")
    assert tuple(capfd.readouterr()) == ("ours\n", "wrapped\nplugin's\n")


def test_a_plugin_that_imports_torch_first_and_sets_it_up_changes_nothing() -> None:
    code = (
        "from denas_core.isolation.guard import guarded\n"
        "with guarded():\n"
        "    import torch\n"
        "    torch.set_default_dtype(torch.float64)\n"
        "    torch.set_grad_enabled(False)\n"
        "print(torch.get_default_dtype(), torch.is_grad_enabled())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "torch.float32 True\n"


def test_filters_that_silence_a_warning_stay_and_others_are_put_back() -> None:
    with warnings.catch_warnings():
        before = list(warnings.filters)
        with guarded():
            warnings.filterwarnings("ignore", "noise of a library")
            silenced = warnings.filters[0]
            warnings.simplefilter("error")
        assert list(warnings.filters) == [silenced, *before]


@pytest.mark.parametrize("passed", [True, False])
def test_environment_and_directory_are_put_back_whether_or_not_the_code_fails(
    passed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_KEPT", "1")
    before, here = dict(os.environ), Path.cwd()
    with contextlib.suppress(ValueError), guarded():
        os.environ.update(DENAS_KEPT="2", DENAS_ADDED="1")
        del os.environ["PATH"]
        os.chdir(tmp_path)
        if not passed:
            raise ValueError
    assert (dict(os.environ), Path.cwd()) == (before, here)
