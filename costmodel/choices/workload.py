"""What arrives, and on which terms it is calculated: Workload with its Corpus, Terms with price trends and people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.requests import Call, Request, Segment
from costmodel.core.checks import require, validate
from costmodel.core.errors import check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Doubt, Number, Range
from costmodel.core.units import MONTHS_PER_YEAR, SECONDS_PER_HOUR
from costmodel.facts import catalog

# -- what arrives --------------------------------------------------------------------------------------


@public
@dataclass(frozen=True)
class Corpus:
    """The knowledge behind the answers: its size in tokens, how much of it changes, how it grows, and how many groups of
    readers may see different parts of it (`access_groups`). `pages` None: as many as its tokens fill."""

    tokens: Number
    documents: Number | None = None
    churn_per_month: Number = 0.0
    growth_per_year: Number = 0.0
    pages: Number | None = None
    access_groups: Number = 1.0

    def __post_init__(self) -> None:
        validate(self, optional=("documents", "pages"))
        require("Corpus.tokens", self.tokens, low=1)
        require("Corpus.access_groups", self.access_groups, low=1)

    @property
    def page_count(self) -> Any:
        """Pages [count]: as given, or the tokens over those of a usual page."""
        return (
            self.tokens / catalog.practice("text.tokens_per_page").mid
            if self.pages is None
            else self.pages
        )

    def size(self, months: int) -> Any:
        """Tokens of months 0..H relative to today, shape (H + 1,) or (n, H + 1); 1 when the corpus does not grow."""
        still = isinstance(self.growth_per_year, (int, float)) and self.growth_per_year == 0
        return (
            1.0
            if still
            else (1 + self.growth_per_year) ** (np.arange(months + 1) / MONTHS_PER_YEAR)
        )

    @classmethod
    def from_pages(cls, pages: Number, other_languages: float = 0.0, **fields: Any) -> Corpus:
        """A corpus from its pages, by the sourced number of tokens per page; `other_languages` is the share of the text that
        is not English and takes more tokens.

        >>> (
        ...     Corpus.from_pages(1_000).tokens.mid,
        ...     Corpus.from_pages(1_000, other_languages=1.0).tokens.mid,
        ... )
        (700000.0, 1050000.0)
        """
        from costmodel.facts.tokens import pages_to_tokens

        require("other_languages", other_languages, 0, 1)
        more = 1 + other_languages * (catalog.practice("multilingual.token_factor").mid - 1)
        english: Any = pages_to_tokens(pages)
        tokens = replace(
            english, low=english.low * more, high=english.high * more, mid=english.mid * more
        )
        return cls(tokens=tokens, pages=pages, **fields)


@public
@dataclass(frozen=True)
class QuestionMix:
    """Shares of question types: looked up in one place, over several hops, about the whole, to summarise."""

    fact: Number = 1.0
    multi_hop: Number = 0.0
    whole: Number = 0.0
    summary: Number = 0.0

    def __post_init__(self) -> None:
        validate(self)
        shares = (self.fact, self.multi_hop, self.whole, self.summary)
        total = sum(s.mid if isinstance(s, Doubt) else s for s in shares)
        check(
            np.allclose(total, 1), f"question_mix adds up to {total:g}, its shares must add up to 1"
        )

    @property
    def relational(self) -> Any:
        """Share of questions that need more than one place."""
        return self.multi_hop + self.whole + self.summary


@public
@dataclass(frozen=True)
class Workload:
    """What arrives: requests a month in month 1, tokens per request, the knowledge behind it, what a failure costs.

    `input_tokens` is what the user sends, `instruction_tokens` the fixed prompt before it. Requests arrive in
    `active_hours_per_month`; the busiest hour brings `peak_to_average` times the mean of those hours.
    """

    requests_per_month: Number
    instruction_tokens: Number = 0.0
    input_tokens: Number = 0.0
    output_tokens: Number = 0.0
    reasoning_tokens: Number = 0.0
    corpus: Corpus | None = None
    document_tokens: Number | None = None
    question_mix: QuestionMix | dict | None = None
    active_hours_per_month: Number = 220.0  # 22 working days of 10 hours
    peak_to_average: Number = Range(
        1.5, 4.0, mid=2.5, why="assumption: office-hours traffic; measure yours"
    )
    growth_per_year: Number = 0.0
    ramp_months: Number = 0.0
    usd_per_failure: Number = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.question_mix, dict):
            for name in self.question_mix:
                if name not in QuestionMix.__dataclass_fields__:
                    raise unknown(
                        "question type",
                        name,
                        QuestionMix.__dataclass_fields__,
                        where="question_mix",
                    )
            object.__setattr__(self, "question_mix", QuestionMix(**self.question_mix))
        for name, kind in (("corpus", Corpus), ("question_mix", QuestionMix)):
            value = getattr(self, name)
            check(
                value is None or isinstance(value, kind),
                f"Workload.{name} is {value!r}, it must be a {kind.__name__}(...) or None",
            )
        validate(self, optional=("document_tokens",))
        least: Any = getattr(self.requests_per_month, "low", self.requests_per_month)
        check(
            np.min(least) > 0,
            f"Workload.requests_per_month is {self.requests_per_month}, it must be above 0",
        )
        empty = all(
            isinstance(t, (int, float)) and t == 0
            for t in (self.instruction_tokens, self.input_tokens, self.output_tokens)
        )
        check(
            not empty,
            "Workload: input_tokens and output_tokens are 0; give the tokens of one request",
        )

    @classmethod
    def from_pages(
        cls, requests_per_month: Number, pages_in: Number, words_out: Number, **fields: Any
    ) -> Workload:
        """A workload in pages read and words written per request, converted by sourced factors."""
        from costmodel.facts.tokens import pages_to_tokens, words_to_tokens

        return cls(
            requests_per_month,
            input_tokens=pages_to_tokens(pages_in),
            output_tokens=words_to_tokens(words_out),
            **fields,
        )

    @classmethod
    def from_words(
        cls, requests_per_month: Number, words_in: Number, words_out: Number, **fields: Any
    ) -> Workload:
        """A workload in words read and written per request, converted by a sourced factor."""
        from costmodel.facts.tokens import words_to_tokens

        return cls(
            requests_per_month,
            input_tokens=words_to_tokens(words_in),
            output_tokens=words_to_tokens(words_out),
            **fields,
        )

    @classmethod
    def from_users(
        cls,
        users: Number,
        requests_per_user_per_day: float,
        days_per_month: float = 22,
        **fields: Any,
    ) -> Workload:
        """A workload from active users (a number or a Range) and how often each asks on a working day.

        >>> Workload.from_users(500, 6, input_tokens=900, output_tokens=250).requests_per_month
        66000
        """
        for name, value in (
            ("requests_per_user_per_day", requests_per_user_per_day),
            ("days_per_month", days_per_month),
        ):
            check(
                isinstance(value, (int, float)) and value > 0,
                f"{name} is {value!r}, it must be a number above 0; a Range goes into users",
            )
        require("users", users)
        each = requests_per_user_per_day * days_per_month
        many = (
            replace(users, low=users.low * each, mid=users.mid * each, high=users.high * each)
            if isinstance(users, Range)
            else users * each
        )
        return cls(many, **fields)

    @classmethod
    def from_bill(
        cls,
        usd_per_month: float,
        model: str,
        input_tokens: float,
        output_tokens: float,
        on: str | None = None,
        provider: str | None = None,
        **fields: Any,
    ) -> Workload:
        """A workload from a known monthly API bill: requests = bill / price of one request at list prices.

        >>> round(
        ...     Workload.from_bill(7_750, "gpt-4o", 2_300, 200, on="2026-11-01").requests_per_month
        ... )
        1000000
        """
        from costmodel.facts.prices import Tokens, price

        check(
            isinstance(usd_per_month, (int, float)) and usd_per_month > 0,
            f"usd_per_month is {usd_per_month!r}, it must be a number above 0",
        )
        tokens = Tokens(
            input=input_tokens + fields.get("instruction_tokens", 0),
            output=output_tokens,
            reasoning=fields.get("reasoning_tokens", 0),
        )
        each = price(model, tokens, provider=provider, on=on)
        check(
            each > 0,
            f"one request of {input_tokens} tokens in and {output_tokens} out costs nothing; give its tokens",
        )
        return cls(
            usd_per_month / each, input_tokens=input_tokens, output_tokens=output_tokens, **fields
        )

    def request(self) -> Request:
        """One request before any technique: instructions (they repeat) and the user's input."""
        segments = (
            Segment("instructions", self.instruction_tokens, stable=True),
            Segment("input", self.input_tokens),
        )
        return Request((Call(segments, self.output_tokens, self.reasoning_tokens),))

    @property
    def flat(self) -> bool:
        """True when every month brings the same number of requests."""
        return all(
            isinstance(x, (int, float)) and x == 0 for x in (self.growth_per_year, self.ramp_months)
        )

    def demand(self, months: int) -> np.ndarray:
        """Requests of months 0..H relative to month 1 without ramp, shape (H + 1,) or (n, H + 1); month 0 is 0.

        (1 + growth)^((m - 1) / 12) x min(1, m / ramp).
        """
        memo = self.__dict__.setdefault("_demand", {})
        if months not in memo:
            m = np.arange(months + 1)
            path = (
                np.ones(months + 1)
                if self.flat
                else (1 + self.growth_per_year) ** (np.maximum(m - 1, 0) / MONTHS_PER_YEAR)
            )
            if not self.flat:
                path = path * np.minimum(1.0, m / np.maximum(self.ramp_months, 1e-9))
            memo[months] = np.where(m == 0, 0.0, path)
        return memo[months]

    def arrivals_per_s(self, requests_per_month: Any) -> Any:
        """Mean arrivals in the active hours [1/s]."""
        return requests_per_month / (self.active_hours_per_month * SECONDS_PER_HOUR)
