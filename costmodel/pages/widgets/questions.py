"""What a question of a cockpit is, and what any of them can change: the task, models, GPUs.

A question changes what a number cannot. It asks for the verdict, and computes no answer itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from costmodel.choices.options import Option, each
from costmodel.choices.presets import MODELS
from costmodel.choices.profiles import with_fleet
from costmodel.choices.quality.task import HARDNESS
from costmodel.choices.quality.tasks import PLAIN_WORDS
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study
from costmodel.core import CatalogError, kept, money, objects
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.facts import catalog

Amounts = tuple[tuple[float, str], ...]  # of the cards: (in USD, "money"), or a share, or a month
AS_IT_IS = ""  # a pick that nobody made
PRECISIONS = ("bf16", "fp8", "fp4", "int8", "int4")
VOLUME, WRONG = "requests_per_month", "usd_per_failure"
USUAL = (VOLUME, "input_tokens", "output_tokens", WRONG, "months", "Workload.growth_per_year")


@dataclass(frozen=True)
class Pick:
    """One choice: its name, its label, (words, value) of each way, and a remark; without ways it is
    a text. What is `front` stands above the controls, the others are folded."""

    name: str
    label: str
    ways: tuple[tuple[str, Any], ...] = ()
    value: Any = AS_IT_IS
    remark: str = ""
    front: bool = False
    files: bool = False  # whether the text is a path, for which files can be chosen


def same_names(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Ways that are called what they are."""
    return tuple((name, name) for name in names)


@dataclass(frozen=True)
class Question:
    """What one notebook asks.

    `controls` are the inputs in sight, by key or by field; `refills` the picks that bring numbers
    of their own; `notebook` the one whose report it is.
    """

    title: str
    controls: tuple[str, ...] = USUAL
    tab: str = "Compare"
    refills: tuple[str, ...] = ()
    in_two: bool = True  # whether what to judge first is weighed after the rest is shown
    floor: bool = True  # whether the floor of quality is in sight, where the study has one
    notebook: str = "01_which_approach"
    remembered: bool = False  # whether a saved scenario says what no study holds
    scenario: bool = True  # whether the notebook asks for a scenario
    general: bool = False  # whether notebook 01 reports what its own cannot say

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        """The picks as they stand at first."""
        return given

    def completed(self, study: Study) -> Study:
        """The study with the options that the question is about, where it lacks them."""
        return study

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        """The choices beside the numbers."""
        return pickers(study)

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        """Numbers of the question that are no input of the study, by name."""
        return {}

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        """The study with these picks and numbers."""
        return picked_study(study, given)

    def idle(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Why a control changes nothing as the others stand, by its key."""
        return {}

    def filed(self, asked: Any) -> Study:
        """The study that a file keeps of what is asked (an `Asked`)."""
        return asked.now()

    def parameters(self, study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
        """The picks and numbers that are parameters of the notebook, by name."""
        return {}

    def answer(
        self, study: Study, given: Mapping[str, Any], full: bool = True
    ) -> tuple[Verdict, Amounts]:
        """The verdict with its four cards, and what they amount to."""
        verdict = recommend(study, flips=False, pilots=full)
        if verdict.named is None:
            return verdict, ()
        row, months = verdict.table.loc[verdict.named], study.terms.months
        chance = "p_cheapest" if study.quality_floor is None else "p_reaches"
        each = [(float(row[x]) / months, "money") for x in ("to_pay", "wrong_answers", "expected")]
        return verdict, (*each, (float(row[chance]), "share"))

    def in_sight(self, study: Study, picked: Mapping[str, Any]) -> tuple[str, ...]:
        """The inputs in sight."""
        return self.controls

    def lines(self, verdict: Verdict, study: Study) -> tuple[str, str] | None:
        """The answer in two lines, where the question has words of its own for it."""
        return None


def drawn(study: Study) -> dict[str, Any]:
    """The parameters of a notebook that takes no scenario: horizon, day of the prices, draws."""
    day = {"on": str(study.terms.on)} if study.terms.on else {}
    return {"months": study.terms.months, "draws": study.draws, "seed": study.seed} | day


def held_against(
    verdict: Verdict,
    amounts: Amounts,
    study: Study,
    ours: list[str],
    others: list[str],
    titles: tuple[str, str],
) -> tuple[Verdict, Amounts]:
    """The verdict, with cards that hold the cheapest of our options against that of the others; as
    it is where one side cannot run."""
    terms, table = study.terms, verdict.table
    sides = [table[table.index.isin(x)].dropna(subset="expected") for x in (ours, others)]
    if verdict.named is None or not all(map(len, sides)):
        return verdict, amounts
    rows = [side.nsmallest(1, "expected").iloc[0] for side in sides]
    cards = []
    for title, row in zip(titles, rows, strict=True):
        usd, *band = (money(row[x] / terms.months, terms) for x in ("expected", "p10", "p90"))
        label = "" if title.startswith(f"{row.name},") else f"{row.name}; "
        cards.append((title, usd, f"{label}8 cases in 10: {' to '.join(band)}"))
    own, other = (float(row["expected"]) / terms.months for row in rows)
    does = "Costs more, a month" if own > other else "Saves, a month"
    cards.append((does, money(abs(other - own), terms), "expected, with wrong answers"))
    usd_of = tuple((x, "money") for x in (own, other, other - own))
    return replace(verdict, cards=(*cards, verdict.cards[3])), (*usd_of, amounts[3])


# -- what any question can change ------------------------------------------------------------------


def answering(study: Study) -> dict[str, Any]:
    """The servings that answer, by the id of their model, in order of first sight."""
    found: dict[str, Any] = {}
    for option in study.options.values():
        for part in objects(option):
            serving = getattr(part, "serving", None)
            if isinstance(part, Option) and isinstance(serving, (Api, Hosted)):
                found.setdefault(serving.model.id, serving)
    return found


def pickers(study: Study) -> list[Pick]:
    """What is asked, how hard it is, who answers, and on which GPU."""
    hard = tuple((f"{word} than usual", word) for word in HARDNESS if HARDNESS[word])
    task = study.work.task.id
    kinds = tuple((word, word) for word in PLAIN_WORDS if word != task)
    found = [
        Pick("task", "What is asked", ((task, AS_IT_IS), *kinds)),
        Pick("difficulty", "How hard it is", (("as usual or as given", AS_IT_IS), *hard)),
    ]
    servings = answering(study)
    apis = [id for id, serving in servings.items() if isinstance(serving, Api) and id in MODELS]
    for id in apis[:3]:
        others = tuple((model, model) for model in MODELS if model != id)
        found.append(Pick(f"api {id}", "Model by API", ((id, AS_IT_IS), *others)))
    hosts = [serving for serving in servings.values() if isinstance(serving, Hosted)]
    if hosts:
        host = hosts[0]
        for name, label, now, ways in (
            ("own_model", "Own model", host.model.id, catalog.models()),
            ("gpu", "GPU", host.gpu.id, catalog.gpus()),
            ("precision", "Precision", host.precision, PRECISIONS),
        ):
            rest = tuple((way, way) for way in _possible(study, name, ways) if way != now)
            found.append(Pick(name, label, ((now, AS_IT_IS), *rest)))
    return found


def _possible(study: Study, name: str, ways: Iterable[str]) -> list[str]:
    """The models, GPUs or precisions with which the own GPUs of a study can be made: those whose
    prices and architecture are known."""

    def can_be(way: str) -> bool:
        try:
            with_fleet(study.options, study.work, **{name: way})
        except (CatalogError, ValueError):
            return False
        return True

    return kept(study, f"possible {name}", lambda _: [way for way in ways if can_be(way)])


def picked_study(study: Study, given: Mapping[str, Any]) -> Study:
    """The study with the picks of `pickers`."""
    options, work = study.options, study.work
    made = {name: value for name, value in given.items() if value not in (AS_IT_IS, None)}
    if "task" in made or "difficulty" in made:
        hard = made.get("difficulty")
        work = replace(work, task=made.get("task", work.task.id), difficulty=hard)
    swaps = {name[4:]: value for name, value in made.items() if name.startswith("api ")}
    if swaps:
        options = {label: _asking(option, swaps) for label, option in options.items()}
    own = {name: made[name] for name in ("own_model", "gpu", "precision") if name in made}
    if own:
        options, work = with_fleet(options, work, **own)
    if options is study.options and work is study.work:
        return study
    return replace(study, options=dict(options), work=work, accept_zero=None)


def _asking(option: Any, swaps: Mapping[str, str]) -> Any:
    """The option with other models behind its APIs, judges and teachers left as they are."""

    def other(part: Option) -> Option:
        if not (isinstance(part.serving, Api) and part.serving.model.id in swaps):
            return part
        api = part.serving
        new = Api(swaps[api.model.id], on=api.on, mode=api.mode, residency=api.residency)
        return replace(part, serving=new)

    return each(option, lambda thing: isinstance(thing, Option), other)
