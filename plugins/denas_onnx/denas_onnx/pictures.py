"""Put the preparation of pictures into an ONNX file: uint8 pictures of any size in, probabilities out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
from onnx import TensorProto, compose, helper, parser

if TYPE_CHECKING:
    from denas_core import ImageInput

INPUT, OUTPUT = "images", "probabilities"
BEFORE, AFTER = "before_network_", "after_network_"
"""Prefixes of the nodes and weights that are not of the network."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey value."""


def with_preparation(
    network: onnx.ModelProto, image: ImageInput, *, output: str, opset: int
) -> onnx.ModelProto:
    """Return a model that cuts, resizes and normalises pictures, runs `network`, and gives probabilities.

    Args:
        network: The network, with the input that `image` names.
        image: How its input is made.
        output: Name of its logits, (samples, classes).
        opset: Version of the operators of `network`.
    """
    before = preparation(image, opset=opset)
    before.ir_version = network.ir_version
    logits = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", None])
    pixels = helper.make_tensor_value_info(
        image.input, TensorProto.FLOAT, ["batch", image.channels, image.size, image.size]
    )
    whole = compose.merge_models(before, network, io_map=[(image.input, image.input)])
    activation = {"softmax": "Softmax", "sigmoid": "Sigmoid", "": "Identity"}[image.activation]
    settings: dict[str, Any] = {"axis": -1} if activation == "Softmax" else {}
    whole.graph.node.append(
        helper.make_node(activation, [output], [OUTPUT], name=f"{AFTER}activation", **settings)
    )
    shape = next(value for value in network.graph.output if value.name == output)
    probabilities = onnx.ValueInfoProto()
    probabilities.CopyFrom(shape)
    probabilities.name = OUTPUT
    del whole.graph.output[:]
    whole.graph.output.append(probabilities)
    known = {value.name for value in whole.graph.value_info}
    whole.graph.value_info.extend(value for value in (pixels, logits) if value.name not in known)
    onnx.checker.check_model(whole, full_check=True)
    return whole


def network_in(path: Path, *, input: str, output: str) -> onnx.ModelProto:
    """Return the network in a file of `with_preparation`, without what is before and after it."""
    model = onnx.load(str(path))
    graph = model.graph
    for values in (graph.node, graph.initializer):
        kept = [value for value in values if not value.name.startswith((BEFORE, AFTER))]
        del values[:]
        values.extend(kept)
    named = {value.name: value for value in graph.value_info}
    for ports, name in ((graph.input, input), (graph.output, output)):
        del ports[:]
        ports.append(named[name])
    return model


def preparation(image: ImageInput, *, opset: int) -> onnx.ModelProto:
    """Return the model that makes the input of a network of pictures (samples, height, width, 3), uint8.

    It resizes whole numbers, as DE-NAS does, so that both round alike.
    """
    constants: dict[str, tuple[str, Any]] = {
        "one": ("i", [1]),
        "two": ("i", [2]),
        "three": ("i", [3]),
        "axes": ("i", [2, 3]),
        "size": ("i", [image.size]),
        "sizes": ("i", [image.size, image.size]),
        "share": ("d", [image.centre_crop]),
        "mean": ("f", [255 * value for value in image.mean]),
        "std": ("f", [255 * value for value in image.std]),
        "luma": ("f", list(LUMA)),
        "channel": ("i", [1]),
        "darkest": ("f", 0.0),
        "brightest": ("f", 255.0),
    }
    per_channel = {"mean", "std", "luma"}
    grey = """
        floats = Cast<to=1>(rows)
        weighted = Mul(floats, luma)
        sums = ReduceSum<keepdims=1>(weighted, channel)
        whole = Round(sums)
        bounded = Clip(whole, darkest, brightest)
        pixels = Cast<to=2>(bounded)"""
    colour = "pixels = Identity(rows)"
    model = parser.parse_model(f"""
      <ir_version: 10, opset_import: ["" : {opset}]>
      preparation (uint8[batch, height, width, 3] {INPUT})
          => (float[batch, {image.channels}, {image.size}, {image.size}] {image.input}) {{
        rows = Transpose<perm=[0, 3, 1, 2]>({INPUT})
        {grey if image.channels == 1 else colour}
        shape = Shape({INPUT})
        sides = Slice(shape, one, three)
        shorter = ReduceMin<keepdims=1>(sides)
        exact = Cast<to=11>(shorter)
        scaled = Mul(exact, share)
        rounded = Round(scaled)
        kept = Cast<to=7>(rounded)
        cropped = Max(kept, one)
        is_larger = Greater(shorter, size)
        side = Where(is_larger, cropped, shorter)
        rest = Sub(sides, side)
        start = Div(rest, two)
        stop = Add(start, side)
        cut = Slice(pixels, start, stop, axes)
        resized = Resize<mode="linear", antialias=1, axes=[2, 3]>(cut, , , sizes)
        values = Cast<to=1>(resized)
        centred = Sub(values, mean)
        {image.input} = Div(centred, std)
      }}""")
    types = {"f": TensorProto.FLOAT, "d": TensorProto.DOUBLE, "i": TensorProto.INT64}
    used = {name for node in model.graph.node for name in node.input}
    for name, (type_, value) in constants.items():
        if name in used:
            values = value if isinstance(value, list) else [value]
            shape = [1, len(values), 1, 1] if name in per_channel else [len(values)]
            model.graph.initializer.append(
                helper.make_tensor(name, types[type_], shape if isinstance(value, list) else [], values)
            )
    return _prefixed(model, keep={INPUT, image.input})


def _prefixed(model: onnx.ModelProto, *, keep: set[str]) -> onnx.ModelProto:
    """Give all names but those in `keep` the prefix of the preparation, so that none is also one of the network."""

    def renamed(name: str) -> str:
        return name if not name or name in keep else BEFORE + name

    for tensor in model.graph.initializer:
        tensor.name = renamed(tensor.name)
    for place, node in enumerate(model.graph.node):
        node.name = f"{BEFORE}{place}"
        for names in (node.input, node.output):
            values = [renamed(name) for name in names]
            del names[:]
            names.extend(values)
    return model
