"""A model of your own: the known part of its architecture, the rest by the rule for usual models.

The rule is that of `predict_training`: layers and width from the active parameters (`usual_layers`,
`usual_hidden`). The register of a report calls a guess an assumption, and your own numbers yours.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from costmodel.core import CatalogError, check, check_known, public, require
from costmodel.facts.records import Model
from costmodel.laws.training.compute import USUAL_VOCAB, usual_hidden, usual_layers

HEAD_SIZE = 128  # usual width of an attention head
KV_SHARE = 8  # heads per key-value head: grouped-query attention of usual models since 2023
WINDOW = 32_768  # usual least context of open models since 2024; assumption
KNOWN = {
    f.name: str(f.type) for f in fields(Model) if f.name not in ("id", "parameters", "sources")
}
MAY_BE_0 = ("shared_experts", "dense_layers")


@public
def own_model(id: str, parameters: float, **known: Any) -> Model:
    """A model that is not in the catalogue, for `Hosted(own_model(...))`.

    Only its parameters must be known. The rest: L = (N / (12 x 128^2))^(1/3) layers of width h =
    sqrt(N / (12 L)) for N active parameters, heads of 128, one key-value head for eight, 100,000
    words and a window of 32,768 tokens. Not in it: the experts of a mixture, which must be given.

    Parameters
    ----------
    id : str
        A word such as "house-9b".
    parameters : number, at least 1e6 [count]
    **known
        Fields of the records of models: `active_parameters`, `layers`, `hidden`, `heads`,
        `kv_heads`, `vocab`, `window`, `licence`, `retired` ...

    Returns
    -------
    Model
        Its `sources` say which fields are yours and which are guessed.

    Raises
    ------
    CatalogError
        For an unknown field, with the nearest name, or a mixture without its experts.
    ValueError
        For a number outside its range.

    Examples
    --------
    >>> mine = own_model("house-9b", 9e9, window=131_072)
    >>> mine.layers, mine.hidden, mine.heads, mine.kv_heads
    (36, 4608, 36, 4)
    """
    check(
        isinstance(id, str) and id,
        f"own_model: the id is {id!r}, it must be a word such as 'house-9b'",
    )
    require("own_model.parameters", parameters, low=1e6)
    given = {name: value for name, value in known.items() if value is not None}
    active = given.get("active_parameters", parameters)
    require("own_model.active_parameters", active, low=1e6, high=parameters)
    for name in known:
        check_known("field", name, KNOWN, where="own_model")
        if name in given and "int" in KNOWN[name]:
            label = f"own_model.{name}"
            require(label, known[name], low=0 if name in MAY_BE_0 else 1)
            check(known[name] == int(known[name]), f"{label} is {known[name]!r}, it must be whole")
    if active < parameters and "experts" not in given:
        raise CatalogError(
            f"own_model: {id!r} uses {active:g} of {parameters:g} parameters for a token; "
            "give its experts, experts_per_token and expert_ffn"
        )
    layers = given.get("layers") or max(1, round(float(usual_layers(active))))
    head = given.get("head_size") or HEAD_SIZE
    hidden = given.get("hidden") or max(1, round(float(usual_hidden(active, layers)) / head)) * head
    heads = given.get("heads") or max(1, hidden // head)
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
    sources = dict.fromkeys(("parameters", *given), "yours")
    sources |= {name: "assumption" for name in guesses if name not in sources}
    return Model(
        id=id, parameters=parameters, sources=tuple(sources.items()), **{**guesses, **given}
    )
