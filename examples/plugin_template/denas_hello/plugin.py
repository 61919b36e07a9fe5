"""The components of this plugin. `denas plugins` imports this file, so it must not import large packages."""

from denas_core import hookimpl


@hookimpl
def denas_scores() -> dict[str, str]:
    """Return the scores by short name. Each is imported at its first use."""
    return {"hello-score": "denas_hello.score:HelloScore"}


@hookimpl
def denas_spaces() -> dict[str, str]:
    """Return the spaces by short name. Each is imported at its first use."""
    return {"hello-space": "denas_hello.space:HelloSpace"}


@hookimpl
def denas_strategies() -> dict[str, str]:
    """Return the strategies by short name. Each is imported at its first use."""
    return {"hello-strategy": "denas_hello.strategy:HelloStrategy"}


@hookimpl
def denas_probes() -> dict[str, str]:
    """Return the probes by short name. Each is imported at its first use."""
    return {"hello-probe": "denas_hello.probe:HelloProbe"}
