"""The base class of tasks on the texts of a table: its columns, its parts, and the texts of a prediction."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core import SearchSpace, Split, option
from denas_core.errors import ConfigError, safe_repr
from denas_nlp.tables.read import SUFFIXES
from denas_nlp.tables.saved import is_saved
from denas_nlp.tables.text_folders import texts_in
from denas_nlp.text.batches import TextSample
from denas_nlp.text.content import decoded, read_text
from denas_nlp.text.files import Files
from denas_nlp.text.lines import read_lines
from denas_nlp.text.parts import Parts, read_parts
from denas_nlp.text.sentences import Row, SentenceSplit
from denas_nlp.text.task import TextTask

from .reading import Labelled, TableReader, read_texts

FILES = Files(
    kind="tables of texts and labels",
    items="rows",
    train="train.csv",
    valid="valid.csv",
    suffixes=SUFFIXES,
    may_be_folders=True,
)


@dataclasses.dataclass(kw_only=True)
class TableTask(TextTask, ABC):
    """Tells something of a text, or of a pair of texts, as the rows of a table do."""

    text: str = option(
        "", "Column with the texts; by default the one with a usual name, such as text or review"
    )
    pair: str = option("", "Column with the second text of a pair, such as hypothesis")
    label: str = option(
        "", "Column with the labels, or several columns of 0 and 1 with commas between their names"
    )
    split: str = option(
        "", "Part to evaluate on: train, valid or test; by default valid, or test if there is none"
    )

    def parts(self, data: Path, reader: TableReader, *, to_evaluate: bool) -> Parts[Labelled]:
        """Return the rows of the tables at `data`.

        Raises:
            ConfigError: as in `read_parts` and `TableReader.read`.
        """
        return read_parts(
            data,
            FILES,
            reader.read,
            to_evaluate=to_evaluate,
            valid_share=self.valid_share,
            part=self.split if to_evaluate else "",
            stratum=lambda row: row.labels,
        )

    def items(self, path: Path) -> Iterator[tuple[str, Any]]:
        """Yield the texts of a table, each line of another file, or each file in a folder.

        A pair of texts is separated by a tab.
        """
        suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
        if path.is_dir() and not is_saved(path):
            yield from ((str(file), decoded(read_text(file), file).text) for file in texts_in(path))
        elif suffix == ".txt" or suffix not in (*SUFFIXES, ""):
            yield from read_lines(path)
        else:
            yield from read_texts(path, text=self.text, pair=self.pair)

    def input_reader(
        self, space: SearchSpace, *, facts: Mapping[str, Any]
    ) -> Callable[[str | Sequence[str]], Split[TextSample]]:
        """Return a function that tokenises a text, or a pair of texts."""
        preparation = self.prepared(Path(), space, facts=facts)
        count = len(facts["columns"]["texts"])

        def read(given: str | Sequence[str]) -> SentenceSplit:
            if isinstance(given, str):
                given = given.split("\t") if count > 1 else [given]
            texts = tuple(text.strip() for text in given)
            if len(texts) != count or not all(texts):
                wanted = "one text" if count == 1 else "two texts with a tab between them"
                raise ConfigError(f"the model takes {wanted}, not {safe_repr(' | '.join(texts), 60)}")
            return SentenceSplit([Row(texts, 0.0)], preparation)

        return read
