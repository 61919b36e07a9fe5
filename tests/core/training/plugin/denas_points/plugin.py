"""A plugin for trainings that take a second: points in the plane, and networks of a few neurons."""

from denas_core import hookimpl


@hookimpl
def denas_spaces():
    return {
        "mlp": "denas_points.space:Mlp",
        "imitating": "denas_points.space:Imitating",
        "deep": "denas_points.space:Deep",
        "stored": "denas_points.stored:Stored",
    }


@hookimpl
def denas_scores():
    return {
        "size": "denas_points.space:Size",
        "loss-gradient": "denas_points.space:LossGradient",
        "mixed": "denas_points.mixed:Mixed",
    }


@hookimpl
def denas_tasks():
    return {"side": "denas_points.task:Side"}
