"""A model of your own: as much of its architecture as you know, the rest by the stated rule for usual models.

The rule is that of `predict_training`: layers and width from the active parameters (`training.usual_layers`,
`training.usual_hidden`). The register of a report calls what is guessed an assumption, and what you gave yours.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from costmodel.core.checks import require
from costmodel.core.errors import CatalogError, check, unknown
from costmodel.facts.records import Model
from costmodel.training import USUAL_VOCAB, usual_hidden, usual_layers

HEAD_SIZE = 128  # usual width of an attention head
KV_SHARE = 8  # heads per key-value head: grouped-query attention of usual models since 2023
WINDOW = 32_768  # usual least context of open models since 2024; assumption
WHOLE = ("layers", "hidden", "heads", "kv_heads", "head_size", "vocab", "window", "ffn", "experts", "experts_per_token", "expert_ffn", "shared_experts",
         "dense_layers", "kv_lora_rank", "q_lora_rank", "rope_head", "nope_head", "v_head", "sliding_window", "full_attention_layers")  # fmt: skip


def own_model(id: str, parameters: float, **known: Any) -> Model:
    """A model that is not in the catalogue, for `Hosted(own_model(...))`: only its parameters must be known.

    `known` are fields of `catalog.Model` (`active_parameters`, `layers`, `hidden`, `heads`, `kv_heads`, `vocab`, `window`,
    `licence`, `retired` ...). The others: L = (N / (12 x 128^2))^(1/3) layers of width h = sqrt(N / (12 L)) for N active
    parameters, heads of 128, one key-value head for eight, 100,000 words and a window of 32,768 tokens. Not in it:
    the experts of a mixture, whose layers must be given.

    >>> mine = own_model("house-9b", 9e9, window=131_072)
    >>> mine.layers, mine.hidden, mine.heads, mine.kv_heads
    (36, 4608, 36, 4)
    """
    names = {f.name for f in fields(Model)} - {"id", "parameters", "sources"}
    for name in known:
        if name not in names:
            raise unknown("field", name, names, where="own_model")
    check(isinstance(id, str) and id, f"own_model: the id is {id!r}, it must be a word such as 'house-9b'")
    require("own_model.parameters", parameters, low=1e6)
    active = known.get("active_parameters", parameters)
    require("own_model.active_parameters", active, low=1e6, high=parameters)
    for name in WHOLE:
        if known.get(name) is not None:
            require(f"own_model.{name}", known[name], low=0 if name in ("shared_experts", "dense_layers") else 1)
            check(known[name] == int(known[name]), f"own_model.{name} is {known[name]!r}, it must be whole")
    if active < parameters and known.get("experts") is None:
        raise CatalogError(f"own_model: {id!r} uses {active:g} of {parameters:g} parameters for a token; give its experts, experts_per_token and expert_ffn")
    layers = known.get("layers") or max(1, round(float(usual_layers(active))))
    head = known.get("head_size") or HEAD_SIZE
    hidden = known.get("hidden") or max(1, round(float(usual_hidden(active, layers)) / head)) * head
    heads = known.get("heads") or max(1, hidden // head)
    guesses = {"maker": "own", "active_parameters": parameters, "layers": layers, "hidden": hidden, "heads": heads, "head_size": head,
               "kv_heads": max(1, heads // KV_SHARE), "vocab": int(USUAL_VOCAB), "window": WINDOW}  # fmt: skip
    given = {name: value for name, value in known.items() if value is not None}
    sources = (("parameters", "yours"), *((name, "yours") for name in given), *((name, "assumption") for name in guesses if name not in given))
    return Model(id=id, parameters=parameters, sources=sources, **{**guesses, **given})
