"""HTML that notebooks show of an object: a table, paragraphs, a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def paragraphs_html(texts: Sequence[str]) -> str:
    """Return texts as HTML, a paragraph each."""
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


def table_html(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as HTML.

    Args:
        headings: Names of the columns; without any, the table has no head.
        rows: A text for each column.
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(value)}</td>' for value in row)}</tr>" for row in rows)
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    # A wide table scrolls alone, and not the page around it.
    return f'<div style="overflow-x: auto"><table>{head}<tbody>{body}</tbody></table></div>'


def page_html(page: str, *, title: str, height_px: int) -> str:
    """Return a whole page as a frame in another page, which needs no file and no network.

    Args:
        page: The page.
        title: What screen readers call it.
        height_px: Height of the frame.
    """
    return (
        f'<iframe srcdoc="{escape(page)}" title="{escape(title)}" sandbox="allow-scripts" '
        f'style="width: 100%; height: {height_px}px; border: 1px solid #8886"></iframe>'
    )
