"""An export is uploaded only when the user asks for it, and stays on this machine whatever the hub says."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from huggingface_hub import constants

from denas_core import Registry, TrainedModel, save_model
from denas_core.models import build_network
from tests.core.toy_searches import denas_here

from .hub_stand_in import Hub, hub_stand_in
from .tiny_models import CONFIGS


@pytest.fixture
def model(tmp_path: Path) -> Path:
    space = Registry.discover().create("space", "hf/auto", {"config": CONFIGS["bert"]})
    arch = space.sample(random.Random(0))
    network = space.load(build_network(space, arch), arch, seed=0).eval()
    save_model(tmp_path / "model", TrainedModel(space=space, arch=arch, network=network))
    return tmp_path / "model"


@pytest.fixture(autouse=True)
def logged_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    # Nothing listens there, so no test can reach the real hub.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


def export(model: Path, *arguments: str) -> tuple[int, str, str]:
    done = denas_here("export", str(model), "--to", "huggingface", *arguments)
    return done.returncode, done.stdout, done.stderr


def is_complete(model: Path) -> bool:
    names = {path.name for path in (model / "export" / "huggingface").iterdir()}
    return {"README.md", "config.json", "model.safetensors", "card.json"} <= names


def use(hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    monkeypatch.setenv("HF_TOKEN", token)


def test_the_folder_is_uploaded_under_the_name(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub_stand_in() as hub:
        use(hub, monkeypatch, "hf_right")
        code, printed, errors = export(model, "--push", "me/tiny", "--private", "--json")
    assert code == 0, errors
    assert json.loads(printed)["pushed"] == f"{hub.address}/me/tiny"
    (created,) = hub.created
    assert (
        created["name"] == "tiny" and created["organization"] == "me" and created["visibility"] == "private"
    )
    here = model / "export" / "huggingface"
    assert hub.files == {f"me/tiny/{path.name}": path.read_bytes() for path in here.iterdir()}


def test_nothing_is_uploaded_without_the_option(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub_stand_in() as hub:
        use(hub, monkeypatch, "hf_right")
        code, printed, _ = export(model)
    assert code == 0 and "uploaded: " not in printed and not hub.files and not hub.created


def test_without_a_login_one_line_says_how_to_log_in_and_the_folder_stays(model: Path) -> None:
    code, _, errors = export(model, "--push", "me/tiny")
    assert code == 2 and errors.count("\n") == 1
    assert errors.startswith("error: --push needs your login at the Hugging Face Hub: run 'hf auth login'")
    assert f"hf upload me/tiny {model}/export/huggingface" in errors and is_complete(model)


def test_a_token_that_the_hub_refuses_is_named_in_one_line(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_stand_in() as hub:
        use(hub, monkeypatch, "hf_wrong")
        code, _, errors = export(model, "--push", "me/tiny")
    assert code == 2 and errors.count("\n") == 1 and "401" in errors
    assert errors.startswith("error: the Hugging Face Hub refuses 'me/tiny': ")
    assert "hf_wrong" not in errors and is_complete(model) and not hub.files


def test_without_a_network_one_line_says_so_and_the_folder_stays(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    code, _, errors = export(model, "--push", "me/tiny")
    assert code == 2 and is_complete(model)
    assert "the upload to the Hugging Face Hub failed: ConnectError" in errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--push", "tiny"), "--push 'tiny' is not the name of a model on the Hugging Face Hub"),
        (("--push", "me/tiny", "--to", "safetensors"), "'builtin/safetensors' writes another form"),
    ],
)
def test_what_cannot_be_uploaded_is_refused_before_anything_is_written(
    model: Path, arguments: tuple[str, ...], text: str
) -> None:
    code, _, errors = export(model, *arguments)
    assert code == 2 and errors.count("\n") == 1 and text in errors
    assert not (model / "export").exists()
