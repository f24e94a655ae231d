"""What a request costs at an API, from its tokens and a price card (made in cards.py).

A request is a partition of token classes; each class has a rate in USD per million tokens:

    usd = sum over classes of tokens x rate(class, tier) / 1e6 + usd_per_request

The tier is chosen by all prompt tokens of a call (fresh, cached, written, image and audio),
strictly above its threshold, and reprices the whole call, output included. A residency uplift and a
negotiated discount scale every class. Not in here: tool calls, searches, cache storage per hour,
training, taxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from costmodel.core import (
    MTOK,
    CatalogError,
    Doubt,
    Number,
    check,
    frozen,
    middle,
    require,
    unchecked,
)

# token class -> (field of Rates, price key of genai-prices)
CLASSES: dict[str, tuple[str, str]] = {
    "input": ("usd_per_mtok_in", "input_mtok"),
    "cache_read": ("usd_per_mtok_cache_read", "cache_read_mtok"),
    "cache_write": ("usd_per_mtok_cache_write", "cache_write_mtok"),
    "cache_write_1h": ("usd_per_mtok_cache_write_1h", "cache_write_1h_mtok"),
    "output": ("usd_per_mtok_out", "output_mtok"),
    "reasoning": ("usd_per_mtok_reasoning", "output_reasoning_mtok"),
    "image": ("usd_per_mtok_image", "input_image_mtok"),
    "audio": ("usd_per_mtok_audio", "input_audio_mtok"),
    "image_output": ("usd_per_mtok_image_out", "output_image_mtok"),
    "audio_output": ("usd_per_mtok_audio_out", "output_audio_mtok"),
}
PROMPT = ("input", "cache_read", "cache_write", "cache_write_1h", "image", "audio")
# What a class without a price of its own is charged as; using any other such class is an error.
CHARGED_AS = {
    "usd_per_mtok_cache_write": "usd_per_mtok_in",
    "usd_per_mtok_cache_write_1h": "usd_per_mtok_in",
    "usd_per_mtok_image": "usd_per_mtok_in",
    "usd_per_mtok_reasoning": "usd_per_mtok_out",
}
USUAL = (0.001, 1_000.0)  # USD per million tokens; what lies outside is often in another unit
UNUSUAL = "unusual price"
OWN = "own"  # the provider of a card with prices of the user
REMEDY = {
    "cache_read": "send those tokens as fresh input, or choose a model with a cache price",
    "cache_write_1h": "only the 5-minute cache write is priced: use cache_write",
}


@frozen
class Tokens:
    """The tokens of one request, as a partition: no token is in two classes.

    OpenAI and Gemini report cached tokens inside the prompt count: subtract them from `input`.
    OpenAI reports reasoning inside the completion count (subtract it from `output`), Gemini beside
    it.

    Parameters
    ----------
    input : float or array
        Fresh text [token], 0 or more; the same for all others.
    cache_read, cache_write, cache_write_1h : float or array
        Prompt tokens read from a cache, written to it for some minutes, and written for an hour.
    output, reasoning : float or array
        Visible answer and hidden reasoning.
    image, audio : float or array
        Sent to the model.
    image_output, audio_output : float or array
        Drawn and spoken by the model.

    Raises
    ------
    ValueError
        Where a class is no number, or below 0.

    Examples
    --------
    >>> Tokens(input=1_000, cache_read=9_000, output=200).prompt
    10000
    """

    input: Number = 0
    cache_read: Number = 0
    cache_write: Number = 0
    cache_write_1h: Number = 0
    output: Number = 0
    reasoning: Number = 0
    image: Number = 0
    audio: Number = 0
    image_output: Number = 0
    audio_output: Number = 0

    def __post_init__(self) -> None:
        for name, value in self.classes():
            label = f"Tokens.{name}"
            check(
                not isinstance(value, Doubt), f"{label} is {value}, it must be a number of tokens"
            )
            require(label, value)

    def classes(self) -> Iterator[tuple[str, Any]]:
        """Every (class, tokens)."""
        return ((name, getattr(self, name)) for name in CLASSES)

    @property
    def prompt(self) -> Any:
        """Tokens sent, which choose the tier."""
        return sum(getattr(self, name) for name in PROMPT)

    @property
    def total(self) -> Any:
        """All tokens, sent and received."""
        return sum(value for _, value in self.classes())


@frozen
class Rates:
    """List prices of one tier [USD per million tokens]; None means no price of its own.

    Parameters
    ----------
    id : str
        "gpt-6-sol" for the base tier, "gpt-6-sol>272000" for a higher one, "gpt-6-sol@batch" in
        another mode.
    above : float
        Prompt tokens strictly above which this tier holds; 0 for the base.
    usd_per_mtok_in, ... : float, Range or None
        The price of each class of `Tokens`.

    Examples
    --------
    >>> Rates("mine", 0, usd_per_mtok_in=2.0, usd_per_mtok_out=8.0).charged[
    ...     "usd_per_mtok_reasoning"
    ... ]
    8.0
    """

    id: str
    above: float
    usd_per_mtok_in: Any = None
    usd_per_mtok_cache_read: Any = None
    usd_per_mtok_cache_write: Any = None
    usd_per_mtok_cache_write_1h: Any = None
    usd_per_mtok_out: Any = None
    usd_per_mtok_reasoning: Any = None
    usd_per_mtok_image: Any = None
    usd_per_mtok_audio: Any = None
    usd_per_mtok_image_out: Any = None
    usd_per_mtok_audio_out: Any = None

    @cached_property
    def charged(self) -> dict[str, Any]:
        """Rates by field, with a class that has no price of its own charged as CHARGED_AS says.

        A 1-hour write stays without a price where only the 5-minute write has one.
        """
        found = {field: getattr(self, field) for field, _ in CLASSES.values()}
        for field, other in CHARGED_AS.items():
            if found[field] is None:
                found[field] = found[other]
        if self.usd_per_mtok_cache_write is not None:
            found["usd_per_mtok_cache_write_1h"] = self.usd_per_mtok_cache_write_1h
        return found


class Step(NamedTuple):
    """A dated change of list prices, as factors on the prices of the card.

    `factors` are (field, above, factor [x]): from the day `on`, the class costs that many times the
    price of the card, for prompts of more than `above` tokens.

    >>> rise = Step("2026-12-01", (("usd_per_mtok_in", 0.0, 2.0), ("usd_per_mtok_in", 2e5, 1.5)))
    >>> rise.factor("usd_per_mtok_in", 1_000), rise.factor("usd_per_mtok_in", 300_000)
    (2.0, 1.5)
    """

    on: str
    factors: tuple[tuple[str, float, float], ...]

    def factor(self, field: str, prompt_tokens: Any) -> Any:
        """The factor of one class at this prompt length [x]; 1 where the step leaves it alone."""
        found: Any = 1.0
        for name, above, factor in self.factors:
            if name == field and not np.all(found == factor):
                over = prompt_tokens > above
                found = (
                    np.where(over, factor, found) if np.ndim(over) else factor if over else found
                )
        return found


@frozen
class ApiPrice:
    """The price card of one model at one provider on one day; `api_price` makes it.

    Parameters
    ----------
    id, provider, on, mode : str
        The model's id at the provider, the day, and how it is called ("standard", "batch", ...).
    residency : str or None
        Region in which data must stay.
    residency_uplift : float or Range
        Factor on every class [x]; 1 without residency.
    discount : float or Range
        Share off every class, from 0 to below 1.
    window : float or None
        Context window [token].
    usd_per_request : float
        Price of a request on top of its tokens [USD].
    tiers : tuple of Rates
        List prices, the base tier first; `rates` applies uplift and discount.
    notes, sources : tuple
        What has to be said about the card, and pairs of a field and the id of its source.
    asked : str
        What these prices are, in the formula of a line.
    known : frozenset of Step
        Changes of these prices that are known by their day; frozenset() keeps them. `steps` has
        them in order.
    cache_min_tokens : float or Range
        Shortest prefix that is cached [token].
    cache_ttl_s : float or Range
        How long a prefix lives that was written at the lower price of a write [s].

    Examples
    --------
    >>> import costmodel as cm
    >>> card = cm.facts.api_price("gpt-4o", on="2026-11-01")
    >>> card.provider, card.on, card.tiers[0].usd_per_mtok_in
    ('openai', '2026-11-01', 2.5)
    """

    id: str
    provider: str
    on: str
    mode: str
    residency: str | None
    residency_uplift: Any
    discount: Any
    window: float | None
    usd_per_request: float
    tiers: tuple[Rates, ...]
    notes: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    cache_min_tokens: Any = 1024.0
    asked: str = "the list price"
    known: frozenset[Step] = frozenset()  # one value, so that a what-if can replace it
    cache_ttl_s: Any = 300.0

    @property
    def steps(self) -> list[Step]:
        """The known changes, by day."""
        return sorted(self.known)


def request_usd(card: ApiPrice, tokens: Tokens, calls: Number = 1) -> Any:
    """What these tokens cost on this card [USD], in so many calls of one size.

    A Range on the card counts with its median.
    """
    card = middle(card)
    usd = sum(count * rate / MTOK for count, rate in billed(card, tokens, calls).values())
    return usd + calls * card.usd_per_request


def check_window(card: ApiPrice, tokens: Tokens, calls: Number = 1) -> None:
    """Refuse calls whose mean prompt is over the window; a tier above the window leaves it open."""
    most, window = np.max(np.asarray(tokens.prompt) / calls), card.window
    if window is not None and window > card.tiers[-1].above and most > window:
        raise CatalogError(
            f"a prompt of {most:,.0f} tokens is over the {window:,.0f}-token window of {card.id}; "
            "give calls=, if these are the tokens of many calls"
        )


def unusual(card: ApiPrice) -> tuple[str, float] | None:
    """(id.field, price) of a class outside the usual range, unless a note of the card says why."""
    if any(UNUSUAL in note for note in card.notes):
        return None
    found = (
        (f"{tier.id}.{field}", price)
        for tier in card.tiers
        for field, _ in CLASSES.values()
        if (price := middle(getattr(tier, field))) is not None and not USUAL[0] <= price <= USUAL[1]
    )
    return next(found, None)


def said_why(note: str | None) -> tuple[str, ...]:
    """The note of a card that allows prices outside the usual range; none without a word."""
    return (f"{UNUSUAL}: {note}",) if note else ()


def billed(card: ApiPrice, tokens: Tokens, calls: Number = 1) -> dict[str, tuple[Any, Any]]:
    """Each class that occurs -> (tokens, USD per million tokens)."""
    tier, used = rates(card, tokens.prompt / calls), {}
    for name, count in tokens.classes():
        if not np.any(count > 0):
            continue
        rate = getattr(tier, CLASSES[name][0])
        if rate is None:
            remedy = REMEDY.get(name, "the model does not bill that class")
            raise CatalogError(
                f"{card.id} at {card.provider} has no {name} price on {card.on}; {remedy}"
            )
        used[name] = count, rate
    return used


def rates(card: ApiPrice, prompt_tokens: Any = 0, discount: Any = 0.0) -> Rates:
    """The rates that hold at this prompt length, after uplift, discount and a further `discount`.

    `prompt_tokens` is a number or an array (n, 1), which makes the rates arrays. None remains
    where using the class is an error: a cache read without a price, or a 1-hour write beside a
    priced 5-minute one.

    >>> from costmodel.facts.cards import api_price
    >>> card = api_price("gemini-2.5-pro", on="2026-11-01")
    >>> [rates(card, n).usd_per_mtok_in for n in (199_999, 200_000, 200_001)]
    [1.25, 1.25, 2.5]
    """
    base, *higher = card.tiers
    found = dict(base.charged)
    for tier in higher:
        over = prompt_tokens > tier.above
        for field, below in found.items():
            upper = tier.charged[field]
            if below is None or upper is below:
                continue
            if np.ndim(over):
                found[field] = np.where(over, upper, below)
            elif over:
                found[field] = upper
    factor = card.residency_uplift * (1 - card.discount) * (1 - discount)
    scaled: Any = {f: None if x is None else x * factor for f, x in found.items()}
    return unchecked(base, **scaled)
