"""The encoder in torch, for training: the same network as graph.py writes, with a low-rank adapter beside each matrix.

The base weights stay as they are; only the adapter and the head learn. Products are made in 16 bits (bfloat16), which
newer processors do several times as fast.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .source import MATRICES, Array, Shape


class Encoder(torch.nn.Module):
    """`forward` gives the mean over each text's tokens, of length 1."""

    def __init__(self, shape: Shape, arrays: dict[str, Array], rank: int, dropout: float) -> None:
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.base = {name: torch.from_numpy(array) for name, array in arrays.items()}
        for n in range(shape.layers):
            for matrix in MATRICES:
                name = f"l{n}.{matrix}.w"
                self.base[name] = self.base[name].to(torch.bfloat16)
        self.adapter = torch.nn.ParameterDict()
        for n in range(shape.layers):
            for matrix in MATRICES:
                rows, columns = arrays[f"l{n}.{matrix}.w"].shape
                self.adapter[f"l{n}_{matrix}_up"] = torch.nn.Parameter(torch.zeros(rows, rank))
                down = torch.randn(rank, columns) / columns**0.5
                self.adapter[f"l{n}_{matrix}_down"] = torch.nn.Parameter(down)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        base, tokens = self.base, ids.shape[1]
        state = base["emb.word"][ids] + base["emb.pos"][:tokens] + base["emb.type"]
        state = self._norm("emb.ln", state)
        unseen = (1.0 - mask[:, None, None, :]) * -10_000.0
        for n in range(self.shape.layers):
            state = self._layer(n, state, unseen)
        mean = (state * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return functional.normalize(mean, dim=1)

    def _layer(self, n: int, state: Tensor, unseen: Tensor) -> Tensor:
        texts, tokens, width = state.shape

        def apart(name: str) -> Tensor:
            return (
                self._dense(n, name, state).float().view(texts, tokens, self.shape.heads, -1).transpose(1, 2)
            )

        weights = apart("q") @ apart("k").transpose(2, 3) / (width / self.shape.heads) ** 0.5 + unseen
        seen = weights.softmax(-1) @ apart("v")
        seen = self._dense(n, "ao", seen.transpose(1, 2).reshape(texts, tokens, width))
        state = self._norm(f"l{n}.aln", state + self._drop(seen))
        inner = functional.gelu(self._dense(n, "fi", state))
        return self._norm(f"l{n}.oln", state + self._drop(self._dense(n, "fo", inner)))

    def _dense(self, n: int, name: str, state: Tensor) -> Tensor:
        state = state.to(torch.bfloat16)
        plain = functional.linear(
            state, self.base[f"l{n}.{name}.w"], self.base[f"l{n}.{name}.b"].to(torch.bfloat16)
        )
        up, down = (self.adapter[f"l{n}_{name}_{part}"].to(torch.bfloat16) for part in ("up", "down"))
        return plain + functional.linear(functional.linear(state, down), up)

    def _norm(self, name: str, state: Tensor) -> Tensor:
        weights, bias = self.base[f"{name}.w"], self.base[f"{name}.b"]
        return functional.layer_norm(state.float(), weights.shape, weights, bias, self.shape.epsilon)

    def _drop(self, state: Tensor) -> Tensor:
        return functional.dropout(state, self.dropout, self.training)

    def learned(self) -> dict[str, Any]:
        """As graph.adapted wants it: `l0.q.w.up` and `l0.q.w.down` …, in 16 bits."""
        return {
            _kept_as(name): parameter.detach().numpy().astype(np.float16)
            for name, parameter in self.adapter.items()
        }

    def resume(self, learned: dict[str, Any]) -> None:
        """The adapter is what `learned` gave."""
        with torch.no_grad():
            for name, parameter in self.adapter.items():
                parameter.copy_(torch.from_numpy(learned[_kept_as(name)].astype("float32")))


def _kept_as(name: str) -> str:
    return name.replace("_", ".", 1).replace("_", ".w.")
