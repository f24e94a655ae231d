"""From the arguments of `predict_training` to a `Run` of columns, checked and filled in."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from costmodel.core import check_known, middle, unknown
from costmodel.facts import catalog
from costmodel.facts.records import Gpu
from costmodel.laws.columns import MOST, Allowed, read, refuse
from costmodel.laws.training.calibration import laws, seen_gpus
from costmodel.laws.training.memory import fitting, smallest_set
from costmodel.laws.training.run import METHODS, PRECISIONS, STACKS, Run, build, gpus_per_node
from costmodel.laws.training.speed import SELECTIVE

HERE = "predict_training"  # as errors call it
CARD = ("memory", "bandwidth", "interconnect", "matmul_efficiency", *set(PRECISIONS.values()))
SAVERS = (
    *("chunked_loss", "optimizer_8bit", "optimizer_offload", "fused_step"),
    "activation_offload",
)
# the words of an argument, and the value that `build` reads for each
WORDS: dict[str, dict[str, Any]] = {
    "method": {name: name for name in METHODS},
    "precision": {name: name for name in PRECISIONS},
    "stack": {name: name for name in STACKS},
    "checkpointing": {"True": 1.0, "False": 0.0, "selective": SELECTIVE},
    "packed": {"True": 1.0, "False": 0.0, "None": np.nan},
}
COUNT = Allowed(1, MOST, "a finite number of at least 1", needed=False)
NUMBERS = {
    "params": Allowed(1e5, 1e14, "finite, from 1e5 to 1e14; give the count, such as 8e9"),
    "tokens": Allowed(sys.float_info.min, MOST, "above 0: without, there is nothing to train"),
    "gpus": Allowed(1, 1e6, "a whole number of at most 1,000,000", whole=True),
    "seq_len": COUNT._replace(needed=True),
    **dict.fromkeys(
        ("active_params", "layers", "hidden", "vocab", "micro_batch", "rank", "rollouts"), COUNT
    ),
}


class Asked(NamedTuple):
    """The runs that were asked for, one entry per run."""

    run: Run
    tokens: Any
    known: Any  # whether the architecture was given
    seen: Any  # whether a run on this GPU was ever measured
    gpus_min: Any  # fewest GPUs that hold the run; NaN where none do


def prepare(given: Mapping[str, Any]) -> Asked:
    """The arguments of `predict_training` by name, each one entry or one for every run."""
    numbers, words = read(HERE, given, NUMBERS)
    gpus, which = words["gpu"]
    cards = [middle(gpu if isinstance(gpu, Gpu) else catalog.gpu(gpu)) for gpu in gpus]

    def column(values: Iterable[Any]) -> np.ndarray:
        return np.array(list(values), float)[which]

    card = SimpleNamespace(**{name: column(getattr(c, name) for c in cards) for name in CARD})
    node = column(gpus_per_node(c.id) for c in cards)
    seen = column(c.id in seen_gpus() for c in cards) > 0
    tokens, active, rank = numbers.pop("tokens"), numbers["active_params"], numbers["rank"]
    known = ~np.isnan(numbers["layers"] + numbers["hidden"] + numbers["vocab"])
    refuse(active > numbers["params"], f"{HERE}: active_params", active, "at most params")
    by_word = {name: _read_as(name, *words[name]) for name in WORDS}
    run = build(card, node, **numbers, **by_word, **_savers(*words["savers"]))
    refuse(rank > run.hidden, f"{HERE}: rank", rank, "at most the width of the model")
    for i in np.flatnonzero(np.isnan(run.peak))[:1]:
        raise ValueError(
            f"{cards[which[i]].id} has no peak in {by_word['precision'][i]}; "
            "choose precision='bf16' or another GPU"
        )
    least = smallest_set(run, laws()[1])
    # copies of a frozen base move hardly anything between GPUs, so an adapter that does not fit
    # is no slower on its larger set
    used = np.where(run.adapter, run.gpus, np.fmax(run.gpus, least))
    run = fitting(replace(run, gpus_used=used), np.fmax(run.gpus, least), laws()[1])
    return Asked(run, tokens, known, seen, least)


def _read_as(name: str, words: list[Any], which: np.ndarray) -> np.ndarray:
    """The numbers that stand for words such as "lora", one for each run."""
    for word in map(str, words):
        check_known(name, word, WORDS[name], where=HERE)
    return np.array([WORDS[name][str(word)] for word in words])[which]


def _savers(texts: list[Any], which: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of the memory savers; the loss of a run that names none is left to its stack."""
    used = [set(str(text).split("+")) - {"none", "None", ""} for text in texts]
    for word in set().union(*used) - {*SAVERS}:
        raise unknown("saver", word, (*SAVERS, "none"), where=HERE)
    unsaid = np.array([str(text) == "None" for text in texts])[which]
    found = {name: np.array([name in names for names in used])[which] for name in SAVERS}
    return found | {"chunked_loss": np.where(unsaid, np.nan, found["chunked_loss"])}
