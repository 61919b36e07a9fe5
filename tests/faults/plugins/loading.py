"""Plugins that fail before anything of them is used: what each does, and the reason in its row."""

from __future__ import annotations

import dataclasses

from .making import Distribution

HOOK = "from denas_core import hookimpl\n@hookimpl\n"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Broken:
    """A distribution whose plugin cannot be loaded.

    Attributes:
        distribution: The distribution.
        reason: Pattern of the reason in its row.
        fix: Pattern of what ``denas doctor`` says beyond the reason.
        status: Of its row.
        row: Name of its row, if not that of the entry point.
    """

    distribution: Distribution
    reason: str
    fix: str = "; upgrade it, or pip uninstall denas-zoo-"
    status: str = "broken"
    row: str = ""


def _module(name: str, source: str, reason: str, **facts: str) -> Broken:
    return Broken(distribution=Distribution(name=name, files={"plugin": source}), reason=reason, **facts)


def _hook(name: str, body: str, reason: str) -> Broken:
    return _module(name, f"{HOOK}{body}\n", reason)


def _points(name: str, points: str, reason: str, **facts: str) -> Broken:
    files = {"plugin": f"{HOOK}def denas_scores(): return {{}}\n"}
    return Broken(
        distribution=Distribution(name=name, files=files, entry_points=points.encode("latin-1")),
        reason=reason,
        **facts,
    )


BROKEN: list[Broken] = [
    _module("raises", "raise RuntimeError('not\\n today')", r"^RuntimeError: not today$"),
    _module("no_syntax", "def broken(:", r"^SyntaxError: "),
    _module("null_byte", "x = '\\0'\n\0", r"^(SyntaxError|ValueError): "),
    _module(
        "needs_more",
        "import surely_not_installed.at_all",
        r"^ModuleNotFoundError: No module named 'surely_not_installed'$",
        fix="; pip install surely_not_installed, or reinstall denas-zoo-needs_more",
    ),
    _module(
        "needs_newer_torch",
        "import torch.of_next_year",
        r"^ModuleNotFoundError: No module named 'torch.of_next_year'$",
        fix="; reinstall denas-zoo-needs_newer_torch, and upgrade torch",
    ),
    _module("needs_a_name", "from torch import of_next_year", r"^ImportError: cannot import name"),
    _module("exits_at_import", "import sys; sys.exit(0)", r"^SystemExit: 0$"),
    _module("base_at_import", "class Mine(BaseException): pass\nraise Mine", r"^Mine:$"),
    _module("recurses_at_import", "def f(): f()\nf()", r"^RecursionError: "),
    _module("huge_error", "raise ValueError('x' * 10_000_000)", r"^ValueError: x{300}$"),
    _module("escapes", r"raise ValueError('\x1b]0;owned\x07\x1b[2Jred')", r"^ValueError: red$"),
    _module(
        "mute", "class M(Exception):\n    __str__ = None\nraise M", r"^M: <M that cannot be printed>$"
    ),
    _module("moves_at_import", "import os; os.chdir('/'); 1 / 0", r"^ZeroDivisionError"),
    _hook("unknown_hook", "def denas_scroes(): return {}", r"unknown hook 'denas_scroes'"),
    _hook("surplus", "def denas_scores(registry): return {}", r"^PluginValidationError: .*registry"),
    _hook("list_hook", "def denas_scores(): return ['zen']", r"must return a mapping of names, not list$"),
    _hook("failing_hook", "def denas_scores(): 1 / 0", r"^ZeroDivisionError: division by zero$"),
    _hook("exiting_hook", "def denas_scores(): raise SystemExit", r"^SystemExit:$"),
    _hook("slash", "def denas_scores(): return {'a/b': 'm:C'}", r"names a component 'a/b'; use letters"),
    _hook("number_name", "def denas_scores(): return {3: 'm:C'}", r"names a component 3; use letters"),
    _hook("long_name", "def denas_scores(): return {'x' * 10**7: 'm:C'}", r"names a component 'x+; use"),
    _hook("number_part", "def denas_spaces(): return {'it': 5}", r"maps 'it' to 5, which is neither"),
    _points("no_module", "[denas]\nno_module = zoo_no_module.absent\n", r"^ModuleNotFoundError: ",
            fix="; reinstall denas-zoo-no_module, and upgrade zoo_no_module"),
    _points("no_attribute", "[denas]\nno_attribute = zoo_no_attribute.plugin:gone\n", r"^AttributeError: "),
    _points("spaced", "[denas]\nodd name = zoo_spaced.plugin\n", r"the name 'odd name' cannot be part", row="odd name"),
    _points(
        "twice", "[denas]\nclaimed = zoo_twice.plugin\n", r"^2 distributions claim the name 'claimed'$",
        status="conflict", fix="; uninstall one of them, e.g. pip uninstall denas-zoo-", row="claimed",
    ),
    _points(
        "again", "[denas]\nclaimed = zoo_again.plugin\n", r"^2 distributions claim the name 'claimed'$",
        status="conflict", fix="; uninstall one of them, e.g. pip uninstall denas-zoo-", row="claimed",
    ),
    _points(
        "long_point", f"[denas]\n{'n' * 100_000} = zoo_long_point.plugin\n", r"the name 'n+", row="n" * 80,
    ),
    _points("dots", "[denas]\n../../etc = zoo_dots.plugin\n", r"the name '../../etc' cannot be part", row="../../etc"),
]  # fmt: skip

UNREADABLE: list[Broken] = [
    _points(
        "not_utf8", "[denas]\nnot_utf8 = zoo_\xff\xfe\n", r"^its entry_points.txt cannot be read: UnicodeDecodeError",
        fix="; reinstall denas-zoo-not_utf8, or delete its .dist-info directory", row="denas-zoo-not_utf8",
    ),
    _points(
        "no_equals", "[denas]\nonly_a_name\n", r"^(its entry_points.txt cannot be read|.*cannot be)",
        fix="; reinstall denas-zoo-no_equals, or delete its .dist-info directory", row="denas-zoo-no_equals",
    ),
]  # fmt: skip

_HARMLESS = {"plugin": f"{HOOK}def denas_scores(): return {{}}\n"}

ODD_METADATA: list[Distribution] = [
    Distribution(
        name="endless_metadata", files=_HARMLESS, metadata=b"Name: x\nSummary: " + b"y" * 10_000_000
    ),
    Distribution(name="long_version", files=_HARMLESS, metadata=b"Name: a\nVersion: " + b"9" * 1_000_000),
    Distribution(name="metadata_not_utf8", files=_HARMLESS, metadata=b"Name: \xff\xfe\nVersion: \x80\n"),
    Distribution(name="no_metadata", files=_HARMLESS, metadata=b""),
    Distribution(name="metadata_escapes", files=_HARMLESS, metadata=b"Name: \x1b[31mred\x07\nVersion: 1\n"),
]
"""Plugins that work, of distributions that nobody should have built."""
