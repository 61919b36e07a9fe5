"""The probe keeps the contract of DE-NAS; what it is for needs tests of its own below."""

from denas_core.testing import ProbeTests

from denas_hello.probe import HelloProbe


class TestHelloProbe(ProbeTests):
    """Every conformance check, each a test."""

    def make(self) -> HelloProbe:
        """Return a new component with the options to be tested."""
        return HelloProbe()
