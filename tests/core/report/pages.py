"""Reading a page as a browser would: its elements, its text, and what its policy allows."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """The structure of a page.

    Attributes:
        elements: How often each element has each set of attributes.
        attributes: Names of all attributes.
        links: Values of ``href`` and ``src``.
        inside: Text by element; of scripts by their type too.
        text: All text that is shown.
        unclosed: Elements that were not closed, or closed without having been opened.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.attributes: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.inside: dict[str, str] = {}
        self.unclosed: list[str] = []
        self.policy = ""
        self.ids: list[str] = []
        self._open: list[str] = []
        self._kind = ""
        self.feed(html)
        self.close()
        self.unclosed += self._open
        self.text = "".join(
            text for kind, text in self.inside.items() if not kind.startswith(("script", "style"))
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"{tag} has an attribute twice"
        self.elements[tag, tuple(sorted(given))] += 1
        self.attributes |= set(given)
        for name, value in attrs:
            self.values.setdefault(name, []).append(value or "")
        if "id" in given:
            self.ids.append(given["id"] or "")
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        self._kind = f"{tag} {given.get('type', '')}".strip() if tag == "script" else tag
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unclosed.append(f"/{tag}")
        self._kind = ""

    def handle_data(self, data: str) -> None:
        self.inside[self._kind] = self.inside.get(self._kind, "") + data

    def allowed(self, directive: str) -> list[str]:
        """Return the sources that the policy allows for a directive."""
        parts = [part.split() for part in self.policy.split(";") if part.strip()]
        return next((part[1:] for part in parts if part[0] == directive), [])


def sha256_source(content: str) -> str:
    """Return a content as a source of a policy."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"
