"""Exports: only what gives the network's own outputs is kept, whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core.builtin.exporters.torch_export import TorchExport
from denas_core.errors import ConfigError, PluginError, StorageError
from denas_core.models.export import export_model, inputs_of, proof_batches
from denas_core.models.export_folder import CARD
from tests import warm
from tests.core.exported import FACTS, Sequences, Told, model_of, sample_model


def told(**options: Any) -> Told:
    return Told(**options).named("mine/told")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_export_is_put_in_place_with_a_card(tmp_path: Path) -> None:
    model = sample_model()
    done = export_model(told(), model, tmp_path / "deep" / "out")
    assert (done.path, done.directory) == (tmp_path / "deep/out/told.txt", tmp_path / "deep/out")
    assert (done.difference, done.tolerance) == (0.0, 1e-5)
    assert done.usage == f"open({str(done.path)!r})"
    assert names(tmp_path / "deep") == {"out"}
    assert names(done.directory) == {"told.txt", "sub", CARD}
    sizes = [path.stat().st_size for path in done.directory.rglob("*") if path.is_file()]
    assert done.size_mb == pytest.approx(sum(sizes) / 1e6)
    card = json.loads((done.directory / CARD).read_text())
    assert card["schema"] == "denas.export/1"
    assert card["artefact"] == "told.txt"
    assert card["facts"] == FACTS
    assert card["arch"] == model.arch.as_dict()
    assert card["exporter"] == {"id": "mine/told", "options": told().options()}
    assert card["inputs"] == [{"name": "x", "shape": ["batch", 12], "dtype": "float32"}]
    assert card["outputs"] == ["logits"]


def test_open_dimensions_are_proven_at_another_size_and_stand_in_the_card_by_name(tmp_path: Path) -> None:
    space = Sequences().named("sample/sequences")
    assert [batch.inputs["x"].shape[:2] for batch in proof_batches(space)] == [(1, 8), (2, 8), (5, 8), (5, 4)]
    assert [each["shape"] for each in inputs_of(space)] == [
        ["batch", "positions", 4],
        ["batch", "positions", 1],
    ]
    done = export_model(TorchExport(), model_of(space), tmp_path / "export")
    assert done.difference == 0


def test_the_difference_is_relative_to_the_largest_output(tmp_path: Path) -> None:
    done = export_model(told(off_by=6e-6), sample_model(), tmp_path / "out")
    assert done.difference == pytest.approx(6e-6, rel=0.02)


def test_a_small_output_may_have_the_rounding_of_larger_numbers(tmp_path: Path) -> None:
    model = sample_model()
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.fill_(0.0)
        *_, bias = model.network.parameters()
        bias.fill_(1e-3)
    # Told files are off by a share of the largest output: 5e-7 of an output that counts as 0.1.
    done = export_model(told(off_by=5e-4), model, tmp_path / "out")
    assert done.difference == pytest.approx(5e-6, rel=0.02)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"off_by": 2e-5},
            r"differs from the network by 2e-05 of its largest output 'logits' for a batch of 1",
        ),
        ({"nan": True}, r"differs from the network by nan"),
        ({"cut": True}, r"gives 'logits' the shape \(0, 4\) for a batch of 1, the network \(1, 4\)"),
        ({"rename": "probabilities"}, r"has the outputs \['probabilities'\], the network \['logits'\]"),
    ],
)
def test_what_differs_is_not_kept(options: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=text) as caught:
        export_model(told(**options), sample_model(), tmp_path / "deep" / "out")
    assert "\n" not in str(caught.value) and "nothing is kept" in str(caught.value)
    assert names(tmp_path) == set()


def test_a_network_that_has_diverged_is_refused(tmp_path: Path) -> None:
    model = sample_model()
    with torch.no_grad():
        next(model.network.parameters()).fill_(float("inf"))
    with pytest.raises(ConfigError, match="output 'logits' is not finite"):
        export_model(told(), model, tmp_path / "out")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("raised", "caught", "text"),
    [
        (
            ValueError("no such operator"),
            PluginError,
            "exporter 'mine/told' failed: ValueError: no such operator",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            StorageError,
            "No space left on device; free space",
        ),
        (ConfigError("not in this form"), ConfigError, "^not in this form$"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
    ],
)
def test_a_fault_leaves_nothing(
    raised: BaseException, caught: type[BaseException], text: str, tmp_path: Path
) -> None:
    class Faulty(Told):
        def write(self, model: Any, directory: Path) -> Path:
            super().write(model, directory)
            raise raised

    with pytest.raises(caught, match=text):
        export_model(Faulty().named("mine/told"), sample_model(), tmp_path / "a" / "out")
    assert names(tmp_path) == set()


def test_a_path_that_was_not_written_is_refused(tmp_path: Path) -> None:
    class Lost(Told):
        def write(self, model: Any, directory: Path) -> Path:
            return super().write(model, directory).with_name("other")

    with pytest.raises(PluginError, match="which is not a file or folder that it has written"):
        export_model(Lost().named("mine/told"), sample_model(), tmp_path / "out")


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export_model(told(), sample_model(), tmp_path / "out")
    assert "told.txt" in names(tmp_path / "out")


def test_an_export_is_replaced_only_if_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_model(told(), sample_model(), out)
    (out / "old").touch()
    with pytest.raises(ConfigError, match="holds an export already; write it again with --replace"):
        export_model(told(), sample_model(), out)
    assert "old" in names(out)
    with pytest.raises(PluginError):
        export_model(told(nan=True), sample_model(), out, replace=True)
    assert "old" in names(out)
    export_model(told(), sample_model(), out, replace=True)
    assert names(out) == {"told.txt", "sub", CARD}
    assert names(tmp_path) == {"out"}


def test_a_replacement_that_was_killed_halfway_loses_no_export(tmp_path: Path) -> None:
    out = tmp_path / "out [1]"
    export_model(told(), sample_model(), out)
    out.rename(tmp_path / ".out [1].former")
    (tmp_path / ".out [1].0123.partial").mkdir()
    with pytest.raises(ConfigError, match="holds an export already"):
        export_model(told(), sample_model(), out)
    export_model(told(), sample_model(), out, replace=True)
    assert names(tmp_path) == {"out [1]"}


@pytest.mark.parametrize("content", ["{}", "[]", "no json", None])
def test_what_is_no_export_is_never_replaced(content: str | None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").touch()
    if content is not None:
        (out / CARD).write_text(content)
    with pytest.raises(ConfigError, match="exists and is not an export; name another place with --out"):
        export_model(told(), sample_model(), out, replace=True)
    assert "thesis.txt" in names(out)


def test_a_file_is_no_place_for_an_export(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ConfigError, match="exists and is not an export"):
        export_model(told(), sample_model(), tmp_path / "out", replace=True)
    with pytest.raises(StorageError, match="cannot use"):
        export_model(told(), sample_model(), tmp_path / "out" / "deeper")
    assert (tmp_path / "out").read_text() == "mine"


def test_the_current_directory_is_no_place_for_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"'\.' cannot be replaced as a whole; name a directory of its own"):
        export_model(told(), sample_model(), Path())


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from denas_core.models.export import export_model
    from tests.core.exported import Told, sample_model

    class Killed(Told):
        def outputs(self, artefact, batch):
            os.kill(os.getpid(), signal.SIGKILL)

    export_model(Killed().named("mine/told"), sample_model(), Path(sys.argv[1]))
"""


def test_what_a_killed_export_left_is_removed_by_the_next_and_work_in_progress_is_not(tmp_path: Path) -> None:
    out = tmp_path / "out"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = warm.run([sys.executable, "-c", textwrap.dedent(KILLED), str(out)], env=environ)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = names(tmp_path)
    assert left.startswith(".out.")
    working = tmp_path / ".out.another.partial"
    working.mkdir()
    held = os.open(working, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        export_model(told(), sample_model(), out)
    finally:
        os.close(held)
    assert names(tmp_path) == {"out", working.name}
