"""A model of your own: as much of its architecture as you know, the rest by the stated rule for usual models.

The rule is that of `predict_training`: layers and width from the active parameters (`training.usual_layers`,
`training.usual_hidden`). The register of a report calls what is guessed an assumption, and what you gave yours.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from costmodel.core.checks import require
from costmodel.core.errors import CatalogError, check, unknown
from costmodel.core.public import public
from costmodel.facts.records import Model
from costmodel.laws.training.compute import USUAL_VOCAB, usual_hidden, usual_layers

HEAD_SIZE = 128  # usual width of an attention head
KV_SHARE = 8  # heads per key-value head: grouped-query attention of usual models since 2023
WINDOW = 32_768  # usual least context of open models since 2024; assumption
WHOLE = (
    "layers",
    "hidden",
    "heads",
    "kv_heads",
    "head_size",
    "vocab",
    "window",
    "ffn",
    "experts",
    "experts_per_token",
    "expert_ffn",
    "shared_experts",
    "dense_layers",
    "kv_lora_rank",
    "q_lora_rank",
    "rope_head",
    "nope_head",
    "v_head",
    "sliding_window",
    "full_attention_layers",
)


@public
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
    check(
        isinstance(id, str) and id,
        f"own_model: the id is {id!r}, it must be a word such as 'house-9b'",
    )
    require("own_model.parameters", parameters, low=1e6)
    active = known.get("active_parameters", parameters)
    require("own_model.active_parameters", active, low=1e6, high=parameters)
    for name in WHOLE:
        if known.get(name) is not None:
            require(
                f"own_model.{name}",
                known[name],
                low=0 if name in ("shared_experts", "dense_layers") else 1,
            )
            check(
                known[name] == int(known[name]),
                f"own_model.{name} is {known[name]!r}, it must be whole",
            )
    if active < parameters and known.get("experts") is None:
        raise CatalogError(
            f"own_model: {id!r} uses {active:g} of {parameters:g} parameters for a token; give its experts, experts_per_token and expert_ffn"
        )
    layers = known.get("layers") or max(1, round(float(usual_layers(active))))
    head = known.get("head_size") or HEAD_SIZE
    hidden = known.get("hidden") or max(1, round(float(usual_hidden(active, layers)) / head)) * head
    heads = known.get("heads") or max(1, hidden // head)
    guesses = {
        "maker": "own",
        "active_parameters": parameters,
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "head_size": head,
        "kv_heads": max(1, heads // KV_SHARE),
        "vocab": int(USUAL_VOCAB),
        "window": WINDOW,
    }
    given = {name: value for name, value in known.items() if value is not None}
    sources = (
        ("parameters", "yours"),
        *((name, "yours") for name in given),
        *((name, "assumption") for name in guesses if name not in given),
    )
    return Model(id=id, parameters=parameters, sources=sources, **{**guesses, **given})


def count_parameters(model: Model) -> tuple[float, float]:
    """(all, active) parameters [count] of a standard decoder, counted from its architecture.

    Attention: hidden x head_size x (2 heads + 2 kv_heads), or the low-rank products of multi-head latent attention
    (DeepSeek-V2, arXiv:2405.04434, section 2.1). Feed-forward: three matrices of hidden x ffn, in every layer or, with
    experts, hidden x expert_ffn for each routed and shared expert plus the router. Embeddings: vocab x hidden, twice
    unless tied. Not in it: norms, biases, vision towers, linear attention, multi-token heads. ValueError where the
    architecture is not published in full.

    >>> from costmodel.facts.catalog import model
    >>> [round(n / 1e9, 1) for n in count_parameters(model("deepseek-v3"))]  # published: 671 and 37
    [671.0, 37.6]
    """
    m = model
    used = m.experts_per_token or 0
    known = m.layers and m.head_size and (m.expert_ffn or m.ffn) and bool(m.experts) == bool(used)
    check(
        known,
        f"{m.id}: its architecture is not published in full, so its parameters cannot be counted",
    )
    rank, q_rank, rope, nope, v_head = (
        x or 0 for x in (m.kv_lora_rank, m.q_lora_rank, m.rope_head, m.nope_head, m.v_head)
    )
    if rank:
        query = (
            q_rank * (m.hidden + m.heads * (nope + rope))
            if q_rank
            else m.hidden * m.heads * (nope + rope)
        )
        attention = (
            query
            + m.hidden * (rank + rope)
            + m.heads * (rank * (nope + v_head) + v_head * m.hidden)
        )
    else:
        attention = 2 * m.hidden * m.head_size * (m.heads + m.kv_heads)
    dense = (m.dense_layers or 0) if m.experts else m.layers
    expert = 3 * m.hidden * (m.expert_ffn or m.ffn or 0)
    rest = (
        m.layers * attention
        + dense * 3 * m.hidden * (m.ffn or 0)
        + m.vocab * m.hidden * (1 if m.tied else 2)
    )
    routed = m.layers - dense
    rest += routed * (m.hidden * (m.experts or 0) + expert * (m.shared_experts or 0))
    return float(rest + routed * expert * (m.experts or 0)), float(rest + routed * expert * used)
