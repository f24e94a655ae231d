"""The share of answers accepted: a model on its task, what is found for it, what it was taught.

An answer that has what it needs is right by the task and the capability of the model. Where the
workload has a corpus, an answer needs passages of it: found x read + (1 - found) x what survives of
the answers from memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, reduce
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.quality.capability import index_of, of_model, same_weights
from costmodel.choices.quality.tasks import constants, spreads
from costmodel.choices.workload import QuestionMix, Workload
from costmodel.core import INDEX_END
from costmodel.facts import catalog
from costmodel.laws.quality import Effect, context_shift, expit, logit, shift
from costmodel.laws.task_quality import (
    capability,
    composed,
    examples_shift,
    few_shot_shift,
    log_odds_right,
)

if TYPE_CHECKING:
    from costmodel.choices.options import Case

REFERENCE = float(capability(20.0))  # capability at which levels are stated
SURE = 1e-6  # a share is kept this far from 0 and 1, where log-odds end
LEAST_INDEX, MOST_INDEX = 0.3, INDEX_END - 0.3
FITTED = "task-quality-fit"  # the source of what is filled in
NAMES = "log_odds_model", "capability"
READ_TOKENS = 4_000.0  # of the prompts on which levels of reading were measured


# -- the model of a serving ------------------------------------------------------------------------


def describe_model(serving: Any) -> None:
    """Fill in what quality needs of the model of a serving, unless it is given.

    What was filled in for another model is filled in again.
    """
    usual, own = usual_of_model(serving.model), serving.log_odds_model
    given = {name: getattr(serving, name) for name in usual}
    named = str(own.name) if getattr(own, "source", "") == FITTED else ""
    if named not in ("", usual["log_odds_model"].name):  # filled in for another model
        given["log_odds_model"] = None
        if getattr(serving.capability, "name", None) == named.replace(*NAMES):
            given["capability"] = None
    if isinstance(serving.reader, str):
        given["reader"] = catalog.reader(serving.reader)
    filled = {name: usual[name] if value is None else value for name, value in given.items()}
    vars(serving).update(filled)


def usual_of_model(model: Any) -> dict[str, Any]:
    """The capability of a model, what it has of its own, and how it reads long prompts."""
    own = of_model(same_weights(model.id))
    return {"capability": index_of(model), "log_odds_model": own, "reader": readers_together()}


@cache
def readers_together() -> tuple[catalog.Reader, ...]:
    """The classes of readers, from the weakest, between which capability interpolates.

    Their doubts are one: a draw in which long prompts are hard is one for every model.
    """
    together = {"driver": "fall with the length of the prompt", "loading": 1.0, "form": "amount"}
    classes: Any = catalog.readers().values()
    return tuple(
        replace(
            reader,
            context_decay=replace(
                reader.context_decay, name=f"{reader.id}.context_decay", **together
            ),
        )
        for reader in sorted(classes, key=lambda reader: reader.capability)
    )


# -- what it answers -------------------------------------------------------------------------------


def with_passages(serving: Any, work: Workload) -> Any:
    """Log-odds of a right answer that has what it needs; None where nothing is known."""
    task, accepted = work.task, getattr(serving, "accepted", None)
    if accepted is not None and (work.corpus is None or not hasattr(serving, "capability")):
        return _log_odds(accepted)
    if not hasattr(serving, "capability"):
        return None
    line = log_odds_right(task.quality_level, task.quality_slope, ability(serving), REFERENCE)
    told = 0.0 if task.log_odds_read is None or work.corpus is None else task.log_odds_read
    languages = work.other_languages * task.log_odds_other_languages
    given = task.family == "many_hop" and work.corpus is None  # looked up, a mix says how many
    hops = task.log_odds_many_hop if given else 0.0
    return line - task.difficulty + serving.log_odds_model + hops + told + languages


def from_memory(serving: Any, work: Workload) -> Any:
    """Log-odds of a right answer without the documents of the corpus."""
    task, accepted = work.task, getattr(serving, "accepted", None)
    if accepted is not None:
        return _log_odds(accepted)
    if task.closed_book is None:
        return with_passages(serving, work) + task.log_odds_closed
    return _log_odds(task.closed_book) + task.closed_slope * (ability(serving) - REFERENCE)


def _log_odds(share: Any) -> Any:
    """Log-odds of a share, which is kept away from 0 and 1."""
    return logit(np.clip(share, SURE, 1 - SURE))


def ability(serving: Any) -> Any:
    """Capability of the model of a serving [log-odds]."""
    return capability(np.clip(serving.capability, LEAST_INDEX, MOST_INDEX))


def share_accepted(case: Case, effects: Iterable[Effect]) -> Any:
    """Share of answers accepted of a serving with the effects of its techniques, None if unknown.

    Without a corpus there is nothing to look up: what a look-up finds changes nothing.
    """
    serving, work, effects = case.serving, case.work, list(effects)
    read = with_passages(serving, work)
    if read is None:
        return None
    read = read + sum(effect.log_odds for effect in effects)
    if work.corpus is None or not hasattr(serving, "capability"):
        share = _ends_stay(serving, expit(read))
    else:
        closed = from_memory(serving, work) + sum(
            e.log_odds if e.log_odds_closed is None else e.log_odds_closed for e in effects
        )
        share = _ends_stay(serving, expit(closed))
        looked_up = [effect.found for effect in effects if effect.found]
        if looked_up:
            share = _looked_up(case, read, share, looked_up)
    for effect in effects:
        share = share * effect.kept
    return share


def _ends_stay(serving: Any, share: Any) -> Any:
    """The share, but 0 and 1 where they were given: nothing moves those."""
    given = getattr(serving, "accepted", None)
    return share if given is None else np.where((given == 0) | (given == 1), given, share)[()]


def _looked_up(case: Case, read: Any, closed: Any, looked_up: list[Any]) -> Any:
    """The mean over the types of questions of found x read + (1 - found) x closed x survives.

    What several look-ups find adds up; the least favourable prompt is the one that is read.
    """
    task = case.work.task
    questions = [t.questions for t in case.techniques if getattr(t, "questions", None)]
    hops = float(task.family == "many_hop")
    mixes = (*questions, case.work.question_mix, QuestionMix(1 - hops, hops))
    mix = next(m for m in mixes if m is not None)
    total: Any = 0.0
    for kind in looked_up[0]:
        found = [each[kind] for each in looked_up]
        missed: Any = prod(1 - one.share for one in found)
        worst = reduce(np.minimum, [one.log_odds for one in found])
        joined = task.log_odds_many_hop if kind == "multi_hop" else 0.0
        share = composed(1 - missed, expit(read + worst + joined), closed, task.survives)
        for one in found:
            share = shift(share, one.gain)
        total = total + getattr(mix, kind) * share
    return total


# -- what techniques do to it ----------------------------------------------------------------------


def long_prompt(case: Case, tokens: Any) -> Any:
    """Shift of reading by the length of the prompt, over that of prompts with a few passages."""
    if not hasattr(case.serving, "reader"):
        return 0.0
    given = case.serving.reader
    readers = given if isinstance(given, tuple) else (given,)
    at = [capability(reader.capability) for reader in readers]
    decay: Any = readers[0].context_decay
    for i in range(1, len(readers)):  # log-linear in capability, flat beyond the ends
        part = np.clip((ability(case.serving) - at[i - 1]) / (at[i] - at[i - 1]), 0.0, 1.0)
        decay = decay * (readers[i].context_decay / readers[i - 1].context_decay) ** part
    law = decay, readers[-1].context_power, readers[-1].context_tokens_max
    return np.minimum(context_shift(tokens, *law) - context_shift(READ_TOKENS, *law), 0.0)


def examples_in_prompt(case: Case, gain: Any) -> Any:
    """Shift by worked examples in the prompt: it fades with the capability of the model."""
    if not hasattr(case.serving, "capability"):
        return gain
    names = ("capability_at", "log_odds_per_capability", "log_odds_most")
    at, per, most = (constants()[f"few_shot.{name}"].mid for name in names)
    return few_shot_shift(ability(case.serving), gain, at, per, most)


def tuned(case: Case, examples: Any, adapter: Any = 0.0) -> Effect:
    """What a tune teaches: form and behaviour, up to a ceiling of the task; hardly any knowledge.

    It is never worse than the model without it, which one would keep.
    """
    task, serving = case.work.task, case.serving
    if case.work.corpus is not None:  # reading what is given is no form to learn
        said = "a tune adds little to a passage that is read, and hardly knowledge"
        return Effect(task.log_odds_tuned_read, said, log_odds_closed=task.log_odds_knowledge)
    plain = with_passages(serving, case.work)
    own = spreads().tuned / spreads().model * serving.log_odds_model
    top = log_odds_right(task.tuned_level, task.tuned_slope, ability(serving), REFERENCE)
    top = top - task.tuned_per_difficulty * task.difficulty + own + adapter
    top = top + examples_shift(examples, task.log_odds_per_tenfold, task.enough_examples)
    evidence = "the ceiling of tuned models on tasks of this family, by examples; hardly knowledge"
    return Effect(np.maximum(top - plain, 0.0), evidence, log_odds_closed=task.log_odds_knowledge)
