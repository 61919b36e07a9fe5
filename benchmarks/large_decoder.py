"""Peak memory and CPU time of searching and exporting a decoder with random weights that is larger than memory.

    python benchmarks/large_decoder.py --work seven --layers 32 --inherit magnitude

Writes shards of random numbers in bfloat16 for a Llama of the given sizes, runs each step as a command of its own, and
prints a row for each: the largest resident set of a process of the command, the CPU seconds and the wall seconds.
Shards, runs and rows that are in the folder are not made again. The shards of 32 layers take 14 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from rows import add_row, rows_of
from safetensors.torch import save_file

SHARD_BYTES = 2e9
COLUMNS = ("step", "inherit", "peak_gb", "cpu_seconds", "seconds", "exit")


def main() -> None:
    """Write the checkpoint, run the steps that the table lacks, and print the table."""
    options = parsed()
    model = options.work / "model"
    write_checkpoint(model, sizes_of(options))
    table = options.work / "large_decoder.csv"
    known = {(row["step"], row["inherit"]) for row in rows_of(table)}
    for step, command in steps(options, model):
        if (step, options.inherit) not in known and step in (options.only or [step]):
            add_row(table, COLUMNS, {"step": step, "inherit": options.inherit, **measured(command)})
    for row in rows_of(table):
        print("  ".join(row[name] for name in COLUMNS))


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder of shards, runs and table")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--intermediate", type=int, default=14336)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--groups", type=int, default=8, help="heads for keys and values")
    parser.add_argument("--vocabulary", type=int, default=32000)
    parser.add_argument("--inherit", default="magnitude", choices=["leading", "magnitude"])
    parser.add_argument("--constraint", default="params<=0.5x")
    parser.add_argument("--budget", default="100")
    parser.add_argument("--seq-len", type=int, default=128)
    parser.add_argument("--only", action="append", help="a step to run; all by default")
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    return options


def sizes_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the configuration of the decoder."""
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": options.vocabulary,
        "hidden_size": options.hidden,
        "intermediate_size": options.intermediate,
        "num_hidden_layers": options.layers,
        "num_attention_heads": options.heads,
        "num_key_value_heads": options.groups,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "dtype": "bfloat16",
    }


def write_checkpoint(folder: Path, config: Mapping[str, Any]) -> None:
    """Write configuration and shards; a shard that is there is kept."""
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    shards = list(in_shards(shapes))
    files = {}
    for number, names in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        files |= dict.fromkeys(names, file)
        if not (folder / file).exists():
            torch.manual_seed(number)
            partial = folder / f"{file}.partial"
            save_file({name: drawn(shapes[name]) for name in names}, partial, metadata={"format": "pt"})
            partial.rename(folder / file)
    index = {"metadata": {}, "weight_map": files}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def in_shards(shapes: Mapping[str, torch.Size]) -> Iterator[list[str]]:
    """Yield the names of the tensors of each shard."""
    names: list[str] = []
    size = 0.0
    for name, shape in shapes.items():
        own = 2 * shape.numel()
        if names and size + own > SHARD_BYTES:
            yield names
            names, size = [], 0.0
        names.append(name)
        size += own
    yield names


def drawn(shape: torch.Size) -> torch.Tensor:
    """Return random weights of a matrix, or the ones of a norm."""
    tensor = torch.ones(shape, dtype=torch.bfloat16)
    return tensor.normal_(0, 0.02) if len(shape) > 1 else tensor


def steps(options: argparse.Namespace, model: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the arguments of each command."""
    folder = options.work / options.inherit
    shared = ["--set", f"space.inherit={options.inherit}", "--set", f"space.seq_len={options.seq_len}"]
    shared += ["--constraint", options.constraint, "-q"]
    search = ["search", "hf/auto", "--set", f"space.model={model}", *shared]
    yield "default score", [*search, "--budget", options.budget, "--out", str(folder / "default")]
    weights = ["--set", "score.name=scores/l2-norm", "--set", "score.weights_from=inherited"]
    yield "weights", [*search, *weights, "--budget", "3", "--out", str(folder / "weights")]
    latency = ["--set", "score.name=scores/params", "--constraint", "latency_ms<=0.6x"]
    latency += ["--objective", "score", "--objective", "latency_ms"]
    latency += ["--budget", options.budget]
    yield "latency", [*search, *latency, "--out", str(folder / "latency")]
    export = ["export", str(folder / "weights"), "--to", "huggingface", "--untrained", "--replace"]
    yield "export", [*export, "--out", str(folder / "export")]


def measured(command: list[str]) -> dict[str, str]:
    """Run a command, and return its peak memory and times."""
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "denas_core.cli", *command])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "peak_gb": f"{usage.ru_maxrss * 1024 / 1e9:.2f}",
        "cpu_seconds": f"{usage.ru_utime + usage.ru_stime:.0f}",
        "seconds": f"{time.monotonic() - begun:.0f}",
        "exit": str(process.returncode),
    }


if __name__ == "__main__":
    main()
