"""One training run predicted: speed, GPU-hours, wall time, utilisation and memory, each with an 80 % band.

The laws are in `training` and `training_speed`; here the catalogue, the calibration and the caller's words become their
arrays. The band is what leave-one-family-out residuals of published runs say (benchmarks/fit_training.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible, check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.units import GB, SECONDS_PER_HOUR
from costmodel.facts import catalog
from costmodel.facts.records import Gpu
from costmodel.laws.training.calibration import TOKENS_IN_FLIGHT, decoding, laws, seen_gpus
from costmodel.laws.training.compute import (
    USUAL_VOCAB,
    adapter_flops,
    training_flops,
    usual_hidden,
    usual_layers,
)
from costmodel.laws.training.memory import peak_memory, shortage, smallest_set
from costmodel.laws.training.speed import SELECTIVE, seconds_per_token, start_s

METHODS = ("full", "lora", "qlora", "dpo", "rl")
PRECISIONS = {
    "bf16": "peak_flops_bf16",
    "fp16": "peak_flops_bf16",
    "pure_bf16": "peak_flops_bf16",
    "fp8": "peak_flops_fp8",
    "fp4": "peak_flops_fp4",
}
STACKS = ("tuned", "standard", "naive", "offload")
FORWARDS = {
    "full": 0.0,
    "lora": 0.0,
    "qlora": 0.0,
    "dpo": 1.0,
    "rl": 2.0,
}  # reference; reference and old policy
CARD = (
    "memory",
    "bandwidth",
    "interconnect",
    "peak_flops_bf16",
    "peak_flops_fp8",
    "peak_flops_fp4",
    "matmul_efficiency",
)
MATMUL = 0.8  # best matrix multiplication over the peak where nobody has measured it: 0.73 to 0.87 on NVIDIA's GPUs
HIGHEST = 0.7  # model FLOP utilisation above which no band reaches: published runs end at 0.62
ROLLOUTS = 1_024.0  # answers of an RL step where none are given: published steps begin 512 to 2,048
RANK = 16.0  # of an adapter on every linear layer, where none is given
SAVERS = ("chunked_loss", "optimizer_8bit", "fused_step", "activation_offload")
FEWEST_PARAMS, MOST_PARAMS = 1e5, 1e14
MOST_IN_A_RUN = 1_000_000.0  # GPUs


@dataclass(frozen=True)
class Run:
    """The arrays that the laws read, one entry per run."""

    params: Any
    active_params: Any
    layers: Any
    hidden: Any
    vocab: Any
    seq_len: Any
    tokens_in_flight: Any
    gpus: Any
    gpus_used: Any  # at least as many as the run needs to fit
    node: Any
    peak: Any
    peak_bf16: Any
    matmul: Any  # best measured matrix multiplication over the peak
    bandwidth: Any
    interconnect: Any
    memory: Any
    every_weight: Any
    adapter: Any
    quantised: Any
    forwards: Any
    generates: Any
    rank: Any
    rollouts: Any  # answers that an RL step begins
    decode_mfu: Any  # what the inference model says of decoding
    decode_mbu: Any
    decode_layer_s: Any
    checkpointed: Any  # share of the forward pass whose activations are not kept
    recompute: Any  # and done again
    pure_bf16: Any
    tuned: Any
    naive: Any
    offload: Any
    packed: Any
    chunked_loss: Any
    optimizer_8bit: Any
    fused_step: Any
    activation_offload: Any


@public
def predict_training(
    params: Any,
    tokens: Any,
    gpu: Any,
    gpus: Any = 1,
    method: Any = "full",
    precision: Any = "bf16",
    seq_len: Any = 2048,
    active_params: Any = None,
    layers: Any = None,
    hidden: Any = None,
    vocab: Any = None,
    micro_batch: Any = None,
    packed: Any = None,
    stack: Any = "standard",
    checkpointing: Any = True,
    rank: Any = None,
    rollouts: Any = None,
    savers: Any = None,
) -> pd.DataFrame:
    """What a training run takes: low, mid and high (80 % band) of five numbers, and the fewest GPUs it fits on.

    Columns: `tokens_per_s_per_gpu`, `gpu_hours` (whole run: start-up, evaluation and failures included; `start_s`), `wall_hours`,
    `mfu` (6 N, for adapters 4 N, FLOP per token over the peak of the precision; attention and recomputation left out,
    as most published numbers), `peak_memory_gb` of one GPU, each with `_low`, `_mid`, `_high`; and `gpus_min`.

    `params` and `tokens` are counts (tokens of all epochs; for RL prompts and answers); `gpu` is an id of the catalogue
    or a `Gpu` record. Every argument may be an array: rows come out. Stacks: `tuned` (a vendor's, selective
    checkpointing), `standard` (well-configured open stack), `naive` (a plain script), `offload` (states in the host's
    memory). `precision="pure_bf16"` keeps the optimiser in bf16 too. `checkpointing` is True, False or "selective".
    `packed`: examples fill the window; otherwise they are padded, and the tokens counted are the real ones (None: packed,
    except by a plain script). Unknown layers, width and vocabulary are estimated from the (active) parameters, with a wider
    band. `rank` is that of an adapter on every linear layer (None: 16); with dpo or rl it says that an adapter is trained and not all
    weights. Gradients may be accumulated over any number of micro-batches: that does not change the speed here. `rollouts` are the answers that an RL step begins
    (None: 1,024). `savers` are memory savers, joined by "+": chunked_loss, optimizer_8bit, fused_step (optimiser inside the
    backward pass), activation_offload (None: chunked_loss, for a plain script none). QLoRA without checkpointing keeps more
    activations than LoRA, as measured, and may need more memory. Fewer GPUs than `gpus_min` do not hold the run: its speed is
    then that on `gpus_min`. Where no number of GPUs holds it, one run raises Infeasible, and a row of several is NaN but for
    its memory.

    >>> one = predict_training(6.74e9, 2e12, "A100-80GB", gpus=2_048, seq_len=4_096)
    >>> bool(
    ...     one.gpu_hours_low[0] < 184_320 < one.gpu_hours_high[0]
    ... )  # Llama 2 7B, arXiv:2307.09288, table 2
    True
    """
    alone = all(
        np.ndim(v) == 0
        for v in (
            params,
            tokens,
            gpu,
            gpus,
            method,
            precision,
            seq_len,
            active_params,
            layers,
            hidden,
            vocab,
            micro_batch,
            stack,
            checkpointing,
        )
    )
    run, tokens, known, seen, least = prepare(
        params,
        tokens,
        gpu,
        gpus,
        method,
        precision,
        seq_len,
        active_params,
        layers,
        hidden,
        vocab,
        micro_batch,
        packed,
        stack,
        checkpointing,
        rank,
        rollouts,
        savers,
    )
    speed, memory, bands = laws()
    if alone and np.isnan(least[0]):
        raise Infeasible(
            f"this run fits no number of GPUs: each of 16,384 would lack {shortage(run, memory)[0] / GB:,.3g} GB beside the usable "
            f"part of its {run.memory[0] / GB:g} GB; take a larger GPU, shorter sequences, checkpointing, or QLoRA"
        )
    rate = np.where(np.isnan(least), np.nan, 1 / seconds_per_token(run, speed))
    hours = tokens / rate / speed.whole_run / SECONDS_PER_HOUR
    start = np.where(np.isnan(least), np.nan, start_s(run) / SECONDS_PER_HOUR)
    flops = np.where(
        run.adapter, adapter_flops(run.active_params, 1.0), training_flops(run.active_params, 1.0)
    )
    top = run.peak / flops  # speed at full utilisation
    spread = _widened(
        band_of(run, bands), (~known, bands["unknown_architecture"]), (~seen, bands["unseen_gpu"])
    )
    room = _widened(bands["memory"], (~known, bands["unknown_architecture_memory"]))
    high = np.minimum(rate * spread, top * HIGHEST)
    peak = peak_memory(run, run.gpus, memory) / GB
    columns = {
        "tokens_per_s_per_gpu": (rate / spread, rate, high),
        "gpu_hours": tuple(
            h + start * run.gpus for h in (hours * rate / high, hours, hours * spread)
        ),
        "wall_hours": tuple(
            h / run.gpus + start for h in (hours * rate / high, hours, hours * spread)
        ),
        "mfu": (rate / spread / top, rate / top, high / top),
        "peak_memory_gb": (peak / room, peak, peak * room),
    }
    table = {
        f"{name}_{end}": value
        for name, three in columns.items()
        for end, value in zip(("low", "mid", "high"), three, strict=True)
    }
    return pd.DataFrame({**table, "gpus_min": least})


def _widened(factor: Any, *more: tuple[Any, float]) -> Any:
    """A band, and what widens it where it holds: independent errors add as squares of logarithms."""
    total = np.log(factor) ** 2 + sum(
        np.where(where, np.log(extra) ** 2, 0.0) for where, extra in more
    )
    return np.exp(np.sqrt(total))


CLASSES = (
    "offload",
    "rl",
    "moe",
    "adapter",
    "dense",
)  # the first that holds decides the width of the band


def class_of(run: Run) -> np.ndarray:
    """What decides the width of the band."""
    return np.select(
        [run.offload, run.generates, run.active_params < run.params, run.adapter],
        CLASSES[:-1],
        CLASSES[-1],
    )


def band_of(run: Run, bands: dict[str, float]) -> np.ndarray:
    """80 % of runs lie within the prediction over and times this factor."""
    kinds = class_of(run)
    return np.select([kinds == k for k in CLASSES], [bands[k] for k in CLASSES])


# -- from the caller's words to arrays ------------------------------------------------------------------


def prepare(
    params: Any,
    tokens: Any,
    gpu: Any,
    gpus: Any,
    method: Any,
    precision: Any,
    seq_len: Any,
    active_params: Any,
    layers: Any,
    hidden: Any,
    vocab: Any,
    micro_batch: Any,
    packed: Any,
    stack: Any,
    checkpointing: Any,
    rank: Any = None,
    rollouts: Any = None,
    savers: Any = None,
) -> tuple[Run, Any, Any, Any, Any]:
    """(arrays of the runs, their tokens, whether the architecture is known, whether the GPU was ever measured, fewest GPUs)."""
    given = (
        params,
        tokens,
        gpu,
        gpus,
        method,
        precision,
        seq_len,
        active_params,
        layers,
        hidden,
        vocab,
        micro_batch,
        packed,
        stack,
        checkpointing,
        rank,
        rollouts,
        savers,
    )
    entries = [_entries(v) for v in given]
    try:
        shape = np.broadcast_shapes(*(e.shape for e in entries))
    except ValueError:
        sizes = sorted({e.size for e in entries} - {1})
        raise ValueError(
            f"predict_training was given arrays of {' and '.join(map(str, sizes))} entries; give one number or as many as the others"
        ) from None
    check(0 not in shape, "predict_training was given an empty array; give at least one run")
    (
        params,
        tokens,
        gpu,
        gpus,
        method,
        precision,
        seq_len,
        active_params,
        layers,
        hidden,
        vocab,
        micro_batch,
        packed,
        stack,
        checkpointing,
        rank,
        rollouts,
        savers,
    ) = entries
    params, tokens, gpus, seq_len = (
        _numbers(n, v, shape)
        for n, v in (("params", params), ("tokens", tokens), ("gpus", gpus), ("seq_len", seq_len))
    )
    outside = params[(params < FEWEST_PARAMS) | (params > MOST_PARAMS)]
    check(
        not outside.size,
        f"params is {outside[:1]}, allowed is {FEWEST_PARAMS:g} to {MOST_PARAMS:g}; give the count, such as 8e9",
    )
    outside = gpus[(gpus != np.floor(gpus)) | (gpus > MOST_IN_A_RUN)]
    check(
        not outside.size,
        f"gpus is {outside[:1]}, it must be whole and at most {MOST_IN_A_RUN:,.0f}",
    )
    optional = (
        ("active_params", active_params),
        ("layers", layers),
        ("hidden", hidden),
        ("vocab", vocab),
        ("micro_batch", micro_batch),
        ("rank", rank),
        ("rollouts", rollouts),
    )
    active, layers, hidden, vocab, micro, rank, rollouts = (
        _numbers(n, v, shape, optional=True) for n, v in optional
    )
    for name, least in (
        ("seq_len", seq_len),
        ("layers", layers),
        ("hidden", hidden),
        ("vocab", vocab),
        ("micro_batch", micro),
        ("rank", rank),
        ("rollouts", rollouts),
    ):
        check(not np.any(least < 1), f"{name} is {least[least < 1][:1]}, allowed is at least 1")
    active = np.where(np.isnan(active), params, active)
    check(
        np.all(active <= params),
        "active_params exceeds params; give the parameters used for one token",
    )
    known = ~np.isnan(layers) & ~np.isnan(hidden) & ~np.isnan(vocab)
    layers = np.where(np.isnan(layers), usual_layers(active), layers)
    hidden = np.where(np.isnan(hidden), usual_hidden(active, layers), hidden)
    vocab = np.where(np.isnan(vocab), USUAL_VOCAB, vocab)
    check(
        not np.any(rank > hidden),
        f"rank is {rank[rank > hidden][:1]}, allowed is up to the width of the model, {hidden[rank > hidden][:1]}",
    )
    micro = np.where(np.isnan(micro), np.maximum(1.0, np.floor(TOKENS_IN_FLIGHT / seq_len)), micro)

    cards = _cards(gpu, shape)
    kind, form, pile = (
        _choice(n, v, shape, names)
        for n, v, names in (
            ("method", method, METHODS),
            ("precision", precision, PRECISIONS),
            ("stack", stack, STACKS),
        )
    )
    redo = _choice("checkpointing", checkpointing, shape, (True, False, "selective"))
    checkpointed = np.select([redo == "True", redo == "selective"], [1.0, SELECTIVE], 0.0)
    adapter = np.isin(kind, ("lora", "qlora")) | np.isin(kind, ("dpo", "rl")) & ~np.isnan(rank)
    fills = _choice("packed", packed, shape, (True, False, None))
    mixed = _savers(savers, shape, pile)
    recompute = np.where(pile == "tuned", np.minimum(checkpointed, SELECTIVE), checkpointed)
    peak = np.select([form == p for p in PRECISIONS], [cards[f] for f in PRECISIONS.values()])
    if np.isnan(peak).any():
        at = int(np.flatnonzero(np.isnan(peak))[0])
        raise ValueError(
            f"{cards['id'][at]} has no peak in {form[at]}; choose precision='bf16' or another GPU"
        )
    run = Run(
        params=params,
        active_params=active,
        layers=layers,
        hidden=hidden,
        vocab=vocab,
        seq_len=seq_len,
        tokens_in_flight=micro * seq_len,
        gpus=gpus,
        gpus_used=gpus,
        node=cards["node"],
        peak=peak,
        peak_bf16=cards["peak_flops_bf16"],
        matmul=np.where(np.isnan(cards["matmul_efficiency"]), MATMUL, cards["matmul_efficiency"]),
        bandwidth=cards["bandwidth"],
        interconnect=cards["interconnect"],
        memory=cards["memory"],
        every_weight=np.where(adapter, 0.0, 1.0),
        adapter=adapter,
        quantised=kind == "qlora",
        forwards=np.select([kind == m for m in METHODS], [*FORWARDS.values()]),
        generates=kind == "rl",
        rank=np.where(np.isnan(rank), RANK, rank),
        rollouts=np.where(np.isnan(rollouts), ROLLOUTS, rollouts),
        checkpointed=checkpointed,
        recompute=recompute,
        pure_bf16=form == "pure_bf16",
        tuned=pile == "tuned",
        naive=pile == "naive",
        offload=pile == "offload",
        packed=(fills == "True") | (fills == "None") & (pile != "naive"),
        **{name: mixed[name] for name in SAVERS},
        **{name: np.full(np.shape(params), value) for name, value in decoding().items()},
    )
    least = smallest_set(run, laws()[1])
    # copies of a frozen base move hardly anything between GPUs, so an adapter that does not fit is no slower for its larger set
    used = np.where(run.adapter, run.gpus, np.fmax(run.gpus, least))
    return replace(run, gpus_used=used), tokens, known, np.isin(cards["id"], seen_gpus()), least


def _savers(entries: np.ndarray, shape: tuple, stack: np.ndarray) -> dict[str, np.ndarray]:
    """Which memory savers each run uses, by name."""
    words = np.broadcast_to(entries.astype(str), shape).ravel()
    for word in {w for text in np.unique(words).tolist() for w in text.split("+")} - {
        *SAVERS,
        "None",
        "",
        "none",
    }:
        raise unknown("saver", word, (*SAVERS, "none"), where="predict_training")
    found = {name: np.char.find(words, name) >= 0 for name in SAVERS}
    return found | {
        "chunked_loss": np.where(words == "None", stack != "naive", found["chunked_loss"])
    }


def _entries(value: Any) -> np.ndarray:
    """One or many entries as an array; text, a record and None are one entry."""
    check(
        not isinstance(value, Doubt),
        f"predict_training was given {value!r}; give numbers, or cm.uncertainty.sample(range, n) for one row per draw",
    )
    if isinstance(value, (str, bool, Gpu)) or value is None:
        entry = np.empty(1, object)
        entry[0] = value
        return entry
    return np.atleast_1d(value)


def _numbers(name: str, entries: np.ndarray, shape: tuple, optional: bool = False) -> np.ndarray:
    try:
        array = np.broadcast_to(entries.astype(float), shape).ravel()
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} is {entries.ravel()[0]!r}, it must be a number, such as 8e9 for 8 billion"
        ) from None
    empty = np.isnan(array)
    check(optional or not empty.any(), f"{name} is missing; give a number above 0")
    bad = ~empty & ~((np.where(empty, 1.0, array) > 0) & np.isfinite(np.where(empty, 1.0, array)))
    check(
        not bad.any(),
        f"{name} is {array[bad][:1]}, it must be above 0 and finite: without it there is nothing to train",
    )
    return array


def _choice(name: str, entries: np.ndarray, shape: tuple, names: Iterable[Any]) -> np.ndarray:
    """The words as an array of text, each one of `names`."""
    words = [str(n) for n in names]
    array = entries.astype(str)
    for word in set(np.unique(array).tolist()) - set(words):
        raise unknown(name, word, words, where="predict_training")
    return np.broadcast_to(array, shape).ravel()


def _cards(entries: np.ndarray, shape: tuple) -> dict[str, np.ndarray]:
    """Columns of the GPUs, by field."""
    order = list(dict.fromkeys(entries.ravel().tolist()))
    place = {gpu: i for i, gpu in enumerate(order)}
    index = np.broadcast_to(
        np.reshape([place[g] for g in entries.ravel().tolist()], entries.shape), shape
    ).ravel()
    cards = [middle(gpu if isinstance(gpu, Gpu) else catalog.gpu(gpu)) for gpu in order]
    facts = catalog.facts_of("training")
    node = [
        facts.get(f"{card.id}.gpus_per_node", facts["node.gpus_per_node"]).value.mid
        for card in cards
    ]
    columns = {n: np.asarray([getattr(c, n) or np.nan for c in cards], float)[index] for n in CARD}
    return {
        **columns,
        "node": np.asarray(node, float)[index],
        "id": np.asarray([c.id for c in cards])[index],
    }
