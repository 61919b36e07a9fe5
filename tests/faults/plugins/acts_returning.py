"""What a score may return that is not a score."""

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
    "failing_float": (
        r"not a float: RuntimeError: no number today",
        """
        class Failing(float):
            def __float__(self): raise RuntimeError("no number\\n\\ttoday")
        return Failing(1.0)
        """,
    ),
}
