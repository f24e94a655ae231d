"""Documents of your own as a corpus, and what an index of them would cost."""

from __future__ import annotations

import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus, Workload
from costmodel.core import DAYS_PER_MONTH, one_number, public
from costmodel.ingest.documents import Documents
from costmodel.ledgers.book import ledger
from costmodel.studies.graph_index import index_cost

USD = ["usd_low", "usd", "usd_high"]


@public
def corpus(documents: Documents, months: float | None = None, repeats: bool = False) -> Corpus:
    """A corpus from the documents of a folder.

    Parameters
    ----------
    documents : Documents
    months : float, optional
        Between the older folder and this one, above 0; makes the churn.
    repeats : bool
        Whether documents that nearly repeat another are kept.

    Returns
    -------
    Corpus

    Examples
    --------
    >>> import costmodel as cm
    >>> table = pd.DataFrame({"tokens": [700.0, 900.0], "repeats": "", "changed": [False, True]})
    >>> made = corpus(cm.ingest.Documents(table, pd.DataFrame()), months=6)
    >>> made.tokens, round(made.churn_per_month, 3)
    (1600.0, 0.094)
    """
    kept = documents.table if repeats else documents.table[documents.table["repeats"] == ""]
    churn = 0.0
    if months is not None:
        one_number("months", months, 1 / DAYS_PER_MONTH)
        churn = min(documents.changed_share / months, 1.0)
    return Corpus(float(kept["tokens"].sum()), documents=len(kept), churn_per_month=churn)


@public
def index_prices(corpus: Corpus, extractor: Api, draws: int = 1_000) -> pd.DataFrame:
    """What an index of a corpus would cost to build: of vectors, and of each kind of graph.

    Parameters
    ----------
    corpus : Corpus
    extractor : Api
        The model that reads the corpus for a graph.
    draws : int
        Random draws behind the bands.

    Returns
    -------
    DataFrame
        By `index` ("vectors" first): `usd_low`, `usd`, `usd_high` [USD, 80 % band].

    Examples
    --------
    >>> import costmodel as cm
    >>> made = index_prices(cm.Corpus(5e6), cm.Api("gpt-6-luna", on="2026-11-20"), draws=50)
    >>> made.usd.round(2).loc[["vectors", "full"]].to_dict()
    {'vectors': 0.11, 'full': 30.26}
    """
    work = Workload(1.0, input_tokens=1.0, corpus=corpus)
    lines = ledger(Option(extractor, Rag()), work, Terms(months=1), base_case=True)
    usd = float(lines.loc[lines["item"] == "embed the corpus", "usd"].sum())
    vectors = pd.DataFrame([[usd] * len(USD)], ["vectors"], USD)
    graphs = index_cost(work, extractor, draws=draws)[USD]
    return pd.concat([vectors, graphs]).rename_axis("index")
