"""From records to the numbers of the roofline: architecture, GPUs and calibrated physics.

The calibrated numbers are facts of data/calibration/serving.csv, fitted by
benchmarks/fit_serving.py on the measurements in data/measured/; their bands come from leaving out
one combination of model, GPU and engine at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import CatalogError, Range, check, check_known, middle
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Model
from costmodel.laws.serving.instance import (
    CHUNK,
    NAMED_MEMORY,
    Instance,
    Physics,
    Setup,
    Shape,
    instance,
)

# bytes of a weight or a cached value, four bits with their block scales
BYTES = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5 + 1 / 16, "int4": 0.5 + 1 / 32}
PRECISIONS = tuple(BYTES)
FOUR_BIT = ("fp4", "int4")
ENGINES = ("vllm", "sglang", "trtllm")
OTHER = "other"  # an engine that was not measured: the mean of the measured ones
EXPERTS_AT_MOST = 0.98  # of all parameters, where a hybrid architecture is counted too high
KINDS = ("dense", "four_bit", "mixture", "hybrid")
AS_FOUND_WIDER = 2.0  # width of an "as found" band over that of a standard one; assumption
STACKS = ("tuned", "standard", "as_found")
# of its memory that an engine takes: the default, and that of the benchmarks of TensorRT-LLM
MEMORY_SHARE, TUNED_SHARE = 0.9, {"trtllm": 0.95}
# what SGLang leaves of a card to a full pass: 1.5 MiB for each of 8,192 tokens, and 1.1 GB; fewer
# tokens of a smaller card
LEFT_BY_SGLANG, MOST_LEFT = 1.41e10, 0.165
UNSEEN = ("unseen_model", "unseen_gpu", "unseen_engine", "unseen_source")  # what widens a band
VENDOR = "unseen_vendor"  # ... of a GPU whose maker or generation has next to no measurement
FORMAT = "unseen_format"  # ... of dense weights in four bits that are unpacked
FEW = 5  # groups; fewer tell little of others
NEWEST = {"request_s": 0.0, "ageing": 1.0, "host_s_per_sequence": 0.0}  # of a tuned engine
NEEDED = ("parameters", "layers", "kv_heads", "head_size")


def shape_of(model: Model | str) -> Shape:
    """The numbers of an architecture that cost time or memory.

    CatalogError where they are not published. `model` is an id, or a record that holds numbers or
    draws.

    >>> s = shape_of("deepseek-v3")
    >>> print(
    ...     f"{s.expert_parameters / 1e9:.0f} B of 671 B in experts, {s.kv_values} values a token"
    ... )
    654 B of 671 B in experts, 576 values a token
    """
    m: Any = middle(catalog.model(model)) if isinstance(model, str) else model
    check_sized(m)
    expert_layers = 0 if m.experts is None else m.layers - _or(m.dense_layers, 0)
    experts = expert_layers * _or(m.experts, 0) * 3.0 * m.hidden * _or(m.expert_ffn, _or(m.ffn, 0))
    experts = np.minimum(experts, EXPERTS_AT_MOST * m.parameters)
    table = m.vocab * m.hidden * 1.0
    if m.kv_lora_rank:
        kv_values, shards, queries = m.kv_lora_rank + m.rope_head, 1, m.heads
        prefill_width = m.heads * (m.nope_head + m.rope_head + m.v_head)
        decode_width = m.heads * (2 * m.kv_lora_rank + m.rope_head)
    else:
        both = m.head_size + _or(m.v_head, m.head_size)
        kv_values, shards, queries = m.kv_heads * both, m.kv_heads, m.heads / m.kv_heads
        prefill_width = decode_width = m.heads * both
    linear = _or(m.linear_layers, 0)
    full = _or(m.full_attention_layers, m.layers - linear)
    local = 0 if m.sliding_window is None else m.layers - full - linear
    return Shape(
        layers=m.layers,
        hidden=m.hidden,
        kv_values=kv_values,
        kv_queries=queries,
        kv_latent=1 if m.kv_lora_rank else 0,
        kv_shards=shards,
        prefill_width=prefill_width,
        decode_width=decode_width,
        dense_parameters=np.maximum(m.parameters - experts - table * (1 if m.tied else 2), table),
        expert_parameters=experts,
        head_parameters=table,
        experts=_or(m.experts, 1),
        experts_per_token=_or(m.experts_per_token, 0),
        expert_layers=expert_layers,
        latent_layers=expert_layers if m.kv_lora_rank else 0,
        full_layers=full,
        local_layers=local,
        window=_or(m.sliding_window, 0),
        linear_layers=linear,
        state_values=_or(m.state_values, 0),
        sparse_tokens=_or(m.sparse_tokens, np.inf),
        index_values=_or(m.index_head, 0),
        index_width=_or(m.index_heads, 0) * _or(m.index_head, 0),
        kept_parameters=_or(m.bf16_parameters, 0),
    )


def check_sized(m: Any) -> None:
    """CatalogError where a number that costs time or memory is not published.

    A window, linear layers or sparse attention are a part of the layers, or of the cache: without
    the other part nothing is taken for full attention.
    """
    parts = {
        "full_attention_layers": m.sliding_window is not None
        and np.any(m.sliding_window < m.window),
        "state_values": bool(m.linear_layers),
        "index_heads": bool(m.sparse_tokens),
        "index_head": bool(m.sparse_tokens),
        "experts_per_token": bool(m.experts),
        "nope_head": bool(m.kv_lora_rank),
    }
    for name in (*NEEDED, *(name for name, needed in parts.items() if needed)):
        if getattr(m, name) is None:
            raise CatalogError(
                f"the {name} of {m.id!r} are not published, so it cannot be sized; "
                "choose another model"
            )


def _or(value: Any, other: Any) -> Any:
    return other if value is None else value


def setup_of(
    gpu: Gpu | str, precision: str, kv_precision: str | None = None, experts: bool = False
) -> Setup:
    """GPUs in a number format.

    A mixture of experts in FP4 keeps its attention in 8 bits, one in INT4 in BF16, as published
    checkpoints do.
    `gpu` is an id, or a record that holds numbers or draws. FP8 and FP4 products need a GPU that
    has them, otherwise weights are unpacked to BF16; int8 and int4 are weights only.
    `kv_precision=None` is FP8 beside FP8 and FP4 weights, else BF16.
    """
    kv = kv_precision or ("fp8" if precision in ("fp8", "fp4") else "bf16")
    for name in (precision, kv):
        check_known("precision", name, BYTES, where="predict_serving")
    g: Any = middle(catalog.gpu(gpu)) if isinstance(gpu, str) else gpu
    bf16, fp4 = g.peak_flops_bf16, g.peak_flops_fp4
    peaks = {"fp8": _or(g.peak_flops_fp8, bf16), "fp4": _or(fp4, bf16)}
    beside = {"fp4": "fp8", "int4": "bf16"} if experts else {}
    dense = beside.get(precision, precision)
    unpacked = is_unpacked(g, precision)
    return Setup(
        peak_experts=peaks.get(precision, bf16),
        peak_dense=peaks.get(dense, bf16),
        peak_bf16=bf16,
        bandwidth=g.bandwidth,
        memory=g.memory,
        memory_share=MEMORY_SHARE,
        chunk=CHUNK,
        polled=1.0,
        interconnect=g.interconnect,
        expert_bytes=BYTES[precision],
        dense_bytes=BYTES[dense],
        kv_bytes=BYTES[kv],
        keeps_bf16=precision == "fp8",
        unpacked_experts=unpacked,
        unpacked_dense=unpacked and not experts,
        fp4_dense=dense == "fp4" and fp4 is not None,
        tensor_parallel=1,
        data_parallel=1,
        expert_parallel=1,
    )


def is_unpacked(gpu: Any, precision: str) -> bool:
    """Whether weights in four bits are unpacked before a product, which this GPU lacks."""
    return precision in FOUR_BIT and not (precision == "fp4" and gpu.peak_flops_fp4 is not None)


def memory_share(engine: str, stack: str, memory: Any) -> Any:
    """Share of the `memory` of a GPU [byte] that an engine takes where nobody says it.

    >>> print(f"{memory_share('sglang', 'tuned', 80e9):.3f} {memory_share('vllm', 'tuned', 80e9)}")
    0.835 0.9
    """
    if engine == "sglang":
        return 1 - np.minimum(LEFT_BY_SGLANG / (NAMED_MEMORY * memory), MOST_LEFT)
    return TUNED_SHARE.get(engine, MEMORY_SHARE) if stack == "tuned" else MEMORY_SHARE


@cache
def physics(engine: str = "vllm", stack: str = "tuned") -> Physics:
    """The calibrated numbers of an engine family, newest version, as their best values.

    "tuned" is what vendors and operators of benchmarks reach, "standard" an engine with its
    defaults (fitted to servers of practitioners), "as_found" one without CUDA graphs, or with the
    software of the month in which an architecture came out.

    >>> 0.3 < physics("vllm").mfu < 1
    True
    >>> physics("vllm", "standard").engine_efficiency < physics("vllm").engine_efficiency
    True
    """
    check_known("engine", engine, (*ENGINES, OTHER), where="the calibration")
    check_known("stack", stack, STACKS, where="the calibration")
    best = {key: fact.value.mid for key, fact in catalog.facts_of("serving").items()}
    families = ENGINES if engine == OTHER else (engine,)

    def number(name: str) -> float:
        own = [best.get(f"{family}.{name}", 1.0) for family in families]
        return best.get(f"roofline.{name}", sum(own) / len(own))

    made = {f.name: number(f.name) for f in fields(Physics)} | NEWEST
    return physics_of_stack(made, best, stack)


def physics_of_stack(made: dict[str, Any], best: Mapping[str, Any], stack: str) -> Physics:
    """The numbers of a tuned stack, changed to those of another: slower, and more for each call."""
    steps = STACKS[1 : STACKS.index(stack) + 1]  # as found: the defaults, and its own on top
    for step in steps:
        slower = made["engine_efficiency"] * best[f"{step}.engine_efficiency"]
        own = {name: best[f"{step}.{name}"] for name in made if f"{step}.{name}" in best}
        made = made | own | {"engine_efficiency": slower}
    return Physics(**made)


def one_gpu(
    model: Model,
    gpu: Gpu,
    precision: str,
    kv_precision: str | None = None,
    engine: str = "vllm",
    stack: str = "tuned",
) -> Instance:
    """A model on one GPU; a layout of several replaces its parallel fields."""
    setup = setup_of(gpu, precision, kv_precision, bool(model.experts))
    setup = replace(setup, memory_share=memory_share(engine, stack, setup.memory))
    return instance(shape_of(model), setup, physics(engine, stack))


def kind_of(model: Model, precision: str) -> str:
    """The class whose band a case has: by its architecture, and dense ones by their format too.

    "hybrid" has linear layers, "mixture" experts, "four_bit" is dense in 4 bits, "dense" the rest.

    >>> kind_of(catalog.model("deepseek-v3"), "fp8"), kind_of(catalog.model("llama-3.1-8b"), "fp4")
    ('mixture', 'four_bit')
    """
    if model.linear_layers:
        return "hybrid"
    return "mixture" if model.experts else "four_bit" if precision in FOUR_BIT else "dense"


def band(metric: str, kind: str, *unseen: str, stack: str = "tuned", engine: str = OTHER) -> Range:
    """Measured over predicted, an 80 % band.

    `metric` is ttft_ratio, tpot_ratio or throughput_ratio, `kind` that of `kind_of`. Multiply a
    prediction with it. An `engine` that scatters more than its kind has a wider one, and so has one
    on which nobody has measured the kind. The band of rows whose model, GPU and engine were left
    out together is wider by each of `unseen` (of `UNSEEN`): half-widths as logarithms, random
    effects that add as squares (Gelman and Hill 2007, chapter 12). Servers that are not tuned are
    those of a source that nobody fitted, and no narrower than practitioners were off without their
    laboratory. `VENDOR` adds what a GPU of another maker is off, and `FORMAT` as much: an
    assumption. As a field of an option it is a
    Range like any other, drawn once under its own name.

    >>> wide, narrow = band("tpot_ratio", "mixture"), band("tpot_ratio", "dense")
    >>> bool(wide.high / wide.low > narrow.high / narrow.low > 1)
    True
    """
    facts = catalog.facts_of("serving")
    own, of_kind = facts.get(f"{kind}_{engine}.{metric}"), facts[f"{kind}.{metric}"]
    known = (own or of_kind).value
    if own is None and engine != OTHER:  # nobody has measured this kind on it
        unseen = (*unseen, "unseen_engine")
    if stack != "tuned":
        unseen = (*unseen, "unseen_source")
    place = f"{kind}_{metric.removesuffix('_ratio')}"
    if kind == "hybrid":  # its band is that of architectures without a measurement
        unseen = tuple(name for name in unseen if name != "unseen_model")
    best = {name: fact.value.mid for name, fact in facts.items()}
    factors = [best[f"{place}.{name}"] for name in {*unseen} - {VENDOR, FORMAT}]
    widths = np.log([known.mid / known.low, known.high / known.mid])
    widths = widths * np.sqrt(1 + sum(factor**2 - 1 for factor in factors))
    if stack != "tuned":
        widths = np.maximum(widths, np.log(best["practitioners.error_factor"]))
    if stack == "as_found":
        widths = widths * AS_FOUND_WIDER
    for _ in {*unseen} & {VENDOR, FORMAT}:
        widths = np.hypot(widths, np.log(best["other_makers.error_factor"]))
    low, high = known.mid * np.exp(widths * [-1, 1])
    name = f"serving.{metric}"
    return Range(low, high, known.mid, 0.80, name, source=known.source, why=known.why)


def fitted(error: Any) -> bool:
    """Whether an error is left to the calibration, or comes from it."""
    return error is None or getattr(error, "source", "") == "serving-fit"


def check_engine(engine: str, gpu: Gpu) -> None:
    """ValueError where an engine does not run on a GPU.

    >>> check_engine("trtllm", catalog.gpu("MI300X"))
    Traceback (most recent call last):
    ValueError: TensorRT-LLM runs on NVIDIA's GPUs alone, not on MI300X; choose engine='vllm'
    """
    check(
        engine != "trtllm" or gpu.maker in ("", "NVIDIA"),
        f"TensorRT-LLM runs on NVIDIA's GPUs alone, not on {gpu.id}; choose engine='vllm'",
    )


def unseen_of(model: Model, gpu: Gpu, engine: str, precision: str) -> tuple[str, ...]:
    """What no measurement has of a case."""
    models, gpus = measured_on()
    since = makers().get(gpu.maker)
    missing = {
        "unseen_model": model.id not in models,
        "unseen_gpu": gpu.id not in gpus,
        "unseen_engine": engine == OTHER,
        VENDOR: since is None or gpu.released < since,
        FORMAT: model.experts is None and is_unpacked(gpu, precision),
    }
    return tuple(name for name, so in missing.items() if so)


FILES = ("serving_latency", "serving_throughput", "serving_practice")


def measured(file: str) -> pd.DataFrame:
    """One file of data/measured/ as a table: serving_latency or serving_throughput.

    >>> len(measured("serving_latency")) > 1_000
    True
    """
    return _measured(catalog.data_folder() / "measured" / f"{file}.csv").copy()


@cache
def _measured(path: Path) -> pd.DataFrame:
    text = dict.fromkeys(("version", "kv_precision", "note"), str)
    table = pd.read_csv(path, dtype=text).fillna(dict.fromkeys(text, ""))
    return table if "stack" in table else table.assign(stack="tuned")


@cache
def measured_on() -> tuple[frozenset[str], frozenset[str]]:
    """(models, GPUs) that have a measurement, which the calibration has seen."""
    table = pd.concat([measured(file) for file in FILES])
    return frozenset(table["model"]), frozenset(table["gpu"])


@cache
def makers() -> dict[str, str]:
    """Makers of GPUs with measurements of at least `FEW` groups: {maker: first day of the oldest}.

    >>> makers()
    {'NVIDIA': '2020-05-14'}
    """
    table = pd.concat([measured(file) for file in FILES])[["model", "gpu", "engine"]]
    groups = table.drop_duplicates()
    gpus = [catalog.gpu(id) for id in groups["gpu"]]
    groups = groups.assign(maker=[g.maker for g in gpus], released=[g.released for g in gpus])
    known = groups.groupby("maker")["released"].agg(["size", "min"])
    return known.loc[known["size"] >= FEW, "min"].to_dict()


def stack(parts: list[Any]) -> Any:
    """Records of one kind, one per row, as one record of arrays."""
    names = [f.name for f in fields(parts[0])]
    rows = np.array([[getattr(part, name) for name in names] for part in parts], float)
    return type(parts[0])(*rows.T)


def take(record: Any, rows: Any) -> Any:
    """Rows of a record of arrays."""
    return type(record)(*(getattr(record, f.name)[rows] for f in fields(record)))
