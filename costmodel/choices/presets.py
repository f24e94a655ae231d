"""Ready options: the quick answer, the eleven presets, and changes to all options at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from costmodel.choices.options import Mix, Option, cascade
from costmodel.choices.profiles import profile
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.techniques.distillation import Distill
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.lora import Lora
from costmodel.choices.techniques.operations import Evals, Monitoring
from costmodel.choices.techniques.prompting import FewShot, LongContext, Prompt, PromptCache
from costmodel.choices.techniques.tuning import FineTune
from costmodel.choices.techniques.upgrades import Upgrades
from costmodel.choices.workload import Workload, is_zero
from costmodel.core import (
    DAYS_PER_MONTH,
    Number,
    Range,
    check,
    check_known,
    middle,
    not_none,
    of_kind,
    one_number,
    public,
    require,
)
from costmodel.facts.tokens import pages_to_tokens, words_to_tokens

LABELS = (
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
    "mistral-large-latest",
    "deepseek-v4-pro",
)
ASKED = ("requests_per_day", "pages_in", "words_in", "words_out")
# use case: what is asked, for who has no numbers yet
USE_CASES: dict[str, tuple[float, float, float, float]] = {
    "Support assistant": (10_000, 0, 700, 190),
    "Document extraction": (3_000, 4, 0, 150),
    "Code assistant": (5_000, 0, 3_000, 400),
    "Custom": (1_000, 0, 500, 200),
}
# with plain instructions: (task, share accepted of the large model, of the small one), low to high
OWN_KNOWLEDGE = ("a task within the model's own knowledge", (0.60, 0.78, 0.90), (0.45, 0.64, 0.80))
UNREAD = ("questions about documents it has not read", (0.20, 0.35, 0.55), (0.12, 0.25, 0.42))
TOKENS_ONLY, WHOLE_LIFE = "Tokens alone", "Whole life"  # the two options of the quick answer
MOST_DOCUMENTS = 5  # documents that a question needs at most
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
    numbers = dict(zip(ASKED, USE_CASES[use_case], strict=True))
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
        work = Workload(per_day * DAYS_PER_MONTH, input_tokens=read, output_tokens=answer)
    else:
        require("usd_per_month", usd_per_month, low=0.01)
        work = Workload.from_bill(usd_per_month, model, read.mid, answer.mid, on=on)
    whole = presets(work, model=model, on=on)["Prompt"]
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
) -> dict[str, Option | Mix]:
    """The eleven usual options for a workload, from plain prompting to a cascade.

    Where the workload has a corpus, plain prompting starts low, because the model has not read it.
    The distilled student and its teacher then both read what retrieval finds.

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
        of closed models forbid to train on their answers. It is taken to be as good as `model`.
    on : str, optional
        Date of the API prices.
    quality : dict of label to number, Range or Measured, optional
        Your own evaluations, which replace the defaults.

    Returns
    -------
    dict of label to Option or Mix

    Raises
    ------
    CatalogError
        For an unknown label in `quality`, and for an unknown model, offer or GPU.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250)
    >>> list(cm.presets(work))[:3]
    ['Prompt', 'Few-shot', 'Few-shot + cache']
    """
    of_kind("presets: the workload", work, Workload)
    quality = quality or {}
    for label in quality:
        check_known("option", label, LABELS, where="the presets")
    task, *shares = OWN_KNOWLEDGE if work.corpus is None else UNREAD
    large, little = (
        Range(low, high, mid, name=name, why=f"preset: plain instructions, {task}")
        for name, (low, mid, high) in zip(("accepted.large", "accepted.small"), shares, strict=True)
    )
    api = Api(model, on=on, accepted=large)
    cheap = Api(small, on=on, accepted=little)
    own = Hosted(open_model, gpu=gpu, accepted=little)
    shown = FewShot() if work.corpus is None else Rag()
    read = () if work.corpus is None else (Rag(reader="small"),)
    context = LongContext(document_tokens=_document_tokens(work, api))
    distil = Distill(teacher=Api(teacher, on=on, accepted=large))
    why = "preset: share of requests that the small model hands on"
    run = (Prompt(), Evals(judge=api), Monitoring(judge=cheap), Upgrades())

    def option(serving: Api | Hosted, *techniques: Any) -> Option:
        return Option(serving, *techniques, *run)

    options: tuple[Option | Mix, ...] = (
        option(api),
        option(api, FewShot()),
        option(api, FewShot(), PromptCache()),
        option(api, Rag()),
        option(api, GraphRag(extractor=cheap)),
        option(api, context, PromptCache()),
        option(Api(tuned, on=on, accepted=large), FineTune(tuning=tuning)),
        option(own, Lora()),
        option(own, *read, distil),
        option(own, Rag(reader="small"), Lora()),
        cascade(option(cheap, shown), option(api, shown), Range(0.15, 0.45, mid=0.3, why=why)),
    )
    return {
        label: with_quality(option, quality.get(label))
        for label, option in zip(LABELS, options, strict=True)
    }


def _document_tokens(work: Workload, api: Api) -> Range | None:
    """Tokens that one question needs; None where the workload says it or the window holds all."""
    corpus: Any = work.corpus
    if corpus is None or work.document_tokens is not None:
        return None
    tokens, documents = middle(corpus).tokens, middle(corpus).documents
    if is_zero(corpus.growth_per_year) and tokens < SENT_WHOLE * (api.window or 0):
        return None
    if documents:
        one, why = tokens / documents, f"preset: one to {MOST_DOCUMENTS} documents of mean size"
        return Range(one, MOST_DOCUMENTS * one, form="amount", why=why)
    why = "preset: the documents that one question needs, before retrieval picks passages"
    return Range(15_000, 60_000, mid=30_000, why=why)


@public
def with_quality(option: Option | Mix, quality: Number | None) -> Option | Mix:
    """The option with your own evaluation in place of every assumed effect.

    Parameters
    ----------
    option : Option or Mix
        In a Mix, every part gets the evaluation.
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
    if isinstance(option, Mix):
        return Mix(mix=[replace(p, option=with_quality(p.option, quality)) for p in option.mix])
    return replace(option, quality=quality)


@public
def with_fleet(
    options: Mapping[str, Any],
    work: Workload,
    own_model: str | None = None,
    gpu: str | None = None,
    precision: str | None = None,
    traffic_profile: str | None = None,
    peak_to_avg: Number | None = None,
    throughput_tps: Number | None = None,
    gpu_hourly: Number | None = None,
    min_replicas: Number | None = None,
    headroom: Number | None = None,
    spare_replicas: Number | None = None,
    fte: Number | None = None,
    purchase_price: Number | None = None,
    life_months: Number | None = None,
    residual: Number | None = None,
) -> tuple[dict[str, Any], Workload]:
    """All options on own GPUs, and their workload, with everything changed that is not None.

    Parameters
    ----------
    options : dict of label to Option or Mix
        Options without GPUs of their own stay as they are.
    work : Workload
        What arrives.
    own_model, gpu, precision : str, optional
        Model, machine and number format.
    traffic_profile : str, optional
        Name of a profile, see `profile`.
    peak_to_avg : number, x, at least 1, optional
        Load of the busiest active hour over the mean; it overrides the peak of the profile.
    throughput_tps : number, token/s, optional
        Measured output of one replica.
    gpu_hourly : number, USD/GPU-hour, optional
        Your rent.
    min_replicas, spare_replicas : number, count, optional
        Replicas that stay up at least, and those beside what the load needs.
    headroom : number, share, 0 to 0.99, optional
        Capacity kept free beside queueing.
    fte : number, FTE, optional
        People who keep it running.
    purchase_price : number, USD, optional
        Price of one GPU that is bought.
    life_months : number, month, optional
        How long a bought server lives before it is replaced.
    residual : number, share, optional
        Share of its price that a bought server still fetches after three years.

    Returns
    -------
    dict of label to Option or Mix, and Workload
        The options in the same order, and the workload with its traffic profile.

    Raises
    ------
    ValueError
        When something is changed that no option has.

    Examples
    --------
    >>> import costmodel as cm
    >>> options = {"own": cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))}
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250)
    >>> options, _ = cm.serving.with_fleet(options, work, gpu_hourly=1.5)
    >>> options["own"].serving.rent.usd_per_gpu_hour
    1.5
    """
    hosted = {
        label: option
        for label, option in options.items()
        if isinstance(getattr(option, "serving", None), Hosted)
    }
    owned = [option.serving.owned is not None for option in hosted.values()]
    purchase = not_none(capex_usd=purchase_price, life_months=life_months, residual=residual)
    check(
        any(owned) or not purchase,
        "with_fleet: purchase_price, life_months or residual changes nothing, because no option "
        "has bought GPUs",
    )
    check(
        gpu_hourly is None or not all(owned),
        "with_fleet: gpu_hourly changes nothing, because no option has rented GPUs",
    )
    timing = profile(traffic_profile) if traffic_profile is not None else {}
    work = replace(work, **timing | not_none(peak_to_average=peak_to_avg))
    changes = not_none(
        model=own_model, gpu=gpu, precision=precision, replicas_min=min_replicas, upkeep_fte=fte
    )
    if headroom is not None:
        one_number("with_fleet: headroom", headroom, 0, 0.99)
        changes["load_max"] = 1 - headroom
    if throughput_tps is not None:
        one_number("with_fleet: throughput_tps", throughput_tps)
        answer = middle(work).request().main.generated_tokens
        changes["requests_per_s"] = throughput_tps / answer

    def changed(serving: Hosted) -> Hosted:
        fleet = replace(serving.fleet, **not_none(spare_replicas=spare_replicas))
        bought = serving.owned and replace(serving.owned, **purchase)
        serving = replace(serving, **changes, fleet=fleet, owned=bought)
        if gpu_hourly is None or bought:
            return serving
        rent = replace(serving.rent, id="your rent", usd_per_gpu_hour=gpu_hourly, sources=())
        return replace(serving, rent=rent)

    for label, option in hosted.items():
        hosted[label] = replace(option, serving=changed(option.serving))
    return {**options, **hosted}, work
