"""The score keeps the contract of DE-NAS; what it is for needs tests of its own below."""

from denas_core.testing import ScoreTests

from denas_hello.score import HelloScore


class TestHelloScore(ScoreTests):
    """Every conformance check, each a test."""

    def make(self) -> HelloScore:
        """Return a new component with the options to be tested."""
        return HelloScore()
