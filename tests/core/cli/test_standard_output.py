"""Standard output belongs to the command, whatever C code and child processes print."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import textwrap
from pathlib import Path

import pytest

from tests.core.toy_searches import denas_command, environment

LOUD = """
    import ctypes, dataclasses, os, subprocess, sys, threading, time
    from denas_core import Candidate, ProxyScore, hookimpl

    os.write(1, b"written at import\\n")

    @hookimpl
    def denas_scores():
        return {"loud": Loud}

    @dataclasses.dataclass(kw_only=True)
    class Loud(ProxyScore):
        def measure(self, candidate):
            os.write(1, b"written to 1\\n")
            subprocess.run(["echo", "said by a child"], check=True)
            # C keeps it in a buffer until the process ends.
            ctypes.CDLL(None).printf(b"printed by C\\n")
            sys.__stdout__.write("written by Python\\n")
            # Long after the score has returned.
            threading.Thread(target=lambda: time.sleep(0.5) or os.write(1, b"told by a thread\\n")).start()
            return float(int(candidate.arch.key[:8], 16))
"""
SAID = (
    "written at import",
    "written to 1",
    "said by a child",
    "printed by C",
    "written by Python",
    "told by a thread",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PYTHONPATH on which a plugin lies that prints by every way there is."""
    folder = tmp_path_factory.mktemp("loud")
    (folder / "loud_plugin.py").write_text(textwrap.dedent(LOUD))
    info = folder / "denas_loud-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: denas-loud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[denas]\nloud = loud_plugin\n")
    return f"{environment()['PYTHONPATH']}:{folder}"


def shell(line: str, path: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run ``denas search`` of the loud score in a shell line; DENAS stands for the command."""
    command = " ".join(
        f"'{part}'"
        for part in denas_command(
            "search", "toy/stairs", "--score", "loud/loud", "--budget", "3", "-q", "-o", "r"
        )
    )
    return subprocess.run(
        ["bash", "-c", line.replace("DENAS", command)],
        capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path, env=environment(PYTHONPATH=path),
    )  # fmt: skip


def test_what_c_code_and_children_print_is_no_part_of_a_document(path: str, tmp_path: Path) -> None:
    done = shell("DENAS --json", path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["scored"] == 3
    for said in SAID:
        assert said in done.stderr


def test_tables_hold_nothing_else_either(path: str, tmp_path: Path) -> None:
    done = shell("DENAS", path, tmp_path)
    assert done.stdout.startswith("toy/stairs: 3 scored")
    assert not any(said in done.stdout for said in SAID)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("DENAS --json >&-", 0),
        ("DENAS --json 2>&-", 0),
        ("DENAS --json 0<&- 1>&- 2>&-", 0),
        ("DENAS --json >/dev/full", 6),
        ("DENAS --json | true; exit ${PIPESTATUS[0]}", 0),
    ],
)
def test_a_stream_that_is_closed_or_full_or_not_read_harms_no_search(
    path: str, tmp_path: Path, line: str, code: int
) -> None:
    done = shell(line, path, tmp_path)
    assert done.returncode == code, done.stderr
    assert json.loads((tmp_path / "r/result.json").read_text())["trials"]["scored"] == 3
    if done.stdout:
        assert json.loads(done.stdout)["schema"] == "denas.search/1"


def test_a_closed_standard_output_is_not_taken_by_a_file_of_the_run(path: str, tmp_path: Path) -> None:
    shell("DENAS 0<&- 1>&-", path, tmp_path)
    for file in (tmp_path / "r").rglob("*"):
        assert file.is_dir() or b"printed by C" not in file.read_bytes()


def test_a_terminal_is_still_a_terminal() -> None:
    primary, secondary = pty.openpty()
    fcntl.ioctl(primary, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 93, 0, 0))
    script = (
        "import shutil, sys\nfrom denas_core.cli.standard_output import hold_standard_output\nhold_standard_output()\n"
        "print(sys.stdout.isatty(), shutil.get_terminal_size().columns, flush=True)"
    )
    surroundings = {name: value for name, value in environment().items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=secondary, stderr=subprocess.PIPE, env=surroundings, check=True
    )
    os.close(secondary)
    assert os.read(primary, 100).decode().split() == ["True", "93"]
    os.close(primary)
    assert done.stderr == b""
