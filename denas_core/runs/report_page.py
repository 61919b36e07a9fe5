"""The report of a run, as a notebook shows it."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

from denas_core.errors import ConfigError
from denas_core.system.atomic import storage_errors
from denas_core.values.html import page_html

from .files import REPORT

HEIGHT_PX = 700


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """The report of a run: one page, which a notebook shows at the end of a cell.

    Attributes:
        path: The file.
    """

    path: Path

    @classmethod
    def of_run(cls, run: Path) -> Report:
        """Return the report of a run.

        Raises:
            ConfigError: the run has none.
        """
        path = run / REPORT
        if not path.is_file():
            raise ConfigError(
                f"{str(run)!r} has no report yet; write it with: denas report {shlex.quote(str(run))}"
            )
        return cls(path)

    @property
    def html(self) -> str:
        """The page.

        Raises:
            StorageError: it cannot be read.
        """
        with storage_errors(self.path):
            return self.path.read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        return page_html(self.html, title=f"Report of {self.path.parent.name}", height_px=HEIGHT_PX)
