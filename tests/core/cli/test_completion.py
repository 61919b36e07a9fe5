"""The shell completes names of components, presets and runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.cli.completion import components, names, race_kinds, runs, runs_or_spaces
from denas_core.racing.entrants import Also


def test_names_of_components_and_presets_are_completed() -> None:
    assert names("space")("cv/c") == ["cv/cnn"]
    assert "cv/cnn:micro" in names("space")("cv/cnn:")
    assert names("space")("cv/cnn:mi") == ["cv/cnn:micro"]
    assert names("strategy")("builtin/ns") == ["builtin/nsga2"]
    assert names("space")("nothing/:") == []
    assert {"cv/cnn", "cv/image-classification"} <= set(components("cv/"))


def test_runs_are_completed_here_and_in_their_usual_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("mine", "runs/cv-cnn-1", "runs/cv-cnn-2"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.yaml").write_text("")
    (tmp_path / "other").mkdir()
    assert runs("") == ["mine", "runs/cv-cnn-1", "runs/cv-cnn-2"]
    assert runs("runs/cv-cnn-2") == ["runs/cv-cnn-2"]
    assert runs_or_spaces("m") == ["mine"] and "cv/vit" in runs_or_spaces("cv")


def test_the_networks_beside_the_finalists_of_a_race_are_completed_as_it_reads_them() -> None:
    assert race_kinds("fam") == ["familiar"]
    assert set(Also.parse(race_kinds("")).as_list()) == {"random:2", "largest", "familiar"}
