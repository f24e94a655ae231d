"""What arrives: a Workload with its Corpus and its mix of questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.lengths import PromptLengths
from costmodel.choices.quality.task import Task, task_of
from costmodel.choices.requests import Call, Request, Segment
from costmodel.choices.seasons import Seasons, seasons_of
from costmodel.core import (
    SECONDS_PER_HOUR,
    Number,
    Range,
    assumed,
    check,
    check_known,
    checked,
    frozen,
    middle,
    of_kind,
    one_number,
    require,
    shares_of_one,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.cards import price
from costmodel.facts.prices import Tokens
from costmodel.facts.tokens import pages_to_tokens, words_to_tokens
from costmodel.laws.money import compounded

if TYPE_CHECKING:
    Id = Any  # the record is put in its place, which types cannot tell
    TaskOrWords = Any
else:
    Id = str
    TaskOrWords = Task | str | None

OTHER_LANGUAGES = catalog.practice("multilingual.token_factor")  # tokens over those of English
FIRST, ANSWER = LATENCY_OF = "first token", "answer"


@checked
class Corpus:
    """The knowledge behind the answers, as it is today and as it changes.

    Parameters
    ----------
    tokens : number, token
    documents, pages : number, optional
        None: unknown, and as many pages as the tokens fill.
    churn_per_month : number, share/month
        Share of the corpus that is rewritten.
    growth_per_year : number, share/year
    access_groups : number, at least 1
        Groups of readers that may see different parts of it.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.Corpus(tokens=4e6, churn_per_month=0.03).page_count > 5_000
    True
    """

    # -- size
    tokens: Number
    documents: Number | None = None
    # -- change
    churn_per_month: Number = 0.0
    growth_per_year: Number = 0.0
    # -- pages and readers
    pages: Number | None = None
    access_groups: Number = 1.0

    @property
    def page_count(self) -> Any:
        """Pages [count]: as given, or the tokens over those of a usual page."""
        if self.pages is not None:
            return self.pages
        return self.tokens / catalog.practice("text.tokens_per_page").mid

    def size(self, months: int) -> Any:
        """Tokens of months 0..H over those of today, (H + 1,) or (n, H + 1); 1 without growth."""
        if is_zero(self.growth_per_year):
            return 1.0
        return compounded(self.growth_per_year, months)

    @classmethod
    def from_pages(cls, pages: Number, other_languages: float = 0.0, **fields: Any) -> Corpus:
        """A corpus from its pages, by the sourced number of tokens per page.

        `other_languages` is the share of the text that is not English and takes more tokens.

        >>> Corpus.from_pages(1_000).tokens.mid
        700000.0
        >>> Corpus.from_pages(1_000, other_languages=1.0).tokens.mid
        1050000.0
        """
        require("other_languages", other_languages, 0, 1)
        more = 1 + other_languages * (OTHER_LANGUAGES.mid - 1)
        return cls(tokens=_times(pages_to_tokens(pages), more), pages=pages, **fields)


@frozen
class QuestionMix:
    """Shares of question types, which add up to 1.

    Parameters
    ----------
    fact, multi_hop, whole, summary, filtered, temporal : number, share
        Looked up in one place, over several places, about the whole corpus, to be summarised; with
        a condition on metadata (a source, a customer), and about what held when.

    Raises
    ------
    ValueError
        When a share is outside 0 to 1, or they do not add up to 1.

    Examples
    --------
    >>> import costmodel as cm
    >>> mix = cm.QuestionMix(fact=0.6, multi_hop=0.3, summary=0.1)
    >>> round(mix.relational, 2)
    0.4
    >>> cm.QuestionMix(fact=0.6)
    Traceback (most recent call last):
    ValueError: question_mix adds up to 0.6, its shares must add up to 1
    """

    fact: Number = 1.0
    multi_hop: Number = 0.0
    whole: Number = 0.0
    summary: Number = 0.0
    filtered: Number = 0.0
    temporal: Number = 0.0

    def __post_init__(self) -> None:
        validate(self)
        shares = middle(self)
        total = sum(getattr(shares, kind) for kind in self.__dataclass_fields__)
        check(
            np.allclose(total, 1), f"question_mix adds up to {total:g}, its shares must add up to 1"
        )

    @property
    def relational(self) -> Any:
        """Share of questions that need more than one place."""
        return self.multi_hop + self.whole + self.summary


@frozen
class Workload:
    """What arrives: requests over time, the tokens of one, and the knowledge behind it.

    Parameters
    ----------
    requests_per_month : number, above 0
        In an ordinary month, before growth and without the ramp.
    instruction_tokens, input_tokens, output_tokens, reasoning_tokens : number, token
        Of one request: the fixed prompt, what the user sends, the visible answer, hidden reasoning.
    other_languages : number, share
        Requests that are not English: they have more tokens, and are answered a little worse.
    prompt_lengths : PromptLengths, optional
        How requests differ from that mean, so that each pays the context tier of its own prompt.
    images, image_tokens : number, optional
        Images of one request [count], and the tokens of one [token]: `cm.facts.image_tokens`
        converts from pixels, by provider.
    audio_seconds, audio_tokens_per_s : number, optional
        Audio of one request [s], and the tokens of a second: `cm.facts.audio_tokens(1, provider)`.
    corpus : Corpus, optional
        The knowledge behind the answers.
    document_tokens : number, token, optional
        Documents that one question needs; None is left to the techniques.
    question_mix : QuestionMix or dict, optional
        Shares of question types, such as `{"fact": 0.7, "multi_hop": 0.3}`.
    active_hours_per_month : number, 1 to 744
        Hours in which requests arrive.
    peak_to_average : number, at least 1
        Load of the busiest hour over the mean of the active hours.
    growth_per_year : number, share/year
    ramp_months : number, month
        Months until all requests arrive.
    seasons : Seasons, dict or list, optional
        What single months bring beyond an ordinary one: `{"december": 1.8}` is +180 %, 2.8 times as
        many requests. A list has twelve factors over an ordinary month, from January on.
    task : str or Task, optional
        What is asked: classify, "classify, many labels" (50 and more), extract, answer, answer from
        documents, many-hop, summary over a corpus, summarise, write, translate, code, fix code,
        text to SQL, support dialogue, agent, tools, or "a name of your own (like classify)".
        Quality follows from it. Without one, a workload with a corpus is taken for questions about
        documents, and any other is as wide as all tasks. A corpus means that answers need it.
    difficulty : {"easier", "usual", "harder"}, number or Range [log-odds], optional
        How much harder the task is than a usual one of its family.
    usd_per_failure : number, USD
        What an answer that is not accepted costs.
    latency_s : number, s, optional
        What 19 of 20 requests must not wait longer for. An option that is slower cannot run, and
        own GPUs answer fewer requests at once until they are fast enough.
    latency_of : {"first token", "answer"}
        What they wait for: the first token, or the whole answer.
    shares : dict of text to share, optional
        Part of the requests of each team: {"sales": 0.6}. `cm.finance.showback` allots the cost.
    tier : {"prototype", "internal", "product", "critical"}
        How much the service matters. With the volume it sets the hours of people, the golden set,
        the human review, the rota and the traces, wherever nobody has given them.

    Raises
    ------
    CatalogError
        When the tier is not known.
    ValueError
        When a field is outside its range, or when no tokens are given.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250, growth_per_year=1.0)
    >>> work.demand(13)[[0, 1, 13]].tolist()
    [0.0, 1.0, 2.0]
    >>> peak = cm.Workload(300_000, input_tokens=900, seasons={"december": 1.8})
    >>> peak.demand(3, start="2027-11-01").tolist()
    [0.0, 1.0, 2.8, 1.0]
    """

    # -- one request
    requests_per_month: Number
    instruction_tokens: Number = 0.0
    input_tokens: Number = 0.0
    output_tokens: Number = 0.0
    reasoning_tokens: Number = 0.0
    prompt_lengths: PromptLengths | None = None
    images: Number | None = None
    image_tokens: Number | None = None
    audio_seconds: Number | None = None
    audio_tokens_per_s: Number | None = None
    other_languages: Number = 0.0
    # -- what is asked
    task: TaskOrWords = None
    difficulty: Number | str | None = None
    # -- the knowledge behind it
    corpus: Corpus | None = None
    document_tokens: Number | None = None
    question_mix: QuestionMix | dict | None = None
    # -- over time
    active_hours_per_month: Number = 220.0  # 22 working days of 10 hours
    peak_to_average: Number = assumed(1.5, 2.5, 4.0, "office-hours traffic; measure yours")
    growth_per_year: Number = 0.0
    ramp_months: Number = 0.0
    seasons: Seasons | dict | list | None = None
    # -- wrong answers
    usd_per_failure: Number = 0.0
    # -- the need for speed
    latency_s: Number | None = None
    latency_of: str = "first token"
    # -- people
    tier: catalog.Tier | Id = "product"
    shares: dict | None = None  # of teams

    def __post_init__(self) -> None:
        if isinstance(self.question_mix, dict):
            types = QuestionMix.__dataclass_fields__
            for name in self.question_mix:
                check_known("question type", name, types, where="question_mix")
            object.__setattr__(self, "question_mix", QuestionMix(**self.question_mix))
        task = task_of(self.task, self.difficulty, self.corpus is not None)
        tier = catalog.tier(self.tier) if isinstance(self.tier, str) else self.tier
        seasons = seasons_of(self.seasons)
        vars(self).update(seasons=seasons, task=task, difficulty=None, tier=tier)
        kinds = {"corpus": Corpus, "question_mix": QuestionMix, "seasons": Seasons}
        for name, kind in (kinds | {"tier": catalog.Tier, "prompt_lengths": PromptLengths}).items():
            if getattr(self, name) is not None:
                of_kind(f"Workload.{name}", getattr(self, name), kind)
        validate(self)
        shares_of_one("Workload.shares", self.shares)
        for sent, (number, each) in self._media().items():
            check(
                (number is None) == (each is None),
                f"Workload: {sent} needs its amount and its tokens; give images= and image_tokens=,"
                " or audio_seconds= and audio_tokens_per_s= (cm.facts.image_tokens, audio_tokens)",
            )
        check_known("latency_of", self.latency_of, LATENCY_OF, where="Workload")
        requests: Any = self.requests_per_month
        above = np.min(getattr(requests, "low", requests)) > 0
        check(above, f"Workload.requests_per_month is {requests}, it must be above 0")
        sent_or_said = self.instruction_tokens, self.input_tokens, self.output_tokens
        media = (x for x in (self.images, self.audio_seconds) if x is not None)
        none = "Workload: input_tokens and output_tokens are 0; give the tokens of one request"
        check(not all(map(is_zero, (*sent_or_said, *media))), none)

    # -- other ways to say how much arrives --------------------------------------------------------

    @classmethod
    def from_pages(
        cls, requests_per_month: Number, pages_in: Number, words_out: Number, **fields: Any
    ) -> Workload:
        """A workload in pages read and words written per request, converted by sourced factors."""
        read, written = pages_to_tokens(pages_in), words_to_tokens(words_out)
        return cls(requests_per_month, input_tokens=read, output_tokens=written, **fields)

    @classmethod
    def from_words(
        cls, requests_per_month: Number, words_in: Number, words_out: Number, **fields: Any
    ) -> Workload:
        """A workload in words read and written per request, converted by a sourced factor."""
        read, written = words_to_tokens(words_in), words_to_tokens(words_out)
        return cls(requests_per_month, input_tokens=read, output_tokens=written, **fields)

    @classmethod
    def from_users(
        cls,
        users: Number,
        requests_per_user_per_day: float,
        days_per_month: float = 22,
        **fields: Any,
    ) -> Workload:
        """A workload from active users and how often each asks on a working day.

        Users may be a Range, the other numbers may not.

        >>> Workload.from_users(500, 6, input_tokens=900, output_tokens=250).requests_per_month
        66000
        """
        one_number("requests_per_user_per_day", requests_per_user_per_day)
        one_number("days_per_month", days_per_month)
        require("users", users)
        return cls(_times(users, requests_per_user_per_day * days_per_month), **fields)

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
        """A workload from a known monthly API bill: bill / list price of one request.

        >>> bill = Workload.from_bill(7_750, "gpt-4o", 2_300, 200, on="2026-11-01")
        >>> round(bill.requests_per_month)
        1000000
        """
        one_number("usd_per_month", usd_per_month)
        tokens = Tokens(
            input=input_tokens + fields.get("instruction_tokens", 0),
            output=output_tokens,
            reasoning=fields.get("reasoning_tokens", 0),
        )
        each = price(model, tokens, provider=provider, on=on)
        check(
            each > 0,
            f"one request of {input_tokens} tokens in and {output_tokens} out costs nothing; "
            "give its tokens",
        )
        requests = usd_per_month / each
        return cls(requests, input_tokens=input_tokens, output_tokens=output_tokens, **fields)

    # -- what the others ask -----------------------------------------------------------------------

    def request(self) -> Request:
        """One request before any technique: instructions (they repeat) and the user's input."""
        more = 1 + self.other_languages * (OTHER_LANGUAGES.mid - 1)
        instructions = Segment("instructions", self.instruction_tokens, stable=True)
        sent = [instructions, Segment("input", self.input_tokens * more)]
        for kind, (number, each) in self._media().items():
            if number is not None:
                sent.append(Segment(kind, number * each, kind=kind))
        call = Call(tuple(sent), self.output_tokens * more, self.reasoning_tokens)
        return Request((replace(call, lengths=self.prompt_lengths),))

    def _media(self) -> dict[str, tuple[Any, Any]]:
        """How much of what is no text a request has, and the tokens of one."""
        return {
            "image": (self.images, self.image_tokens),
            "audio": (self.audio_seconds, self.audio_tokens_per_s),
        }

    @property
    def flat(self) -> bool:
        """Whether every month brings the same number of requests."""
        return self.seasons is None and is_zero(self.growth_per_year) and is_zero(self.ramp_months)

    def demand(self, months: int, start: str | None = None) -> np.ndarray:
        """Requests of months 0..H over `requests_per_month`, shape (H + 1,) or (n, H + 1).

        (1 + growth)^((m - 1) / 12) x min(1, m / ramp) x season, and nothing in month 0. `start` is
        the first day of month 1 (`Terms.start`), without which seasons have no place.
        """
        memo = self.__dict__.setdefault("_demand", {})
        if (months, start) not in memo:
            m = np.arange(months + 1)
            grown = compounded(self.growth_per_year, months, since=1)
            path = grown * np.minimum(1.0, m / np.maximum(self.ramp_months, 1e-9))
            seasons: Any = self.seasons
            if seasons is not None:
                check(start, "demand: seasons need the first month; give start='2027-01-01'")
                path = path * seasons.factors(start, months)
            memo[months, start] = path
        return memo[months, start]

    def arrivals_per_s(self, requests_per_month: Any) -> Any:
        """Mean arrivals in the active hours [1/s]."""
        return requests_per_month / (self.active_hours_per_month * SECONDS_PER_HOUR)


def is_zero(value: Any) -> bool:
    """Whether a value is a plain 0: no doubt, and no array."""
    return isinstance(value, (int, float)) and value == 0


def _times(value: Any, factor: float) -> Any:
    """A number, or a Range with its ends and its middle, times a factor."""
    if not isinstance(value, Range):
        return value * factor
    ends = {end: getattr(value, end) * factor for end in ("low", "mid", "high")}
    return replace(value, **ends)
