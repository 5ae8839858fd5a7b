"""Only the pieces of the scripts that the product promises: 136,658 of 250,037, with the same ids in order.

Trimming changes nothing for text in these scripts; other text falls back to <unk> and must end as `unsure`.
"""

import json
import unicodedata
from collections import Counter

SCRIPTS = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "NONE"})
SPECIAL = 4  # <s> <pad> </s> <unk> stand first


def trimmed(tokenizer: bytes) -> tuple[bytes, list[int]]:
    """The smaller tokenizer.json, and the old ids that stay, in their order."""
    spec = json.loads(tokenizer)
    pieces = spec["model"]["vocab"]
    added = {token["id"] for token in spec["added_tokens"]}
    keep = [
        old
        for old, (piece, _) in enumerate(pieces)
        if old < SPECIAL or old in added or script(piece) in SCRIPTS
    ]
    new = {old: position for position, old in enumerate(keep)}
    spec["model"]["vocab"] = [pieces[old] for old in keep]
    spec["model"]["unk_id"] = new[spec["model"]["unk_id"]]
    for token in spec["added_tokens"]:
        token["id"] = new[token["id"]]
    after = spec.get("post_processor") or {}
    for token in (after.get("special_tokens") or {}).values():
        token["ids"] = [new[old] for old in token["ids"]]
    for name in ("sep", "cls"):
        if name in after:
            after[name][1] = new[after[name][1]]
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":")).encode(), keep


def script(piece: str) -> str:
    """The script of most of its letters, by the first word of their Unicode names; NONE without letters."""
    seen = Counter(unicodedata.name(char, "?").split()[0] for char in piece if char.isalpha())
    return seen.most_common(1)[0][0] if seen else "NONE"
