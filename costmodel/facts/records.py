"""Records: what a fact looks like once it is loaded, with the source of each of its fields.

A number that has a range in the data is a `Range`, otherwise a float (or an int where it counts). `sources` pairs each
field with the id of a row of data/facts/sources.csv.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Union

from costmodel.core.ranges import Range

Amount = Union[float, Range]
Sources = tuple[tuple[str, str], ...]  # (field, id of a source)


@dataclass(frozen=True)
class Source:
    id: str
    title: str
    publisher: str
    url: str
    accessed: str
    locator: str
    licence: str


@dataclass(frozen=True)
class Gpu:
    id: str
    memory: Amount
    bandwidth: Amount
    peak_flops_bf16: Amount
    interconnect: Amount
    power: Amount
    released: str
    peak_flops_fp8: Amount | None = None
    peak_flops_fp4: Amount | None = None
    peak_ops_int8: Amount | None = None
    matmul_efficiency: Amount | None = None
    sources: Sources = ()


@dataclass(frozen=True)
class Rent:
    id: str
    gpu: str
    channel: str
    term: str
    usd_per_gpu_hour: Range
    sources: Sources = ()


@dataclass(frozen=True)
class Model:
    """An open model. What its architecture does not have, or what is not published, is None."""

    id: str
    maker: str
    hidden: int
    heads: int
    vocab: int
    window: int
    parameters: float = None  # type: ignore[assignment]  # unpublished for kimi-k3 only
    active_parameters: float = None  # type: ignore[assignment]
    layers: int = None  # type: ignore[assignment]
    kv_heads: int = None  # type: ignore[assignment]
    head_size: int = None  # type: ignore[assignment]
    ffn: int | None = None
    experts: int | None = None
    experts_per_token: int | None = None
    expert_ffn: int | None = None
    shared_experts: int | None = None
    dense_layers: int | None = None
    kv_lora_rank: int | None = None
    q_lora_rank: int | None = None
    rope_head: int | None = None
    nope_head: int | None = None
    v_head: int | None = None
    sliding_window: int | None = None
    full_attention_layers: int | None = None
    tied: bool | None = None
    licence: str | None = None
    released: str | None = None
    retired: str | None = None
    sources: Sources = ()


@dataclass(frozen=True)
class Person:
    id: str
    usd_per_hour: Amount
    sources: Sources = ()


@dataclass(frozen=True)
class Labels:
    id: str
    usd_per_item: Amount
    sources: Sources = ()


@dataclass(frozen=True)
class Store:
    id: str
    usd_per_gb_month: Amount | None = None
    usd_per_million_reads: Amount | None = None
    usd_per_million_writes: Amount | None = None
    usd_per_month_minimum: Amount | None = None  # of each unit, where the store is paid in units
    gb_per_unit: Amount | None = None
    read_units_per_gb: Amount | None = None
    read_units_minimum: Amount | None = None
    sources: Sources = ()


@dataclass(frozen=True)
class Reader:
    """How a class of models reads a prompt: what the right document is worth, and how a long context takes it away."""

    id: str
    context_decay: Amount
    context_power: Amount
    context_tokens_max: Amount
    log_odds_answer: Amount
    sources: Sources = ()


@dataclass(frozen=True)
class Graph:
    """A kind of graph index: tokens to build it, prompt tokens of its query modes, what it gains on which questions."""

    id: str
    index_overhead_tokens: Amount
    index_tokens_per_token: Amount
    output_share: Amount
    context_tokens: Amount
    query_s: Amount
    incremental: bool
    log_odds_fact: Amount
    log_odds_multi_hop: Amount
    log_odds_summary: Amount
    log_odds_whole: Amount
    sources: Sources = ()


@dataclass(frozen=True)
class Embedder:
    id: str
    usd_per_mtok_in: Amount
    dimensions: int | None = None
    sources: Sources = ()


@dataclass(frozen=True)
class Reranker:
    id: str
    usd_per_search: Amount | None = None
    usd_per_mtok_in: Amount | None = None
    sources: Sources = ()


@dataclass(frozen=True)
class Tuning:
    """Managed fine-tuning. Prices of the tuned model are stated, or follow from the base model and `premium`."""

    id: str
    provider: str
    base: str
    parameters_from: Amount | None = None
    parameters_up_to: Amount | None = None
    usd_per_mtok_train: Amount | None = None
    usd_per_mtok_in: Amount | None = None
    usd_per_mtok_out: Amount | None = None
    premium: Amount | None = None
    usd_per_hour_hosting: Amount | None = None
    closes_new: str | None = None
    closes: str | None = None
    retires: str | None = None
    sources: Sources = ()


class FromCatalogue(float):
    """A number that the files filled in, and fill in again when `dataclasses.replace` asks for another GPU, model or term."""


@dataclass(frozen=True)
class Fact:
    """One number or date that belongs to no other record; a number is a Range, named `id.field`."""

    id: str
    field: str
    value: Any
    unit: str
    as_of: str
    sources: Sources = ()
