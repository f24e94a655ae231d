"""Token classes as a partition: what a row says, held against what its format includes."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from costmodel.ingest.reader import TOKENS, Reader

PRIVATE = re.compile(r"@|^(sk|pk|ak|key|apikey|AIza)[-_]")
TIMED = "time provider model".split()
CACHED = TOKENS[1:4]
MONEY = "billed_usd fee_usd elsewhere_usd".split()
FREE = "billed 0 though tokens were used; the cost is taken as unknown"
TEXTS = "provider model tier team session status certainty".split()
NUMBERS = ["calls", *TOKENS, *MONEY]
NO_ID = ""
LEAST_USD = 1e-12  # a smaller difference of two amounts is a rounding


def partition(
    reader: Reader, given: dict[str, Any], n: int, memory: dict
) -> tuple[dict[str, Any], list[tuple[str, np.ndarray]], np.ndarray]:
    """The columns of `Usage`, (reason, rows) of what does not add up, and which rows are empty."""
    none = np.full(n, np.nan)
    raw = {name: given.get(name, none) for name in [*NUMBERS, "total", "written", "tokens_usd"]}
    status = coded(given.get("status"), n)
    empty = np.isnan(raw["input"]) & np.isnan(raw["output"])
    failed = empty & np.asarray(status != "")
    if reader.absent_is_zero:
        silent = CACHED if "cache_read" not in reader.fields else ()
        for name in {*reader.fields, *CACHED}.intersection(TOKENS).difference(silent):
            raw[name] = np.where(empty, raw[name], np.nan_to_num(raw[name], posinf=np.inf))
    sent, read, short, hour, written, thought = (
        np.nan_to_num(raw[name], posinf=np.inf) for name in TOKENS
    )
    cached, total = read + short + hour, raw["total"]
    with np.errstate(invalid="ignore"):
        beside, apart = conventions(reader, given, (sent, cached, written, thought), total, memory)
        fresh, visible = sent - ~beside * cached, written - ~apart * thought
        everything = fresh + cached + visible + thought
    why = [
        ("failed: {status}", failed),
        ("a count of tokens is no number", ~np.isfinite(everything)),
        ("a count of tokens is below 0", np.min([sent, cached, written, thought], axis=0) < 0),
        ("more tokens are cached than the {input:,.0f} sent", fresh < 0),
        ("more tokens are reasoned than the {output:,.0f} written", visible < 0),
        ("the classes do not add up to {total:,.0f} tokens", np.abs(everything - total) > 0.5),
        (
            "cache writes do not add up to {written:,.0f} tokens",
            np.abs(short + hour - raw["written"]) > 0.5,
        ),
    ]
    free = money(raw, given.get("own_keys", np.zeros(n, bool)), everything)
    status = status.add_categories([FREE])
    status[free & np.asarray(status == "")] = FREE
    unsure = {
        "bounded: input": (reader.cached == "either") & np.isnan(total) & (cached > 0),
        "bounded: audio": np.nan_to_num(given.get("other_tokens", none)) > 0,
        "unknown: cache_read": np.isnan(raw["cache_read"]),
        "unknown: calls": ("calls" in reader.fields) & np.isnan(raw["calls"]),
        "unchecked": ("total" in reader.fields) & np.isnan(total),
    }
    kinds = [f"lower bound: {reader.bound}" if reader.bound else "exact", *unsure]
    where = [np.broadcast_to(w, n) for w in unsure.values()] if not reader.bound else []
    certainty = np.select(where, np.arange(1, len(where) + 1).tolist(), 0) if where else none * 0
    if "calls" not in reader.fields:
        raw["calls"] = np.ones(n)
    texts = {name: coded(given.get(name), n) for name in TEXTS}
    for name in ("team", "session"):
        texts[name] = texts[name].rename_categories(_hidden)
    texts["status"] = status.remove_unused_categories()
    texts["certainty"] = pd.Categorical.from_codes(np.nan_to_num(certainty).astype(int), kinds)
    ids = np.zeros(n, np.uint64)
    if given.get("id"):
        names = np.array([NO_ID if i is None else str(i) for i in given["id"]], object)
        ids = pd.util.hash_array(names, categorize=False)
        ids[names == NO_ID] = 0
    data = {
        **{name: _thin(raw[name]) for name in NUMBERS},
        **{"input": np.where(empty, np.nan, fresh), "output": np.where(empty, np.nan, visible)},
        **texts,
        "time": given.get("time", pd.DatetimeIndex([pd.NaT] * n, tz="UTC")),
        "batch": given.get("batch", np.zeros(n, bool)),
        "id": ids,
    }
    return data, why, empty & ~failed


def _thin(column: np.ndarray) -> np.ndarray:
    """The column, without memory of its own where all of it is one number."""
    one = len(column) and np.array_equal(column, np.broadcast_to(column[0], len(column)), True)
    return np.broadcast_to(column[0], len(column)) if one else column


def coded(values: list | None, n: int) -> pd.Categorical:
    """Texts as categories, "" where there is none."""
    if values is None:
        return pd.Categorical.from_codes(np.zeros(n, int), [""])
    found = pd.Categorical(values)
    found = found.rename_categories([str(c) for c in found.categories])
    return (found if "" in found.categories else found.add_categories([""])).fillna("")


def conventions(
    reader: Reader,
    given: dict[str, Any],
    counts: tuple[np.ndarray, ...],
    total: np.ndarray,
    memory: dict,
) -> tuple[np.ndarray, np.ndarray]:
    """Whether what was cached is beside the input, and what was reasoned beside the output.

    Where senders disagree, the total decides. Without one, who was seen to cache more than was
    sent counts beside.
    """
    sent, cached, written, thought = counts
    ways = [(False, True) if r == "either" else (r == "outside",)
            for r in (reader.cached, reader.reasoning)]  # fmt: skip
    beside, apart = (np.full(len(sent), way[0]) for way in ways)
    if reader.cached == "either":
        seen, senders = (
            memory.setdefault("beside", set()),
            given.get("provider", [None] * len(sent)),
        )
        beside = cached > sent
        seen |= {sender for sender, b in zip(senders, beside, strict=True) if b}
        beside |= np.array([sender in seen for sender in senders], bool) & (cached > 0)
    if reader.reasoning == "either":
        apart = thought > written
    for b, a in reversed(list(product(*ways))):
        adds_up = np.abs(sent + b * cached + written + a * thought - total) < 0.5
        beside, apart = np.where(adds_up, b, beside), np.where(adds_up, a, apart)
    return beside, apart


def money(raw: dict[str, np.ndarray], own: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Split what was billed in place: fees, and what is paid elsewhere; where a 0 is not believed.

    What the tokens cost is sometimes said beside the bill: the rest of the bill is then a fee, and
    it counts where the bill says 0.
    """
    billed, priced, fee = raw["billed_usd"], raw["tokens_usd"], raw["fee_usd"]
    raw["elsewhere_usd"] = np.where(own, priced, raw["elsewhere_usd"])
    free = (billed == 0) & (tokens > 0) & ~(np.nan_to_num(raw["elsewhere_usd"]) > 0)
    raw["billed_usd"] = np.where(free, np.where(priced > 0, priced, np.nan), billed)
    rest = np.where(own | free | (billed - priced < LEAST_USD), np.nan, billed - priced)
    raw["fee_usd"] = np.where(np.isnan(fee), rest, fee)
    return free


def _hidden(text: str) -> str:
    """A name of a team or a session; an e-mail or a key is hashed."""
    return f"hidden-{sha256(text.encode()).hexdigest()[:10]}" if PRIVATE.search(text) else text
