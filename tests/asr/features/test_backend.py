"""torchaudio is used where it imports; what is used instead is said, with the way to the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAY = "from denas_asr.features.backend import in_use, torchaudio\nprint(in_use())\nprint(torchaudio() is not None)"


def said(folder: Path, code: str = SAY) -> list[str]:
    """Return what a fresh Python prints that finds packages in `folder` first."""
    paths = [str(folder), *(path for path in sys.path if path)]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {paths!r}\n{code}"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def write(folder: Path, source: str, *, version: str = "2.11.0") -> Path:
    """Install a package that calls itself torchaudio."""
    package = folder / "torchaudio" / "compliance"
    package.mkdir(parents=True)
    (folder / "torchaudio" / "__init__.py").write_text(source)
    (package / "__init__.py").touch()
    (package / "kaldi.py").touch()
    info = folder / f"torchaudio-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torchaudio\nVersion: {version}\n")
    return folder


def test_a_torchaudio_that_imports_is_used(tmp_path: Path) -> None:
    write(tmp_path, "")
    assert said(tmp_path) == [
        "torchaudio 2.11.0; equal code of denas-asr takes over after: pip uninstall torchaudio",
        "True",
    ]


@pytest.mark.parametrize("fault", ["OSError('libtorch_cuda.so: not found')", "RuntimeError('no operator')"])
def test_one_that_does_not_is_told_with_its_reason(tmp_path: Path, fault: str) -> None:
    write(tmp_path, f"raise {fault}")
    line, works = said(tmp_path)
    name, _, text = fault[:-2].partition("('")
    assert f"since torchaudio 2.11.0 does not import: {name}: {text}; for that, install the build" in line
    assert works == "False"


def test_what_it_computes_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "from . import compliance, functional")
    (tmp_path / "torchaudio/compliance/__init__.py").write_text("from . import kaldi")
    (tmp_path / "torchaudio/compliance/kaldi.py").write_text("def fbank(wave, **options): return options")
    (tmp_path / "torchaudio/functional.py").write_text("def resample(wave, *rates): return rates")
    code = (
        "import torch\nfrom denas_asr.features.fbank import log_mel\n"
        "from denas_asr.features.resampling import resample\n"
        "print(sorted(log_mel(torch.zeros(400), 16000).items()))\n"
        "print(resample(torch.zeros(9), 8000, 16000), len(resample(torch.zeros(44101), 44101, 16000)))"
    )
    options, resampled = said(tmp_path, code)
    assert options == (
        "[('dither', 0.0), ('frame_length', 25.0), ('frame_shift', 10.0), ('num_mel_bins', 80), "
        "('sample_frequency', 16000.0)]"
    )
    # Rates without a common divisor, for which torchaudio would make a table of gigabytes, are our own business.
    assert resampled == "(8000, 16000) 16000"


def test_nothing_is_imported_before_features_are_computed() -> None:
    code = (
        "import sys\nimport denas_asr.features.backend, denas_asr.features.fbank, denas_asr.features.resampling\n"
        "import denas_asr.features.spec_augment, denas_asr.features.speed, denas_asr.features.normalisation\n"
        "print({'torch', 'torchaudio', 'soundfile'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
