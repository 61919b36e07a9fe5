from __future__ import annotations

import csv
import io
from pathlib import Path

from denas_core.report.gather import gather
from denas_core.report.page.table import render_csv

from .hostile import TEXTS, hostile_run


def test_no_cell_is_a_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    for number in range(4):
        store, insight = hostile_run(tmp_path / str(number), TEXTS[number::4])
        document = gather(Path("run"), store, insight)
        store.close()
        rows = list(csv.reader(io.StringIO(render_csv(document), newline="")))
        assert len(rows) == 1 + len(document["trials"])
        assert {len(row) for row in rows} == {len(rows[0])}
        for row in rows:
            for cell in row:
                is_number = cell.lstrip("-").replace(".", "", 1).replace("e-", "").isdigit()
                assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
        scores = [row[rows[0].index("score")] for row in rows[1:]]
        assert [float(text) for text in scores if text] == [
            trial["score"] for trial in document["trials"] if trial["score"] is not None
        ]
