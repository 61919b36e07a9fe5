"""What readers of texts say about faults: damaged entries, and notices that belong to an error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from denas_core.errors import ConfigError

MANY_DAMAGED = 10
"""If more than one in this many entries is damaged, a file is refused, because it probably has another format."""

LISTED = 5
"""Number of damaged entries that are listed."""


@contextlib.contextmanager
def with_notices(notices: Sequence[str]) -> Iterator[None]:
    """Add notices to an error, because they may say why there is one.

    Args:
        notices: The notices of the data; the list may grow while the block runs.
    """
    try:
        yield
    except ConfigError as error:
        if not notices:
            raise
        raise type(error)(f"{error} (note: {'; '.join(notices)})") from error


def damage_notices(
    path: Path, damaged: Sequence[str], total: int, *, items: str = "rows", listed: int = LISTED, way_out: str
) -> tuple[str, ...]:
    """Return a notice about entries that are left out; empty if there are none.

    Args:
        path: The file.
        damaged: For each damaged entry, what is wrong and where.
        total: Number of all entries.
        items: What the entries are called.
        listed: Number of entries that are listed.
        way_out: What the user can do if many are damaged.

    Raises:
        ConfigError: many entries are damaged.
    """
    if not damaged:
        return ()
    some = "; ".join(damaged[:listed]) + ("; ..." if len(damaged) > listed else "")
    if len(damaged) * MANY_DAMAGED > total:
        raise ConfigError(
            f"{len(damaged)} of the {total} {items} of {str(path)!r} are damaged: {some}; {way_out}"
        )
    return (f"{len(damaged)} of the {total} {items} of {path.name!r} are damaged and were left out: {some}",)
