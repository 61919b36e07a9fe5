"""What a smaller network is worth after fine-tuning, made by DE-NAS and by what people would use instead.

    python benchmarks/shrinking_rivals.py --model minilm --data SST-2 --rate 2e-4 --seeds 3 --table rivals.csv

All networks are made from one checkpoint and have at most about 0.6 times its parameters. All of them are fine-tuned
by the same engine, on the same data, for the same epochs, at each ``--rate``. The ways:

- ``checkpoint``: the checkpoint itself, not smaller.
- ``denas``: members with the largest activations, weights fitted to 512 sentences, and the fine-tuned checkpoint as the
  teacher of the outputs, as in ``denas shrink --data``. ``denas-hidden`` learns hidden states, too; ``denas-alone`` has
  no teacher.
- ``leading``: a network of the same sizes with the first heads, neurons and features, without a teacher.
- ``first-layers``: the first layers, as many as fit, in their full width.
- ``distilbert``: the same layers, taught as DistilBERT was (Sanh et al. 2019, arXiv:1910.01108): outputs, and the
  cosine of the hidden states.
- ``vocabulary``: all layers, heads and neurons, but only ``--vocabulary`` tokens, as with ``denas shrink
  --vocabulary``; without a teacher.
- ``torch-pruning``: the network that ``torch_pruning`` 1.6 cuts: a third of the heads, neurons and features, chosen by
  the magnitude of groups of weights.

Every row is written as soon as it is known, and a row that is already there is not computed again. Seeds are the
outermost loop. ``cpu_seconds`` include everything but the fine-tuning of the teacher.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import Any

from comparing import denas, settings
from rows import add_row, cpu_seconds, rows_of

from denas_core import Registry

SMALL = {"layers": 5, "heads": 9, "intermediate": 768}
COLUMNS = ("way", "rate", "seed", "params", "accuracy", "cpu_seconds")
TAUGHT = {
    "denas": ["training.distill_weight=0.5"],
    "denas-hidden": ["training.distill_weight=0.5", "training.distill_hidden=1"],
    "distilbert": ["training.distill_weight=0.7", "training.distill_hidden=0.15"],
}
"""Settings of the ways with a teacher."""

WAYS = (
    "checkpoint",
    "denas",
    "first-layers",
    "torch-pruning",
    "denas-hidden",
    "distilbert",
    "leading",
    "denas-alone",
    "vocabulary",
)


def main() -> None:
    """Measure what the table lacks."""
    options = parsed()
    os.environ["OMP_NUM_THREADS"] = "1"
    known = {tuple(row[name] for name in COLUMNS[:3]) for row in rows_of(options.table)}
    for seed in range(options.seeds):
        for way in options.way or WAYS:
            for rate in options.rate:
                if (way, rate, str(seed)) not in known:
                    row = {"way": way, "rate": rate, "seed": str(seed)} | fine_tuned(options, way, rate, seed)
                    add_row(options.table, COLUMNS, row)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="data set of the task")
    parser.add_argument("--task", default="nlp/sst2")
    parser.add_argument("--way", action="append", choices=WAYS, help="by default all")
    parser.add_argument("--arch", default=json.dumps(SMALL), help="the smaller network of DE-NAS")
    parser.add_argument("--layers", type=int, default=1, help="layers of the way first-layers")
    parser.add_argument("--vocabulary", type=int, default=6860, help="tokens of the way vocabulary")
    parser.add_argument("--share", type=float, default=1 / 3, help="what torch-pruning cuts")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", action="append", required=True, help="learning rate; may be repeated")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--table", type=Path, required=True)
    options = parser.parse_args()
    options.model, options.data = options.model.resolve(), options.data.resolve()
    return options


def fine_tuned(options: argparse.Namespace, way: str, rate: str, seed: int) -> dict[str, Any]:
    """Return parameters, accuracy and CPU time of a network after fine-tuning."""
    begun = cpu_seconds()
    model, arch, space = network_of(options, way)
    taught = TAUGHT.get(way, [])
    folder = folder_of(options, way, rate, seed)
    # A training that was stopped with this script begins again.
    shutil.rmtree(folder, ignore_errors=True)
    done = denas(
        *(
            "train",
            "hf/auto",
            "--arch",
            json.dumps(arch),
            "--task",
            options.task,
            "--data",
            str(options.data),
        ),
        *("--epochs", str(options.epochs), "--seed", str(seed), "--device", "cpu", "-q"),
        *("--out", str(folder)),
        *settings([f"space.model={model}", f"training.lr={rate}", *space, *taught]),
        *(("--teacher", str(teacher_of(options, seed))) if taught else ()),
    )
    return {
        "params": parameters_of(folder / "model"),
        "accuracy": f"{done['metrics']['accuracy']:.4f}",
        "cpu_seconds": f"{cpu_seconds() - begun:.0f}",
    }


def network_of(options: argparse.Namespace, way: str) -> tuple[Path, dict[str, Any], list[str]]:
    """Return the checkpoint, the architecture, and the settings of the space with which a way is trained."""
    if way == "checkpoint":
        return options.model, {"num_hidden_layers": layers_of(options)}, denas_settings(options)
    if way == "torch-pruning":
        pruned = options.table.with_suffix("") / way
        if not (pruned / "config.json").is_file():
            prune(options.model, options.share, pruned)
        return pruned, {"num_hidden_layers": layers_of(options)}, []
    if way == "vocabulary":
        return trimmed(options), {"num_hidden_layers": layers_of(options)}, []
    if way in ("first-layers", "distilbert"):
        return (
            options.model,
            {"num_hidden_layers": options.layers},
            [f"space.layers=[{options.layers},{layers_of(options)}]"],
        )
    arch = json.loads(options.arch)
    return options.model, arch, [] if way == "leading" else denas_settings(options)


def denas_settings(options: argparse.Namespace) -> list[str]:
    """Return the settings of the space that ``denas shrink --data`` uses, with more calibration samples."""
    return [
        "space.inherit=activation",
        f"space.calibration={options.data}",
        f"space.calibration_task={options.task}",
        "space.calibration_samples=512",
    ]


def trimmed(options: argparse.Namespace) -> Path:
    """Return the checkpoint with fewer tokens, which is written once."""
    folder = Path(options.table.with_suffix("")).resolve() / f"vocabulary-{options.vocabulary}"
    if not (folder / "config.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        space: Any = Registry.discover().create(
            "space",
            "hf/auto",
            {
                "model": str(options.model),
                "calibration": str(options.data),
                "calibration_task": options.task,
            },
        )
        print(space.trim_vocabulary(folder, tokens=options.vocabulary))
    return folder


def teacher_of(options: argparse.Namespace, seed: int) -> Path:
    """Return the fine-tuned checkpoint with the highest accuracy among the rates, of the same seed."""
    rows = [row for row in rows_of(options.table) if row["way"] == "checkpoint" and row["seed"] == str(seed)]
    if not rows:
        raise SystemExit("the way checkpoint must be measured first: it is the teacher")
    best = max(rows, key=lambda row: float(row["accuracy"]))
    return folder_of(options, "checkpoint", best["rate"], seed) / "model"


def folder_of(options: argparse.Namespace, way: str, rate: str, seed: int) -> Path:
    """Return the folder of a fine-tuning."""
    return Path(options.table.with_suffix("")) / f"{way}-{rate}-{seed}"


def layers_of(options: argparse.Namespace) -> int:
    """Return the number of layers of the checkpoint."""
    return int(json.loads((options.model / "config.json").read_text())["num_hidden_layers"])


def parameters_of(model: Path) -> int:
    """Return the number of parameters of a trained model."""
    from safetensors import safe_open

    with safe_open(model / "model.safetensors", "pt") as file:
        return sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118


def prune(model: Path, share: float, folder: Path) -> None:
    """Cut a share of the heads, neurons and features of a BERT with Torch-Pruning, and save it as a checkpoint."""
    import torch
    import torch_pruning
    from transformers import AutoModel, AutoTokenizer
    from transformers.models.bert.modeling_bert import BertSelfAttention

    network = AutoModel.from_pretrained(model, attn_implementation="eager").eval()
    attention = [module for module in network.modules() if isinstance(module, BertSelfAttention)]
    heads, width = attention[0].num_attention_heads, attention[0].attention_head_size
    example = {
        name: torch.ones(1, 16, dtype=torch.long)
        for name in ("input_ids", "attention_mask", "token_type_ids", "position_ids")
    }
    pruner = torch_pruning.pruner.BasePruner(
        network,
        example,
        importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=share,
        num_heads={part: heads for module in attention for part in (module.query, module.key, module.value)},
        prune_num_heads=True,
        prune_head_dims=False,
        head_pruning_ratio=share,
        output_transform=lambda outputs: outputs.pooler_output,
    )
    pruner.step()
    config = network.config
    config.hidden_size = network.embeddings.word_embeddings.weight.shape[1]
    config.num_attention_heads = attention[0].query.out_features // width
    config.intermediate_size = network.encoder.layer[0].intermediate.dense.out_features
    network.save_pretrained(folder)
    AutoTokenizer.from_pretrained(model).save_pretrained(folder)
    # Reading it again shows that all layers have the sizes of the configuration.
    AutoModel.from_pretrained(folder)


if __name__ == "__main__":
    main()
