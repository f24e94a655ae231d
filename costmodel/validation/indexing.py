"""How far published tokens of graph indices lie from the model, and from each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.techniques.graphs import VARIANTS, GraphRag
from costmodel.core import public
from costmodel.laws.retrieval import graph_index_ratio
from costmodel.validation.held_out import measured

# assumption: text behind one graph of GraphRAG-Bench Novel, which its paper does not state
NOVEL_TOKENS = 600_000.0


@public
def index_fidelity() -> pd.DataFrame:
    """Hold published index and query tokens of graphs against the model; nothing is left out.

    Returns
    -------
    pandas.DataFrame
        One row a published number. Columns: variant, what, reported; law_low, law, law_high [90 %
        of the law of that variant, which was set with this row in view, so that it is no check];
        others_low, others, others_high [the least, the geometric mean and the most of the other
        sources of that variant at chunks of about the same length, missing where there are none];
        inside (whether the row lies within these others); source.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.validation.index_fidelity().set_index(["variant", "what"])
    >>> bool((table["law_low"] <= table["law_high"]).all())
    True
    """
    table = measured("indexing")
    found = table[table["variant"].isin(VARIANTS)].to_dict("records")
    rows = []
    for r in found:
        others = [o["value"] for o in found if _same_kind(o, r)] or [np.nan]
        law_low, law, law_high = _law(r)
        low, high = min(others), max(others)
        rows.append(
            {
                "variant": r["variant"],
                "what": r["metric"].replace("_", " "),
                "reported": r["value"],
                "law_low": law_low,
                "law": law,
                "law_high": law_high,
                "others_low": low,
                "others": np.exp(np.mean(np.log(others))),
                "others_high": high,
                "inside": None if np.isnan(low) else bool(low <= r["value"] <= high),
                "source": r["source"],
            }
        )
    return pd.DataFrame(rows)


def _law(row: dict[str, Any]) -> list[float]:
    """[low, middle, high] of what the model says of a published row."""
    mode = "global" if row["metric"] == "query_tokens_global" else "local"
    graph: Any = GraphRag(variant=row["variant"], mode=mode)
    kind = graph.variant

    def at(end: str) -> float:
        if row["metric"] == "index_ratio":
            overhead = getattr(kind.index_overhead_tokens, end)
            per_token = getattr(kind.index_tokens_per_token, end)
            return float(graph_index_ratio(row["chunk_tokens"], overhead, per_token))
        if mode == "global":
            return getattr(graph.report_share, end) * NOVEL_TOKENS
        return getattr(kind.context_tokens, end)

    return [at(end) for end in ("low", "mid", "high")]


def _same_kind(other: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether another source reports the index tokens of that variant at a similar chunk length."""
    return (
        other["metric"] == row["metric"] == "index_ratio"
        and other["variant"] == row["variant"]
        and other["family"] != row["family"]
        and abs(other["chunk_tokens"] / row["chunk_tokens"] - 1) < 0.1
    )
