"""Small ONNX graphs of single operators of PyTorch, translated as torch translates them."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onnx import TensorProto, helper

from . import OPSET
from .operator_times import WEIGHTS

COPIES = 4
IR_VERSION = 10
"""Version of the file format of opset `OPSET`; older runtimes refuse files of a newer one."""

PAGE = 4096
MERGED = ("batch_norm", "relu", "relu_", "dropout")
"""Operators that ONNX Runtime computes within the convolution before them, or removes."""

Shape = list[int]


class Graph:
    """A graph in the making: what its nodes take is an input of the graph, or a weight in the file `WEIGHTS`."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.inputs: dict[str, Any] = {}
        self.weights: list[Any] = []
        self.bytes = 0

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return the name of the output."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def given(self, about: Mapping[str, Any]) -> str:
        """Add an input of the graph."""
        name = f"input_{len(self.inputs)}"
        self.inputs[name] = helper.make_tensor_value_info(name, TensorProto.FLOAT, about["shape"])
        return name

    def weight(self, shape: Shape) -> str:
        """Add a weight. Each begins at another place of the file, or the runtime would find that they are equal."""
        tensor = TensorProto(name=f"weight_{len(self.weights)}", dims=shape, data_type=TensorProto.FLOAT)
        tensor.data_location = TensorProto.EXTERNAL
        offset, length = PAGE * len(self.weights), 4 * math.prod(shape)
        for key, value in (("location", WEIGHTS), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)
        self.weights.append(tensor)
        self.bytes = max(self.bytes, offset + length)
        return str(tensor.name)

    def number(self, value: float) -> str:
        """Add a constant number."""
        name = f"number_{len(self.nodes)}"
        tensor = helper.make_tensor(name, TensorProto.FLOAT, [], [value])
        self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        return name

    def as_text(self, output: str) -> str:
        """Return the graph as a file in base64."""
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(
            self.nodes, "operator", list(self.inputs.values()), [result], initializer=self.weights
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        return base64.b64encode(model.SerializeToString()).decode("ascii")


Translation = Callable[[Graph, str, "Arguments"], str]


class Arguments:
    """The arguments of a call: by place, with a default, or by name."""

    def __init__(self, call: Mapping[str, Any]) -> None:
        self._places, self._names = call["arguments"]

    def __call__(self, place: int, name: str = "", default: Any = None) -> Any:
        found = self._places[place] if place < len(self._places) else self._names.get(name)
        return default if found is None else found

    def tensors(self) -> list[Mapping[str, Any]]:
        """Return the descriptions of all tensors among the arguments."""
        values = [*self._places, *self._names.values()]
        return [value for value in values if isinstance(value, dict) and "shape" in value]


def graphs_of(call: Mapping[str, Any], *, merges: bool) -> dict[str, Any] | None:
    """Return what `operator_times.time_graphs` times for an operator call; None if there is no translation.

    Args:
        call: An operator call, see `denas_core.OperatorTimer`.
        merges: Whether the runtime merges operators, as its options say.
    """
    kind = call["name"].split(".")[1]
    if kind in MERGED and merges:
        return {"merged": True}
    arguments = Arguments(call)
    if any(about["dtype"] != "float32" for about in arguments.tensors()):
        return None
    beside, chained = BESIDE.get(kind), CHAINED.get(kind)
    try:
        if beside is not None:
            return _described(arguments, beside, _summed)
        if chained is not None and _keeps_shape(kind, arguments):
            return _described(arguments, chained, _in_a_row)
    # The arguments are those of PyTorch, of any version: what is not understood here is timed by PyTorch.
    except (KeyError, IndexError, TypeError, ValueError):
        pass
    return None


def _described(arguments: Arguments, translate: Translation, repeat: Any) -> dict[str, Any]:
    once, _ = repeat(arguments, translate, 1)
    several, size = repeat(arguments, translate, COPIES)
    return {"once": once, "several": several, "copies": COPIES, "bytes": size}


def _summed(arguments: Arguments, translate: Translation, copies: int) -> tuple[str, int]:
    """Return a graph with copies that have the same input and weights of their own, and the sum of their results."""
    graph = Graph()
    start = graph.given(arguments(0))
    total = translate(graph, start, arguments)
    for _ in range(copies - 1):
        total = graph.node("Add", translate(graph, start, arguments), total)
    return graph.as_text(total), graph.bytes


def _in_a_row(arguments: Arguments, translate: Translation, copies: int) -> tuple[str, int]:
    """Return a graph in which each copy takes the result of the copy before."""
    graph = Graph()
    result = graph.given(arguments(0))
    for _ in range(copies):
        result = translate(graph, result, arguments)
    return graph.as_text(result), graph.bytes


def _convolution(graph: Graph, start: str, arguments: Arguments) -> str:
    shape = arguments(1)["shape"]
    sizes = len(shape) - 2

    def each(place: int, name: str, default: int) -> Sequence[int]:
        value = arguments(place, name, default)
        values = [value] if isinstance(value, int) else list(value)
        return values * sizes if len(values) == 1 else values

    padding = arguments(4, "padding", 0)
    if isinstance(padding, str):
        raise ValueError("padding by name")
    # A batch normalisation gives every convolution a bias.
    return graph.node(
        "Conv",
        start,
        graph.weight(shape),
        graph.weight(shape[:1]),
        strides=each(3, "stride", 1),
        pads=[*each(4, "padding", 0)] * 2,
        dilations=each(5, "dilation", 1),
        group=arguments(6, "groups", 1),
    )


def _linear(graph: Graph, start: str, arguments: Arguments) -> str:
    size, (outputs, inputs) = arguments(0)["shape"], arguments(1)["shape"]
    has_bias = arguments(2, "bias") is not None
    if len(size) == 2:
        weights = [graph.weight([outputs, inputs]), *([graph.weight([outputs])] if has_bias else [])]
        return graph.node("Gemm", start, *weights, transB=1)
    product = graph.node("MatMul", start, graph.weight([inputs, outputs]))
    return graph.node("Add", product, graph.weight([outputs])) if has_bias else product


def _layer_norm(graph: Graph, start: str, arguments: Arguments) -> str:
    shape = arguments(1, "normalized_shape")
    epsilon = arguments(4, "eps", 1e-5)
    weights = [graph.weight(shape), graph.weight(shape)]
    return graph.node("LayerNormalization", start, *weights, axis=-len(shape), epsilon=epsilon)


def _gelu(graph: Graph, start: str, arguments: Arguments) -> str:
    if arguments(1, "approximate", "none") != "none":
        raise ValueError("an approximation")
    error = graph.node("Erf", graph.node("Div", start, graph.number(math.sqrt(2))))
    product = graph.node("Mul", start, graph.node("Add", error, graph.number(1.0)))
    return graph.node("Mul", product, graph.number(0.5))


def _silu(graph: Graph, start: str, arguments: Arguments) -> str:
    return graph.node("Mul", start, graph.node("Sigmoid", start))


def _softmax(graph: Graph, start: str, arguments: Arguments) -> str:
    return graph.node("Softmax", start, axis=arguments(1, "dim", -1))


def _attention(graph: Graph, start: str, arguments: Arguments) -> str:
    """Attention as torch translates it. Each copy has keys and values of its own."""
    query, key, value = (arguments(place) for place in range(3))
    rank = len(query["shape"])
    scale = math.sqrt(arguments(6, "scale", 1 / math.sqrt(query["shape"][-1])))
    order = [*range(rank - 2), rank - 1, rank - 2]
    keys = graph.node("Transpose", graph.given(key), perm=order)
    left = graph.node("Mul", start, graph.number(scale))
    scores = graph.node("MatMul", left, graph.node("Mul", keys, graph.number(scale)))
    mask = arguments(3, "attn_mask")
    if mask is not None:
        scores = graph.node("Add", scores, graph.given(mask))
    return graph.node("MatMul", graph.node("Softmax", scores, axis=-1), graph.given(value))


def _elementwise(kind: str) -> Translation:
    def translate(graph: Graph, start: str, arguments: Arguments) -> str:
        other = arguments(1)
        right = graph.given(other) if isinstance(other, dict) else graph.number(float(other))
        return graph.node(kind, start, right)

    return translate


def _unary(kind: str) -> Translation:
    return lambda graph, start, arguments: graph.node(kind, start)


BESIDE: Mapping[str, Translation] = {
    "conv1d": _convolution,
    "conv2d": _convolution,
    "linear": _linear,
}
"""Operators whose copies take the same input. Those with a weight have one for each copy."""

CHAINED: Mapping[str, Translation] = {
    "layer_norm": _layer_norm,
    "gelu": _gelu,
    "silu": _silu,
    "softmax": _softmax,
    "scaled_dot_product_attention": _attention,
    "add": _elementwise("Add"),
    "sub": _elementwise("Sub"),
    "mul": _elementwise("Mul"),
    "div": _elementwise("Div"),
    "tanh": _unary("Tanh"),
    "sigmoid": _unary("Sigmoid"),
}
"""Operators whose result has the shape of their first argument, so that a copy can take the result of another."""


def _keeps_shape(kind: str, arguments: Arguments) -> bool:
    """Return whether the result has the shape of the first argument."""
    shape = arguments(0)["shape"]
    others = [about["shape"] for about in arguments.tensors()[1:]]
    if kind == "scaled_dot_product_attention":
        # Heads can be shared, and the last dimension of values is that of the result.
        return bool(shape[:-2] == others[0][:-2] and shape[-1] == others[1][-1])
    if kind in ("add", "sub", "mul", "div"):
        return all(_fits(other, shape) for other in others)
    return True


def _fits(small: Shape, large: Shape) -> bool:
    """Return whether a tensor of one shape can be broadcast to another shape."""
    return len(small) <= len(large) and all(
        one in (1, all_) for one, all_ in zip(reversed(small), reversed(large), strict=False)
    )
