"""From records to the numbers of the roofline: architecture, GPUs and calibrated physics.

The calibrated numbers are facts of data/calibration/serving.csv, fitted by
benchmarks/fit_serving.py on the measurements in data/measured/; their bands come from leaving out
one combination of model, GPU and engine at a time.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import CatalogError, Range, check_known, middle
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Model
from costmodel.laws.serving.roofline import Physics, Setup, Shape

# bytes of a weight or a cached value, four bits with their block scales
BYTES = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5 + 1 / 16, "int4": 0.5 + 1 / 32}
PRECISIONS = tuple(BYTES)
FOUR_BIT = ("fp4", "int4")
ENGINES = ("vllm", "sglang", "trtllm")
OTHER = "other"  # an engine that was not measured: the mean of the measured ones
EXPERTS_AT_MOST = 0.98  # of all parameters, where a hybrid architecture is counted too high
KINDS = ("dense", "four_bit", "mixture")
UNSEEN = ("unseen_gpu", "unseen_model")  # the two factors that widen a band
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
    for name in NEEDED:
        if getattr(m, name) is None:
            raise CatalogError(
                f"the {name} of {m.id!r} are not published, so it cannot be sized; "
                "choose another model"
            )
    expert_layers = 0 if m.experts is None else m.layers - _or(m.dense_layers, 0)
    experts = expert_layers * _or(m.experts, 0) * 3.0 * m.hidden * _or(m.expert_ffn, _or(m.ffn, 0))
    experts = np.minimum(experts, EXPERTS_AT_MOST * m.parameters)
    table = m.vocab * m.hidden * 1.0
    if m.kv_lora_rank:
        kv_values, shards = m.kv_lora_rank + m.rope_head, 1
        prefill_width = m.heads * (m.nope_head + m.rope_head + m.v_head)
        decode_width = m.heads * (2 * m.kv_lora_rank + m.rope_head)
    else:
        both = m.head_size + _or(m.v_head, m.head_size)
        kv_values, shards = m.kv_heads * both, m.kv_heads
        prefill_width = decode_width = m.heads * both
    full = _or(m.full_attention_layers, m.layers)
    return Shape(
        layers=m.layers,
        hidden=m.hidden,
        kv_values=kv_values,
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
        local_layers=m.layers - full,
        window=_or(m.sliding_window, 0),
    )


def _or(value: Any, other: Any) -> Any:
    return other if value is None else value


def setup_of(
    gpu: Gpu | str, precision: str, kv_precision: str | None = None, experts: bool = False
) -> Setup:
    """GPUs in a number format.

    A 4-bit mixture of experts keeps its attention in 8 bits, as published checkpoints do.
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
    dense = "fp8" if experts and precision in FOUR_BIT else precision
    unpacked = precision in FOUR_BIT and not (precision == "fp4" and fp4 is not None)
    return Setup(
        peak_experts=peaks.get(precision, bf16),
        peak_dense=peaks.get(dense, bf16),
        peak_bf16=bf16,
        bandwidth=g.bandwidth,
        memory=g.memory,
        interconnect=g.interconnect,
        expert_bytes=BYTES[precision],
        dense_bytes=BYTES[dense],
        kv_bytes=BYTES[kv],
        unpacked_experts=unpacked,
        unpacked_dense=unpacked and not experts,
        fp4_dense=dense == "fp4" and fp4 is not None,
        tensor_parallel=1,
        data_parallel=1,
        expert_parallel=1,
    )


@cache
def physics(engine: str = "vllm") -> Physics:
    """The calibrated numbers of an engine family, newest version, as their best values.

    >>> 0.3 < physics("vllm").mfu < 1
    True
    """
    check_known("engine", engine, (*ENGINES, OTHER), where="the calibration")
    best = {key: fact.value.mid for key, fact in catalog.facts_of("serving").items()}
    families = ENGINES if engine == OTHER else (engine,)

    def number(name: str) -> float:
        own = [best.get(f"{family}.{name}", 1.0) for family in families]
        return best.get(f"roofline.{name}", sum(own) / len(own))

    return Physics(**{f.name: number(f.name) for f in fields(Physics)})


def kind_of(model: Model, precision: str) -> str:
    """The class whose band a case has: "mixture" of experts, "four_bit" (dense) or "dense".

    >>> kind_of(catalog.model("deepseek-v3"), "fp8"), kind_of(catalog.model("llama-3.1-8b"), "fp4")
    ('mixture', 'four_bit')
    """
    return "mixture" if model.experts else "four_bit" if precision in FOUR_BIT else "dense"


def band(metric: str, kind: str, unseen_gpu: bool = False, unseen_model: bool = False) -> Range:
    """Measured over predicted, an 80 % band.

    `metric` is ttft_ratio, tpot_ratio or throughput_ratio, `kind` that of `kind_of`. Multiply a
    prediction with it. It is wider for a GPU or model that no measurement was made on. As a field
    of an option it is a Range like any other, drawn once under its own name. "Unseen" was tested
    among NVIDIA's GPUs: two published results on MI300X lie a third below the prediction.

    >>> wide, narrow = band("tpot_ratio", "mixture"), band("tpot_ratio", "dense")
    >>> wide.high / wide.low > narrow.high / narrow.low > 1
    True
    """
    known = catalog.fact("serving", f"{kind}.{metric}").value
    unseen = [name for name, so in zip(UNSEEN, (unseen_gpu, unseen_model), strict=True) if so]
    factors = [catalog.fact("serving", f"{kind}.{name}").value.mid for name in unseen]
    wider = max([1.0, *factors])
    low, high = (known.mid * (end / known.mid) ** wider for end in (known.low, known.high))
    name = f"serving.{metric}"
    return Range(low, high, known.mid, 0.80, name, source=known.source, why=known.why)


FILES = ("serving_latency", "serving_throughput")


def measured(file: str) -> pd.DataFrame:
    """One file of data/measured/ as a table: serving_latency or serving_throughput.

    >>> len(measured("serving_latency")) > 1_000
    True
    """
    return _measured(catalog.data_folder() / "measured" / f"{file}.csv").copy()


@cache
def _measured(path: Path) -> pd.DataFrame:
    text = dict.fromkeys(("version", "kv_precision", "note"), str)
    return pd.read_csv(path, dtype=text).fillna(dict.fromkeys(text, ""))


@cache
def measured_on() -> tuple[frozenset[str], frozenset[str]]:
    """(models, GPUs) that have a measurement, which the calibration has seen."""
    table = pd.concat([measured(file) for file in FILES])
    return frozenset(table["model"]), frozenset(table["gpu"])


def stack(parts: list[Any]) -> Any:
    """Records of one kind, one per row, as one record of arrays."""
    rows = np.array([list(vars(part).values()) for part in parts], float)
    return type(parts[0])(*rows.T)


def take(record: Any, rows: Any) -> Any:
    """Rows of a record of arrays."""
    return type(record)(*(values[rows] for values in vars(record).values()))
