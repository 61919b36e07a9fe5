"""How a score may fail."""

from __future__ import annotations

FAILING: dict[str, tuple[str, str]] = {
    "exits": (r"crashed: SystemExit: 3", "sys.exit(3)"),
    "quits": (r"crashed: SystemExit", "exit()"),
    "base_exception": (
        r"crashed: Mine: no ordinary one",
        "class Mine(BaseException): pass\nraise Mine('no ordinary one')",
    ),
    "stop_iteration": (r"crashed: StopIteration: 5", "raise StopIteration(5)"),
    "generator_exit": (r"crashed: GeneratorExit", "raise GeneratorExit"),
    "recursion": (r"crashed: RecursionError: maximum recursion depth", "return act(self, candidate)"),
    "out_of_memory": (r"out of memory", "raise MemoryError"),
    "cannot_allocate": (r"crashed: RuntimeError: .*allocate", "torch.empty(2**60)"),
    "assertion": (r"crashed: AssertionError: four is not five", "assert 4 == 5, 'four is not five'"),
    "group": (
        r"crashed: BaseExceptionGroup: two \(2 sub-exceptions\)",
        "raise BaseExceptionGroup('two', [SystemExit(), ValueError()])",
    ),
    "score_failed_with_pages": (r": x{200}$", "raise ScoreFailed('x' * 10_000_000)"),
    "score_failed_silently": (r": failed, and does not say why$", "raise ScoreFailed"),
    "unprintable": (
        r"crashed: Mute: <Mute that cannot be printed>",
        """
        class Mute(Exception):
            def __str__(self): raise ValueError(self.missing)
            __repr__ = __str__
        raise Mute
        """,
    ),
    "prints_itself_as_number": (
        r"crashed: Odd: <Odd that cannot be printed>",
        """
        class Odd(Exception):
            def __str__(self): return 5
        raise Odd
        """,
    ),
    "ten_megabytes": (r"crashed: ValueError: y{200}$", "raise ValueError('y' * 10_000_000)"),
    "control_characters": (
        r"crashed: ValueError: a b red c d e f g$",
        r"raise ValueError('a\r\nb\x1b[31mred\x1b[0m\x00c\x07\x08d\u202ee\u2028f\udc80g')",
    ),
    "clears_the_screen": (
        r"crashed: ValueError: title$",
        r"raise ValueError('\x1b]0;owned\x07\x1b[2J\x1b[Htitle')",
    ),
    "chained": (
        r"crashed: ValueError: second",
        "try:\n    1 / 0\nexcept ZeroDivisionError as first:\n    raise ValueError('second') from first",
    ),
    "infeasible_from_a_score": (
        r"crashed: Infeasible: says the score",
        "from denas_core.errors import Infeasible\nraise Infeasible('says the score')",
    ),
    "damaged_store_from_a_score": (
        r"crashed: StoreDamaged: says the score",
        "from denas_core.errors import StoreDamaged\nraise StoreDamaged('says the score')",
    ),
    "warning_as_error": (
        r"crashed: UserWarning: careless",
        "import warnings\nwarnings.simplefilter('error')\nwarnings.warn('careless')",
    ),
}
