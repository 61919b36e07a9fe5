"""No command uses the network, or writes outside of what it was asked for, whatever the libraries do by default."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from denas_core.cli.table import COMMANDS, GROUPS
from tests.hf.tiny_models import checkpoint

from .closed_network import BESIDE, SOCKET

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in SOCKET, reason="needs seccomp"
)

SCRIPT = Path(__file__).with_name("closed_network.py")
TINY = ["--set", "space.image_size=16", "--set", "space.max_layers=1", "--device", "cpu"]
BRIEF = ["--set", "probe.min_rounds=6", "--set", "probe.max_rounds=6"]
ARCH = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperConvK1BNRELU(16,32,1,1)"
WIDTHS = range(16, 96, 8)
"""Widths of the last layer of the networks in a table for ``evaluate-proxy``, which needs ten."""

SEARCH = ["search", "cv/cnn", *TINY, *BRIEF, "--score", "scores/params", "-b", "3", "-q", "-o"]
SCORED = ["search", "cv/cnn", *TINY, "--set", "score.batch_size=2", "-b", "10", "-q", "-o"]
LINES = [
    ["plugins"],
    ["show", "cv/cnn"],
    ["config", "schema"],
    ["doctor"],
    ["check", "onnx/runtime", "--timeout", "600"],
    ["new-plugin", "zen", "-o", "zen"],
    [*SEARCH, "run", "-c", "latency_ms<=1000"],
    [*SEARCH, "other", "--seed", "1", "--probe", "onnx/runtime", "-c", "latency_ms<=1000"],
    ["run", "ls", "."],
    ["trials", "run"],
    ["rank", "run"],
    ["report", "run"],
    ["compare", "run", "other"],
    ["repair", "run"],
    ["score", "cv/cnn", "--arch", ARCH, *TINY, *BRIEF, "--probe", "onnx/runtime"],
    ["score", "cv/cnn", "--arch", ARCH, *TINY, *BRIEF, "--probe", "openvino/runtime"],
    ["latency", "cv/cnn", "--arch", ARCH, *TINY, *BRIEF, "--set", "probe.more=true"],
    ["data", "describe", "data"],
    ["build", "data", "--time", "2h", "--plan", "--space", "cv/cnn", *TINY],
    ["train", "run", "--data", "data", "--epochs", "1", "--device", "cpu", "-q"],
    ["shrink", "model", "-c", "params<=0.8x", "--budget", "3", "--device", "cpu", "--out", "small", "-q"],
    ["evaluate", "run", "--data", "data"],
    ["predict", "run", "data"],
    # A worker evaluates the candidates of a search that runs beside it.
    [BESIDE, *SCORED, "scored", "--executor", "queue", "--set", "executor.directory=shared"],
    ["worker", "shared", "--workers", "1"],
    ["calibrate", "scored", "--train", "8", "--data", "data", "--epochs", "1", "--device", "cpu", "-q"],
    *(
        ["export", "run", "--to", form]
        for form in ("safetensors", "torch-export", "onnx/onnx", "openvino/openvino")
    ),
    [
        "evaluate-proxy",
        "--table",
        "table.csv",
        "--space",
        "cv/cnn",
        *TINY,
        "--target",
        "accuracy",
        "--scores",
        "scores/params",
        "-q",
    ],
]
DEAR = [
    ["doctor"],
    ["latency", "cv/cnn", "--arch", ARCH, *TINY, *BRIEF, "--probe", "builtin/compile"],
]
"""Lines that import every plugin, or need a C++ compiler or a converter for a minute."""
if importlib.util.find_spec("executorch") is not None:
    DEAR.append(["latency", "cv/cnn", "--arch", ARCH, *TINY, *BRIEF, "--probe", "executorch/runtime"])

OTHERS = "asr,bench,nlp,ray"
"""Plugins that `LINES` do not use; `doctor` would import each of them in a process of its own."""

NO_RESULT = 1
"""The code with which `calibrate` ends here if the few networks were trained to equal accuracies."""


def test_every_command_is_here() -> None:
    assert {line[0] for line in LINES} - {BESIDE} == COMMANDS.keys() | GROUPS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("lines", [LINES, pytest.param(DEAR, marks=pytest.mark.nightly)], ids=["all", "dear"])
def test_commands_open_no_internet_socket_and_leave_nothing_behind(
    lines: list[list[str]], tmp_path: Path
) -> None:
    home, temporary, cache, work = (tmp_path / name for name in ("home", "tmp", "cache", "work"))
    for folder in (home, temporary, cache, work):
        folder.mkdir()
    _write_data(work)
    (tmp_path / "lines.json").write_text(json.dumps(lines))
    traced = tmp_path / "trace"
    done = subprocess.run(
        [
            *_strace(traced),
            *(sys.executable, "-P", str(SCRIPT), str(tmp_path / "lines.json"), str(tmp_path / "report.json")),
            *map(str, (home, temporary)),
        ],
        cwd=work,
        env=_environment(
            HOME=home,
            TMPDIR=temporary,
            DENAS_CACHE=cache,
            DENAS_DISABLE_PLUGINS=OTHERS if lines is LINES else "",
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads((tmp_path / "report.json").read_text())
    codes = {"calibrate": (0, NO_RESULT)}
    found = [row for row in report if row["code"] not in codes.get(row["command"], (0,)) or row["left"]]
    assert not found, f"{json.dumps(found)}\n{done.stderr[-20_000:]}"
    if lines is LINES:
        asked_for = {
            "data",
            "table.csv",
            "zen",
            "run",
            "other",
            "scored",
            "shared",
            "evaluations",
            "model",
            "small",
        }
        assert {path.name for path in work.iterdir()} == asked_for
        # Without a result, the networks have been trained nevertheless.
        assert len(list((work / "scored/trainings").glob("*/*"))) == 8
    if traced.exists():
        assert _written(traced, tmp_path) == set()


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_a_process_that_opens_an_internet_socket_ends_and_says_where(family: str) -> None:
    code = "import socket, closed_network as here, faulthandler, signal; here.close_internet(); "
    code += f"faulthandler.register(signal.SIGSYS, chain=True); socket.socketpair(); socket.socket(socket.{family})"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPT.parent, capture_output=True, text=True)
    assert done.returncode == -signal.SIGSYS
    assert "socket.py" in done.stderr


def test_what_a_user_has_set_is_kept(tmp_path: Path) -> None:
    names = ("ORT_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED")
    code = f"import os, sys, denas_core; print(*(os.environ[name] for name in {names}), "
    code += "'openvino_telemetry' in sys.modules)"
    agreed = tmp_path / "agreed"
    (agreed / "intel").mkdir(parents=True)
    (agreed / "intel" / "openvino_telemetry").write_text("1")
    for extra, expected in (
        ({"HOME": tmp_path}, "1 0 True"),
        ({"HOME": tmp_path, "ORT_DISABLE_TELEMETRY": "0"}, "0 0 True"),
        ({"HOME": agreed}, "1 0 False"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code], env=_environment(**extra), capture_output=True, text=True
        )
        assert done.stdout.strip() == expected, done.stderr


def test_without_a_cache_the_folder_for_compiled_code_is_removed_at_the_end(tmp_path: Path) -> None:
    code = "import os, denas_core, torch._dynamo; print(os.environ['TORCHINDUCTOR_CACHE_DIR']); "
    code += "assert os.path.isdir(os.environ['TORCHINDUCTOR_CACHE_DIR'])"
    env = _environment(HOME=tmp_path, TMPDIR=tmp_path, DENAS_CACHE="off")
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def _write_data(work: Path) -> None:
    (work / "shared").mkdir(mode=0o700)
    shutil.copytree(checkpoint("bert"), work / "model")
    for part, count in (("train", 8), ("val", 4)):
        for label, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
            folder = work / "data" / part / label
            folder.mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (16, 16), colour).save(folder / f"{number}.png")
    rows = [f'"{ARCH.replace("32,1,1", f"{width},1,1")}",{width / 100}' for width in WIDTHS]
    (work / "table.csv").write_text("\n".join(["architecture,accuracy", *rows]) + "\n")


def _environment(**given: object) -> dict[str, str]:
    """Return the environment of a new user: none of what this process has switched off."""
    from denas_core.system.dependencies import COMPILER_CACHE, VARIABLES

    dropped = {*VARIABLES, COMPILER_CACHE, "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "CI", "HF_HOME"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **{name: str(value) for name, value in given.items()}}


def _strace(traced: Path) -> list[str]:
    """Return the beginning of a command line that records which files are written; empty where that is impossible."""
    calls = "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,symlink,link,linkat,symlinkat"
    command = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={calls}", "-e", "signal=none", "-o"]
    if shutil.which("strace") is None:
        return []
    tried = subprocess.run([*command, os.devnull, "true"], capture_output=True)
    return [*command, str(traced)] if tried.returncode == 0 else []


def _written(traced: Path, below: Path) -> set[str]:
    """Return the paths in a record of strace that were written outside of a folder."""
    found = set()
    for line in traced.read_text(errors="replace").splitlines():
        call = re.match(r"\d+\s+(\w+)\((.*)", line)
        if call is None or " = -1 " in line:
            continue
        name, arguments = call.groups()
        if name in ("open", "openat") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", arguments):
            continue
        found |= {path for path in re.findall(r'"(/[^"]*)"', arguments) if not _is_allowed(path, below)}
    return found


def _is_allowed(path: str, below: Path) -> bool:
    # Semaphores and devices have no file on a disk.
    return path.startswith((str(below), "/dev/", "/proc/"))
