"""The strategy keeps the contract of DE-NAS; what it is for needs tests of its own below."""

from denas_core.testing import StrategyTests

from denas_hello.strategy import HelloStrategy


class TestHelloStrategy(StrategyTests):
    """Every conformance check, each a test."""

    def make(self) -> HelloStrategy:
        """Return a new component with the options to be tested."""
        return HelloStrategy()
