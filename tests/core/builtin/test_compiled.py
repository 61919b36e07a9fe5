"""The probe builtin/compile: the compiled network answers as the network does, and errors are one line."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch

from denas_core.builtin.compiled import Compile
from denas_core.errors import ConfigError
from denas_core.testing.samples.spaces import SampleMLP


def prepared(probe: Compile) -> object:
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    return probe.prepare(space, arch, seed=0, device="cpu")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_the_compiled_network_gives_the_outputs_of_the_network(tmp_path: Path) -> None:
    space = SampleMLP().named("sample/mlp")
    arch = space.smallest()
    assert arch is not None
    found = prepared(Compile(batch_size=5))()  # type: ignore[operator]
    network = space.load(space.build(arch), arch, seed=0).eval()
    with torch.inference_mode():
        expected = space.forward(network, space.batch(5, seed=0)).logits["logits"]
    torch.testing.assert_close(found, expected)
    # Its code lies in the cache of DE-NAS, which tests have for themselves.
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(Path(os.environ["DENAS_CACHE"]) / "compiled")
    assert list(Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]).rglob("*.so"))


def test_without_a_compiler_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(
        ConfigError, match=r"needs a C\+\+ compiler, and there is no g\+\+ or clang\+\+: install"
    ):
        prepared(Compile())
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match="there is no no-such-compiler"):
        prepared(Compile())
