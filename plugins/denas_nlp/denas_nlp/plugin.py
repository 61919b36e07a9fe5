"""The components of this plugin by name; their modules are imported only when they are used."""

from __future__ import annotations

from denas_core import Components, hookimpl


@hookimpl
def denas_spaces() -> Components:
    """Provide the space `bert`."""
    return {"bert": "denas_nlp.bert.space:Bert"}


@hookimpl
def denas_tasks() -> Components:
    """Provide the tasks on texts: classification, tagging, question answering, and those of GLUE."""
    return {
        "text-classification": "denas_nlp.classification.task:TextClassification",
        "text-regression": "denas_nlp.regression.task:TextRegression",
        "token-classification": "denas_nlp.tagging.task:TokenClassification",
        "causal-lm": "denas_nlp.language.task:CausalLanguageModel",
        "seq2seq": "denas_nlp.writing.task:Seq2Seq",
        "squad": "denas_nlp.squad.task:Squad",
        "sst2": "denas_nlp.glue.tasks:SST2",
        "cola": "denas_nlp.glue.tasks:CoLA",
        "mrpc": "denas_nlp.glue.tasks:MRPC",
        "stsb": "denas_nlp.glue.tasks:STSB",
        "rte": "denas_nlp.glue.tasks:RTE",
    }
