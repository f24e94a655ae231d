"""Bills of your own: what was charged, by day, model and class of tokens as far as a bill says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import check, frozen, public, require
from costmodel.ingest.collect import collected, not_read
from costmodel.ingest.reader import TOKENS

# kind of a line -> what its text holds; the first that fits counts
KINDS = {
    "tax": r"\b(tax|vat)\b",
    "discount": r"credit|discount|refund|adjust",
    "fee": r"search|code.?exec|session|\bfee|support|storage|file|grounding|fetch",
    "cache_write_1h": r"cache.?(writ|creat).*1 ?h|1 ?h.?cache|1.?hour.*cache",
    "cache_write_5m": r"cache.?(writ|creat)",
    "cache_read": r"(?<!un)cach(ed|e.?(read|inp|hit))|cchd",
    "reasoning": r"thinking|reasoning",
    "output": r"outpu?t|\bout\b|completion",
    "input": r"inpu?t?|prompt",
}
COLUMNS = "day provider model kind quantity usd team item".split()
NO_MODEL = re.compile(
    r"[\s,_—–-]*(\b(?:text|audio|image|regular|cached|cache)\b.*|(?:cache|input|inp|output|outpt"
    r"|thinking|prompt|completion|batch|token).*)",
    re.IGNORECASE,
)
RATES = 1e-6, 1e3  # dollars for one unit of a currency
REGION = re.compile(r"^[A-Z]{2,4}\d-(MP:)?([A-Z]{2,4}\d_)?")


@frozen
class Bill:
    """What was charged; `read_bill` makes it.

    Parameters
    ----------
    table : DataFrame
        `day`, `provider`, `model`, `kind` (a class of tokens, "fee", "tax", "discount" or
        "other"), `quantity` [token], `usd`, `team` and `item`, the text of the line. What a bill
        does not say is empty.
    notes : tuple of str
        What was left out.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.ingest.Bill.of_total(96.91).usd
    96.91
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def of_total(cls, usd: float) -> Bill:
        """A bill of which only the total is known [USD]."""
        require("the total of the bill", usd, low=0.01)
        nothing = dict.fromkeys(COLUMNS, "") | {"kind": "other", "quantity": np.nan}
        return cls(pd.DataFrame([nothing | {"usd": float(usd)}]))

    @property
    def usd(self) -> float:
        """The total [USD]."""
        return float(self.table["usd"].sum())


@public
def read_bill(
    paths: Any, columns: Mapping[str, str] | None = None, usd_per_unit: float | None = None
) -> Bill:
    """Read a bill: exports of costs of OpenAI, Anthropic, Google, Azure, AWS and FOCUS, or any
    table.

    Parameters
    ----------
    paths : path or list of paths
    columns : dict, optional
        Of a table in no known format: {our column: the column of the file}; ours are time,
        provider, model, item, kind, quantity, amount, credit, currency and team.
    usd_per_unit : float, optional
        Dollars for one unit of the currency of the bill, where that is not the dollar.

    Returns
    -------
    Bill

    Raises
    ------
    CatalogError
        Where a file is in no known format.
    ValueError
        Where the currency is not the dollar and `usd_per_unit` is not given.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> text = "start_time,amount_value,amount_currency,line_item,quantity\\n"
    >>> text += "1790553600,0.5,usd,'gpt-5-nano, input_tokens',1000\\n".replace("'", '"')
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "costs.csv").write_text(text)
    ...     read_bill(folder).table[["model", "kind", "usd"]].values.tolist()
    [['gpt-5-nano', 'input', 0.5]]
    """
    tables, notes = [], []
    for file, given, _, lost in collected(paths, "bill", columns):
        given = given.replace({"amount": {np.inf: np.nan}, "credit": {np.inf: np.nan}})
        lost += [*given.index[given["amount"].isna()]]
        why = "rows hold no amount, or not as many fields as the header, and are not used"
        notes += not_read(file, lost, why)
        tables.append(_lines(given, usd_per_unit))
    return Bill(pd.concat(tables, ignore_index=True), tuple(notes))


def _lines(given: pd.DataFrame, usd_per_unit: float | None) -> pd.DataFrame:
    """The lines of a bill, from the columns of its reader."""
    foreign = set(given["currency"].str.upper()) - {"", "USD"}
    if usd_per_unit is not None:
        require("usd_per_unit", usd_per_unit, *RATES)
    check(
        not foreign or usd_per_unit,
        f"the bill is in {', '.join(sorted(foreign))}; give usd_per_unit=, the dollars for one "
        "unit of it",
    )
    factor = usd_per_unit if foreign and usd_per_unit else 1.0
    kinds = (given["kind"] + " " + given["item"]).map(kind_of)
    named = given["item"].where(kinds.isin(TOKENS), "").map(model_in)
    lines = given[["provider", "model", "quantity", "team", "item"]].assign(
        day=given["time"].dt.strftime("%Y-%m-%d").fillna(""),
        kind=kinds,
        model=given["model"].map(clean_model).where(given["model"] != "", named),
        usd=given["amount"] * factor,
    )
    credits = lines.assign(usd=given["credit"] * factor, kind="discount", quantity=np.nan)
    both = pd.concat([lines[lines["usd"].notna()], credits[given["credit"].fillna(0.0) != 0]])
    return both[COLUMNS]


def kind_of(text: str) -> str:
    """The kind of a line of a bill by its text.

    >>> [kind_of(t) for t in ("gpt-6, cached input", "Sales Tax", "gpt 4o outpt Glbl 1M", "GB")]
    ['cache_read', 'tax', 'output', 'other']
    >>> kind_of("uncached_input_tokens"), kind_of("cache_creation.ephemeral_1h_input_tokens")
    ('input', 'cache_write_1h')
    """
    plain = text.replace("_", " ").replace("-", " ")
    fits = (kind for kind, words in KINDS.items() if re.search(words, plain, re.IGNORECASE))
    return next(fits, "other")


def model_in(item: str) -> str:
    """The model that the text of a line begins with.

    >>> model_in("gpt-6-astra, input_tokens"), model_in("Gemini 2.5 Flash Text Input - Predictions")
    ('gpt-6-astra', 'gemini-2.5-flash')
    >>> model_in("USE1-NovaPro-cache-write-input-token-count-custom-model")
    'novapro'
    """
    return clean_model(NO_MODEL.sub("", REGION.sub("", item)))


def clean_model(name: str) -> str:
    """A display name as an id: "Claude Haiku 4.5" is claude-haiku-4-5."""
    found = re.sub(r"[\s_]+", "-", name.strip().lower()).strip("-")
    return found.replace(".", "-") if found.startswith("claude") else found
