"""Networks larger than memory: weights that are read while a network runs, and what is left out or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from denas_core.cli import _run
from denas_core.contracts.candidate import Candidate
from denas_core.errors import ConfigError, Infeasible
from denas_core.latency.thin import check_measurable, measures_whole, thin_piece, thin_space
from denas_core.pretrained.silence import silent_transformers
from denas_core.registry.registry import Registry
from denas_core.training.origin import untrained_model
from denas_hf.space import Auto
from denas_scores.synaptic import L2Norm

from .tiny_models import CONFIGS, checkpoint, inheriting_space, made, space_of


def meta_network(space: Auto) -> torch.nn.Module:
    with torch.device("meta"):
        return space.build(space.smallest(), head=space.own_head())


@pytest.mark.parametrize("name", CONFIGS)
def test_a_streamed_network_has_the_outputs_of_a_network_in_memory(name: str) -> None:
    space = inheriting_space(name)
    arch = space.smallest()
    held = space.load(meta_network(space), arch, seed=3, weights="inherited").eval()
    streamed = space.stream(meta_network(space), arch, seed=3)
    assert streamed is not None
    in_memory = {name for name, one in streamed.eval().named_parameters() if not one.is_meta}
    assert in_memory <= {"encoder.rel_embeddings.weight"}
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        expected, found = space.forward(held, batch), space.forward(streamed, batch)
    assert expected.logits.keys() == found.logits.keys()
    assert all(torch.equal(tensor, found.logits[key]) for key, tensor in expected.logits.items())


def decoder(folder: Path) -> Path:
    """Write a decoder in bfloat16 with an own head, in many files."""
    import transformers

    with silent_transformers(), torch.random.fork_rng():
        torch.manual_seed(4)
        config = transformers.LlamaConfig(**CONFIGS["llama"], tie_word_embeddings=False)
        network = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
        network.save_pretrained(folder, max_shard_size="10KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 3
    return folder


def search_of_decoder(folder: Path, *settings: str) -> list[str]:
    """Return a search over a new decoder in a folder, without its budget."""
    given = [f"space.model={decoder(folder / 'model')}", *settings]
    return ["search", "hf/auto", *(part for setting in given for part in ("--set", setting))]


def searched(folder: Path, *options: str) -> Path:
    run = folder / "run"
    command = search_of_decoder(folder, "space.inherit=magnitude", "score.name=scores/params", *options)
    command += ["--budget", "4", "--constraint", "params<=0.7x"]
    assert _run([*command, "--out", str(run), "-q"], debug=True) == 0
    return run


def test_a_decoder_larger_than_memory_is_exported_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    run = searched(tmp_path)
    command = ["export", str(run), "--to", "huggingface", "--untrained", "--out"]
    assert _run([*command, str(tmp_path / "whole")], debug=True) == 0
    monkeypatch.setattr("denas_core.training.origin.memory_bytes", lambda: 1000)
    monkeypatch.setattr("denas_core.builtin.exporters.huggingface_classes.memory_bytes", lambda: 1000)
    monkeypatch.setattr("denas_core.builtin.exporters.huggingface.SHARD", "10KB")
    assert _run([*command, str(tmp_path / "streamed")], debug=True) == 0
    files = list((tmp_path / "streamed").glob("model-*.safetensors"))
    assert len(files) > 3 and all(file.stat().st_size < 20_000 for file in files)
    types = set()
    for file in files:
        with safe_open(file, "pt") as opened:
            types |= {opened.get_slice(name).get_dtype() for name in opened.keys()}  # noqa: SIM118
    assert types == {"BF16"}
    whole, streamed = (
        AutoModelForCausalLM.from_pretrained(tmp_path / name, local_files_only=True)
        for name in ("whole", "streamed")
    )
    assert whole.dtype == streamed.dtype == torch.bfloat16
    expected, found = whole.state_dict(), streamed.state_dict()
    assert expected.keys() == found.keys() and "lm_head.weight" in found
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())
    # The head is that of the checkpoint, for the features that are kept.
    head = AutoModelForCausalLM.from_pretrained(tmp_path / "model").lm_head.weight
    model = untrained_model(run, Registry.discover(), streams=True)
    assert isinstance(model.space, Auto)
    kept = model.space.kept_features(model.arch)
    assert torch.equal(found["lm_head.weight"], head[:, list(kept)])


def test_other_forms_of_a_network_larger_than_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = searched(tmp_path)
    capsys.readouterr()
    monkeypatch.setattr("denas_core.training.origin.memory_bytes", lambda: 1000)
    assert _run(["export", str(run), "--to", "safetensors", "--untrained"], debug=False) == 7
    error = capsys.readouterr().err
    assert "the network and a copy take" in error and "--to huggingface" in error and error.count("\n") == 1


def test_components_that_do_not_fit_into_memory_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("denas_core.setup.memory_limit.memory_bytes", lambda: 1_000_000)
    command = [*search_of_decoder(tmp_path), "--budget", "3"]
    assert _run([*command, "--out", str(tmp_path / "run"), "--json"], debug=True) == 0
    done = capsys.readouterr()
    notices = json.loads(done.out)["notices"]
    left_out = [notice for notice in notices if "is left out: the smallest network takes" in notice]
    assert [notice.split()[0] for notice in left_out][:1] == ["naswot"]
    assert any(notice.startswith("jacob-cov") for notice in left_out)
    # The run keeps which components there are, so that it goes on with them on a larger machine.
    config = (tmp_path / "run/config.yaml").read_text()
    assert "naswot: 0" in config
    named = [*command, "--set", "score.weights={naswot: 1}", "--out", str(tmp_path / "named")]
    assert _run(named, debug=False) == 7
    assert "takes" in (error := capsys.readouterr().err) and error.count("\n") == 1


def test_a_search_says_how_many_candidates_do_not_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("denas_core.setup.memory_limit.memory_bytes", lambda: 287_500_000)
    command = search_of_decoder(tmp_path, "score.name=scores/naswot")
    assert _run([*command, "--budget", "20", "--out", str(tmp_path / "run"), "--json"], debug=True) == 0
    found = json.loads(capsys.readouterr().out)
    left_out = found["trials"]["infeasible"]
    assert left_out > 0
    said = f"{left_out} of {20 + left_out} candidates have no score; the usual reason: memory: scoring takes"
    assert any(notice.startswith(said) for notice in found["notices"])


def test_weights_are_scored_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = inheriting_space("llama")
    score = L2Norm(weights_from="inherited")
    arch = space.smallest()
    whole = space.load(meta_network(space), arch, seed=0, weights="inherited")
    monkeypatch.setattr(Auto, "load", lambda *given, **options: pytest.fail("the network is loaded"))
    names = {view.parameter for view in space.views(whole) if view.kind != "head"}
    found = score.measure(Candidate(space, arch, seed=0))
    norms = [
        float(whole.get_parameter(name).detach().double().norm()) for name in names if "embed" not in name
    ]
    assert found == pytest.approx(sum(norms), rel=1e-6)


def test_calibration_of_a_network_larger_than_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("denas_core.pretrained.memory.memory_bytes", lambda: 1000)
    space = made(model=str(checkpoint("llama")), inherit="activation")
    with pytest.raises(
        Infeasible, match=r"calibration runs the whole network, which takes .*inherit=magnitude"
    ):
        space.load(meta_network(space), space.smallest(), seed=0, weights="inherited")


def test_latency_is_predicted_from_networks_of_few_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("denas_core.latency.thin.memory_bytes", lambda: 1000)
    assert not measures_whole(space_of("llama"))
    deep = made(config={**CONFIGS["llama"], "num_hidden_layers": 12}, layers=[6, 12])
    full = deep.full()
    piece = thin_piece(deep, full)
    with torch.device("meta"):
        network = thin_space(deep, piece).build(full)
    assert network.config.num_hidden_layers == 3
    assert network.config.hidden_size == CONFIGS["llama"]["hidden_size"]
    with pytest.raises(Infeasible, match="the network cannot be measured: its weights take"):
        check_measurable(deep.cost(full))


def test_a_head_that_the_checkpoint_lacks_is_not_replaced_by_a_random_one(
    tmp_path: Path,
) -> None:
    from transformers import AutoModel

    model = decoder(tmp_path / "model")
    # The weights of the base model alone, under the configuration of the language model.
    config = (model / "config.json").read_text()
    with silent_transformers():
        base = AutoModel.from_pretrained(model)
    for file in model.iterdir():
        file.unlink()
    base.save_pretrained(model)
    (model / "config.json").write_text(config)
    space = made(model=str(model), inherit="magnitude")
    with pytest.raises(
        ConfigError, match=r"has no 'lm_head\.weight', with which a LlamaForCausalLM makes scores"
    ):
        space.own_head()
