"""What this plugin brings: imported whenever plugins are listed, so it imports nothing heavy."""

from denas_core import hookimpl


@hookimpl
def denas_scores() -> dict[str, str]:
    """Return the scores by short name, each imported when it is used."""
    return {"hello-score": "denas_hello.score:HelloScore"}


@hookimpl
def denas_spaces() -> dict[str, str]:
    """Return the spaces by short name, each imported when it is used."""
    return {"hello-space": "denas_hello.space:HelloSpace"}


@hookimpl
def denas_strategies() -> dict[str, str]:
    """Return the strategies by short name, each imported when it is used."""
    return {"hello-strategy": "denas_hello.strategy:HelloStrategy"}


@hookimpl
def denas_probes() -> dict[str, str]:
    """Return the probes by short name, each imported when it is used."""
    return {"hello-probe": "denas_hello.probe:HelloProbe"}
