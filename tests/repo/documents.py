"""Reading the documents: their code blocks, and the command lines in them."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("plugins/*/README.md"),
        *ROOT.glob("examples/*/README.md"),
    ],
    key=lambda path: path.relative_to(ROOT).as_posix(),
)

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_REDIRECTION = re.compile(r" 2> \S+$")
_FILE = re.compile(r"# (\S+\.\w+)\n")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced code block.

    Attributes:
        language: What follows the opening fence.
        line: Number of its first line in the document.
        text: Its text.
    """

    language: str
    line: int
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block is the content of, if its first line is a comment with a path."""
        match = _FILE.match(self.text)
        return match.group(1) if match else None


@dataclasses.dataclass(frozen=True)
class Command:
    """A command line and the output that a document shows for it; None where it shows none."""

    line: str
    output: str | None = None

    @property
    def hides_errors(self) -> bool:
        """Whether standard error goes into a file, so that the output is standard output alone."""
        return _REDIRECTION.search(self.line) is not None


def name_of(path: Path) -> str:
    """Return how tests name a document."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[Block]:
    """Return the code blocks of a language, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(match.group(1), text.count("\n", 0, match.start(2)) + 1, match.group(2))
        for match in _BLOCK.finditer(text)
        if match.group(1) == language
    ]


def commands(block: Block) -> list[Command]:
    """Return the command lines of a console block: those after a prompt, with their output, or else every line."""
    joined = block.text.replace("\\\n", " ")
    if not re.search(r"^\$ ", joined, re.MULTILINE):
        return [Command(line) for line in joined.splitlines() if line.strip()]
    found = []
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        found.append(Command(line, output if output.strip() else None))
    return found


def denas_arguments(line: str) -> list[list[str]]:
    """Return the arguments of each ``denas`` command in a shell line, without a redirection of standard error."""
    words = shlex.split(_REDIRECTION.sub("", line), comments=True)
    calls: list[list[str]] = []
    call: list[str] | None = None
    starts = True
    for word in words:
        if word in ("&&", "|", ";"):
            call, starts = None, True
        elif starts and word == "denas":
            call, starts = [], False
            calls.append(call)
        elif call is not None:
            call.append(word)
        else:
            starts = starts and "=" in word
    return calls
