"""What this plugin registers; light, since it is imported whenever plugins are listed."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_scores() -> Components:
    """Return the DE-Score, its components and the baselines."""
    return {
        "de-score": "denas_scores.de_score:DEScore",
        "expressivity": "denas_scores.expressivity:Expressivity",
        "complexity": "denas_scores.complexity:Complexity",
        "diversity": "denas_scores.diversity:Diversity",
        "saliency": "denas_scores.saliency:Saliency",
        "entropy": "denas_scores.spectra:FeatureEntropy",
        "progressivity": "denas_scores.spectra:Progressivity",
        "participation": "denas_scores.spectra:Participation",
        "trainability": "denas_scores.trainability:Trainability",
        "naswot": "denas_scores.activations:Naswot",
        "jacob-cov": "denas_scores.jacobian:JacobianCovariance",
        "params": "denas_scores.baselines:Params",
        "flops": "denas_scores.baselines:Flops",
        "depth": "denas_scores.baselines:Depth",
        "depth-width": "denas_scores.spectra:DepthWidth",
    }
