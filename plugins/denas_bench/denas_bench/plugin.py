"""What denas-bench adds to DE-NAS; light, since it is imported whenever plugins are listed."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Offer the spaces whose networks were trained in public benchmarks."""
    return {
        "nasbench201": "denas_bench.nasbench201.space:NASBench201",
        "autoformer": "denas_bench.autoformer.space:AutoFormer",
        "flexibert": "denas_bench.flexibert.space:FlexiBERT",
        "tc-resnet": "denas_bench.tc_resnet.space:TCResNet",
    }
