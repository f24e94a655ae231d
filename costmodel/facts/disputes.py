"""Where a second dated source of prices disagrees with the list."""

from __future__ import annotations

import pandas as pd

from costmodel.core import public
from costmodel.facts.cards import api_price
from costmodel.facts.listings import differing, second_prices

COLUMNS = ["provider", "model", "above", "field", "listed", "second", "as_of", "source", "note"]


@public
def disagreements() -> pd.DataFrame:
    """Prices of the list that a second source of the same day gives otherwise.

    Returns
    -------
    DataFrame
        `provider`, `model`, `above` (prompt tokens above which the price holds), `field`, `listed`
        and `second` [USD per million tokens], `as_of` (the day of both), `source` (id of the
        second) and its `note`.

    Examples
    --------
    >>> table = disagreements()
    >>> table.query("model == 'openai.gpt-5.5' and field == 'usd_per_mtok_in'")[
    ...     ["above", "listed", "second"]
    ... ].values.tolist()
    [[272000.0, 5.5, 11.0]]
    """
    rows = []
    days = {id.partition(">")[0]: found[0].as_of for id, found in second_prices().items()}
    for key, day in days.items():
        provider, model = key.split(".", 1)
        card = api_price(model, provider, on=day)
        rows += [
            (provider, model, above, fact.field, listed, fact.value.mid, fact.as_of)
            + (fact.sources[0][1], fact.value.why)
            for above, fact, listed in differing(provider, model, card.tiers)
        ]
    return pd.DataFrame(rows, columns=COLUMNS)
