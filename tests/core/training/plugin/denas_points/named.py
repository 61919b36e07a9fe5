"""The side of a point, with names of the sides from a file."""

import dataclasses
from pathlib import Path

from denas_core.contracts.component import option

from .task import Side


@dataclasses.dataclass(kw_only=True)
class Named(Side):
    """The side of a point, by name."""

    vocab: str = option("", "File of the names, one a line")

    def read(self, data, space, *, facts=None):
        read = super().read(data, space, facts=facts and {"labels": facts["labels"]})
        names = facts["names"] if facts else Path(self.vocab).read_text().split()
        return dataclasses.replace(read, facts={**read.facts, "names": names})
