"""Which files of a checkpoint are read, and which are refused before anything in them is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_core.pretrained.files import CheckpointFiles, find_checkpoint, read_json

pytestmark = pytest.mark.usefixtures("no_network")


def folder(tmp_path: Path, *names: str, index: dict[str, str] | None = None) -> Path:
    for name in ("config.json", *names):
        (tmp_path / name).write_text("{}")
    if index is not None:
        for path in tmp_path.glob("*.index.json"):
            path.write_text(json.dumps({"weight_map": index}))
    return tmp_path


def test_safetensors_come_before_pickles(tmp_path: Path) -> None:
    place = folder(tmp_path, "model.safetensors", "pytorch_model.bin", "tf_model.h5")
    for allow_pickle in (False, True):
        files = find_checkpoint(str(place), allow_pickle=allow_pickle)
        assert files == CheckpointFiles(place / "config.json", (place / "model.safetensors",))


def test_shards_are_those_of_the_index(tmp_path: Path) -> None:
    place = folder(
        tmp_path,
        "model.safetensors.index.json",
        "model-1.safetensors",
        "model-2.safetensors",
        "other.safetensors",
        index={"a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"},
    )
    files = find_checkpoint(str(place))
    assert [path.name for path in files.weights] == ["model-1.safetensors", "model-2.safetensors"]


@pytest.mark.parametrize(
    "name",
    [
        "../out.safetensors",
        "/etc/passwd",
        "sub/model.safetensors",
        "model.bin",
        "..",
        "",
        "a\0.safetensors",
        "missing.safetensors",
    ],
)
def test_an_index_names_only_files_of_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "out.safetensors").touch()
    place = tmp_path / "sub"
    place.mkdir()
    folder(place, "model.safetensors.index.json", "model.bin", index={"a": name})
    with pytest.raises(ConfigError, match=r"model\.safetensors\.index\.json' names "):
        find_checkpoint(str(place))


@pytest.mark.parametrize("table", [None, [], {}, {"a": 1}, {"a": ["b"]}])
def test_an_index_without_files_is_refused(tmp_path: Path, table: object) -> None:
    place = folder(tmp_path, "model.safetensors.index.json")
    (place / "model.safetensors.index.json").write_text(json.dumps({"weight_map": table}))
    with pytest.raises(ConfigError, match="names no files with weights"):
        find_checkpoint(str(place))


@pytest.mark.parametrize(
    "names", [("pytorch_model.bin",), ("pytorch_model.bin.index.json", "pytorch_model-1.bin")]
)
def test_a_pickle_is_refused_unless_it_is_allowed(tmp_path: Path, names: tuple[str, ...]) -> None:
    place = folder(tmp_path, *names, index={"a": "pytorch_model-1.bin"})
    with pytest.raises(
        ConfigError,
        match=r"are a pickle \(pytorch_model\S+\), which could run code; allow it with --allow-pickle",
    ):
        find_checkpoint(str(place))
    files = find_checkpoint(str(place), allow_pickle=True)
    assert files.pickled and [path.name for path in files.weights] == [names[-1]]


def test_a_pickle_among_safetensors_is_never_read(tmp_path: Path) -> None:
    place = folder(tmp_path, "model.safetensors.index.json", "model.bin", index={"a": "model.bin"})
    with pytest.raises(ConfigError, match=r"which is not a \.safetensors file of its folder"):
        find_checkpoint(str(place), allow_pickle=True)


def test_a_folder_with_a_configuration_alone_has_no_weights(tmp_path: Path) -> None:
    assert find_checkpoint(str(folder(tmp_path))).weights == ()


@pytest.mark.parametrize(
    "name", ["tf_model.h5", "flax_model.msgpack", "llama.gguf", "weights.pt", "model-1.safetensors"]
)
def test_weights_of_another_form_are_not_taken_for_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        ConfigError, match=f"have a format that is not supported \\('{name}'\\); convert them"
    ):
        find_checkpoint(str(folder(tmp_path, name)))


def test_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds an adapter of another checkpoint; merge the two"):
        find_checkpoint(str(folder(tmp_path, "adapter_config.json", "model.safetensors")))


def test_a_configuration_alone_is_a_json_file(tmp_path: Path) -> None:
    place = folder(tmp_path, "model.safetensors", "vocab.txt", "other.json")
    files = find_checkpoint(str(place / "config.json"))
    assert (files.weights, files.tokenizer) == ((), place / "vocab.txt")
    # A file of another name may lie beside anything.
    assert find_checkpoint(str(place / "other.json")).tokenizer is None
    with pytest.raises(ConfigError, match=r"model\.safetensors' is not a checkpoint: name a folder"):
        find_checkpoint(str(place / "model.safetensors"))


def test_a_tokenizer_file_comes_before_a_vocabulary(tmp_path: Path) -> None:
    place = folder(tmp_path, "vocab.txt")
    assert find_checkpoint(str(place)).tokenizer == place / "vocab.txt"
    (place / "tokenizer.json").write_text("{}")
    assert find_checkpoint(str(place)).tokenizer == place / "tokenizer.json"


def test_paths_are_absolute_and_may_be_of_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, "model.safetensors")
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    for reference in (tmp_path.name, f"./{tmp_path.name}/", f"~/{tmp_path.name}"):
        assert find_checkpoint(reference).directory == tmp_path.resolve()


@pytest.mark.parametrize(
    "reference",
    ["", "gone", "./gone", "/gone/gone", "models/gone", "../a/b", "a/b/c", "a b/c", "-a/b", "a/b\n"],
)
def test_what_is_no_folder_and_no_id_reaches_for_no_network(
    reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder that is there is one of ours, so that 'models/gone' is a slip and no id.
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"there is no checkpoint .*: name a folder with config\.json"):
        find_checkpoint(reference)


@pytest.mark.parametrize("reference", ["a" * 5000, "a\0b", "~nobody-of-that-name/model"])
def test_a_name_that_no_file_can_have_is_an_error_of_one_line(reference: str) -> None:
    with pytest.raises(ConfigError, match="there is no checkpoint") as caught:
        find_checkpoint(reference)
    assert len(str(caught.value)) < 500


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ConfigError, match=r"is not a checkpoint: it has no config\.json"):
        find_checkpoint(str(tmp_path))


def hub_cache(place: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    """Write what the hub's own client finds when it is offline."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(place))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    repository = place / "models--owner--name"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    return folder(snapshot, *names)


def test_an_id_of_the_hub_is_read_from_its_cache_when_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = hub_cache(tmp_path / "cache", monkeypatch, "model.safetensors", "tokenizer.json")
    monkeypatch.chdir(tmp_path)
    files = find_checkpoint("owner/name")
    assert files.weights == (snapshot.resolve() / "model.safetensors",)
    assert files.tokenizer == snapshot.resolve() / "tokenizer.json"


def test_a_pickle_of_the_hub_is_refused_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_cache(tmp_path / "cache", monkeypatch, "pytorch_model.bin")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="are a pickle"):
        find_checkpoint("owner/name")
    assert find_checkpoint("owner/name", allow_pickle=True).pickled


def test_an_id_that_the_hub_does_not_give_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_cache(tmp_path / "cache", monkeypatch)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError, match="there is no folder 'owner/other', and no model with this id could be downloaded"
    ):
        find_checkpoint("owner/other")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff{}", "is not JSON"),
        (b"[" * 100_000, "is not JSON: RecursionError"),
        (b'{"a": NaN}', "JSON has no number NaN"),
        (b'{"a": ' + b"1" * 5000 + b"}", "is not JSON"),
        (b"[1]", r"must hold a mapping, not \[1\]"),
        (b'{"a": "' + b"b" * 16_000_000 + b'"}', "is larger than 16 MB"),
    ],
    ids=["empty", "cut", "bytes", "deep", "nan", "digits", "list", "large"],
)
def test_json_that_is_damaged_or_hostile_is_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=why) as caught:
        read_json(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 + len(str(path))
