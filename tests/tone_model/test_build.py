"""The encoder as it is built: the graph computes what the network is, and nothing is put down that was not asked for."""

import json
from math import erf
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tone_model import build, graph, source, vocabulary
from tone_model.source import Array, Shape

SMALL = Shape(hidden=32, layers=2, heads=4, inner=64, vocabulary=50, positions=16, epsilon=1e-12)
WIDTH = {"h": SMALL.hidden, "i": SMALL.inner}


@pytest.fixture
def arrays() -> dict[str, Array]:
    """A small network with weights by chance."""
    chance = np.random.default_rng(7)

    def some(*shape: int) -> Array:
        return (chance.standard_normal(shape) / shape[-1] ** 0.5).astype(np.float32)

    made = {
        "emb.word": some(SMALL.vocabulary, SMALL.hidden) * 5,
        "emb.pos": some(SMALL.positions, SMALL.hidden),
        "emb.type": some(SMALL.hidden),
        "emb.ln.w": 1 + some(SMALL.hidden),
        "emb.ln.b": some(SMALL.hidden),
    }
    for n in range(SMALL.layers):
        for name, (rows, columns) in source.MATRICES.items():
            made[f"l{n}.{name}.w"] = some(WIDTH[rows], WIDTH[columns])
            made[f"l{n}.{name}.b"] = some(WIDTH[rows])
        for name in source.NORMS:
            made[f"l{n}.{name}.w"], made[f"l{n}.{name}.b"] = 1 + some(SMALL.hidden), some(SMALL.hidden)
    return made


def bert(arrays: dict[str, Array], ids: list[int]) -> Array:
    """The plain network, one text, in the words of its paper (Devlin et al., 2019)."""

    def norm(name: str, state: Array) -> Array:
        spread = np.sqrt(state.var(-1, keepdims=True) + SMALL.epsilon)
        return (state - state.mean(-1, keepdims=True)) / spread * arrays[f"{name}.w"] + arrays[f"{name}.b"]

    def dense(name: str, state: Array) -> Array:
        return state @ arrays[f"{name}.w"].T + arrays[f"{name}.b"]

    def softmax(weights: Array) -> Array:
        raised = np.exp(weights - weights.max(-1, keepdims=True))
        return raised / raised.sum(-1, keepdims=True)

    gelu = np.vectorize(lambda x: x * 0.5 * (1 + erf(x / 2**0.5)))
    each = SMALL.hidden // SMALL.heads
    state = norm("emb.ln", arrays["emb.word"][ids] + arrays["emb.pos"][: len(ids)] + arrays["emb.type"])
    for n in range(SMALL.layers):
        query, key, value = (dense(f"l{n}.{one}", state) for one in "qkv")
        heads = [slice(at, at + each) for at in range(0, SMALL.hidden, each)]
        seen = [softmax(query[:, h] @ key[:, h].T / each**0.5) @ value[:, h] for h in heads]
        state = norm(f"l{n}.aln", state + dense(f"l{n}.ao", np.concatenate(seen, axis=1)))
        state = norm(f"l{n}.oln", state + dense(f"l{n}.fo", gelu(dense(f"l{n}.fi", state))))
    return state


def run(arrays: dict[str, Array], ids: list[list[int]], mask: list[list[int]] | None = None) -> Array:
    session = onnxruntime.InferenceSession(graph.written(SMALL, arrays))
    given = {"ids": np.array(ids, np.int64), "mask": np.array(mask or np.ones_like(ids), np.int64)}
    return session.run(None, given)[0]


def likeness(one: Array, other: Array) -> float:
    return float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))


def test_the_graph_computes_the_network_but_for_its_eight_bits(arrays: dict[str, Array]) -> None:
    ids = [3, 17, 4, 4, 49, 8]
    assert likeness(run(arrays, [ids])[0], bert(arrays, ids)) > 0.995
    assert likeness(run(arrays, [ids])[0], bert(arrays, ids[::-1])) < 0.9  # another text is another state


def test_what_the_mask_leaves_out_changes_nothing(arrays: dict[str, Array]) -> None:
    short, padded = run(arrays, [[3, 17, 4]])[0], run(arrays, [[3, 17, 4, 1, 1]], [[1, 1, 1, 0, 0]])[0]
    assert likeness(short, padded[:3]) > 0.995


def test_the_same_weights_are_the_same_bytes(arrays: dict[str, Array]) -> None:
    assert graph.written(SMALL, arrays) == graph.written(SMALL, arrays)


def test_eight_bits_miss_each_weight_by_half_a_step_at_most(arrays: dict[str, Array]) -> None:
    rows, scale = graph.eight_bit(arrays["l0.fi.w"])
    assert np.all(np.abs(rows * scale[:, None] - arrays["l0.fi.w"]) <= scale[:, None] * 0.5001)


def test_an_adapter_adds_the_product_of_its_two_matrices_and_leaves_the_rest(
    arrays: dict[str, Array],
) -> None:
    chance = np.random.default_rng(1)
    up, down = chance.standard_normal((32, 3)), chance.standard_normal((3, 32))
    adapted = graph.adapted(arrays, {"l1.q.w.up": up, "l1.q.w.down": down})
    assert np.allclose(adapted["l1.q.w"], arrays["l1.q.w"] + up @ down, atol=1e-5)
    assert all(adapted[name] is arrays[name] for name in arrays if name != "l1.q.w")


def test_a_smaller_vocabulary_keeps_the_special_pieces_and_those_of_its_scripts_in_order() -> None:
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁hello", "привет", "▁", "日本", "한국", ".", "<маска>"]
    told = {
        "model": {"vocab": [[piece, -1.0] for piece in pieces], "unk_id": 3},
        "added_tokens": [{"id": 10, "content": "<маска>"}],
        "post_processor": {"special_tokens": {"</s>": {"ids": [2]}}},
    }
    smaller, keep = vocabulary.trimmed(json.dumps(told).encode())
    kept = json.loads(smaller)
    assert [pieces[old] for old in keep] == [
        "<s>", "<pad>", "</s>", "<unk>", "▁hello", "▁", "日本", ".", "<маска>",
    ]  # fmt: skip
    assert [piece for piece, _ in kept["model"]["vocab"]] == [pieces[old] for old in keep]
    assert kept["added_tokens"][0]["id"] == 8


def test_a_file_that_is_not_the_known_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"E5S1 and something else")
    with pytest.raises(source.WrongFile, match="is not|not the known"):
        source.read(tmp_path / "weights.bin")


def test_an_encoder_that_came_out_otherwise_is_not_put_down(
    tmp_path: Path, arrays: dict[str, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "read", lambda _: (SMALL, arrays))
    monkeypatch.setattr(source, "checked_tokenizer", lambda _: b"")
    monkeypatch.setattr(vocabulary, "trimmed", lambda _: (b"{}", list(range(SMALL.vocabulary))))
    np.savez(tmp_path / "adapter.npz")
    (tmp_path / "model.json").write_text(json.dumps({"built": {"encoder.onnx": "0", "tokenizer.json": "0"}}))
    with pytest.raises(build.BuiltOtherwise, match="report"):
        build.build(tmp_path, tmp_path)
    assert not (tmp_path / "encoder.onnx").exists()

    found = build.build(tmp_path, tmp_path, as_told=False)
    (tmp_path / "model.json").write_text(json.dumps({"built": found}))
    assert build.is_built(tmp_path)
    assert build.build(tmp_path, tmp_path) == found
    (tmp_path / "encoder.onnx").write_bytes(b"cut short")
    assert not build.is_built(tmp_path)
