"""Every input that a cockpit offers: changed alone, it is saved, comes back, and moves a number.

The suite walks a few of each example, by a fixed seed; `make inputs` walks all (some ten minutes).
"""

import math
import os
import random
import re

import numpy as np
import pytest

import costmodel as cm
from costmodel.core import CatalogError, Doubt
from costmodel.ledgers.engine import at_middle
from costmodel.ledgers.provenance import used_inputs
from costmodel.pages.widgets.notebooks import QUESTIONS
from costmodel.pages.widgets.state import Asked
from costmodel.scenarios.writing import as_yaml

EXAMPLES = tuple(cm.scenarios.examples())
ALL = os.environ.get("COSTMODEL_INPUTS") == "all"
FEW, SEED = 7, 20
KNOWN = {  # inputs that were once lost or could not be written are always walked
    "own_gpus": ["meta.llama3-3-70b-instruct-v1:0.discount", "Fleet.cover"],
    "support_assistant": [
        "small.context_decay", "strong.capability", "task.slope", "many_hop.log_odds",
        "own_documents.closed_book", "fine_tune.retrain_months", "rag.maintenance_fte",
    ],
    "bank_on_premises": ["serving.tpot_ratio", "Fleet.committed_replicas"],
}  # fmt: skip
CANNOT_BE_SAID = {  # in a file, and the sentence that says so
    "Fleet.cover": "a fleet below its peak needs overflow="
}
STILL = {  # inputs that the register calls used and that move nothing here, with the reason
    r".*\.(latency_s|window|window_tokens)": "a limit that nothing here comes near",
    r".*\.(tokens|requests)_per_min_max": "a limit that nothing here comes near",
    r".*>272000.*\.usd_per_mtok_\w+": "prompts are shorter than this tier begins",
    r"Evals\.repeats_max": "a test case needs fewer repeats",
    r"Upgrades\.fork_share": "it holds for further prompts, and there is one",
    r"drift\.days_unseen": "Monitoring finds a fault before users do",
    r"hosting_fleet\.maintenance_fte": "it holds from 8 GPUs on, and there are fewer",
    r"H100-SXM\.matmul_efficiency": "memory bounds the speed, and not arithmetic",
    r"pinecone\.usd_per_\w+": "the smallest bill of the index is more",
    r"product\.traces_in_full|Monitoring\.error_share": "so few traces are all kept",
    r"observability\.(sampled_share|volume_price_ratio)": "so few traces are all kept",
    r"Review\.desk_hours_per_month": "the reviews take more than the hours at the desk",
    r"PromptCache\.parallel": "requests arrive one by one",
}


def asked(name):
    study, question = cm.load(name, draws=2), QUESTIONS["approach"]
    return Asked(study, question, picks=question.start(study))


def walked(name):
    """The inputs of an example that are walked."""
    inputs = asked(name).inputs()
    rest = sorted(inputs.keys() - KNOWN.get(name, []))
    chosen = rest if ALL else random.Random(SEED).sample(rest, FEW)
    return {key: inputs[key] for key in (*KNOWN.get(name, []), *chosen) if key in inputs}


def others(one):
    """Other values of an input that are allowed: the ends of a Range, or less and more."""
    ends = [one.value.low, one.value.high] if isinstance(one.value, Doubt) else []
    near = [0.8 * one.mid, 1.25 * one.mid, one.mid + 1, one.mid - 1, one.low, one.high]
    values = [round(x) if one.whole else float(x) for x in (*ends, *near)]
    return [x for x in dict.fromkeys(values) if one.least <= x <= one.most and x != one.mid]


def changed(first, one):
    """The question with each other value that can be asked and answered, and its numbers."""
    for value in others(one):
        again = Asked(first.study, first.question, {one.key: value}, first.picks)
        if again.error is None:
            try:
                yield again.now(), numbers(again.now())
            except ValueError:  # it is refused in a sentence where it is computed
                continue


def numbers(study):
    """Total, present value and quality of each option at the middle, or why it cannot run."""
    made = at_middle(study)
    found = {label: str(why) for label, why in made.why_not.items()}
    for label, bill in made.bills.items():
        every = (bill.total(made.calendar), bill.total(made.calendar, discounted=True))
        share = math.nan if bill.accepted is None else bill.accepted
        found[label] = tuple(float(np.squeeze(x)) for x in (*every, share))
    return found


def alike(a, b):
    """Whether two such answers are the same, but for the order in which numbers are added."""
    same = a.keys() == b.keys() and all(type(a[x]) is type(b[x]) for x in a)
    return same and all(
        a[x] == b[x] if isinstance(a[x], str) else np.allclose(a[x], b[x], 1e-9, 1e-12, True)
        for x in a
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_input_that_is_changed_is_saved_and_comes_back(name):
    first, lost = asked(name), {}
    for key, one in walked(name).items():
        for study, wanted in changed(first, one):
            try:
                text = as_yaml(study)
            except CatalogError as error:
                if CANNOT_BE_SAID.get(key, "?") not in str(error):
                    lost[key] = str(error)
            else:
                again = cm.load(text)
                if not alike(wanted, numbers(again)) or as_yaml(again) != text:
                    lost[key] = text
            break
    assert not lost


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_input_that_is_used_moves_a_number_or_says_why_not(name):
    first, dead = asked(name), set()
    here, study = numbers(first.now()), first.study
    for key, one in walked(name).items():
        told = [found for _, found in changed(first, one)]
        if told and all(alike(here, found) for found in told):
            dead.add(key)
    dead -= {key for key in dead if any(re.fullmatch(x, key) for x in STILL)}
    assert not used_inputs(study.options.values(), study.work, study.terms, dead) & dead
