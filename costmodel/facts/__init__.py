"""Floor 1, and the face `cm.facts`: the rows of `data/` as records, and published prices.

Records     gpu gpus model models rent store stores tuning tunings person people tier tiers
Practice    practice (what is usual, as a Range), retirement, facts (every row, as a table)
Sources     source sources
Prices      api_price api_models price ApiPrice Rates Tokens PRICES_VERSION disagreements
Tokens      count_tokens words_to_tokens pages_to_tokens image_tokens audio_tokens scan_tokens
Words       GLOSSARY (the unit, meaning and bounds of each name), CatalogError

It imports `core`.
"""

from costmodel.core import GLOSSARY, CatalogError, absent
from costmodel.facts.cards import api_models, api_price, disagreements, price
from costmodel.facts.catalog import (
    facts,
    gpu,
    gpus,
    model,
    models,
    people,
    person,
    practice,
    rent,
    retirement,
    source,
    sources,
    store,
    stores,
    tier,
    tiers,
    tuning,
    tunings,
)
from costmodel.facts.media import audio_tokens, image_tokens, scan_tokens
from costmodel.facts.pricelist import PRICES_VERSION
from costmodel.facts.prices import ApiPrice, Rates, Tokens
from costmodel.facts.tokens import count_tokens, pages_to_tokens, words_to_tokens

__all__ = [
    "ApiPrice",
    "CatalogError",
    "GLOSSARY",
    "PRICES_VERSION",
    "Rates",
    "Tokens",
    "api_models",
    "api_price",
    "audio_tokens",
    "count_tokens",
    "disagreements",
    "facts",
    "gpu",
    "gpus",
    "image_tokens",
    "model",
    "models",
    "pages_to_tokens",
    "people",
    "person",
    "practice",
    "price",
    "rent",
    "retirement",
    "scan_tokens",
    "source",
    "sources",
    "store",
    "stores",
    "tier",
    "tiers",
    "tuning",
    "tunings",
    "words_to_tokens",
]
__getattr__ = absent(__name__, __all__)
