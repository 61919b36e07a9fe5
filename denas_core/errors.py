"""The errors of DE-NAS with the exit codes that the command line returns for them, and functions for their texts."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from .text import describe_error, one_line, safe_repr

__all__ = [
    "ConfigError",
    "DenasError",
    "Infeasible",
    "Interrupted",
    "NoResult",
    "NotInstalled",
    "PluginError",
    "RunBusy",
    "ScoreFailed",
    "StorageError",
    "StoreDamaged",
    "describe_error",
    "did_you_mean",
    "one_line",
    "safe_repr",
    "with_article",
]


class DenasError(Exception):
    """A failure that the command line explains to the user in one line, without a traceback.

    The text says what failed, with which value, where the value came from, and what the user can do about it.
    """

    exit_code = 70


class NoResult(DenasError):
    """A search ended without any architecture that satisfies the constraints and has a score."""

    exit_code = 1


class ConfigError(DenasError):
    """A configuration, option or file given by the user cannot be used."""

    exit_code = 2


class NotInstalled(ConfigError):
    """No installed plugin provides the component that the user named."""


class PluginError(DenasError):
    """A plugin is installed but cannot be used."""

    exit_code = 3


class RunBusy(DenasError):
    """Another process is working in the run directory."""

    exit_code = 4


class StoreDamaged(DenasError):
    """The run's store is corrupt, or was written by a newer version."""

    exit_code = 5


class StorageError(DenasError):
    """The file system refuses to read or write."""

    exit_code = 6


class Infeasible(DenasError):
    """No architecture can satisfy the request, or the request needs more memory than there is."""

    exit_code = 7


class Interrupted(DenasError):
    """A signal stopped the run between two candidates. The run can be resumed."""

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


class ScoreFailed(Exception):
    """A score is undefined for one candidate. The text is stored as the reason of the failed trial."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the most similar known name, or an empty string if none is similar."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def with_article(noun: str) -> str:
    """Return `noun` with its indefinite article: ``"a score"``, ``"an exporter"``."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
