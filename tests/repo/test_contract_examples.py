"""The docstring of each contract has a complete example, which runs and imports public names alone."""

from __future__ import annotations

import doctest
import importlib

import pytest

from denas_core.registry.registry import CONTRACTS

from .test_public_surface import complaints

NAMES = [reference for references in CONTRACTS.values() for reference in references]


def example_of(reference: str) -> doctest.DocTest:
    """Return the example of a contract, such as ``denas_core.contracts.space:SearchSpace``."""
    module, _, name = reference.partition(":")
    contract = getattr(importlib.import_module(module), name)
    assert contract.__doc__
    # Nothing of the module: what the example needs, it imports.
    return doctest.DocTestParser().get_doctest(contract.__doc__, {}, name, module, 0)


@pytest.mark.parametrize("reference", NAMES)
def test_the_example_of_a_contract_runs(reference: str) -> None:
    report: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example_of(reference), out=report.append)
    assert not result.failed, "".join(report)


@pytest.mark.parametrize("reference", NAMES)
def test_the_example_of_a_contract_defines_all_of_it(reference: str) -> None:
    module, _, name = reference.partition(":")
    contract = getattr(importlib.import_module(module), name)
    test = example_of(reference)
    doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None, clear_globs=False)
    made = [
        found for found in test.globs.values() if isinstance(found, type) and contract in found.__mro__[1:]
    ]
    assert made and not any(found.__abstractmethods__ for found in made)
    assert not complaints("".join(example.source for example in test.examples), name)
