"""docs/conformance.md lists every check with its claim, as the code has them."""

from __future__ import annotations

from denas_core.testing.check import Check
from denas_core.testing.classes import CALL_CHECKS, COMPONENT_CHECKS, KINDS, PLUGIN_CHECKS

from .documents import ROOT

PAGE = ROOT / "docs" / "conformance.md"


def listing() -> str:
    """Return the tables of the page."""
    common = (*COMPONENT_CHECKS, *CALL_CHECKS)
    groups: dict[str, tuple[Check, ...]] = {"A plugin": PLUGIN_CHECKS, "Every component": common}
    names = {check.name for check in common}
    groups |= {
        f"`{kind.contract.__name__}`": tuple(check for check in kind.checks if check.name not in names)
        for kind in KINDS
    }
    parts = []
    for title, checks in groups.items():
        rows = [f"| `{check.name}` | {check.claim} |" for check in checks]
        parts.append("\n".join([f"### {title}", "", "| check | claim |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def test_the_page_lists_every_check_with_its_claim() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = text.partition("<!-- checks -->\n")[2].partition("<!-- /checks -->")[0]
    assert found == listing(), f"put this between the marks in {PAGE.name}:\n{listing()}"
