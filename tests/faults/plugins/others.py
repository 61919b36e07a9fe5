"""Spaces, strategies and probes that fail or lie: what each does, and what the search says in the end."""

from __future__ import annotations

from .making import Distribution, providing

SPACE = """
import dataclasses, itertools, os, random, sys
import numpy, torch
from denas_core import Knob
from denas_core.values.batch import Batch
from zoo_good.part import Tiny

@dataclasses.dataclass(kw_only=True)
class It(Tiny):
"""
STRATEGY = """
import dataclasses, itertools, os, random, sys
from denas_core import Strategy, propose_distinct

@dataclasses.dataclass(kw_only=True)
class It(Strategy):
    generation_size = 4

    def ask(self, problem, history, *, count, seed):
        def draw(n=count):
            return propose_distinct(
                problem, history, count=n, seed=seed, propose=lambda place, rng: problem.space.sample(rng)
            )
"""
PROBE = """
import dataclasses, os, random, sys, time
import torch
from denas_core import Latency, LatencyProbe

def latency(**changes):
    return Latency(**{"median": 1.0, "low": 1.0, "high": 1.0, "verdict": "stable", "rounds": 3, **changes})

@dataclasses.dataclass(kw_only=True)
class It(LatencyProbe):
    def prepare(self, space, arch, *, seed, device):
        return lambda: None

    def time(self, call, reference):
        return latency()
"""

SPACES: dict[str, tuple[str, str]] = {
    "knobs_raise": ("def knobs(self): sys.exit(1)", r"space 'knobs_raise/it'.* failed: SystemExit: 1"),
    "knobs_of_rubbish": ("def knobs(self): return [1, None, 'x']", r"space 'knobs_of_rubbish/it'"),
    "no_knobs": ("def knobs(self): return ()", r"space 'no_knobs/it'"),
    "knobs_twice": ("def knobs(self): return Tiny.knobs(self) * 2", r"'width'"),
    "cost_raises": ("def cost(self, arch): raise BaseException('odd\\nshape')", r"BaseException: odd shape"),
    "cost_nan": (
        "def cost(self, arch): return {'params': float('nan'), 'flops': 1}",
        r"cost: ScoreFailed: not finite: nan",
    ),
    "cost_text": (
        "def cost(self, arch): return {'params': '5', 'flops': 1}",
        r"cost: ScoreFailed: not a number: str '5'",
    ),
    "cost_negative": ("def cost(self, arch): return {'params': -5, 'flops': 1}", r"params is negative: -5"),
    "cost_none": ("def cost(self, arch): return None", r"failed: TypeError: "),
    "cost_number_keys": ("def cost(self, arch): return {5: 5}", r"."),
    "build_raises": ("def build(self, arch, **_): raise SystemExit(4)", r"SystemExit: 4"),
    "build_rubbish": ("def build(self, arch, **_): return 'a network'", r"Error: "),
    "build_cycle": (
        "def build(self, arch, **_):\n    def again(): return again()\n    return again()",
        r"RecursionError",
    ),
    "views_raise": ("def views(self, model): 1 / 0", None),
    "batch_raises": ("def batch(self, size, *, seed, kind='noise'): raise GeneratorExit", r"GeneratorExit"),
    "batch_rubbish": ("def batch(self, size, *, seed, kind='noise'): return [1, 2]", r"Error: "),
    "batch_too_small": ("def batch(self, size, **k): return Tiny.batch(self, 1, **k)", None),
    "batch_nan": (
        "def batch(self, size, **k):\n    b = Tiny.batch(self, size, **k)\n"
        "    return dataclasses.replace(b, inputs={n: t * float('nan') for n, t in b.inputs.items()})",
        r"not finite",
    ),
    "forward_raises": ("def forward(self, model, batch): raise KeyError('x' * 10**6)", r"KeyError: 'x{199}"),
    "forward_rubbish": ("def forward(self, model, batch): return 5", r"Error: "),
    "forward_huge": ("def forward(self, model, batch): return torch.empty(2**60)", r"of memory to score"),
    "load_raises": ("def load(self, model, arch, **_): raise MemoryError", r"out of memory"),
    "sample_raises": ("def sample(self, rng): sys.exit('no')", r"failed: SystemExit: no"),
    "sample_rubbish": ("def sample(self, rng): return {'width': 2}", r"failed: |not architectures"),
    "smallest_raises": ("def smallest(self): raise SystemExit", r"failed: SystemExit:"),
    "smallest_rubbish": ("def smallest(self): return 5", r"Error: "),
    "fingerprint_rubbish": ("def fingerprint(self): return object()", r"failed: TypeError"),
    "canonical_raises": (
        "def canonical(self, values): raise StopIteration",
        r"failed: (StopIteration|RuntimeError)",
    ),
    "canonical_rubbish": ("def canonical(self, values): return {'width': object()}", r"failed: TypeError"),
    "global_changes": (
        "def build(self, arch, **k):\n    torch.set_default_dtype(torch.float64)\n    os.chdir('/')\n"
        "    torch.manual_seed(3)\n    random.seed(3)\n    print('owned')\n    return Tiny.build(self, arch, **k)",
        None,
    ),
}
STRATEGIES: dict[str, tuple[str, str]] = {
    "asks_nothing": ("return []", None),
    "asks_none": ("return None", r"strategy 'asks_none/it' failed: TypeError: "),
    "asks_texts": ("return ['x'] * count", r"4 of 4 proposals are not architectures"),
    "asks_unhashable": ("return [[], {}, ...]", r"3 of 3 proposals are not architectures"),
    "asks_the_same": ("return draw(1) * 4", r"3 of 4 proposals are not architectures, or are known already"),
    "asks_generator": ("return (arch for arch in draw())", None),
    "asks_failing_generator": (
        "def g():\n    yield draw(1)[0]\n    raise SystemExit(5)\nreturn g()",
        r"strategy 'asks_failing_generator/it' failed: SystemExit: 5",
    ),
    "asks_forever": ("return itertools.repeat(draw(1)[0])", r"proposes more than the 4 asked for$"),
    "asks_too_many": ("return draw(30)", r"proposes more than the 4 asked for$"),
    "asks_another_space": (
        "from denas_core.testing.samples.knobs import Conditional\nreturn [Conditional().named('x/y').full()]",
        r"crashed: KeyError|cost: |not architectures|failed",
    ),
    "asks_and_exits": ("sys.exit(9)", r"strategy 'asks_and_exits/it' failed: SystemExit: 9"),
    "asks_and_changes": (
        "random.seed(1)\nos.chdir('/')\nprint('owned')\nreturn draw()",
        None,
    ),
    "asks_and_edits": ("history.trials.clear()\nhistory.values.clear()\nreturn draw()", None),
}
PROBES: dict[str, tuple[str, str]] = {
    "times_nan": ("def time(self, call, reference): return latency(median=float('nan'))", r"not finite: nan"),
    "times_text": (
        "def time(self, call, reference): return '5 ms'",
        r"latency: TypeError: '5 ms' is not a Latency",
    ),
    "times_negative": (
        "def time(self, call, reference): return latency(low=-1.0, median=-1.0)",
        r"is negative",
    ),
    "times_odd_verdict": (
        "def time(self, call, reference): return latency(verdict='sure')",
        r"the verdict 'sure'",
    ),
    "times_odd_rounds": (
        "def time(self, call, reference): return latency(rounds='many')",
        r"latency: ValueError",
    ),
    "times_and_exits": ("def time(self, call, reference): sys.exit(2)", r"latency: SystemExit: 2"),
    "prepares_nothing": (
        "def prepare(self, *a, **k): return 5\n    def time(self, c, r): return c()",
        r"TypeError",
    ),
    "prepare_raises": ("def prepare(self, *a, **k): raise BaseException", r"latency: BaseException:"),
    "units_rubbish": ("def units(self, space): return 5", None),
    "units_raise": ("def units(self, space): sys.exit(3)", r"latency: SystemExit: 3"),
    "times_and_changes": (
        "def time(self, call, reference):\n        torch.set_num_threads(2); torch.manual_seed(1); os.chdir('/')\n"
        "        print('owned')\n        return latency()",
        None,
    ),
}
"""By name: the source, and a pattern of the error or of the reason of a trial; None if the search succeeds."""


def failing(name: str) -> Distribution:
    """Return the space, strategy or probe of that name."""
    from textwrap import indent

    if name in SPACES:
        return providing(name, f"{SPACE}{indent(SPACES[name][0], '    ')}\n", spaces="It")
    if name in STRATEGIES:
        return providing(name, f"{STRATEGY}{indent(STRATEGIES[name][0], '        ')}\n", strategies="It")
    return providing(name, f"{PROBE}    {PROBES[name][0]}\n", probes="It")
