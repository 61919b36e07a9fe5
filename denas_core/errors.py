"""The errors of DE-NAS with the exit codes that the command line returns for them, and functions for their texts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
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
    "keep_notices",
    "one_line",
    "safe_repr",
    "with_article",
]


class DenasError(Exception):
    """A failure that the command line explains to the user in one line, without a traceback.

    The text says what failed, with which value, where the value came from, and what the user can do about it.

    Attributes:
        exit_code: Exit code of the command line.
        notices: Sentences about the data that were found before the failure. The command line prints them before the
            error, see `keep_notices`.
    """

    exit_code = 70
    notices: tuple[str, ...] = ()


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


@contextlib.contextmanager
def keep_notices(found: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Add notices to an error that the code in this context raises, so that the user sees them with the error.

    An interruption gets none: nothing is wrong, and the resumed run finds the same notices.

    Args:
        found: Returns the notices. It is called when the error has been raised.
    """
    try:
        yield
    except Interrupted:
        raise
    except DenasError as error:
        error.notices = tuple(dict.fromkeys((*found(), *error.notices)))
        raise


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the most similar known name, or an empty string if none is similar."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def with_article(noun: str) -> str:
    """Return `noun` with its indefinite article: ``"a score"``, ``"an exporter"``."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
