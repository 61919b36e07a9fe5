"""The strategy keeps the contract of DE-NAS. Add tests for its results below."""

from denas_core.testing import StrategyTests

from denas_hello.strategy import HelloStrategy


class TestHelloStrategy(StrategyTests):
    """Each conformance check is a test."""

    def make(self) -> HelloStrategy:
        """Return a new component with the options to test."""
        return HelloStrategy()
