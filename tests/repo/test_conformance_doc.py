"""docs/conformance.md lists every check with its claim, as the code has them."""

from __future__ import annotations

from denas_core.testing.check import Check, claim_of, name_of
from denas_core.testing.checks.components import COMPONENT_CHECKS
from denas_core.testing.checks.plugins import PLUGIN_CHECKS
from denas_core.testing.suites import SUITES

from .documents import ROOT

PAGE = ROOT / "docs" / "conformance.md"


def listing() -> str:
    """Return the tables of the page."""
    groups: dict[str, tuple[Check, ...]] = {"A plugin": PLUGIN_CHECKS, "Every component": COMPONENT_CHECKS}
    groups |= {f"`{suite.contract.__name__}`": suite.checks for suite in SUITES}
    parts = []
    for title, checks in groups.items():
        rows = [f"| `{name_of(check)}` | {claim_of(check)} |" for check in checks]
        parts.append("\n".join([f"### {title}", "", "| check | claim |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def test_the_page_lists_every_check_with_its_claim() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = text.partition("<!-- checks -->\n")[2].partition("<!-- /checks -->")[0]
    assert found == listing(), f"put this between the marks in {PAGE.name}:\n{listing()}"
