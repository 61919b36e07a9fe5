"""The tasks of GLUE that are declared: their tables, labels and official metrics."""

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
    """Tell whether a sentence of a film review is positive (Socher et al. 2013).

    Reads the Stanford Sentiment Treebank as in GLUE, and its variant of whole sentences without a header.
    """

    metric: ClassVar[Metric] = Metric(name="accuracy")
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
    """Tell whether a sentence is acceptable English (Warstadt et al. 2018, arXiv:1805.12471)."""

    metric: ClassVar[Metric] = Metric(name="matthews")
    folder: ClassVar[str] = "CoLA"
    table: ClassVar[Table] = Table(
        texts=("sentence",),
        target="label",
        headless=("source", "label", "star", "sentence"),
        labels={"0": "unacceptable", "1": "acceptable"},
    )
    measures: ClassVar[Mapping[str, Any]] = {"matthews": matthews, "accuracy": accuracy}


@dataclasses.dataclass(kw_only=True)
class MRPC(SentenceTask):
    """Tell whether two sentences of news mean the same (Dolan and Brockett 2005)."""

    metric: ClassVar[Metric] = Metric(name="f1")
    folder: ClassVar[str] = "MRPC"
    table: ClassVar[Table] = Table(
        texts=("#1 String", "#2 String"),
        target="Quality",
        labels={"0": "not_equivalent", "1": "equivalent"},
    )
    measures: ClassVar[Mapping[str, Any]] = {"f1": f1, "accuracy": accuracy}


@dataclasses.dataclass(kw_only=True)
class STSB(SentenceTask):
    """Say how similar two sentences are, from 0 to 5 (Cer et al. 2017, arXiv:1708.00055)."""

    metric: ClassVar[Metric] = Metric(name="pearson")
    folder: ClassVar[str] = "STS-B"
    table: ClassVar[Table] = Table(texts=("sentence1", "sentence2"), target="score", bounds=(0.0, 5.0))
    measures: ClassVar[Mapping[str, Any]] = {"pearson": pearson, "spearman": spearman}


@dataclasses.dataclass(kw_only=True)
class RTE(SentenceTask):
    """Tell whether the first text entails the second (Dagan et al. 2006)."""

    metric: ClassVar[Metric] = Metric(name="accuracy")
    folder: ClassVar[str] = "RTE"
    table: ClassVar[Table] = Table(
        texts=("sentence1", "sentence2"),
        target="label",
        labels={"entailment": "entailment", "not_entailment": "not_entailment"},
    )
    measures: ClassVar[Mapping[str, Any]] = {"accuracy": accuracy}
