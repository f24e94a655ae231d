"""A first scenario from four answers, as YAML that a person goes on with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from costmodel.choices.presets import MODELS
from costmodel.choices.workload import Workload
from costmodel.core import Number, check_known, middle, number_text, public, require
from costmodel.facts.tokens import pages_to_tokens, words_to_tokens


class Use(NamedTuple):
    """What somebody wants a model for, and what is asked about it."""

    title: str
    task: str | None
    amount: str  # the question of how much is asked, or paid
    size: str  # the question of how much is read
    usual: tuple[float, float]  # the answers offered, to both
    words_in: Number  # of one request, besides what `size` says
    words_out: Number


USES = {
    "documents": Use(
        "Answers from documents",
        "answer from documents",
        "How many requests a month?",
        "How many pages do the documents have in all?",
        (30_000, 5_000),
        120,
        180,
    ),
    "fields": Use(
        "Fields out of documents",
        "extract",
        "How many documents a month?",
        "How many pages has one document?",
        (20_000, 4),
        0,
        150,
    ),
    "code": Use(
        "Help with code",
        "code",
        "How many requests a month?",
        "How many words of code and text does one request read?",
        (100_000, 3_000),
        0,
        400,
    ),
    "bill": Use(
        "What we pay today",
        None,
        "How much does the API cost a month, in USD?",
        "How many words does one request read?",
        (5_000, 700),
        0,
        190,
    ),
}
WRONG = "A wrong answer costs how many USD (asked again 0.05, a ticket 4, a refund 40)?"
USUAL_WRONG = 0.4
INSTRUCTION_WORDS = 400


@public
def first_scenario(use: str, amount: float, size: float, wrong: float, on: str) -> str:
    """A scenario of the usual options from four answers, as YAML text with remarks.

    Parameters
    ----------
    use : {"documents", "fields", "code", "bill"}
        What the model is for.
    amount : float, requests/month, or USD/month for "bill"
        How much is asked, or paid today to an API.
    size : float, pages for "documents" and "fields", words otherwise
        How much the documents hold, or one request reads.
    wrong : float, USD
        What an answer that is not accepted costs.
    on : str
        The day of the prices.

    Returns
    -------
    str
        What `load` takes; write it into a file.

    Raises
    ------
    CatalogError, ValueError
        For an unknown use, and for a number below its limit.

    Examples
    --------
    >>> import costmodel as cm
    >>> text = first_scenario("fields", 20_000, size=4, wrong=0.4, on="2026-11-20")
    >>> cm.load(text).title, cm.load(text).work.requests_per_month
    ('Fields out of documents', 20000)
    """
    check_known("use", use, USES, "those that `init` knows")
    asked = USES[use]
    require("amount", amount, 0.01)
    require("size", size, 0.01)
    require("wrong", wrong)
    read: Callable[..., Any] = pages_to_tokens if use == "fields" else words_to_tokens
    corpus = middle(pages_to_tokens(size)) if use == "documents" else 0
    one = middle(read(asked.words_in if corpus else size))
    written = middle(words_to_tokens(asked.words_out))
    if use == "bill":
        amount = Workload.from_bill(amount, MODELS[0], one, written, on=on).requests_per_month
    lines = [
        f"title: {asked.title}",
        "workload:  # a number may be a range, such as {low: 200, high: 900}",
        f"  requests_per_month: {_plain(amount)}",
        f"  task: {asked.task}" if asked.task else "  # task: classify, extract, answer, code ...",
        f"  instruction_tokens: {_plain(middle(words_to_tokens(INSTRUCTION_WORDS)))}",
        f"  input_tokens: {_plain(one)}  # what one request brings",
        f"  output_tokens: {_plain(written)}  # the visible answer",
        *([f"  corpus: {{tokens: {_plain(corpus)}, churn_per_month: 0.03}}"] if corpus else ()),
        f"  usd_per_failure: {wrong:g}  # what a wrong answer costs",
        "  growth_per_year: {low: 0.05, high: 0.5, mid: 0.2}",
        f"terms: {{months: 36, on: {on}}}",
        "options: presets  # the usual ways for this work; docs/scenario.md has all fields",
        "quality_floor: 0.6  # least share of accepted answers",
    ]
    return "\n".join(lines) + "\n"


def _plain(number: Any) -> str:
    """A number in three figures as YAML reads it."""
    return number_text(number, figures=3).replace(",", "_")
