"""A distribution as pip leaves it behind: a package beside a ``.dist-info`` that names its entry point."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

VERSION = "6.6.6"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Distribution:
    """A plugin, faulty or not.

    Attributes:
        name: Of its entry point; the package is ``zoo_<name>``, the distribution ``denas-zoo-<name>``.
        files: Sources by the name of the module.
        entry_points: Content of ``entry_points.txt``; by default one plugin.
        metadata: Content of ``METADATA``; by default a name and a version.
    """

    name: str
    files: Mapping[str, str]
    entry_points: bytes | None = None
    metadata: bytes | None = None

    @property
    def package(self) -> str:
        """Name of the package."""
        return f"zoo_{self.name}"

    def write(self, folder: Path) -> None:
        """Install it into a folder of the import path."""
        package = folder / self.package
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        for module, source in self.files.items():
            (package / f"{module}.py").write_text(textwrap.dedent(source))
        info = folder / f"denas_zoo_{self.name}-{VERSION}.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: denas-zoo-{self.name}\nVersion: {VERSION}\n".encode()
        points = f"[denas]\n{self.name} = {self.package}.plugin\n".encode()
        (info / "METADATA").write_bytes(metadata if self.metadata is None else self.metadata)
        (info / "entry_points.txt").write_bytes(points if self.entry_points is None else self.entry_points)


def providing(name: str, source: str, **components: str) -> Distribution:
    """Return a plugin of one module ``part``, with components ``<name>="<Class>"`` of the kinds named."""
    hooks = "".join(
        f"""
@hookimpl
def denas_{kind}():
    return {{"it": "zoo_{name}.part:{class_name}"}}
"""
        for kind, class_name in components.items()
    )
    plugin = f"from denas_core import hookimpl\n{hooks}"
    return Distribution(name=name, files={"plugin": plugin, "part": source})


@contextlib.contextmanager
def installed(folder: Path, distributions: Iterable[Distribution]) -> Iterator[Path]:
    """Install distributions into `folder` and put it on the import path for a while."""
    for distribution in distributions:
        distribution.write(folder)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith("zoo_")]:
            del sys.modules[name]
