from __future__ import annotations

import hashlib
import random

import pytest

from denas_core.seeding import canonical_json, derive_rng, derive_seed, digest


def test_canonical_json_sorts_keys_and_has_no_spaces() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": {"d": True, "c": "é"}}) == (
        '{"a":{"c":"\\u00e9","d":true},"b":[1,2.5,null]}'
    )


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": -float("inf")}])
def test_canonical_json_refuses_what_json_has_no_number_for(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


def test_canonical_json_refuses_objects() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        canonical_json({"a": {1, 2}})


def test_digest_is_blake2b_of_the_canonical_text() -> None:
    assert digest({"b": 1, "a": 2}, size=4) == hashlib.blake2b(b'{"a":2,"b":1}', digest_size=4).hexdigest()
    assert len(digest("x")) == 32


def test_a_seed_is_the_hash_of_scheme_run_purpose_and_names() -> None:
    raw = hashlib.blake2b(b'[1,7,"batch",["noise",2]]', digest_size=8).digest()
    assert derive_seed(7, "batch", "noise", 2) == int.from_bytes(raw, "big") >> 1


def test_seeds_fit_a_signed_64_bit_integer_and_differ_by_every_part() -> None:
    seeds = {derive_seed(run, purpose, i) for run in range(10) for purpose in ("a", "b") for i in range(100)}
    assert len(seeds) == 2000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(0, "a", "b", "c") != derive_seed(0, "a", "bc")


def test_a_derived_generator_repeats_and_leaves_the_global_one_alone() -> None:
    before = random.getstate()
    assert derive_rng(3, "propose", 1).random() == derive_rng(3, "propose", 1).random()
    assert derive_rng(3, "propose", 1).random() != derive_rng(3, "propose", 2).random()
    assert random.getstate() == before
