"""Translate the original's training keys for SQuAD."""

from __future__ import annotations

from denas_core.legacy import KeyTable, OldConfig, Outcome, flag, number, text, to

_TEMPERATURE, _SHARE = 4.0, 0.9


def _implied(old: OldConfig) -> Outcome:
    return Outcome(
        settings={"training.clip": 1.0},
        note="BertAdam clipped each parameter alone, and corrected no bias; here AdamW clips all gradients together",
    )


def _teacher(old: OldConfig, key: str) -> Outcome:
    if old.read(key, text) == "None":
        return Outcome(fate="default", note="no teacher")
    settings = {"training.distill_weight": _SHARE, "training.distill_temperature": _TEMPERATURE}
    note = "as its distillation was; --teacher takes a model that denas train has made, not this folder"
    return Outcome(settings=settings, note=note)


def _accumulation(old: OldConfig, key: str) -> Outcome:
    note = "it shortened the schedule and summed no gradients; training.accumulate sums them"
    return Outcome(fate="unused" if old.read(key, number) == 1 else "missing", note=note)


def _vocabulary(old: OldConfig, key: str) -> Outcome:
    folder = old.read(key, text)
    if folder == old.document.get("model"):
        return Outcome(fate="elsewhere", note="the vocabulary lies beside the weights")
    return Outcome(settings={"task.vocab": f"{folder.rstrip('/')}/vocab.txt"})


SQUAD = KeyTable(
    implied=_implied,
    keys={
        "data_dir": to("data", text),
        "model_dir": _vocabulary,
        "do_lower_case": to("task.lower_case", flag),
        "max_seq_length": to("task.max_length"),
        "doc_stride": to("task.doc_stride"),
        "max_query_length": to("task.query_length"),
        "n_best_size": to("task.n_best"),
        "max_answer_length": to("task.max_answer_length"),
        "warmup_proportion": to("training.warmup", number),
        "gradient_accumulation_steps": _accumulation,
        "teacher_model": _teacher,
    },
    unused={
        "it counted for questions without an answer only": "null_score_diff_threshold",
        "it was never read": "num_train_examples",
    },
    missing={
        "it printed warnings about answers": "verbose_logging",
        "a teacher's outputs are computed while training, not saved before": "is_saving_logits logits_dir",
        "it was the length of the teacher's saved outputs": "num_classes",
    },
    elsewhere={
        "denas score prints the FLOPs of an architecture": "profile_flops",
        "a trained model holds its architecture": "teacher_model_structure",
    },
    fixed={"task_name": "squad1", "data_set": "SQuADv1.1", "num_labels": 2, "version_2_with_negative": 0},
)
