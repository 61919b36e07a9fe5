"""Installing a distribution into a folder of its own, and running commands that see it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests import warm


def run(*command: str, site: Path, cwd: Path) -> str:
    """Run a command of this Python with the packages of `site`; it must succeed. Return its standard output."""
    env = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "PYTEST_ADDOPTS": ""}
    done = warm.run([sys.executable, *command], cwd=cwd, env=env)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def denas(*arguments: str, site: Path, cwd: Path) -> str:
    """Run ``denas`` as a user would, and return what it printed on standard output."""
    return run("-c", "from denas_core.cli import main; main()", *arguments, site=site, cwd=cwd)


def install(source: Path, site: Path, *, build: Path) -> None:
    """Build a copy of a distribution and install it into `site`."""
    copy = build / source.name
    shutil.copytree(source, copy)
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    run(*pip, str(copy), site=site, cwd=build)
