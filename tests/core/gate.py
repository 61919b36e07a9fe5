"""A search that gets no further than its test wants: on a busy machine, it would be over before the test acts."""

from __future__ import annotations

from pathlib import Path

from denas_core.system.atomic import write_atomically


class Gate:
    """The file for the option `gate` of the toy scores and of ``toy/shuffled``.

    They wait when a store has so many trials. What has begun before is stored, too, so that a few more may come.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, store: Path, *, trials: int) -> None:
        """Write the file, before the search of `store` begins."""
        self.path = path
        self._store = store
        self.move(trials)

    @property
    def setting(self) -> tuple[str, str]:
        """The arguments by which a command waits at it."""
        return "--set", f"score.gate={self.path}"

    def move(self, trials: int) -> None:
        """Let the search get this far."""
        write_atomically(self.path, f"{trials} {self._store.absolute()}")

    def open(self) -> None:
        """Let the search get to its end."""
        self.path.unlink()
