"""What a score may return that is no score."""

from __future__ import annotations

RETURNING: dict[str, tuple[str, str]] = {
    "nan": (r"not finite: nan", "return float('nan')"),
    "infinite": (r"not finite: -inf", "return -math.inf"),
    "beyond_sqlite": (r"not finite: 1.5e\+308", "return 1.5e308"),
    "huge_int": (r"not a float: OverflowError: int too large to convert to float", "return 10**400"),
    "text": (r"not a number: str '0.9'", "return '0.9'"),
    "long_text": (r"not a number: str 'x+$", "return 'x' * 10_000_000"),
    "escape_text": (r"not a number: str '\\x1b\[31mred'", "return '\\x1b[31mred'"),
    "nothing": (r"not a number: NoneType None", "return None"),
    "truth": (r"not a number: bool True", "return True"),
    "numpy_truth": (r"not a number: bool", "return numpy.True_"),
    "tensor": (r"not a number: Tensor", "return torch.tensor(1.0)"),
    "array": (r"not a number: ndarray", "return numpy.array(1.0)"),
    "numpy_float32": ("", "return numpy.float32(1.0)"),
    "numpy_int": ("", "return numpy.int64(1)"),
    "numpy_nan": (r"not finite: nan", "return numpy.float16('nan')"),
    "numpy_date": (r"not a number: datetime64", "return numpy.datetime64('2020-01-01')"),
    "long_double": (r"not finite: inf|not a float", "return numpy.longdouble('1e4000')"),
    "complex_number": (r"not a number: complex 1j", "return 1j"),
    "decimal": (r"not a number: Decimal", "from decimal import Decimal; return Decimal('1')"),
    "fraction": ("", "from fractions import Fraction; return Fraction(2, 2)"),
    "coroutine": (
        r"not a number: coroutine",
        "async def later(): return 1.0\ncoroutine = later()\ncoroutine.close()\nreturn coroutine",
    ),
    "generator": (r"not a number: generator", "return (1.0 for _ in range(2))"),
    "itself": (r"not a number: It", "return self"),
    "recursive_list": (r"not a number: list", "found = []; found.append(found); return found"),
    "lying_float": (
        r"not a float: RuntimeError: no number today",
        """
        class Lying(float):
            def __float__(self): raise RuntimeError("no number\\n\\ttoday")
        return Lying(1.0)
        """,
    ),
    "lying_class": (
        r"not a float: TypeError",
        """
        class Lying:
            @property
            def __class__(self): return float
        return Lying()
        """,
    ),
    "lying_comparison": (
        "",
        """
        class Lying(float):
            def __eq__(self, other): raise SystemExit
            def __lt__(self, other): raise SystemExit
            __le__ = __gt__ = __ge__ = __lt__
            def __abs__(self): raise SystemExit
            def __repr__(self): raise SystemExit
            def __hash__(self): raise SystemExit
            def __add__(self, other): raise SystemExit
        return Lying(1.0)
        """,
    ),
    "exits_as_float": (
        r"not a float: SystemExit: 3",
        """
        class Exiting(float):
            def __float__(self): sys.exit(3)
        return Exiting(1.0)
        """,
    ),
    "reseeds_as_float": (
        "",
        """
        class Reseeding(float):
            def __float__(self):
                random.seed(1); numpy.random.seed(1); torch.manual_seed(1)
                return 1.0
        return Reseeding(1.0)
        """,
    ),
    "lying_metaclass": (
        r"not a number",
        """
        class Meta(type):
            @property
            def __name__(cls): raise SystemExit
            def __repr__(cls): raise SystemExit
            def __instancecheck__(cls, other): raise SystemExit
        class Lying(metaclass=Meta):
            def __repr__(self): raise SystemExit
        return Lying()
        """,
    ),
    "lying_name": (
        r"not a number",
        """
        class Text(str):
            def __getattribute__(self, name): raise SystemExit
            def __str__(self): raise SystemExit
            def __len__(self): raise SystemExit
        return type(Text("Odd"), (), {})()
        """,
    ),
}
