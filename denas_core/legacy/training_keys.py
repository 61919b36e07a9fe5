"""The keys that trainings of every domain share: epochs, batches, the optimizer, what is written."""

from __future__ import annotations

from typing import Any

from denas_core.contracts.original import KeyTable, OldConfig, Outcome

from .rules import number, one_of, text, to

MARKS = ("best_model_structure", "train_epochs", "train_batch_size")
"""Keys that trainings have and searches have not."""

_OPTIMIZERS = {"SGD": "sgd", "BertAdam": "adamw"}
_SCHEDULES = {
    "CosineAnnealingLR": "cosine",
    "warmup_linear": "linear",
    "warmup_cosine": "cosine",
    "warmup_constant": "constant",
}


def _threshold(old: OldConfig, key: str) -> Outcome:
    # YAML reads None as a text, and the original compared with that text.
    if old.document[key] == "None":
        return Outcome(fate="default", note="no threshold")
    share: Any = old.read(key, number) / 100
    return Outcome(settings={"training.metric_threshold": share}, note="a share here, in percent there")


TRAINING_KEYS = KeyTable(
    keys={
        "best_model_structure": to("arch", text, note="a file that the original's search wrote"),
        "train_epochs": to("training.epochs"),
        "eval_epochs": to("training.eval_epochs"),
        "eval_step": to("training.eval_steps"),
        "train_batch_size": to(
            "training.batch_size", note="of all processes together; there of each process"
        ),
        "num_workers": to("training.workers"),
        "optimizer": to("training.optimizer", one_of(_OPTIMIZERS)),
        "learning_rate": to("training.lr", number),
        "momentum": to("training.momentum", number),
        "weight_decay": to("training.weight_decay", number, note="never of biases and norms here"),
        "lr_scheduler": to("training.schedule", one_of(_SCHEDULES), note="step by step, not epoch by epoch"),
        "metric_threshold": _threshold,
        "print_freq": to("training.log_steps"),
    },
    unused={
        "it speeds up copies to a GPU, and the original trained on the CPU": "pin_mem",
        "the original trained on the CPU whatever it said; --device chooses": "device no_cuda",
        "it was read only for a model that is given in Python": "pretrain",
        "the seed was that of --random_seed, 12345 by default; training.seed has it here": "seed",
        "it was never read": "mode",
    },
    missing={
        "evaluations take batches of training.batch_size; it changes no result": "eval_batch_size",
        "every process measures a part of the data": "ddp_eval_nosplit",
        "samples that fill no batch are always left out of an epoch, other ones each time": "drop_last",
    },
    elsewhere={
        "the task has its loss": "criterion",
        "the task has its measures": "eval_metric",
        "denas train --out": "output_dir",
        "torchrun starts several processes; the device decides how they talk": "dist_backend",
    },
)
"""Keys of every training; the tables of a space and its task beat it."""
