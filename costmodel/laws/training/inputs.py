"""From the arguments of `predict_training` to a `Run` of columns, checked and filled in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from costmodel.core.draws import middle
from costmodel.core.errors import check, unknown
from costmodel.core.ranges import Doubt
from costmodel.facts import catalog
from costmodel.facts.records import Gpu
from costmodel.laws.training.calibration import laws, seen_gpus
from costmodel.laws.training.memory import smallest_set
from costmodel.laws.training.run import METHODS, PRECISIONS, STACKS, Run, build, gpus_per_node
from costmodel.laws.training.speed import SELECTIVE

CARD = {*PRECISIONS.values(), "memory", "bandwidth", "interconnect", "matmul_efficiency"}
SAVERS = ("chunked_loss", "optimizer_8bit", "fused_step", "activation_offload")
# the words of an argument, and what `build` reads for each
WORDS: dict[str, dict[str, Any]] = {
    "method": {name: name for name in METHODS},
    "precision": {name: name for name in PRECISIONS},
    "stack": {name: name for name in STACKS},
    "checkpointing": {"True": 1.0, "False": 0.0, "selective": SELECTIVE},
    "packed": {"True": 1.0, "False": 0.0, "None": np.nan},
}
MOST = sys.float_info.max
COUNT = (1.0, MOST, "finite and at least 1")
# least, greatest and both in words
NUMBERS = {
    "params": (1e5, 1e14, "finite and from 1e5 to 1e14; give the count, such as 8e9"),
    "tokens": (
        sys.float_info.min,
        MOST,
        "above 0 and finite: without tokens there is nothing to train",
    ),
    "gpus": (1.0, 1e6, "whole and at most 1,000,000"),
    "seq_len": COUNT,
    "active_params": (1.0, 1e14, "at most params: the parameters used for one token"),
    "layers": COUNT,
    "hidden": COUNT,
    "vocab": COUNT,
    "micro_batch": COUNT,
    "rank": COUNT,
    "rollouts": COUNT,
}
NEEDED = ("params", "tokens", "gpus", "seq_len")


class Asked(NamedTuple):
    """The runs that were asked for, one entry per run."""

    run: Run
    tokens: Any
    known: Any  # whether the architecture was given
    seen: Any  # whether a run on this GPU was ever measured
    gpus_min: Any  # fewest GPUs that hold the run; NaN where none do


def prepare(given: Mapping[str, Any]) -> Asked:
    """The arguments of `predict_training` by name, each one entry or one for every run."""
    entries = {name: _entries(value) for name, value in given.items()}
    try:
        shape = np.broadcast_shapes(*(e.shape for e in entries.values()))
    except ValueError:
        sizes = sorted({e.size for e in entries.values()} - {1})
        raise ValueError(
            f"predict_training was given arrays of {' and '.join(map(str, sizes))} entries; "
            "give one number or as many as the others"
        ) from None
    check(0 not in shape, "predict_training was given an empty array; give at least one run")
    read = {name: _number(name, entries[name]) for name in NUMBERS}
    read |= {name: _word(name, entries[name]) for name in WORDS}
    read |= _savers(entries["savers"]) | _cards(entries["gpu"])
    columns = {name: np.broadcast_to(column, shape).ravel() for name, column in read.items()}

    rank, form = columns["rank"], columns["precision"]
    known = ~np.isnan(columns["layers"] + columns["hidden"] + columns["vocab"])
    check(
        not np.any(columns["active_params"] > columns["params"]),
        "active_params exceeds params; give the parameters used for one token",
    )
    tokens = columns.pop("tokens")
    card = SimpleNamespace(**{name: columns.pop(name) for name in ("id", *CARD)})
    run = build(card, **columns)
    wide = rank > run.hidden
    check(
        not wide.any(),
        f"rank is {rank[wide][:1]}, allowed is at most the width of the model, "
        f"{run.hidden[wide][:1]}",
    )
    without = np.isnan(run.peak)
    check(
        not without.any(),
        f"{''.join(card.id[without][:1])} has no peak in {''.join(form[without][:1])}; "
        "choose precision='bf16' or another GPU",
    )
    least = smallest_set(run, laws()[1])
    # copies of a frozen base move hardly anything between GPUs, so an adapter that does not fit
    # is no slower on its larger set
    used = np.where(run.adapter, run.gpus, np.fmax(run.gpus, least))
    return Asked(replace(run, gpus_used=used), tokens, known, np.isin(card.id, seen_gpus()), least)


def _entries(value: Any) -> np.ndarray:
    """One or many entries as an array; text, a record and None are one entry."""
    check(
        not isinstance(value, Doubt),
        f"predict_training was given {value!r}; give numbers, "
        "or cm.uncertainty.sample(range, n) for one row per draw",
    )
    if isinstance(value, (str, bool, Gpu)) or value is None:
        entry = np.empty(1, object)
        entry[0] = value
        return entry
    return np.atleast_1d(value)


def _number(name: str, entries: np.ndarray) -> np.ndarray:
    """A column of numbers; NaN where nothing was given and nothing is needed."""
    low, high, allowed = NUMBERS[name]
    try:
        array = entries.astype(float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} is {entries.ravel()[0]!r}, it must be a number, such as 8e9 for 8 billion"
        ) from None
    empty = np.isnan(array)
    check(name not in NEEDED or not empty.any(), f"{name} is missing; give a number above 0")
    bad = ~empty & ((array < low) | (array > high) | (name == "gpus") & (array != np.floor(array)))
    check(not bad.any(), f"{name} is {array[bad][:1]}, it must be {allowed}")
    return array


def _word(name: str, entries: np.ndarray) -> np.ndarray:
    """A column of what `build` reads for the words of an argument."""
    words, index = np.unique(entries.astype(str), return_inverse=True)
    for word in words:
        if word not in WORDS[name]:
            raise unknown(name, word, WORDS[name], where="predict_training")
    return np.array([WORDS[name][word] for word in words])[index]


def _savers(entries: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of the memory savers; the loss of a run that names none is left to its stack."""
    words, index = np.unique(entries.astype(str), return_inverse=True)
    used = [set(text.split("+")) - {"none", "None", ""} for text in words]
    for word in set().union(*used) - {*SAVERS}:
        raise unknown("saver", word, (*SAVERS, "none"), where="predict_training")
    found = {name: np.array([name in names for names in used])[index] for name in SAVERS}
    unsaid = (words == "None")[index]
    return found | {"chunked_loss": np.where(unsaid, np.nan, found["chunked_loss"])}


def _cards(entries: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of the GPUs: their fields, ids and the GPUs of a node."""
    place = {gpu: i for i, gpu in enumerate(dict.fromkeys(entries.ravel().tolist()))}
    index = np.reshape([place[gpu] for gpu in entries.ravel().tolist()], entries.shape)
    cards = [middle(gpu if isinstance(gpu, Gpu) else catalog.gpu(gpu)) for gpu in place]
    columns = {name: np.array([getattr(c, name) for c in cards], float) for name in CARD}
    columns |= {
        "id": np.array([c.id for c in cards]),
        "node": np.array([gpus_per_node(c.id) for c in cards]),
    }
    return {name: column[index] for name, column in columns.items()}
