"""The encoder as an ONNX graph with 8-bit weights: what onnxruntime needs to run it on one core in milliseconds.

Weights are int8 with one scale for each output, activations are quantised as they come (DynamicQuantizeLinear and
MatMulInteger, which onnxruntime fuses). Everything here is elementwise, so that each machine writes the same bytes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .source import Array, Shape

OPSET = 20
IR_VERSION = 9


def adapted(arrays: dict[str, Array], adapter: dict[str, Any]) -> dict[str, Array]:
    """The arrays with the adapter's low-rank changes added; those it does not name stay as they are."""
    changed = dict(arrays)
    for name in arrays:
        if f"{name}.up" not in adapter:
            continue
        up, down = adapter[f"{name}.up"].astype(np.float32), adapter[f"{name}.down"].astype(np.float32)
        weights = arrays[name].copy()
        for rank in range(up.shape[1]):  # one after another: a matrix product may differ by machine
            weights += up[:, rank, None] * down[None, rank]
        changed[name] = weights
    for name in adapter:
        if name in arrays:
            changed[name] = adapter[name].astype(np.float32)
    return changed


def eight_bit(matrix: Array) -> tuple[NDArray[np.int8], Array]:
    """Each row in int8 and its scale."""
    scale = np.maximum(np.abs(matrix).max(axis=1), np.float32(1e-12)) / np.float32(127)
    return np.rint(matrix / scale[:, None]).astype(np.int8), scale


def written(shape: Shape, arrays: dict[str, Array]) -> bytes:
    """The graph: `ids` and `mask` (int64, texts x tokens) in, `hidden` (float32, texts x tokens x 384) out."""
    graph = _Graph(shape)
    state = graph.embedding(arrays)
    for n in range(shape.layers):
        state = graph.layer(n, state, arrays)
    graph.node("Identity", [state], "hidden")
    return graph.serialised()


class _Graph:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._count = 0

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        self._count += 1
        output = output or f"{kind.lower()}_{self._count}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def ints(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))

    def embedding(self, arrays: dict[str, Array]) -> str:
        words, scale = eight_bit(arrays["emb.word"])
        rows = self.node("Gather", [self.constant("emb.word", words), "ids"])
        scales = self.node("Gather", [self.constant("emb.word.scale", scale[:, None]), "ids"])
        word = self.node("Mul", [self.node("Cast", [rows], to=TensorProto.FLOAT), scales])
        length = self.node("Slice", [self.node("Shape", ["ids"]), self.ints("one", 1), self.ints("two", 2)])
        places = self.constant("emb.pos", arrays["emb.pos"] + arrays["emb.type"])
        place = self.node("Slice", [places, self.ints("zero", 0), length, self.ints("axis_0", 0)])
        # What the mask leaves out gets no attention from any head.
        wide = self.node("Unsqueeze", ["mask", self.ints("axes_12", 1, 2)])
        away = self.node(
            "Sub", [self.constant("1", np.float32(1)), self.node("Cast", [wide], to=TensorProto.FLOAT)]
        )
        self.node("Mul", [away, self.constant("far", np.float32(-10_000))], "unseen")
        h, heads = self.shape.hidden, self.shape.heads
        self.ints("split", 0, 0, 3, heads, h // heads)
        self.ints("joined", 0, 0, h)
        self.constant("root", np.float32(1 / np.sqrt(h / heads)))
        return self.norm("emb.ln", self.node("Add", [word, place]), arrays)

    def layer(self, n: int, state: str, arrays: dict[str, Array]) -> str:
        at = f"l{n}."
        for kind in "wb":
            arrays = {
                **arrays,
                f"{at}qkv.{kind}": np.concatenate([arrays[f"{at}{one}.{kind}"] for one in "qkv"]),
            }
        apart = self.node("Reshape", [self.dense(at + "qkv", state, arrays), "split"])
        apart = self.node("Transpose", [apart], perm=[2, 0, 3, 1, 4])
        query, key, value = (
            self.node("Gather", [apart, self.constant(f"{at}{i}", np.int64(i))], axis=0) for i in range(3)
        )
        weights = self.node("MatMul", [query, self.node("Transpose", [key], perm=[0, 1, 3, 2])])
        weights = self.node("Add", [self.node("Mul", [weights, "root"]), "unseen"])
        seen = self.node("MatMul", [self.node("Softmax", [weights], axis=-1), value])
        seen = self.node("Reshape", [self.node("Transpose", [seen], perm=[0, 2, 1, 3]), "joined"])
        state = self.norm(at + "aln", self.node("Add", [state, self.dense(at + "ao", seen, arrays)]), arrays)
        inner = self.node("Gelu", [self.dense(at + "fi", state, arrays)])
        return self.norm(at + "oln", self.node("Add", [state, self.dense(at + "fo", inner, arrays)]), arrays)

    def dense(self, name: str, state: str, arrays: dict[str, Array]) -> str:
        weights, scale = eight_bit(arrays[f"{name}.w"])
        self._count += 1
        whole, its_scale, zero = (f"{name}.{part}" for part in ("in", "in.scale", "in.zero"))
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [state], [whole, its_scale, zero]))
        product = self.node("MatMulInteger", [whole, self.constant(f"{name}.w", weights.T), zero])
        both = self.node("Mul", [its_scale, self.constant(f"{name}.scale", scale)])
        product = self.node("Mul", [self.node("Cast", [product], to=TensorProto.FLOAT), both])
        return self.node("Add", [product, self.constant(f"{name}.b", arrays[f"{name}.b"])])

    def norm(self, name: str, state: str, arrays: dict[str, Array]) -> str:
        weights, bias = (self.constant(f"{name}.{kind}", arrays[f"{name}.{kind}"]) for kind in "wb")
        return self.node("LayerNormalization", [state, weights, bias], axis=-1, epsilon=self.shape.epsilon)

    def serialised(self) -> bytes:
        def of(name: str, kind: int, *axes: Any) -> Any:
            return helper.make_tensor_value_info(name, kind, list(axes))

        graph = helper.make_graph(
            self.nodes,
            "multilingual-e5-small with Gatepost's adapter",
            [
                of("ids", TensorProto.INT64, "texts", "tokens"),
                of("mask", TensorProto.INT64, "texts", "tokens"),
            ],
            [of("hidden", TensorProto.FLOAT, "texts", "tokens", self.shape.hidden)],
            self.constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="gatepost"
        )
        model.ir_version = IR_VERSION
        return bytes(model.SerializeToString(deterministic=True))
