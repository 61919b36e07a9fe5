"""Components that are none, or whose options cannot be: told when they are used, and by ``denas doctor``."""

from __future__ import annotations

from .making import Distribution, providing

HEAD = """
import dataclasses
from denas_core import CombinedScore, LatencyProbe, ProxyScore, SearchSpace, Strategy, option
"""
SCORE = f"""{HEAD}
@dataclasses.dataclass(kw_only=True)
class It(ProxyScore):
"""
MEASURE = "    def measure(self, candidate): return 1.0\n"


def _score(body: str) -> str:
    return f"{SCORE}    {body}\n{MEASURE}"


DECLARED: dict[str, tuple[str, str]] = {
    "a_number": ("It = 5", r"is not a ProxyScore or CombinedScore but 5$"),
    "a_function": ("def It(): pass", r"is not a ProxyScore or CombinedScore but <function It"),
    "another_class": ("class It: pass", r"is not a ProxyScore or CombinedScore but <class"),
    "a_space": (f"{HEAD}class It(SearchSpace): pass", r"is not a ProxyScore or CombinedScore but <class"),
    "abstract": (f"{SCORE}    size: int = 1", r"does not define measure$"),
    "absent": ("", r"cannot be imported from 'zoo_absent.part:It': AttributeError"),
    "raises_late": ("1 / 0", r"cannot be imported from 'zoo_raises_late.part:It': ZeroDivisionError"),
    "exits_late": ("raise SystemExit", r"cannot be imported from 'zoo_exits_late.part:It': SystemExit:$"),
    "needs_late": ("import surely_not_installed", r"No module named 'surely_not_installed'$"),
    "no_dataclass": (
        f"{HEAD}class It(ProxyScore):\n    size: int = 1\n{MEASURE}",
        r"'size' is not an option yet: put @dataclasses.dataclass\(kw_only=True\) above the class",
    ),
    "no_default": (_score("size: int"), r"option 'size' has no default$"),
    "odd_default": (_score("size: object = object"), r"the default of option 'size' is not a plain value"),
    "nan_default": (
        _score("size: float = float('nan')"),
        r"the default of option 'size' is not a plain value",
    ),
    "odd_type": (_score("size: 'NoSuchType' = 1"), r"NameError: name 'NoSuchType' is not defined"),
    "failing_default": (
        _score("size: list = dataclasses.field(default_factory=lambda: 1 / 0)"),
        r"ZeroDivisionError: division by zero",
    ),
    **{
        f"shadowing_{name.strip('_')}": (
            _score(f"{name}: str = 'x'"),
            rf"an option cannot be called '{name}'",
        )
        for name in ("name", "direction", "passes", "requires", "presets", "_id", "model_fields")
    },
    **{
        f"shadows_{name}": (_score(f"{name}: str = 'x'"), rf"'{name}' belongs to every component")
        for name in ("id", "options", "named")
    },
    "shadows_measure": (
        f"{SCORE}    measure: int = 5\n",
        r"an option cannot be called 'measure': it would hide ProxyScore.measure$",
    ),
}
"""By name: the source of the module, and a pattern of what is said."""

CREATED: dict[str, tuple[str, str]] = {
    "exits_when_made": (_score("def __post_init__(self): raise SystemExit"), r"failed: SystemExit:$"),
    "another_when_made": (_score("def __new__(cls, **_): return 5"), r"It\(\) returned a int$"),
    "refuses": (
        _score("def __post_init__(self): raise ValueError('no\\nway')"),
        r"do not fit together: no way$",
    ),
    "number_presets": (_score("presets = 5"), r"failed: TypeError: 'int' object is not iterable"),
    "odd_presets": (_score("presets = {'large': 5}"), r"failed: TypeError"),
    "numbered_presets": (_score("presets = {3: {}}"), r"'presets' must map names to mappings of options$"),
    "presets_of_unknown": (_score("presets = {'large': {'width': 3}}"), r"has no option 'width'"),
    "validating": (
        f"{HEAD}class Odd:\n    @classmethod\n    def __get_pydantic_core_schema__(cls, source, handler):\n"
        "        from pydantic_core import core_schema\n        def check(value): raise SystemExit\n"
        "        return core_schema.no_info_plain_validator_function(check)\n"
        f"{SCORE}    size: Odd = 1\n{MEASURE}",
        r"cannot check its options: SystemExit:$",
    ),
}
"""The same; these are refused when one is made with an option, or with a preset ``large``."""


def declaring(name: str) -> Distribution:
    """Return the plugin of that name."""
    source, _ = {**DECLARED, **CREATED}[name]
    return providing(name, source, scores="It")
