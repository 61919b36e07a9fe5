"""The probe keeps the contract of DE-NAS. Add tests for its results below."""

from denas_core.testing import ProbeTests

from denas_hello.probe import HelloProbe


class TestHelloProbe(ProbeTests):
    """Each conformance check is a test."""

    def make(self) -> HelloProbe:
        """Return a new component with the options to test."""
        return HelloProbe()
