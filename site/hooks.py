"""What MkDocs is told while it builds the site: the navigation, and links that lead out of the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

INDEX = "README.md"

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| \[[^\]]+\]\(([^)]+\.md)\)", re.MULTILINE)
_OUTWARD = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")


def navigation(index: str) -> list[dict[str, Any]]:
    """Return the navigation: the sections of the index with the pages that their tables list."""
    title, *parts = _SECTION.split(index)
    del title
    sections = zip(parts[::2], parts[1::2], strict=True)
    return [{"Overview": INDEX}, *({name: _ROW.findall(text)} for name, text in sections)]


def on_config(config: Any) -> Any:
    """Set the navigation from the index of the documentation, so that it is written once."""
    config["nav"] = navigation((Path(config["docs_dir"]) / INDEX).read_text(encoding="utf-8"))
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with the text alone of links to files of the repository, which the site does not hold."""
    return _OUTWARD.sub(r"\1", markdown)
