"""The space keeps the contract of DE-NAS. Add tests for its results below."""

from denas_core.testing import SpaceTests

from denas_hello.space import HelloSpace


class TestHelloSpace(SpaceTests):
    """Each conformance check is a test."""

    def make(self) -> HelloSpace:
        """Return a new component with the options to test."""
        return HelloSpace()
