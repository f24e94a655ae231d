"""The questions of the notebooks: their controls and picks, and the study that these make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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
from costmodel.core import Measured, Range, check, money, objects, percent
from costmodel.decisions.uncertainty import tornado
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.facts import catalog
from costmodel.ingest.given import given as files_given
from costmodel.pages.first_words import first_answer
from costmodel.pages.widgets.keeping_alive import Alive
from costmodel.pages.widgets.questions import (
    AS_IT_IS,
    USUAL,
    VOLUME,
    WRONG,
    Amounts,
    Pick,
    Question,
    same_names,
)
from costmodel.studies.business_case import Policy, business_case
from costmodel.studies.history.question import study as study_of_files
from costmodel.studies.memo import PEOPLE, TODAY, baseline

FEW = 300  # draws to find what matters
USUAL_ROLE = "support_agent"  # where nobody says who does the work today
BOUGHT = "bought"
TUNES = ("Prompt", "Few-shot + cache", "Managed fine-tune", "LoRA", "Distilled")
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

    def completed(self, study: Study) -> Study:
        return with_own_gpus(study)

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        held = (("rented and bought", AS_IT_IS), ("rented only", "rented"), ("bought only", BOUGHT))
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


@dataclass(frozen=True)
class Tuning(Question):
    """A cached prompt, a tune, or a distilled model."""

    title: str = "Cache the prompt, tune a model, or distil one?"
    controls: tuple[str, ...] = (
        VOLUME,
        "Lora.examples|FineTune.examples",
        "usd_per_item",
        "pass_chance",
        "retrain_months",
        "Lora.adapters|FineTune.adapters",
    )
    floor: bool = False

    def completed(self, study: Study) -> Study:
        return with_usual(study, TUNES)


@dataclass(frozen=True)
class Quick(Question):
    """From pages, words or a bill to a first answer."""

    title: str = "What will this cost, roughly?"
    controls: tuple[str, ...] = ("requests_per_day", "words_in", "pages_in", "words_out")
    tab: str = "Where the money goes"
    in_two: bool = False
    refills: tuple[str, ...] = ("use_case",)

    def in_sight(self, study: Study) -> tuple[str, ...]:
        return (*self.controls, "usd_per_month", "months")

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

    def answer(
        self, study: Study, given: Mapping[str, Any], full: bool = True
    ) -> tuple[Verdict, Amounts]:
        verdict = first_answer(study)
        life, tokens = verdict.table.loc[WHOLE_LIFE], verdict.table.loc[TOKENS_ONLY]
        usd = life["per_month"], tokens["per_month"], 1_000 * life["per_request"]
        return verdict, tuple((float(x), "money") for x in (*usd, life["per_accepted"]))


@dataclass(frozen=True)
class Knowledge(Question):
    """Retrieval, a graph, or everything in the prompt."""

    title: str = "Retrieval, a graph, or everything in the prompt?"
    controls: tuple[str, ...] = (
        VOLUME,
        "Corpus.tokens",
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

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        study, kind = super().rebuild(study, given), given.get("variant")
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


@dataclass(frozen=True)
class Case(Question):
    """Whether to fund it, against what is done today."""

    title: str = "Should we fund it?"
    controls: tuple[str, ...] = (VOLUME, "ramp_months", WRONG, "months")
    tab: str = "Over time"
    in_two: bool = False

    def in_sight(self, study: Study) -> tuple[str, ...]:
        return ("minutes_per_request", "tax_rate", *self.controls)

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        first = {"baseline": "", "role": "", "usd_per_month_today": None}
        return first | given

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        labels = ((label, label) for label in study.options)
        against = (("nothing yet", ""), ("people do it", PEOPLE), ("today's bill", TODAY))
        roles = ((name.replace("_", " "), name) for name in catalog.people())
        return [
            Pick(
                "baseline",
                "Held against",
                (*against, *labels),
                picked["baseline"] or "",
                front=True,
            ),
            Pick("role", "Who does it", (("nobody", ""), *roles), picked["role"] or "", front=True),
            *super().picks(study, picked),
        ]

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        usual = {"minutes_per_request": 5.0, "tax_rate": 0.0, "usd_per_month_today": 10_000.0}
        low, high = (picked.get(f"realised_{end}") for end in ("low", "high"))
        realised = Range(low or 0.5, high or 0.95)
        found = {name: picked.get(name) or value for name, value in usual.items()}
        return {**found, "realised": realised}

    def answer(
        self, study: Study, given: Mapping[str, Any], full: bool = True
    ) -> tuple[Verdict, Amounts]:
        (verdict, amounts), terms = super().answer(study, given, full), study.terms
        base = baseline(
            given["baseline"] or None,
            study.options,
            given["minutes_per_request"],
            given["role"] or (USUAL_ROLE if given["baseline"] == PEOPLE else None),
            usd_per_month_today=given["usd_per_month_today"],
        )
        if base is None or verdict.named is None:
            return verdict, amounts
        policy = Policy(tax_rate=given["tax_rate"], realised=given["realised"])
        row = business_case(study.only(verdict.named), base, policy).iloc[0]

        def usd(name: str) -> str:
            return money(row[name] / terms.money.per_usd, terms)

        back, loss = row["payback_month"], percent(row["p_loss"])
        cards = (
            ("Present value", usd("npv"), f"8 cases in 10: {usd('npv_p10')} to {usd('npv_p90')}"),
            ("Saved", usd("benefit"), "what the baseline would cost, as far as it is realised"),
            ("Budget", usd("budget"), f"{usd('contingency')} of it contingency"),
            (
                "Money back",
                "never" if np.isnan(back) else f"month {back:.0f}",
                f"the case loses money in {loss} of the cases",
            ),
        )
        usd_of = (
            (float(row[x]) / terms.money.per_usd, "money") for x in ("npv", "benefit", "budget")
        )
        return replace(verdict, cards=cards), (*usd_of, (float(back), "month"))


@dataclass(frozen=True)
class Measure(Question):
    """What matters, and what to measure."""

    title: str = "Should I measure first?"
    tab: str = "What matters"

    def in_sight(self, study: Study) -> tuple[str, ...]:
        study = study.changed(draws=min(study.draws, FEW))
        named = recommend(study, flips=False, pilots=False).named
        found = tornado(study, named)["input"].head(6) if named else ()
        return (*found, *USUAL)[:6]

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        labels = ((label, label) for label in study.options)
        judged = Pick("judged", "Was judged", (("nothing", AS_IT_IS), *labels), front=True)
        return [judged, *super().picks(study, picked)]

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        return {"judged_answers": 200.0, "accepted_answers": 140.0} if picked.get("judged") else {}

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        study = super().rebuild(study, given)
        if not (label := given.get("judged")):
            return study
        share = Measured(given["accepted_answers"], given["judged_answers"])
        options = {**study.options, label: with_quality(study.option(label), share)}
        return replace(study, options=options, accept_zero=None)


@dataclass(frozen=True)
class Own(Question):
    """The answer on files of your own."""

    title: str = "What do my own numbers say?"
    refills: tuple[str, ...] = ("usage", "invoice", "evaluation")

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        return {"usage": "", "invoice": "", "evaluation": ""} | given

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        where = "a path; empty: as in the notebook"
        names = {"usage": "Usage", "invoice": "Invoice", "evaluation": "Judged answers"}
        own = [Pick(x, label, (), "", where, front=True) for x, label in names.items()]
        return own + super().picks(study, picked)

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        paths = [given[name] or None for name in ("usage", "invoice", "evaluation")]
        if any(paths):
            found, price = files_given(*paths), study.work.usd_per_failure
            settings: dict[str, Any] = {"terms": study.terms, "draws": study.draws}
            study = study_of_files(
                found.usage,
                found.bill,
                found.evaluations,
                on=study.terms.on,
                usd_per_failure=price,
                seed=study.seed,
                title=study.title,
                **settings,
            )
        return super().rebuild(study, given)


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
