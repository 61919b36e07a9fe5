"""Code that makes tokens of sentences with the library tokenizers and words an answer, without DE-NAS and torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .content import OTHERS
from .opening import FACT
from .tokenizer import TextTokenizer

CODE = """\
from tokenizers import Tokenizer

try:
    TOKENIZER = Tokenizer.from_str((HERE / "tokenizer.json").read_text("utf-8"))
except Exception as error:
    raise ValueError(f"{{HERE / 'tokenizer.json'}} cannot be read: {{error}}") from None
TOKENIZER.no_truncation()
TOKENIZER.no_padding()
INPUTS, TEXTS, LONGEST, PAD = {inputs!r}, {texts}, {longest}, {pad}


def items(path):
    if os.path.isdir(path) or path.lower().endswith({tables!r}):
        raise ValueError("give a file with a text in each line; 'denas predict' reads tables and folders")
    content = Path(path).read_bytes()
    if content.startswith({others!r}) or b"\\0" in content:
        raise ValueError("it is not plain text in UTF-8; 'denas predict' reads some other kinds of files")
    for number, line in enumerate(content.removeprefix(b"\\xef\\xbb\\xbf").split(b"\\n"), 1):
        if line.strip():
            # Bytes that are not UTF-8 are refused with their line.
            yield f"{{path}}:{{number}}", line.decode("utf-8", "surrogateescape")


def read(text):
    if any("\\ud800" <= character <= "\\udfff" for character in text):
        raise ValueError("the text is not UTF-8; save it as UTF-8")
    texts = [part.strip() for part in (text.split("\\t") if TEXTS == 2 else [text])]
    if len(texts) != TEXTS or not all(texts):
        raise ValueError("an input is " + ("a text" if TEXTS == 1 else "two texts with a tab between them"))
    parts = [TOKENIZER.encode(each, add_special_tokens=False) for each in texts]
    room = LONGEST - TOKENIZER.num_special_tokens_to_add(TEXTS == 2)
    if sum(map(len, parts)) > room:
        # Of a pair, the longer text is cut first.
        rest = len(parts[1]) if TEXTS == 2 else 0
        head = min(len(parts[0]), max(room - rest, room - room // 2))
        for part, length in zip(parts, (head, room - head)):
            part.truncate(min(len(part), length))
    joined = TOKENIZER.post_process(*parts)
    ids, kinds = (joined.ids, joined.type_ids) if joined.ids else ([PAD], [0])
    made = {{"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": kinds}}
    return {{name: numpy.array([made[name]], numpy.int64) for name in INPUTS}}
"""

ONE_LABEL = """\
LABELS = {labels!r}


def answer(outputs):
    logits = next(iter(outputs.values()))[0].astype(float)
    shares = numpy.exp(logits - logits.max())
    shares /= shares.sum()
    return f"{{LABELS[shares.argmax()]}}\\t{{shares.max():.3f}}"
"""

SEVERAL_LABELS = """\
LABELS = {labels!r}


def answer(outputs):
    logits = next(iter(outputs.values()))[0].astype(float)
    return ", ".join(LABELS[place] for place in (-logits).argsort() if logits[place] >= 0)
"""

NUMBER = """\
def answer(outputs):
    return format({mean!r} + {spread!r} * float(next(iter(outputs.values()))[0, 0]), {form!r})
"""

_TABLES = (".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".parquet")


def script_of(facts: Mapping[str, Any], *, texts: int, answer: str) -> str:
    """Return the code of `Task.script` for a text or a pair of texts.

    Args:
        facts: The facts of the trained network.
        texts: Number of texts of an input, 1 or 2.
        answer: Code that defines ``answer(outputs)``.
    """
    code = CODE.format(
        inputs=list(facts["inputs"]),
        texts=texts,
        longest=int(facts["max_length"]),
        pad=TextTokenizer(facts[FACT], origin="the tokenizer of the training").pad,
        tables=_TABLES,
        others=OTHERS,
    )
    return f"{code}\n\n{answer}"
