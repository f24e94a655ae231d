"""The task of a workload, as numbers: how hard it is, and what a model, a passage or a tune adds.

All options of a study share one Task, so what is not known about it is not known for all of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from costmodel.choices.quality.tasks import (
    OTHER,
    OWN_CLOSED,
    Line,
    asks_public,
    constants,
    family,
    lines,
    spreads,
)
from costmodel.core import Z90, Number, Range, check_known, frozen, of_kind, same, validate
from costmodel.laws.quality import expit

if TYPE_CHECKING:
    Filled = Any  # __post_init__ puts a number there, which types cannot tell
    Hardness = Any
else:
    Filled = Number | None
    Hardness = Number | str

READING = (
    "document_qa",
    "many_hop",
    "support_resolution",
    OTHER,
)  # without its documents it is asked from memory
HARDNESS = {"easier": -1.0, "usual": 0.0, "harder": 1.0}
HALF_MEAN, HALF_SPREAD = 0.798, 0.603  # of a standard normal that is above 0
TAKEN_FOR_QUESTIONS = "no task was given; with a corpus it is taken for questions about documents"
NOT_SAID = "no task was given, so quality is as wide as over all published tasks"


@frozen
class Task:
    """What is asked of a model, with everything that quality follows from but the model.

    On one task the log-odds of a right answer are a line in the capability of the model: level -
    difficulty + slope x (capability - that of an index of 20) + what the model has of its own.

    Parameters
    ----------
    id : str
        classify (up to some 20 labels), "classify, many labels" (50 and more), extract, answer,
        answer from documents, answer from public documents, many-hop, summary over a corpus,
        summarise, write, translate, code, fix code, text to SQL, support dialogue, agent, tools; or
        "a name of your own (like classify)". Models have read public documents and not yours, of
        which they know some 5 %.
    difficulty : {"easier", "usual", "harder"}, number or Range [log-odds]
        How much harder it is than a usual task of its family, mostly the widest doubt of all.
    quality_level, quality_slope : number or Range [log-odds]
        At an index of 20, and per unit of capability, with all that an answer needs in the prompt.
    tuned_level, tuned_slope, tuned_per_difficulty : number or Range [log-odds]
        The same for a tuned model, which hardly depends on how hard the task is without a tune.
    log_odds_per_tenfold, enough_examples : number or Range
        What ten times the examples of a tune add, up to so many.
    log_odds_knowledge, log_odds_tuned_read : number or Range
        What a tune adds to answers about documents that are not in the prompt, and to reading
        passages that are [log-odds].
    closed_book, closed_slope : number or Range
        Share right about the documents of a corpus that a model of index 20 has not read, and what
        a unit of capability adds [log-odds]. `None`: the task can be done without, worse by
        `log_odds_closed`.
    log_odds_closed : number or Range
        What an answer loses without the documents of the corpus [log-odds].
    log_odds_read : number or Range
        What published levels lose to passages that were not found [log-odds].
    log_odds_many_hop : number or Range
        Several passages to join over one [log-odds].
    survives : number or Range
        Share of closed-book answers that survives wrong passages.
    log_odds_other_languages : number or Range
        Requests that are not English over those that are [log-odds].
    not_said : bool
        True where nobody gave a task.

    Raises
    ------
    CatalogError
        For an unknown task or word for its difficulty.

    Examples
    --------
    >>> task = Task("extract", difficulty="harder")
    >>> task.family, round(task.difficulty.mid, 1), task.quality_level
    ('extraction', 0.9, 1.154)
    >>> Task("tickets by team (like classify)").family
    'classification'
    """

    id: str
    difficulty: Hardness = "usual"
    # -- a model that has what it needs
    quality_level: Filled = None
    quality_slope: Filled = None
    # -- a tuned model
    tuned_level: Filled = None
    tuned_slope: Filled = None
    tuned_per_difficulty: Filled = None
    log_odds_per_tenfold: Filled = None
    enough_examples: Filled = None
    log_odds_knowledge: Filled = None
    log_odds_tuned_read: Filled = None
    # -- documents
    closed_book: Filled = None
    closed_slope: Filled = None
    log_odds_closed: Filled = None
    log_odds_read: Filled = None
    log_odds_many_hop: Filled = None
    survives: Filled = None
    # -- languages
    log_odds_other_languages: Filled = None
    not_said: bool = False

    def __post_init__(self) -> None:
        kind, wide = self.family, spreads()
        base = "document_qa" if kind == "many_hop" else kind
        line = lines()[base]
        tuned = lines().get(f"{base}.tuned", line)
        if isinstance(self.difficulty, str):
            check_known("difficulty", self.difficulty, HARDNESS, f"the task {self.id!r}")
            spread = (line.level_spread**2 + wide.level**2) ** 0.5
            object.__setattr__(self, "difficulty", _difficulty(self.difficulty, spread, self))
        among = constants()["tasks.spread_tuned_level"].mid
        tuned_spread = (tuned.level_spread**2 + among**2) ** 0.5
        filled: dict[str, Any] = {
            "quality_level": line.level,
            "quality_slope": _normal(
                "task.slope", line.slope, (line.slope_spread**2 + wide.slope**2) ** 0.5
            ),
            "tuned_level": _normal("task.tuned_level", tuned.level, tuned_spread),
            "tuned_slope": tuned.slope,
            "enough_examples": constants()["examples.enough_examples"].mid,
            "closed_slope": lines()[OWN_CLOSED].slope,
            "tuned_per_difficulty": constants()["tasks.tuned_per_difficulty"].mid,
            "log_odds_closed": constants()["tasks.log_odds_closed"],
        }
        if asks_public(self.id):
            known = lines()["document_qa.closed"]
            filled |= {"closed_book": _public(known, wide.level), "closed_slope": known.slope}
        elif kind in READING:
            filled["closed_book"] = constants()["own_documents.closed_book"]
        if kind == "support_resolution":
            filled["log_odds_read"] = constants()["support_resolution.log_odds_read"]
        if kind == "closed_qa":  # with a corpus it is read; without what it needs, it is as it was
            filled["log_odds_read"] = lines()["document_qa"].level - line.level
            filled["log_odds_closed"] = -filled["log_odds_read"]
        for name, key in (
            ("log_odds_per_tenfold", "examples.log_odds_per_tenfold"),
            ("log_odds_knowledge", "knowledge_tune.log_odds"),
            ("log_odds_tuned_read", "knowledge_tune.log_odds_tuned_read"),
            ("log_odds_many_hop", "many_hop.log_odds"),
            ("survives", "retrieval.survives"),
            ("log_odds_other_languages", "tasks.log_odds_other_languages"),
        ):
            filled[name] = constants()[key]
        for name, value in filled.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        validate(self)

    @property
    def family(self) -> str:
        """The family of published benchmarks that it is like."""
        return family(self.id)


def task_of(given: Any, difficulty: Any, has_corpus: bool) -> Task:
    """The task of a workload: as given, or what a workload that says nothing is taken for."""
    name = "answer from documents" if has_corpus else OTHER
    if given is None:
        given = Task(name, not_said=True)
    elif getattr(given, "not_said", False) and given.id != name:  # a corpus came or went
        usual = same(given.difficulty, Task(given.id, not_said=True).difficulty)
        given = Task(name, "usual" if usual else given.difficulty, not_said=True)
    if isinstance(given, str):
        given = Task(given)
    of_kind("Workload.task", given, Task)
    if difficulty is not None:
        given = replace(given, difficulty=difficulty)
    return given


def _difficulty(word: str, spread: float, task: Task) -> Range:
    """The difficulty that a word means: of usual tasks, or of the half of them that is harder."""
    side = HARDNESS[word]
    why = f"spread of published tasks like {task.id!r}"
    if task.not_said:
        why = NOT_SAID if task.family == OTHER else TAKEN_FOR_QUESTIONS
    if side:
        why += f"; {word} than usual: that half of them"
        return _normal("task.difficulty", side * HALF_MEAN * spread, HALF_SPREAD * spread, why)
    return _normal("task.difficulty", 0.0, spread, why)


def _public(line: Line, spread_level: float) -> Range:
    """Share right from memory about documents that models may have read."""
    end = Z90 * (line.level_spread**2 + spread_level**2) ** 0.5
    low, mid, high = (float(expit(line.level + side * end)) for side in (-1, 0, 1))
    source, name = "task-quality-fit", "public_documents.closed_book"
    return Range(low, high, mid, name=name, form="share", source=source)


def _normal(name: str, mean: float, spread: float, why: str = "") -> Range:
    """A normal doubt, 90 % of it between the ends."""
    end = Z90 * spread
    return Range(
        mean - end, mean + end, mean, name=name, form="signed", source="task-quality-fit", why=why
    )
