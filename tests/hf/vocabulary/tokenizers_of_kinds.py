"""Tokenizers of the three kinds, trained on a few sentences, and checkpoints that have them."""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from denas_core.pretrained.silence import silent_transformers

ENGLISH = """
the film was wonderful and its actors were moving although the ending seemed rather slow to many viewers who had
expected something faster from a director whose earlier pictures were praised everywhere
""".split()  # noqa: SIM905
RUSSIAN = "фильм был прекрасный хотя конец казался слишком медленным многим зрителям".split()  # noqa: SIM905
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZE = 331
"""Tokens of each tokenizer. No other size of a network is the same."""


def sentences(count: int, *, words: tuple[str, ...] = (*ENGLISH, *RUSSIAN), seed: int = 0) -> list[str]:
    """Return sentences of random words, some of which are made longer by the end of another word."""
    rng = random.Random(seed)
    return [
        " ".join(rng.choice(words) + (rng.choice(words)[-3:] if rng.random() < 0.2 else "") for _ in range(8))
        for _ in range(count)
    ]


@functools.cache
def tokenizer(kind: str) -> Tokenizer:
    """Return a tokenizer as BERT, RoBERTa, CLIP or T5 has it."""
    return _MADE[kind]()


def _word_pieces() -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.train_from_iterator(
        sentences(400),
        trainers.WordPieceTrainer(vocab_size=SIZE, special_tokens=SPECIAL, show_progress=False),
    )
    numbers = {token: made.token_to_id(token) for token in SPECIAL}
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=list(numbers.items())
    )
    return made


def _bytes() -> Tokenizer:
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        sentences(400),
        trainers.BpeTrainer(
            vocab_size=SIZE - 1,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    # As in RoBERTa, one special token is the last of all.
    made.add_special_tokens(["<mask>"])
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made


def _ends_of_words() -> Tokenizer:
    made = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.decoder = decoders.BPEDecoder("</w>")
    made.train_from_iterator(
        sentences(400),
        trainers.BpeTrainer(
            vocab_size=SIZE,
            special_tokens=["<|startoftext|>", "<|endoftext|>"],
            end_of_word_suffix="</w>",
            show_progress=False,
        ),
    )
    return made


def _unigrams() -> Tokenizer:
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.train_from_iterator(
        sentences(400),
        trainers.UnigramTrainer(
            vocab_size=SIZE - 1,
            special_tokens=["<pad>", "</s>", "<unk>"],
            unk_token="<unk>",
            show_progress=False,
        ),
    )
    # As in T5, tokens without a meaning of their own come last.
    made.add_special_tokens(["<extra_id_0>"])
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return made


_MADE = {"word-pieces": _word_pieces, "bytes": _bytes, "ends-of-words": _ends_of_words, "unigrams": _unigrams}
KINDS = list(_MADE)


def checkpoint_with(folder: Path, kind: str, network: str, values: dict[str, Any]) -> Path:
    """Write a checkpoint of a network whose tokenizer is of a kind.

    Args:
        folder: Where to.
        kind: Kind of the tokenizer.
        network: A class of transformers.
        values: Values of its configuration.
    """
    import torch
    import transformers

    made = tokenizer(kind)
    with silent_transformers(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        kind_of_network = getattr(transformers, network)
        config = kind_of_network.config_class(**values, vocab_size=made.get_vocab_size())
        model = kind_of_network(config)
        with torch.no_grad():
            for tensor in model.parameters():
                tensor.add_(0.1 * torch.randn_like(tensor))
        model.save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder


def unpadded(path: Path) -> Tokenizer:
    """Return the tokenizer of a checkpoint."""
    return Tokenizer.from_file(str(path / "tokenizer.json"))
