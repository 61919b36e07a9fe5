"""Batches of CIFAR for Python are pickles: none of them runs anything, whatever it asks for."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import pytest
import torch

from denas_core.errors import ConfigError
from denas_cv.image.formats import open_images
from tests.cv.image_files import write_python_batches


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        open_images(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Attack:
    """What a pickle can ask for."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> object:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_runs_nothing(tmp_path: Path, protocol: int) -> None:
    import os

    write_python_batches(tmp_path)
    victim = tmp_path / "victim"
    attacks = (
        Attack(os.mkdir, str(victim)),
        Attack(eval, f"__import__('os').mkdir({str(victim)!r})"),
        Attack(getattr, "x", "upper"),
        Attack(torch.load, str(victim)),
    )
    for attack in attacks:
        for place in ("data_batch_1", "batches.meta"):
            kept = (tmp_path / place).read_bytes()
            (tmp_path / place).write_bytes(pickle.dumps({"labels": attack}, protocol=protocol))
            text = refused(tmp_path)
            assert place in text
            assert "which no batch of CIFAR needs" in text
            (tmp_path / place).write_bytes(kept)
    assert not victim.exists()


def test_a_pickle_reaches_no_codec_and_no_module_of_numpy(tmp_path: Path) -> None:
    import _codecs

    import numpy

    write_python_batches(tmp_path)
    path = tmp_path / "data_batch_1"
    for attack, text in (
        (Attack(_codecs.encode, "x", "zlib_codec"), "encoded as"),
        (Attack(numpy.load, "x"), "numpy.load"),
    ):
        path.write_bytes(pickle.dumps({"labels": attack}, protocol=2))
        assert text in refused(tmp_path)


def test_a_pickle_gets_neither_memory_nor_attributes_that_it_asks_for(tmp_path: Path) -> None:
    write_python_batches(tmp_path)
    path = tmp_path / "data_batch_1"
    reconstruct = b"cnumpy.core.multiarray\n_reconstruct\n"
    for content in (
        # A memo of two thousand million entries; 8 terabytes; an array made from a number; an attribute of a function.
        b"\x80\x02Nr\xff\xff\xff\x7f.",
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 43) + b".",
        b"\x80\x02" + reconstruct + b")R(K\x01)cnumpy\ndtype\n(U\x02u1tR\x89J\xff\xff\xff\x7ftb.",
        b"\x80\x02" + reconstruct + b"}(U\x01aK\x01ub.",
        b"\x80\x02" + reconstruct + b"N}(U\x0c__defaults__K\x01u\x86b.",
    ):
        path.write_bytes(content)
        assert "data_batch_1' is damaged or not a batch of CIFAR" in refused(tmp_path)
    from denas_cv.image import pickled

    assert not vars(pickled._reconstruct)


def test_bytes_of_a_batch_changed_anywhere_are_read_or_refused(tmp_path: Path) -> None:
    write_python_batches(tmp_path, count=2)
    path = tmp_path / "batches.meta"
    whole = path.read_bytes()
    for place in range(len(whole)):
        for flip in (0x01, 0x40, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            try:
                open_images(tmp_path)
            except ConfigError as error:
                assert str(tmp_path) in str(error)
