"""Make new plugins: each is a distribution that can be installed, runs, and passes its conformance checks."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from denas_core.errors import ConfigError, did_you_mean
from denas_core.system.atomic import storage_errors
from denas_core.version import __version__

KINDS = ("score", "space", "strategy", "probe")
"""Kinds of components that a new plugin can have, in the order in which it lists them."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40


def plugin_name(text: str) -> str:
    """Return the name of a plugin: ``zen`` for ``zen`` and for ``denas-zen``.

    Raises:
        ConfigError: the name cannot be that of an entry point, a package and a distribution.
    """
    from denas_core.registry.official import PLUGINS

    name = text.removeprefix("denas-")
    if name in ("core", "builtin", *PLUGINS):
        raise ConfigError(f"plugin name {name!r} belongs to DE-NAS itself; choose another")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ConfigError(
            f"plugin name {text!r:.60} must be lower-case letters, digits and single hyphens, begin with a letter, and "
            f"have at most {_LONGEST} characters; for example 'zen' or 'my-space'"
        )
    return name


def render_plugin(name: str, kinds: Iterable[str]) -> dict[str, str]:
    """Return the files of a new plugin by relative path.

    Args:
        name: Name of the plugin, as `plugin_name` returns it. Its package is ``denas_<name>``.
        kinds: Kinds of its components, from `KINDS`. The name of a component consists of plugin and kind.

    Raises:
        ConfigError: there is no kind, or a kind is unknown.
    """
    wanted = set(kinds)
    for unknown in sorted(wanted.difference(KINDS)):
        raise ConfigError(f"kind {unknown!r:.40} is none of {', '.join(KINDS)}{did_you_mean(unknown, KINDS)}")
    if not wanted:
        raise ConfigError(f"no kind is named; choose from {', '.join(KINDS)}")
    chosen = [kind for kind in KINDS if kind in wanted]
    package = f"denas_{name.replace('-', '_')}"
    facts = {
        "name": name,
        "package": package,
        "kinds": chosen,
        "names": {kind: _component_name(name, kind) for kind in chosen},
        "classes": {kind: _component_name(name, kind).title().replace("-", "") for kind in chosen},
        "hooks": {kind: hook for kind, hook in _hooks().items() if kind in chosen},
        "version": ".".join(__version__.split(".")[:2]),
    }
    templates = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{package}/__init__.py": "package.py",
        f"{package}/py.typed": "py.typed",
        f"{package}/plugin.py": "plugin.py",
        **{f"{package}/{kind}.py": f"{kind}.py" for kind in chosen},
        **{f"tests/test_{kind}.py": f"test_{kind}.py" for kind in chosen},
    }
    return {path: _render(template, facts) for path, template in templates.items()}


def write_plugin(files: Mapping[str, str], directory: Path) -> None:
    """Write the files of a new plugin into a directory that is new or empty.

    Raises:
        ConfigError: the directory exists and is not empty.
        StorageError: the file system refuses.
    """
    with storage_errors(directory):
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            what = "is not empty" if directory.is_dir() else "is not a directory"
            raise ConfigError(f"{str(directory)!r} exists and {what}; name another directory with --out")
        for relative, text in files.items():
            path = directory / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _component_name(name: str, kind: str) -> str:
    return name if name.endswith(f"-{kind}") else f"{name}-{kind}"


def _hooks() -> Mapping[str, str]:
    from denas_core.registry.loading import HOOKS

    return {str(kind): hook for kind, hook in HOOKS.items()}


def _render(template: str, facts: Mapping[str, object]) -> str:
    import jinja2

    source = importlib.resources.files(__name__).joinpath("templates", f"{template}.jinja")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(source.read_text(encoding="utf-8")).render(facts)
