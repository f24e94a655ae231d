"""Token classes as a partition: what a row says, held against what its format includes."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from costmodel.ingest.reader import TOKENS, Reader

PRIVATE = re.compile(r"@|^(sk|pk|ak|key|apikey|AIza)[-_]")
CACHED = TOKENS[1:4]
MONEY = "billed_usd fee_usd elsewhere_usd".split()
AMOUNTS = [*MONEY, "tokens_usd"]
TEXTS = "provider model tier context team session status certainty".split()
NUMBERS = ["calls", *TOKENS, *MONEY]
COLUMNS = ["time", "provider", "model", *NUMBERS, "batch", *TEXTS[2:]]
FREE = "billed 0 though tokens were used; the cost is taken as unknown"
LEAST_USD = 1e-12  # a smaller difference of two amounts is a rounding
Reasons = list[tuple[str, np.ndarray]]  # a reason and the rows that it holds for
ONE = dict(rows="row", lines="line", have="has", hold="holds", do="does", are="is", their="its")


def partition(
    reader: Reader, given: pd.DataFrame, memory: dict
) -> tuple[dict[str, Any], Reasons, np.ndarray]:
    """The columns of `Usage` with `id`, what does not add up, and which rows are empty."""
    n = len(given)
    raw = {name: given[name].to_numpy() for name in (*NUMBERS, "total", "written", "tokens_usd")}
    empty = np.isnan(raw["input"]) & np.isnan(raw["output"])
    failed = empty & (given["status"] != "").to_numpy()
    if reader.absent_is_zero:
        silent = CACHED if "cache_read" not in reader.fields else ()
        for name in {*reader.fields, *CACHED}.intersection(TOKENS).difference(silent):
            raw[name] = np.where(empty, raw[name], np.nan_to_num(raw[name], posinf=np.inf))
    counts = [np.nan_to_num(raw[name], posinf=np.inf) for name in TOKENS]
    sent, read, short, hour, written, thought = counts
    cached, total = read + short + hour, raw["total"]
    with np.errstate(invalid="ignore"):
        beside, apart = conventions(reader, given, (sent, cached, written, thought), memory)
        fresh, visible = sent - ~beside * cached, written - ~apart * thought
        everything = fresh + cached + visible + thought
        why = [
            ("failed: {status}", failed),
            ("a count of tokens is no number", ~np.isfinite(everything)),
            ("a count of calls is no number", np.isinf(raw["calls"])),
            ("an amount is no number", np.any([np.isinf(raw[name]) for name in AMOUNTS], axis=0)),
            ("a count of tokens is below 0", np.min(counts, axis=0) < 0),
            ("a count of calls is below 0", raw["calls"] < 0),
            ("more tokens are cached than the {input:,.0f} sent", fresh < 0),
            ("more tokens are reasoned than the {output:,.0f} written", visible < 0),
            ("the classes do not add up to {total:,.0f} tokens", np.abs(everything - total) > 0.5),
            (
                "cache writes do not add up to {written:,.0f} tokens",
                np.abs(short + hour - raw["written"]) > 0.5,
            ),
        ]
    free = money(raw, given["own_keys"].to_numpy(), everything)
    unsure = {
        "bounded: input": (reader.cached == "either") & np.isnan(total) & (cached > 0),
        "bounded: audio": given["other_tokens"].to_numpy() > 0,
        "unknown: cache_read": np.isnan(raw["cache_read"]),
        "unknown: calls": ("calls" in reader.fields) & np.isnan(raw["calls"]),
        "unchecked": ("total" in reader.fields) & np.isnan(total),
    }
    kinds = [f"lower bound: {reader.bound}" if reader.bound else "exact", *unsure]
    which = np.select([w & (not reader.bound) for w in unsure.values()], range(1, len(kinds)), 0)
    if "calls" not in reader.fields:
        raw["calls"] = np.ones(n)
    raw |= {"input": np.where(empty, np.nan, fresh), "output": np.where(empty, np.nan, visible)}
    status = given["status"]
    if free.any():
        status = status.mask(free, (status + f"; {FREE}").str.removeprefix("; "))
    texts = {name: coded(given[name], PRIVATE_IN.get(name, str)) for name in TEXTS[:6]}
    return {
        "time": pd.DatetimeIndex(given["time"]),
        **texts,
        **{name: thin(raw[name]) for name in NUMBERS},
        "batch": given["batch"].to_numpy(),
        "status": coded(status),
        "certainty": pd.Categorical.from_codes(which, pd.Index(kinds, dtype="str")),
        "id": np.where(
            given["id"] == "", 0, pd.util.hash_array(given["id"].to_numpy(), categorize=False)
        ),
    }, why, empty & ~failed  # fmt: skip


def coded(texts: pd.Series, renamed: Callable[[str], str] = str) -> pd.Categorical:
    """Texts as categories, which are texts also where there are none."""
    found = pd.Categorical(texts)
    return found.rename_categories(pd.Index(map(renamed, found.categories), dtype="str"))


def thin(column: np.ndarray) -> np.ndarray:
    """The column, without memory of its own where all of it is one number."""
    one = len(column) and np.array_equal(column, np.broadcast_to(column[0], len(column)), True)
    return np.broadcast_to(column[0], len(column)) if one else column


def conventions(
    reader: Reader, given: pd.DataFrame, counts: tuple[np.ndarray, ...], memory: dict
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
        seen = memory.setdefault("beside", set())
        seen.update(given["provider"][cached > sent])
        beside = (given["provider"].isin(seen) & (cached > 0)).to_numpy()
    if reader.reasoning == "either":
        apart = thought > written
    for b, a in reversed(list(product(*ways))):
        counted = sent + b * cached + written + a * thought
        adds_up = np.abs(counted - given["total"].to_numpy()) < 0.5
        beside, apart = np.where(adds_up, b, beside), np.where(adds_up, a, apart)
    return beside, apart


def money(raw: dict[str, np.ndarray], own: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Split what was billed in place: fees, and what is paid elsewhere; where a 0 is not believed.

    What the tokens cost is sometimes said beside the bill: the rest of the bill is then a fee, and
    it counts where the bill says 0.
    """
    billed, priced, fee = raw["billed_usd"], raw["tokens_usd"], raw["fee_usd"]
    raw["elsewhere_usd"] = np.where(own, priced, raw["elsewhere_usd"])
    free = (billed == 0) & (tokens > 0) & ~(raw["elsewhere_usd"] > 0)
    raw["billed_usd"] = np.where(free, np.where(priced > 0, priced, np.nan), billed)
    rest = np.where(own | free | (billed - priced < LEAST_USD), np.nan, billed - priced)
    raw["fee_usd"] = np.where(np.isnan(fee), rest, fee)
    return free


def hidden(text: str) -> str:
    """A name of a team or a session; an e-mail or a key is hashed."""
    return f"hidden-{sha256(text.encode()).hexdigest()[:10]}" if PRIVATE.search(text) else text


PRIVATE_IN = {"team": hidden, "session": hidden}


def with_count(count: int, text: str) -> str:
    """A count before a text that begins with a plural.

    >>> with_count(1, "rows have no time"), with_count(1_200, "lines: these are odd")
    ('1 row has no time', '1,200 lines: these are odd')
    """
    start, sign, rest = text.partition(":")
    if count == 1:
        start = " ".join(ONE.get(word, word) for word in start.split())
    return f"{count:,} {start}{sign}{rest}"
