"""Ready options: the quick answer, and the usual options for a workload."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from costmodel.choices.mixes import Mix, cascade
from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.waiting import BATCH_S
from costmodel.choices.study import Study
from costmodel.choices.techniques.distillation import Distill
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.operations import Evals, Monitoring
from costmodel.choices.techniques.prompting import FewShot, LongContext, Prompt, PromptCache
from costmodel.choices.techniques.tuning import FineTune, Lora
from costmodel.choices.techniques.upgrades import Upgrades
from costmodel.choices.workload import Workload, is_zero
from costmodel.core import (
    DAYS_PER_MONTH,
    CatalogError,
    Number,
    Range,
    check,
    check_known,
    listed,
    middle,
    not_none,
    public,
    require,
)
from costmodel.facts.tokens import pages_to_tokens, words_to_tokens

LABELS = (
    "Small model",
    "Small model, few-shot + cache",
    "Small model + RAG",
    "Small model, long context + cache",
    "Prompt",
    "Few-shot",
    "Few-shot + cache",
    "RAG",
    "GraphRAG",
    "Long context + cache",
    "Managed fine-tune",
    "LoRA",
    "Distilled",
    "RAG + LoRA",
    "Cascade",
)
MODELS = (
    "gpt-6.1-terra",
    "gpt-6.1-sol",
    "gpt-6-luna",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "gemini-4-argon",
    "gemini-3.8-flash",
    "gemini-3.5-flash-lite",
    "mistral-large-4",
    "deepseek-v4-pro",
)
ASKED = ("requests_per_day", "pages_in", "words_in", "words_out")
# use case: task, and what is asked, for who has no numbers yet
USE_CASES: dict[str, tuple[str | None, float, float, float, float]] = {
    "Support assistant": ("support dialogue", 10_000, 0, 700, 190),
    "Document extraction": ("extract", 3_000, 4, 0, 150),
    "Code assistant": ("code", 5_000, 0, 3_000, 400),
    "Custom": (None, 1_000, 0, 500, 200),
}
WHOLE_CORPUS = ("Small model, long context + cache", "Long context + cache")
WITH_CORPUS = ("Small model + RAG", *WHOLE_CORPUS)
RERANKER = "rerank-v5.0-fast"
CLASSIFY = ("classification", "classification_many")
FORMS = (*CLASSIFY, "extraction", "text_to_sql", "tool_use", "instructions")
CHECKED = (*CLASSIFY, "extraction", "text_to_sql", "code", "code_fix")  # a judge can tell
RELATIONAL = 0.2  # share of questions over several places from which a graph is offered
MANY_REQUESTS = 1_000_000  # a month, from which students and adapters on own GPUs are offered
TOKENS_ONLY, WHOLE_LIFE = "Tokens alone", "Whole life"  # the two options of the quick answer
MOST_DOCUMENTS = 5  # documents that a question needs at most
SEARCHED_FROM = 300_000.0  # tokens; more are read less well than 30,000 that a search selects
SENT_WHOLE = 0.9  # a corpus up to this share of the window is sent whole


@public
def quick(
    use_case: str = "Support assistant",
    model: str = MODELS[0],
    requests_per_day: float | None = None,
    pages_in: float | None = None,
    words_in: float | None = None,
    words_out: float | None = None,
    usd_per_month: float | None = None,
    on: str | None = None,
    task: str | None = None,
) -> tuple[dict[str, Any], Workload]:
    """A first answer: the bill for tokens alone, and the whole life of plain prompting.

    Parameters
    ----------
    use_case : {"Support assistant", "Document extraction", "Code assistant", "Custom"}
        Gives every number that is None.
    model : str
        Id of the price list.
    requests_per_day, pages_in, words_in, words_out : float, optional
        Requests, and what one reads and writes: pages or words in, words out.
    usd_per_month : float, USD, optional
        A known API bill for tokens, from which the requests follow.
    on : str, optional
        Date of the prices.
    task : str, optional
        What is asked, in the words of `Workload`; by default that of the use case.

    Returns
    -------
    dict of label to Option, and Workload

    Raises
    ------
    ValueError
        For an unknown use case, a negative number, or pages and words together.

    Examples
    --------
    >>> import costmodel as cm
    >>> options, work = cm.choices.quick("Custom", requests_per_day=100)
    >>> list(options), round(work.requests_per_month)
    (['Tokens alone', 'Whole life'], 3042)
    """
    check_known("use case", use_case, USE_CASES, "the quick answer")
    usual_task, *usual = USE_CASES[use_case]
    numbers = dict(zip(ASKED, usual, strict=True))
    task = usual_task if task is None else task
    size = not_none(pages_in=pages_in, words_in=words_in)
    if size:  # pages replace words, and words pages
        numbers |= {"pages_in": 0, "words_in": 0} | size
    numbers |= not_none(requests_per_day=requests_per_day, words_out=words_out)
    for name, value in numbers.items():
        require(name, value)
    per_day, pages, words, written = numbers.values()
    check(not (pages and words), "give pages_in or words_in, not both; 0 pages for words")
    read: Any = pages_to_tokens(pages) if pages else words_to_tokens(words)
    answer: Any = words_to_tokens(written)
    if usd_per_month is None:
        work = Workload(
            per_day * DAYS_PER_MONTH, input_tokens=read, output_tokens=answer, task=task
        )
    else:
        require("usd_per_month", usd_per_month, low=0.01)
        work = Workload.from_bill(usd_per_month, model, read.mid, answer.mid, on=on, task=task)
    whole = presets(work, model=model, on=on, only=["Prompt"])["Prompt"]
    return {TOKENS_ONLY: Option(Api(model, on=on)), WHOLE_LIFE: whole}, work


@public
def presets(
    work: Workload,
    model: str = "gpt-6.1-terra",
    small: str = "gpt-6-luna",
    tuning: str = "vertex.gemini-3.5-flash",
    tuned: str = "gemini-3.5-flash",
    open_model: str = "llama-3.1-8b",
    gpu: str = "L40S",
    teacher: str = "deepseek-v4-pro",
    on: str | None = None,
    quality: dict[str, Number] | None = None,
    only: Iterable[str] | str | None = None,
) -> dict[str, Option | Mix]:
    """The usual options that make sense for a workload: the small model first, then what may help.

    They follow from the task, the corpus, the window and the volume; `not_offered` says why others
    are left out. The distilled student and its teacher both read what retrieval finds.

    Parameters
    ----------
    work : Workload
    model, small : str
        The large and the small API model.
    tuning, tuned : str
        A provider's offer to tune, and the model that it tunes.
    open_model, gpu : str
        What runs on GPUs of your own.
    teacher : str
        Labels the examples of the distilled student. It must have open weights, because the terms
        of closed models forbid to train on their answers.
    on : str, optional
        Date of the API prices.
    quality : dict of label to number, Range or Measured, optional
        Your own evaluations, which replace the defaults.
    only : list of labels, or "all", optional
        Exactly these, also where they are not offered.

    Returns
    -------
    dict of label to Option or Mix

    Raises
    ------
    CatalogError
        For an unknown label, and for an unknown model, offer or GPU.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250, task="classify")
    >>> list(cm.presets(work))
    ['Small model', 'Small model, few-shot + cache', 'Prompt', 'Managed fine-tune', 'Cascade']
    """
    quality = quality or {}
    for label in quality:
        check_known("option", label, LABELS, where="the presets")
    api, cheap = _api(model, on, work), _api(small, on, work)
    own = Hosted(open_model, gpu=gpu)
    if only is None:
        left_out = _reasons(work, api)
        wanted = [label for label in LABELS if label not in left_out]
    else:
        wanted = list(LABELS) if only == "all" else list(only)
    for label in wanted:
        check_known("preset", label, LABELS, "presets")
    corpus = work.corpus is not None
    rag = Rag(hybrid=True, reranker=RERANKER)
    read = (rag,) if corpus else ()
    context = LongContext(document_tokens=_document_tokens(work, api))
    run = (Prompt(), Evals(judge=api), Monitoring(judge=cheap), Upgrades())
    signal = "typed_judge" if work.task.family in CHECKED else "asked_confidence"
    sent_on = Range(
        0.15, 0.45, mid=0.3, why="preset: share of requests that the small model hands on"
    )

    def option(serving: Api | Hosted, *techniques: Any) -> Option:
        return Option(serving, *techniques, *run)

    made: dict[str, Callable[[], Option | Mix]] = {
        "Small model": lambda: option(cheap),
        "Small model, few-shot + cache": lambda: option(cheap, FewShot(), PromptCache()),
        "Small model + RAG": lambda: option(cheap, rag),
        "Small model, long context + cache": lambda: option(cheap, context, PromptCache()),
        "Prompt": lambda: option(api),
        "Few-shot": lambda: option(api, FewShot()),
        "Few-shot + cache": lambda: option(api, FewShot(), PromptCache()),
        "RAG": lambda: option(api, rag),
        "GraphRAG": lambda: option(api, GraphRag(extractor=cheap)),
        "Long context + cache": lambda: option(api, context, PromptCache()),
        "Managed fine-tune": lambda: option(Api(tuned, on=on), FineTune(tuning=tuning)),
        "LoRA": lambda: option(own, Lora()),
        "Distilled": lambda: option(own, *read, Distill(teacher=Api(teacher, on=on))),
        "RAG + LoRA": lambda: option(own, rag, Lora()),
        "Cascade": lambda: cascade(
            option(_api(small, on, work, 2), *read),
            option(_api(model, on, work, 2), *read),
            sent_on,
            signal,
        ),
    }
    return {label: with_quality(made[label](), quality.get(label)) for label in wanted}


@public
def not_offered(
    work: Workload, model: str = "gpt-6.1-terra", on: str | None = None
) -> dict[str, str]:
    """Why `presets` leaves out some of the usual options for this workload.

    Parameters
    ----------
    work : Workload
    model : str
        The large API model, whose window counts.
    on : str, optional
        Date of its price card.

    Returns
    -------
    dict of label to reason

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250, task="classify")
    >>> cm.choices.not_offered(work)["RAG"]
    'there is no corpus to look anything up in'
    """
    return _reasons(work, Api(model, on=on))


@public
def with_usual(study: Study, labels: Iterable[str]) -> Study:
    """The study with those of these usual options that it lacks, made for its workload.

    Parameters
    ----------
    study : Study
        One that has them all stays as it is.
    labels : iterable of str
        Labels of `presets`; others are left to the study.

    Returns
    -------
    Study
        Its title says what was added.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = with_usual(cm.load("own_gpus"), ["Few-shot", "LoRA"])
    >>> list(study.options)[-2:], study.title
    (['Few-shot', 'LoRA'], 'An assistant on Llama 3.3 70B, with Few-shot and LoRA added')
    """
    missing = [x for x in dict.fromkeys(labels) if x in LABELS and x not in study.options]
    if not missing:
        return study
    made = presets(study.work, on=study.terms.on, only=missing)
    title = f"{study.title}, with {listed(missing)} added"
    return replace(study, options={**study.options, **made}, title=title, accept_zero=None)


def _api(model: str, on: str | None, work: Workload, calls: int = 1) -> Api:
    """The model behind an API: in batch, where so many calls in turn may wait a day each."""
    wait = middle(work.latency_s)
    if wait is not None and wait >= calls * BATCH_S:
        with suppress(CatalogError):
            return Api(model, on=on, mode="batch")
    return Api(model, on=on)


def _reasons(work: Workload, api: Api) -> dict[str, str]:
    """Why options are not offered, by label; those that are offered are not there."""
    corpus: Any = work.corpus
    forms, many = work.task.family in FORMS, middle(work.requests_per_month) >= MANY_REQUESTS
    mix = middle(work.question_mix) if work.question_mix else None
    found = {"Few-shot": "beside a cache its examples cost a tenth; see few-shot + cache"}
    if corpus is None:
        nothing = "there is no corpus to look anything up in"
        found |= dict.fromkeys((*WITH_CORPUS, "RAG", "GraphRAG", "RAG + LoRA"), nothing)
        found["Few-shot + cache"] = "newer large models gain next to nothing from examples"
    else:
        unread = "examples and tunes teach form, not the documents, which it has not read"
        found |= dict.fromkeys(
            ("Small model, few-shot + cache", "Few-shot + cache", "Managed fine-tune", "LoRA"),
            unread,
        )
        found["RAG + LoRA"] = "a tune of a small model adds little to a passage that it reads"
        hops = work.task.family == "many_hop" if mix is None else mix.relational >= RELATIONAL
        if not hops:
            found["GraphRAG"] = (
                f"fewer than {RELATIONAL:.0%} of the questions need several places; on facts a "
                "graph finds no more than vectors"
            )
        if not is_zero(corpus.growth_per_year) or (middle(corpus).tokens >= _sent_whole(api)):
            found |= dict.fromkeys(
                WHOLE_CORPUS, "the corpus does not fit the window, or is long enough to be searched"
            )
    if corpus is None and not forms:
        found["Managed fine-tune"] = "a tune gives form, and that is not what the task lacks"
    if corpus is None and not (forms and many):
        found["LoRA"] = "below a million requests a month GPUs of your own stand idle"
    if not many:
        found["Distilled"] = "below a million requests a month a student does not pay for its GPUs"
    return found


def _sent_whole(api: Api) -> float:
    """Up to how many tokens a corpus is sent whole: more are better searched."""
    return min(SENT_WHOLE * (api.window or 0.0), SEARCHED_FROM)


def _document_tokens(work: Workload, api: Api) -> Range | None:
    """Tokens that are sent; None where the workload says it or the window holds the corpus."""
    corpus: Any = work.corpus
    if corpus is None or work.document_tokens is not None:
        return None
    tokens, documents = middle(corpus).tokens, middle(corpus).documents
    if is_zero(corpus.growth_per_year) and tokens < _sent_whole(api):
        return None
    if documents:
        one, why = tokens / documents, f"preset: one to {MOST_DOCUMENTS} documents of mean size"
        return Range(one, MOST_DOCUMENTS * one, form="amount", why=why)
    why = "preset: the documents that a search selects for one question"
    return Range(15_000, 60_000, mid=30_000, why=why)


@public
def with_quality(option: Option | Mix, quality: Number | None) -> Option | Mix:
    """The option with your own evaluation in place of every assumed effect.

    Parameters
    ----------
    option : Option or Mix
    quality : number, share, Range or Measured, optional
        None leaves the option as it is.

    Returns
    -------
    Option or Mix

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6.1-terra"))
    >>> cm.choices.with_quality(option, cm.Measured(68, 80)).quality.accepted
    68
    """
    if quality is None:
        return option
    return replace(option, quality=quality)
