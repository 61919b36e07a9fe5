"""The score keeps the contract of DE-NAS. Add tests for its results below."""

from denas_core.testing import ScoreTests

from denas_hello.score import HelloScore


class TestHelloScore(ScoreTests):
    """Each conformance check is a test."""

    def make(self) -> HelloScore:
        """Return a new component with the options to test."""
        return HelloScore()
