"""What this plugin registers; light, since it is imported whenever plugins are listed."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_scores() -> Components:
    """Return the DE-Score, its components, the baselines and the scores of papers."""
    return {
        "de-score": "denas_scores.de_score:DEScore",
        "expressivity": "denas_scores.expressivity:Expressivity",
        "gain": "denas_scores.gain:Gain",
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
        "width": "denas_scores.spectra:Width",
        "depth-width": "denas_scores.spectra:DepthWidth",
        "effective-params": "denas_scores.gradients:EffectiveParams",
        "grad-norm": "denas_scores.gradients:GradNorm",
        "snip": "denas_scores.gradients:Snip",
        "plain": "denas_scores.gradients:Plain",
        "grasp": "denas_scores.gradients:Grasp",
        "fisher": "denas_scores.gradients:Fisher",
        "zico": "denas_scores.gradients:Zico",
        "head-importance": "denas_scores.gradients:HeadImportance",
        "synflow": "denas_scores.synaptic:Synflow",
        "logsynflow": "denas_scores.synaptic:LogSynflow",
        "dss": "denas_scores.synaptic:DSS",
        "l2-norm": "denas_scores.synaptic:L2Norm",
        "epe-nas": "denas_scores.jacobian:EpeNas",
        "swap": "denas_scores.activations:Swap",
        "linear-regions": "denas_scores.activations:LinearRegions",
        "zen": "denas_scores.zen:Zen",
        "meco": "denas_scores.layer_outputs:MeCo",
        "head-confidence": "denas_scores.layer_outputs:HeadConfidence",
        "w-pca": "denas_scores.layer_outputs:WPCA",
        "wrcor": "denas_scores.wrcor:WRCor",
        "logdet": "denas_scores.complexity:LogDeterminant",
    }
