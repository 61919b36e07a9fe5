"""The facts at the head of a model card, which the Hugging Face Hub reads, and the first lines that use a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from denas_core.contracts.trained_model import TrainedModel

_PIPELINE = """\
from transformers import pipeline
classify = pipeline({tag!r}, model="PATH")
print(classify({example}))"""

_CONTINUE = """\
from transformers import pipeline
write = pipeline("text-generation", model="PATH")
print(write("Once upon a time", max_new_tokens=40, do_sample=False))"""

# transformers 5 has no pipeline for these tasks.
_WRITE = """\
inputs = tokenizer(text, truncation=True, return_tensors="pt")
print(tokenizer.decode(network.generate(**inputs, max_new_tokens=40)[0], skip_special_tokens=True))"""

_QUESTION = """\
inputs = tokenizer(question, context, truncation="only_second", return_tensors="pt")
output, inside = network(**inputs), torch.tensor([part == 1 for part in inputs.sequence_ids()])
spans = (inside[:, None] & inside).triu().tril(29)  # answers of at most 30 tokens
scores = (output.start_logits[0, :, None] + output.end_logits[0]).where(spans, -1e9)
start, end = divmod(int(scores.argmax()), len(scores))
print(context[inputs.token_to_chars(start).start : inputs.token_to_chars(end).end])"""

FIRST_USE: Mapping[str, str] = {
    "image-classification": _PIPELINE.format(tag="image-classification", example='"photo.jpg"'),
    "audio-classification": _PIPELINE.format(tag="audio-classification", example='"sound.wav"'),
    "text-classification": _PIPELINE.format(
        tag="text-classification", example='"a great film", truncation=True'
    ),
    "question-answering": _QUESTION,
    "text-generation": _CONTINUE,
    "text2text-generation": _WRITE,
}
"""Lines that answer for an input, by pipeline."""

AFTER_LOADING = ("question-answering", "text2text-generation")
"""Pipelines whose lines follow those that load the network; the others load it themselves."""

CANNOT_DECIDE = ("loss",)
"""Metrics that mean nothing to readers of a list of models."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CardOptions:
    """What a user says about a model.

    Attributes:
        license: Identifier of the licence, such as ``apache-2.0``; empty if it is not known.
        base_model: Name of the original model on the hub; empty if it is not known.
        dataset: Name of the data set; empty for the name of the folder or file of the training.
        language: Codes of languages.
    """

    license: str
    base_model: str
    dataset: str
    language: list[str]


def card_head(model: TrainedModel, options: CardOptions, *, pipeline: str) -> str:
    """Return the head of a model card as YAML between two lines of dashes.

    Args:
        model: The model.
        options: What the user says about it.
        pipeline: The name of its pipeline; empty if it has none.
    """
    from huggingface_hub import ModelCardData

    results = _results(model, options, pipeline)
    data = ModelCardData(
        license=options.license or None,
        base_model=options.base_model or _hub_id(model) or None,
        datasets=[options.dataset] if options.dataset else None,
        language=list(options.language) or None,
        library_name="transformers",
        pipeline_tag=pipeline or None,
        tags=["denas"],
        model_name=f"{model.space.id.replace('/', '-')}-{model.arch.key[:12]}" if results else None,
        eval_results=results or None,
    )
    return f"---\n{data.to_yaml()}\n---\n"


def _results(model: TrainedModel, options: CardOptions, pipeline: str) -> list[Any]:
    from huggingface_hub import EvalResult

    dataset = options.dataset or Path(str(model.history.get("data") or "")).name
    if not dataset or not pipeline:
        return []
    return [
        EvalResult(
            task_type=pipeline,
            dataset_type=dataset,
            dataset_name=dataset,
            dataset_split="validation",
            metric_type=name,
            metric_value=value,
        )
        for name, value in model.metrics.items()
        if name not in CANNOT_DECIDE
    ]


def _hub_id(model: TrainedModel) -> str:
    """Return the name on the hub of the checkpoint with which the training began; empty if it was a folder."""
    from denas_core.pretrained.files import is_hub_id

    left_out = model.history.get("space", {})
    names = [value for value in left_out.values() if isinstance(value, str) and is_hub_id(value)]
    return names[0] if names and model.history.get("weights") == "inherited" else ""
