"""The questions of the notebooks: their controls and picks, and the study that these make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from costmodel.choices.effort import over
from costmodel.choices.options import each
from costmodel.choices.presets import (
    MODELS,
    TOKENS_ONLY,
    USE_CASES,
    WHOLE_LIFE,
    quick,
    with_quality,
    with_usual,
)
from costmodel.choices.profiles import with_own_gpus
from costmodel.choices.quality.tasks import OTHER, PLAIN_WORDS
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study
from costmodel.choices.techniques.graphs import VARIANTS, GraphRag
from costmodel.choices.techniques.tuning import Tune
from costmodel.choices.workload import Corpus
from costmodel.core import Measured, Range, check, kept, middle, objects
from costmodel.decisions.uncertainty import tornado
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.ingest.given import given as files_given
from costmodel.pages.first_words import first_answer
from costmodel.pages.widgets.funding import Case
from costmodel.pages.widgets.keeping_alive import Alive
from costmodel.pages.widgets.questions import (
    AS_IT_IS,
    USUAL,
    VOLUME,
    WRONG,
    Amounts,
    Pick,
    Question,
    drawn,
    held_against,
    same_names,
)
from costmodel.studies.history.question import study as study_of_files

FEW = 300  # draws to find what matters
BOUGHT = "bought"
TUNES = ("Prompt", "Few-shot + cache", "Managed fine-tune", "LoRA", "Distilled")
PAGES = "Corpus.pages"  # by which the documents are counted; their tokens follow
GRAPH = "GraphRAG"  # the option whose kind of graph can be picked
MIXES = {  # what the questions ask for, for who has not counted
    "mostly single facts": {"fact": 0.9, "multi_hop": 0.1},
    "many that join facts": {"fact": 0.6, "multi_hop": 0.4},
    "some about the whole": {"fact": 0.5, "multi_hop": 0.2, "whole": 0.3},
    "mostly about the whole": {"fact": 0.1, "multi_hop": 0.2, "whole": 0.7},
}


@dataclass(frozen=True)
class Hosting(Question):
    """An API, or GPUs that are rented or bought."""

    title: str = "API or your own GPUs?"
    controls: tuple[str, ...] = (
        VOLUME,
        "hosting.maintenance_fte",
        "usd_per_gpu_hour",
        "peak_to_average",
        "months",
    )
    notebook: str = "02_api_or_own_gpus"

    def completed(self, study: Study) -> Study:
        return with_own_gpus(study)

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        held = (
            ("as in the scenario", AS_IT_IS),
            ("rented only", "rented"),
            ("bought only", BOUGHT),
        )
        front = [
            replace(pick, front=pick.name in ("own_model", "gpu", "precision"))
            for pick in super().picks(study, picked)
        ]
        return [Pick("held", "Rent or buy", held, front=True), *front]

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        study, held = super().rebuild(study, given), given.get("held")
        if not held:
            return study
        kept = {}
        for label, option in study.options.items():
            hosts = [part for part in objects(option) if isinstance(part, Hosted)]
            bought = any(host.owned is not None for host in hosts)
            if not hosts or bought == (held == BOUGHT):
                kept[label] = option
        return study.only(*kept)

    def answer(
        self, study: Study, given: Mapping[str, Any], full: bool = True
    ) -> tuple[Verdict, Amounts]:
        """The verdict, with cards that hold the cheapest GPUs of one's own against the cheapest
        option without them."""
        found = super().answer(study, given, full)
        own: list[str] = []
        others: list[str] = []
        for label, option in study.options.items():
            hosted = any(isinstance(part, Hosted) for part in objects(option))
            (own if hosted else others).append(label)
        titles = ("On own GPUs, a month", "Without them, a month")
        return held_against(*found, study, own, others, titles)


@dataclass(frozen=True)
class Tuning(Question):
    """A cached prompt, a tune, or a distilled model."""

    title: str = "Cache the prompt, tune a model, or distil one?"
    controls: tuple[str, ...] = ("usd_per_item", "pass_chance", "retrain_months")
    floor: bool = False
    notebook: str = "03_prompt_cache_tune_or_distil"

    def completed(self, study: Study) -> Study:
        return with_usual(study, TUNES)

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        tunes, chosen = same_names(_tunes(study)), _chosen_tune(study, picked)
        own = [Pick("tune", "Tune", tunes, chosen, front=True)] if tunes else []
        return [*own, *super().picks(study, picked)]

    def in_sight(self, study: Study, picked: Mapping[str, Any]) -> tuple[str, ...]:
        kind = _tunes(study).get(_chosen_tune(study, picked), "Lora")
        tenants = f"{kind}.adapters"
        return (VOLUME, f"{kind}.examples", *self.controls, tenants, "PromptCache.burst")

    def parameters(self, study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
        chosen = _chosen_tune(study, given)
        return {"tune": chosen} if chosen else {}

    def answer(
        self, study: Study, given: Mapping[str, Any], full: bool = True
    ) -> tuple[Verdict, Amounts]:
        """The verdict, with cards that hold the tune against the cheapest option without one."""
        found, chosen = super().answer(study, given, full), _chosen_tune(study, given)
        others = [label for label in study.options if label not in _tunes(study)]
        titles = (f"{chosen}, a month", "Without a tune, a month")
        return held_against(*found, study, [chosen], others, titles)


def _tunes(study: Study) -> dict[str, str]:
    """The kind of tune of each option that has one."""
    kinds = {
        label: [type(part).__name__ for part in objects(option) if isinstance(part, Tune)]
        for label, option in study.options.items()
    }
    return {label: names[0] for label, names in kinds.items() if names}


def _chosen_tune(study: Study, picked: Mapping[str, Any]) -> str:
    """The tune that was picked, where it is one; else LoRA, or the first."""
    tunes = _tunes(study)
    wanted = (picked.get("tune"), "LoRA", *tunes)
    return next((label for label in wanted if label in tunes), "")


@dataclass(frozen=True)
class Quick(Question):
    """From pages, words or a bill to a first answer."""

    title: str = "What will this cost, roughly?"
    controls: tuple[str, ...] = ("requests_per_day", "words_in", "pages_in", "words_out")
    tab: str = "Where the money goes"
    in_two: bool = False
    refills: tuple[str, ...] = ("use_case",)
    notebook: str = "00_quick_answer"
    remembered: bool = True
    scenario: bool = False

    def in_sight(self, study: Study, picked: Mapping[str, Any]) -> tuple[str, ...]:
        return (*self.controls, "usd_per_month", "months")

    def filed(self, asked: Any) -> Study:
        """The whole life: tokens alone are no choice beside it."""
        return asked.now().only(WHOLE_LIFE)

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        model = study.option(TOKENS_ONLY).serving.model.id if TOKENS_ONLY in study.options else ""
        first = {"use_case": "Support assistant", "model": model or MODELS[0], "task": ""}
        return first | given

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        models = dict.fromkeys((picked["model"], *MODELS))
        tasks = (("as in the use case", ""), *((w, w) for w in PLAIN_WORDS), ("other", OTHER))
        return [
            Pick("use_case", "Use case", same_names(USE_CASES), picked["use_case"], front=True),
            Pick("model", "Model", same_names(models), picked["model"], front=True),
            Pick("task", "What is asked", tasks, picked["task"] or ""),
        ]

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        _, per_day, pages, words, written = USE_CASES[picked["use_case"]]
        usual = {
            "requests_per_day": per_day,
            "words_in": words,
            "pages_in": pages,
            "words_out": written,
            "usd_per_month": 0,
        }
        return {name: float(picked.get(name) or usual[name]) for name in usual}

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        pages, bill = given["pages_in"], given["usd_per_month"] or None
        read = {"pages_in": pages} if pages else {"words_in": given["words_in"]}
        options, work = quick(
            given["use_case"],
            given["model"],
            None if bill else given["requests_per_day"],
            words_out=given["words_out"],
            usd_per_month=bill,
            on=study.terms.on,
            task=given["task"] or None,
            **read,
        )
        return replace(study, options=options, work=work, accept_zero=None, quality_floor=None)

    def idle(self, given: Mapping[str, Any]) -> dict[str, str]:
        why = {}
        if given["usd_per_month"]:
            why["requests_per_day"] = "not used: the bill says how many; set the bill to 0"
        if given["pages_in"]:
            why["words_in"] = "not used: pages are read; set the pages to 0"
        return why

    def parameters(self, study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
        idle = self.idle(given)
        numbers = ("requests_per_day", "pages_in", "words_in", "usd_per_month", "words_out")
        asked = {x: given[x] for x in numbers if x not in idle and given[x]}
        named = {x: given[x] for x in ("use_case", "model", "task") if given[x]}
        return named | asked | drawn(study)

    def answer(
        self, study: Study, given: Mapping[str, Any], full: bool = True
    ) -> tuple[Verdict, Amounts]:
        verdict = first_answer(study)
        life, tokens = verdict.table.loc[WHOLE_LIFE], verdict.table.loc[TOKENS_ONLY]
        calls = tokens["to_pay"] / study.terms.months
        usd = life["per_month"], calls, 1_000 * life["per_request"]
        return verdict, tuple((float(x), "money") for x in (*usd, life["per_accepted"]))


@dataclass(frozen=True)
class Knowledge(Question):
    """Retrieval, a graph, or everything in the prompt."""

    title: str = "Retrieval, a graph, or everything in the prompt?"
    controls: tuple[str, ...] = (
        VOLUME,
        f"{PAGES}|Corpus.tokens",
        "Corpus.churn_per_month",
        "top_k",
        WRONG,
        "output_tokens",
    )

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        mixes = (("as given", AS_IT_IS), *((name, name) for name in MIXES))
        kinds = (("as given", AS_IT_IS), *((name, name) for name in VARIANTS))
        own = [Pick("mix", "Questions", mixes, front=True)]
        if GRAPH in study.options:
            own.append(Pick("variant", "Kind of graph", kinds, front=True))
        return own + super().picks(study, picked)

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        return {PAGES: _pages(study.work.corpus)} if study.work.corpus else {}

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        study, kind = super().rebuild(study, given), given.get("variant")
        documents, pages = study.work.corpus, given.get(PAGES)
        if documents and pages is not None and pages != _pages(documents):
            work = replace(study.work, corpus=_of_pages(documents, pages))
            study = replace(study, work=work, accept_zero=None)
        if mix := MIXES.get(given.get("mix", "")):
            work = replace(study.work, question_mix=mix)
            study = replace(study, work=work, accept_zero=None)
        if not kind:
            return study

        def other(graph: GraphRag) -> GraphRag:
            return replace(graph, variant=kind, mode="local", index_tokens=None)

        graph = study.options.get(GRAPH)
        check(graph is not None, "no option GraphRAG here, so there is no graph to choose")
        graph = each(graph, lambda thing: isinstance(thing, GraphRag), other)
        return replace(study, options={**study.options, GRAPH: graph}, accept_zero=None)


def _pages(documents: Corpus) -> Any:
    """Pages of the documents: as given, or as many as their tokens fill."""
    return documents.pages or float(middle(documents).page_count)


def _of_pages(documents: Corpus, pages: Any) -> Corpus:
    """The documents with another number of pages, as dense as they are."""
    tokens: Any = documents.tokens
    was = middle(_pages(documents))
    if isinstance(pages, Range) and not isinstance(tokens, Range):
        tokens = over(pages, lambda x: x * documents.tokens / was)
    else:
        tokens = over(tokens, lambda x: x * middle(pages) / was)
    return replace(documents, pages=documents.pages and pages, tokens=tokens)


@dataclass(frozen=True)
class Measure(Question):
    """What matters, and what to measure."""

    title: str = "Should I measure first?"
    tab: str = "What matters"
    notebook: str = "06_what_matters"

    def in_sight(self, study: Study, picked: Mapping[str, Any]) -> tuple[str, ...]:
        if picked.get("judged"):
            return ("judged_answers", "accepted_answers", *USUAL)
        study = study.changed(draws=min(study.draws, FEW))
        named = recommend(study, flips=False, pilots=False).named
        found = tornado(study, named)["input"].head(6) if named else ()
        return (*found, *USUAL)[:6]

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        labels = ((label, label) for label in study.options)
        judged = Pick("judged", "Was judged", (("nothing", AS_IT_IS), *labels), front=True)
        return [judged, *super().picks(study, picked)]

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        return {"judged_answers": 0.0, "accepted_answers": 0.0} if picked.get("judged") else {}

    def idle(self, given: Mapping[str, Any]) -> dict[str, str]:
        first = {"accepted_answers": "first write how many answers were judged"}
        return {} if given.get("judged_answers", 1) else first

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        study = super().rebuild(study, given)
        label, judged = given.get("judged"), given.get("judged_answers")
        if not (label and judged):
            return study
        accepted = given["accepted_answers"]
        check(
            accepted <= judged,
            f"{accepted:g} of {judged:g} judged answers are accepted; at most {judged:g} can be",
        )
        share = Measured(accepted, judged)
        options = {**study.options, label: with_quality(study.option(label), share)}
        return replace(study, options=options, accept_zero=None)


@dataclass(frozen=True)
class Own(Question):
    """The answer on files of your own."""

    title: str = "What do my own numbers say?"
    refills: tuple[str, ...] = ("usage", "invoice", "evaluation")
    notebook: str = "08_my_own_numbers"
    scenario: bool = False
    general: bool = True

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        return {"usage": "", "invoice": "", "evaluation": ""} | given

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        where = "a path; empty: as in the notebook"
        names = {"usage": "Usage", "invoice": "Invoice", "evaluation": "Judged answers"}
        own = [Pick(x, label, (), "", where, front=True, files=True) for x, label in names.items()]
        return own + super().picks(study, picked)

    def parameters(self, study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
        files = {name: given[name] or None for name in ("usage", "invoice", "evaluation")}
        calls = {"calls_per_day": given.get("calls_per_day")}
        return files | calls | drawn(study)

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        paths = [given[name] or None for name in ("usage", "invoice", "evaluation")]
        if any(paths):  # read once
            calls = given.get("calls_per_day")
            study = kept(study, f"of {paths}, {calls}", lambda x: _of_files(x, paths, calls))
        return super().rebuild(study, given)


def _of_files(study: Study, paths: list[Any], calls_per_day: float | None) -> Study:
    """The study of these files, on the terms of another one."""
    usage, bill, judged = paths
    found = files_given(usage, bill, judged, calls_per_day)
    settings: dict[str, Any] = {"terms": study.terms, "draws": study.draws, "seed": study.seed}
    return study_of_files(
        found.usage,
        found.bill,
        found.evaluations,
        on=study.terms.on,
        usd_per_failure=study.work.usd_per_failure,
        title=study.title,
        prepared_for=study.prepared_for,
        **settings,
    )


QUESTIONS: dict[str, Question] = {
    "quick": Quick(),
    "approach": Question("Which way of using a language model?"),
    "hosting": Hosting(),
    "tuning": Tuning(),
    "knowledge": Knowledge(),
    "case": Case(),
    "measure": Measure(),
    "alive": Alive(),
    "own": Own(),
}
