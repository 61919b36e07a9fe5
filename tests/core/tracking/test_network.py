"""No tracker uses the network, or writes outside of the run, unless the user asks for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from denas_core.tracking.names import TRACKERS
from tests.core.toy_searches import denas_command, environment

WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|mkdir|rename")


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("name", TRACKERS)
def test_a_tracker_connects_to_nothing_and_writes_into_the_run_alone(name: str, tmp_path: Path) -> None:
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    home, temporary, record = (tmp_path / part for part in ("home", "tmp", "record"))
    home.mkdir(), temporary.mkdir()
    strace = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=connect,sendto,openat,mkdir,rename",
        "-e",
        "signal=none",
        "-o",
    ]
    if subprocess.run([*strace, os.devnull, "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    options = "toy/stairs --score toy/both -b 2 --device cpu --executor builtin/serial -q -o run --tracker"
    unset = [key for key in os.environ if key.startswith(("MLFLOW_", "WANDB_", "TRACKIO_"))]
    clean = environment(HOME=str(home), TMPDIR=str(temporary), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [*strace, str(record), *denas_command("search", *options.split(), name)],
        cwd=tmp_path,
        env={key: value for key, value in clean.items() if key not in unset},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0 and "failed" not in done.stderr, done.stderr
    calls = record.read_text(errors="replace").splitlines()
    assert not [call for call in calls if "AF_INET" in call]
    written = {
        path
        for call in calls
        if WRITING.search(call) and " = -1 " not in call
        for path in re.findall(r'"(/[^"]*)"', call)
    }
    elsewhere = {
        path
        for path in written
        if not path.startswith((f"{tmp_path}/run", str(temporary), "/dev/", "/proc/", "/sys/"))
    }
    assert elsewhere == set()
    assert list(temporary.iterdir()) == [] and list(home.iterdir()) == []
