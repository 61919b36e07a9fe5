"""Where a tokenizer comes from, and in which order places are looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.glue.tasks import SST2
from denas_nlp.text.opening import open_tokenizer
from tests.nlp.texts import WORDS, word_pieces, write_rows, write_vocab
from tests.nlp.toy_text_space import ToyText

SPACE = ToyText().named("toy/text")


class WithCheckpoint(ToyText):
    """A space with a tokenizer beside its checkpoint."""

    def assets(self) -> Mapping[str, Path]:
        return {"tokenizer": self.__dict__["file"]}


def with_checkpoint(file: Path) -> ToyText:
    space = WithCheckpoint().named("toy/text")
    space.__dict__["file"] = file
    return space


def vocabulary(folder: Path, size: int) -> Path:
    folder.mkdir(exist_ok=True)
    return write_vocab(folder, WORDS[:size])


def test_the_trained_network_comes_first_then_the_user_then_the_space_then_the_data(tmp_path: Path) -> None:
    data, own, named = (vocabulary(tmp_path / name, size) for name, size in (("d", 1), ("o", 2), ("n", 3)))
    space = with_checkpoint(own)
    facts = {"tokenizer": word_pieces(WORDS[:4]).text}
    found = [
        open_tokenizer(space, data.parent, vocab=str(named), facts=facts),
        open_tokenizer(space, data.parent, vocab=str(named)),
        open_tokenizer(space, data.parent),
        open_tokenizer(SPACE, data.parent),
        # A file has its folder's.
        open_tokenizer(SPACE, data),
    ]
    assert [tokenizer.size - 4 for tokenizer in found] == [4, 3, 2, 1, 1]


def test_a_folder_stands_for_the_tokenizer_in_it_before_the_vocabulary(tmp_path: Path) -> None:
    write_vocab(tmp_path, WORDS[:1])
    assert open_tokenizer(SPACE, tmp_path, vocab=str(tmp_path)).size == 5
    (tmp_path / "tokenizer.json").write_text(word_pieces(WORDS[:2]).text)
    assert open_tokenizer(SPACE, tmp_path, vocab=str(tmp_path)).size == 6


def refused(data: Path, **options: object) -> str:
    with pytest.raises(ConfigError) as caught:
        open_tokenizer(SPACE, data, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    assert "for 'toy/text'; name a vocabulary with --vocab vocab.txt" in refused(tmp_path)
    missing = refused(tmp_path, vocab=str(tmp_path / "vocab.txt"))
    assert (
        "vocab.txt' cannot be read: No such file or directory; name a vocab.txt or tokenizer.json" in missing
    )
    assert "holds neither tokenizer.json nor vocab.txt; name the file" in refused(
        tmp_path, vocab=str(tmp_path)
    )
    (tmp_path / "vocab.json").write_text(json.dumps({"a": 0}))
    assert "vocab.json' is not a tokenizer: " in refused(tmp_path, vocab=str(tmp_path / "vocab.json"))
    (tmp_path / "x.json").write_bytes(b"\xff\x00")
    assert "x.json' is not a tokenizer: it is not UTF-8" in refused(tmp_path, vocab=str(tmp_path / "x.json"))
    says = refused(tmp_path, vocab=str(tmp_path / "x.json"), lower_case=True)
    assert "defines lower-casing itself; leave out task.lower_case" in says


def test_a_path_is_kept_whole_since_a_training_may_go_on_from_elsewhere(tmp_path: Path) -> None:
    assert SST2(vocab="vocab.txt").vocab == str(Path.cwd() / "vocab.txt")
    assert SST2(vocab="~/vocab.txt").vocab == str(Path.home() / "vocab.txt")
    assert SST2().vocab == ""


def test_a_trained_network_needs_no_file(tmp_path: Path) -> None:
    path = write_vocab(tmp_path)
    rows = write_rows(tmp_path / "data" / "train.tsv", [f"the old town {n}\t{n % 2}" for n in range(8)])
    task = SST2(vocab=str(path))
    facts = json.loads(json.dumps(task.read(rows.parent, SPACE).facts))
    path.unlink()
    again = task.read(rows.parent, SPACE, facts=facts)
    assert dict(again.facts) == facts
    assert list(again.valid.sample(0).ids)[:4] == [2, 4, 9, 5]


def test_the_facts_are_the_same_each_time_they_are_made(tmp_path: Path) -> None:
    # In another process, where texts hash otherwise.
    path = write_vocab(tmp_path)
    code = f"from denas_nlp.text.opening import *; print(tokenizer_json(Path({str(path)!r})))"
    ours = open_tokenizer(SPACE, tmp_path).text
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        printed = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment
        )
        assert printed.stdout.strip() == ours


def test_texts_of_another_script_than_the_vocabulary_are_told(tmp_path: Path) -> None:
    write_vocab(tmp_path)
    rows = [f"река звон стар the\t{n % 2}" for n in range(20)]
    write_rows(tmp_path / "train.tsv", rows)
    data = SST2().read(tmp_path, SPACE)
    assert data.notices[-1] == (
        "75 % of the tokens are not in the vocabulary; is it the right one for these texts?"
    )


def test_importing_the_tasks_loads_neither_torch_nor_tokenizers() -> None:
    code = (
        "import sys, denas_nlp.glue.tasks, denas_nlp.squad.task; "
        "print({'torch', 'numpy', 'tokenizers', 'transformers'} & set(sys.modules) or 'light')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "light\n"
