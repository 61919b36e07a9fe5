"""Reading configurations of the original DE-NAS: a space says what its keys mean here, in one table."""

from .contract import Legacy, OldConfig, Outcome, Rule, bound, dropped, to

__all__ = ["Legacy", "OldConfig", "Outcome", "Rule", "bound", "dropped", "to"]
