"""The space keeps the contract of DE-NAS; what it is for needs tests of its own below."""

from denas_core.testing import SpaceTests

from denas_hello.space import HelloSpace


class TestHelloSpace(SpaceTests):
    """Every conformance check, each a test."""

    def make(self) -> HelloSpace:
        """Return a new component with the options to be tested."""
        return HelloSpace()
