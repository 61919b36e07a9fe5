"""The supported GLUE tasks with their tables, labels and official metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from denas_core import Metric

from .metrics import accuracy, f1, matthews, pearson, spearman
from .table import Table
from .task import SentenceTask


@dataclasses.dataclass(kw_only=True)
class SST2(SentenceTask):
    """Classify a sentence of a film review as positive or negative (Socher et al. 2013).

    It reads the Stanford Sentiment Treebank as in GLUE, and the variant with whole sentences and without a header.
    """

    metric: ClassVar[Metric] = Metric(name="accuracy", is_share=True)
    folder: ClassVar[str] = "SST-2"
    table: ClassVar[Table] = Table(
        texts=("sentence",),
        target="label",
        headless=("sentence", "label"),
        labels={"0": "negative", "1": "positive"},
    )
    measures: ClassVar[Mapping[str, Any]] = {"accuracy": accuracy}


@dataclasses.dataclass(kw_only=True)
class CoLA(SentenceTask):
    """Decide whether a sentence is acceptable English (Warstadt et al. 2018, arXiv:1805.12471)."""

    metric: ClassVar[Metric] = Metric(name="matthews")
    folder: ClassVar[str] = "CoLA"
    table: ClassVar[Table] = Table(
        texts=("sentence",),
        target="label",
        headless=("source", "label", "star", "sentence"),
        is_distinct=True,
        labels={"0": "unacceptable", "1": "acceptable"},
    )
    measures: ClassVar[Mapping[str, Any]] = {"matthews": matthews, "accuracy": accuracy}


@dataclasses.dataclass(kw_only=True)
class MRPC(SentenceTask):
    """Decide whether two sentences from news have the same meaning (Dolan and Brockett 2005)."""

    metric: ClassVar[Metric] = Metric(name="f1", is_share=True)
    folder: ClassVar[str] = "MRPC"
    table: ClassVar[Table] = Table(
        texts=("#1 String", "#2 String"),
        target="Quality",
        is_distinct=True,
        others={"sentence1": "#1 String", "sentence2": "#2 String", "label": "Quality"},
        labels={"0": "not_equivalent", "1": "equivalent"},
    )
    measures: ClassVar[Mapping[str, Any]] = {"f1": f1, "accuracy": accuracy}


@dataclasses.dataclass(kw_only=True)
class STSB(SentenceTask):
    """Rate the similarity of two sentences from 0 to 5 (Cer et al. 2017, arXiv:1708.00055)."""

    metric: ClassVar[Metric] = Metric(name="pearson")
    folder: ClassVar[str] = "STS-B"
    table: ClassVar[Table] = Table(
        texts=("sentence1", "sentence2"),
        target="score",
        bounds=(0.0, 5.0),
        others={"label": "score"},
        is_distinct=True,
    )
    measures: ClassVar[Mapping[str, Any]] = {"pearson": pearson, "spearman": spearman}


@dataclasses.dataclass(kw_only=True)
class RTE(SentenceTask):
    """Decide whether the first text implies the second (Dagan et al. 2006)."""

    metric: ClassVar[Metric] = Metric(name="accuracy", is_share=True)
    folder: ClassVar[str] = "RTE"
    table: ClassVar[Table] = Table(
        texts=("sentence1", "sentence2"),
        target="label",
        labels={"entailment": "entailment", "not_entailment": "not_entailment"},
    )
    measures: ClassVar[Mapping[str, Any]] = {"accuracy": accuracy}
