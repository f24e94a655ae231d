"""Records: what the rows of a file become once they are loaded.

A number with a range in the data is a `Range`, any other a float, or an int where it counts. The
unit and the meaning of each field stand in the glossary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Union

from costmodel.core import Range

Amount = Union[float, Range]
OptionalAmount = Union[Amount, None]
Sources = tuple[tuple[str, str], ...]  # (field, id of a source)


@dataclass(frozen=True)
class Source:
    """Where numbers come from: a document, its address, and the day on which it was read."""

    id: str
    title: str
    publisher: str
    url: str
    accessed: str
    locator: str
    licence: str


@dataclass(frozen=True)
class Record:
    """What all records have: an id, and the id of the source of each field."""

    id: str
    sources: Sources = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Gpu(Record):
    """An accelerator; None where it has no such unit."""

    memory: Amount
    bandwidth: Amount
    peak_flops_bf16: Amount
    interconnect: Amount
    power: Amount
    released: str
    peak_flops_fp8: OptionalAmount = None
    peak_flops_fp4: OptionalAmount = None
    peak_ops_int8: OptionalAmount = None
    matmul_efficiency: OptionalAmount = None
    maker: str = ""


@dataclass(frozen=True)
class Rent(Record):
    """What one GPU costs by the hour, by channel and term."""

    gpu: str
    channel: str
    term: str
    usd_per_gpu_hour: Range


@dataclass(frozen=True)
class Model(Record):
    """An open model. What its architecture does not have, or what is not published, is None.

    Fields typed without None are None for kimi-k3 alone, which has not published them.
    """

    maker: str
    hidden: int
    heads: int
    vocab: int
    window: int
    parameters: float = None  # type: ignore[assignment]  # see above
    active_parameters: float = None  # type: ignore[assignment]  # see above
    layers: int = None  # type: ignore[assignment]  # see above
    kv_heads: int = None  # type: ignore[assignment]  # see above
    head_size: int = None  # type: ignore[assignment]  # see above
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
    linear_layers: int | None = None
    state_values: float | None = None
    sparse_tokens: int | None = None
    index_heads: int | None = None
    index_head: int | None = None
    mtp_layers: int | None = None
    bf16_parameters: float | None = None
    tied: bool | None = None
    licence: str | None = None
    released: str | None = None
    retired: str | None = None


@dataclass(frozen=True)
class Person(Record):
    """A role: engineer, analyst, expert or annotator."""

    usd_per_hour: Amount


@dataclass(frozen=True)
class Tier(Record):
    """How much people do for a service that matters so much, over what they do for a product."""

    build_factor: Range
    upkeep_factor: Range
    review_factor: Amount
    cases_factor: Amount
    runs_factor: Amount
    platform_factor: Amount
    volume_slope: Amount
    requests_reference: Amount
    traces_in_full: Amount
    on_duty: Amount
    usd_per_week_on_call: Amount
    incidents_per_month: Amount
    hours_per_incident: Amount


@dataclass(frozen=True)
class Labels(Record):
    """The price of one kind of label."""

    usd_per_item: Amount


@dataclass(frozen=True)
class Store(Record):
    """A vector, object or graph store; None where it has no such price.

    A `serverless` store bills the bytes of vectors and their fields: its index is its own affair.
    """

    usd_per_gb_month: OptionalAmount = None
    usd_per_million_reads: OptionalAmount = None
    usd_per_million_writes: OptionalAmount = None
    usd_per_month_minimum: OptionalAmount = None  # of each unit, where the store is paid in units
    gb_per_unit: OptionalAmount = None
    read_units_per_gb: OptionalAmount = None
    read_units_minimum: OptionalAmount = None
    usd_per_mdimension_month: OptionalAmount = None
    kb_per_write_unit: OptionalAmount = None  # a vector takes whole units
    serverless: bool = False


@dataclass(frozen=True)
class Reader(Record):
    """How a class of models reads: what it loses with the length of the prompt."""

    capability: Amount
    context_decay: Amount
    context_power: Amount
    context_tokens_max: Amount


@dataclass(frozen=True)
class Graph(Record):
    """A kind of graph index: tokens to build and to ask it, and its gain by kind of question."""

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


@dataclass(frozen=True)
class Embedder(Record):
    """A model that turns text into vectors."""

    usd_per_mtok_in: Amount
    dimensions: int | None = None


@dataclass(frozen=True)
class Reranker(Record):
    """A model that orders passages."""

    usd_per_search: OptionalAmount = None
    usd_per_mtok_in: OptionalAmount = None


@dataclass(frozen=True)
class Tuning(Record):
    """Managed fine-tuning; prices of the tuned model are stated, or the base's times `premium`."""

    provider: str
    base: str
    parameters_from: OptionalAmount = None
    parameters_up_to: OptionalAmount = None
    usd_per_mtok_train: OptionalAmount = None
    usd_per_mtok_in: OptionalAmount = None
    usd_per_mtok_out: OptionalAmount = None
    premium: OptionalAmount = None
    usd_per_hour_hosting: OptionalAmount = None
    closes_new: str | None = None
    closes: str | None = None
    retires: str | None = None


@dataclass(frozen=True)
class Retirement(Record):
    """The end of an API model at one seller, and the model that its maker names to follow it.

    `not_before` is a promise that it is sold until that day at least; then no end is announced.
    """

    retires: str | None = None
    not_before: str | None = None
    successor: str | None = None

    def words(self, on: str) -> str:
        """The sentence of a price card of that day.

        >>> Retirement("openai.o1", "2026-10-23", successor="gpt-5.6-sol").words("2026-11-01")
        'it ended on 2026-10-23; its maker names gpt-5.6-sol to follow it'
        """
        if self.retires is None:
            return f"no end is announced; it is promised until {self.not_before}"
        ended = f"it {'ended' if self.retires <= on else 'ends'} on {self.retires}"
        return ended + (
            f"; its maker names {self.successor} to follow it" if self.successor else ""
        )


class FromCatalogue(float):
    """A number that the files filled in.

    They fill it in again when `dataclasses.replace` asks for another GPU, model or term.
    """


@dataclass(frozen=True)
class Fact(Record):
    """One number or date that belongs to no other record; a number is a Range, named `id.field`."""

    field: str
    value: Any
    unit: str
    as_of: str
