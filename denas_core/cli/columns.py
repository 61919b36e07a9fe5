"""Fit the columns of a table into a terminal without breaking a key, a name or a number."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence

from denas_core.system.terminal import break_lines, width_of

GAP = 2
"""Spaces between two columns."""

NARROWEST = 18
"""Cells that a column of prose needs at least, unless its texts are shorter."""

LONGEST_WORD = 32
"""Cells of the longest word that a column of prose keeps whole; a longer one, such as a path, may be broken."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its heading.
        cells: Its texts, one for each row.
        is_prose: Whether its texts may be broken between words; other columns are never broken.
    """

    name: str
    cells: Sequence[str]
    is_prose: bool = False

    @property
    def natural_width(self) -> int:
        """Cells that it takes unbroken."""
        return max(map(width_of, (self.name, *self.cells)))

    @property
    def least_width(self) -> int:
        """Cells that it takes at least."""
        if not self.is_prose:
            return self.natural_width
        words = (width_of(word) for text in self.cells for word in text.split())
        longest = max((width for width in words if width <= LONGEST_WORD), default=0)
        return max(min(self.natural_width, NARROWEST), longest, width_of(self.name))

    @property
    def is_numeric(self) -> bool:
        """Whether all its texts are numbers, with a unit or suffix."""
        return bool(self.cells) and all(map(_is_number, self.cells))


def choose_columns(
    columns: Sequence[Column], width: int, least: Sequence[str] = ()
) -> tuple[list[Column], list[str]]:
    """Return the columns that fit into `width` cells, and the names of those that do not.

    Args:
        columns: All of them; the first always stays.
        width: Cells of the terminal.
        least: Names of the columns to leave out first, the least important one first. After them the columns are left
            out from the right.
    """
    order = [name for name in least if any(column.name == name for column in columns[1:])]
    order += [column.name for column in reversed(columns[1:]) if column.name not in order]
    left_out: set[str] = set()
    for name in order:
        if _total(columns, left_out) <= width:
            break
        left_out.add(name)
    # A narrow column may fit where a wide one of more importance did not.
    for name in reversed(order):
        if name in left_out and _total(columns, left_out - {name}) <= width:
            left_out.discard(name)
    kept = [column for column in columns if column.name not in left_out]
    return kept, [column.name for column in columns if column.name in left_out]


def column_widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the cells of each column: prose shares what the others leave."""
    widths = [column.least_width for column in columns]
    free = width - sum(widths) - GAP * (len(columns) - 1)
    for place in sorted(range(len(columns)), key=lambda place: columns[place].natural_width):
        wanting = sum(c.natural_width > w for c, w in zip(columns, widths, strict=True))
        more = min(columns[place].natural_width - widths[place], free // max(wanting, 1))
        if more > 0:
            widths[place] += more
            free -= more
    return widths


def draw_table(columns: Sequence[Column], width: int, *, rule: str) -> list[str]:
    """Return the lines of a table: headings, a rule, and the rows, with numbers at the right.

    Args:
        columns: Those that fit.
        width: Cells of the terminal.
        rule: The character of the rule.
    """
    widths = column_widths(columns, width)
    lines = [_line(columns, widths, [column.name for column in columns])]
    lines.append(rule * (sum(widths) + GAP * (len(columns) - 1)))
    for row in zip(*(column.cells for column in columns), strict=True):
        broken = [
            break_lines(text, size) if column.is_prose else [text]
            for column, text, size in zip(columns, row, widths, strict=True)
        ]
        for depth in range(max(map(len, broken))):
            lines.append(
                _line(columns, widths, [part[depth] if depth < len(part) else "" for part in broken])
            )
    return lines


def _line(columns: Sequence[Column], widths: Sequence[int], texts: Sequence[str]) -> str:
    padded = []
    for column, width, text in zip(columns, widths, texts, strict=True):
        space = " " * (width - width_of(text))
        padded.append(space + text if column.is_numeric else text + space)
    return (" " * GAP).join(padded).rstrip()


def _total(columns: Sequence[Column], left_out: Collection[str]) -> int:
    widths = [column.least_width for column in columns if column.name not in left_out]
    return sum(widths) + GAP * (len(widths) - 1)


def _is_number(text: str) -> bool:
    # A key may begin with a digit; it is text all the same.
    return text == "-" or re.fullmatch(r"~?-?\d+(\.\d+)?(e[+-]?\d+)?( ?[a-zA-Z%]{1,3})?", text) is not None
