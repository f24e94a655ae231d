"""Retrieval arithmetic: chunks, vectors, recall, the tokens and size of a graph index, its decay, time to first token.

Pure functions; the numbers that they need are facts of data/facts/practice.csv and data/calibration/quality.csv.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core.public import public
from costmodel.core.units import MINUTES_PER_HOUR, MONTHS_PER_QUARTER, MTOK, SECONDS_PER_HOUR


def chunks(tokens: Any, chunk_tokens: Any, overlap: Any) -> Any:
    """Chunks of a corpus [count]: tokens / (chunk_tokens x (1 - overlap)), overlap as a share of the chunk.

    Not in it: documents that end within a chunk.

    >>> chunks(1_000_000, 500, 0.0)
    2000.0
    """
    return tokens / (chunk_tokens * (1 - overlap))


def index_bytes(
    chunk_count: Any, dimensions: Any, overhead: Any, bytes_per_number: Any = 4.0, copies: Any = 1.0
) -> Any:
    """Size of a vector index [byte]: chunks x dimensions x bytes of a number x overhead of the structure x copies.

    4 bytes are float32, 1 is int8, 1/8 one bit. Not in it: text and fields kept beside the vector.

    >>> index_bytes(1_000_000, 1_536, 1.5) / 1e9
    9.216
    """
    return chunk_count * dimensions * bytes_per_number * overhead * copies


def embedding_usd_per_mtok(usd_per_gpu_hour: Any, tokens_per_s: Any, utilisation: Any = 1.0) -> Any:
    """Price of a million embedded tokens on a GPU of your own [USD/Mtok]: rent / (tokens per hour x utilisation).

    Not in it: people. An L4 embeds 62,100 tokens a second with bge-large (infinity, benchmarking.md).

    >>> round(embedding_usd_per_mtok(0.50, 62_100), 4)
    0.0022
    """
    return usd_per_gpu_hour / (tokens_per_s * SECONDS_PER_HOUR * utilisation) * MTOK


@public
def recall_at_k(k: Any, at_one: Any, slope: Any) -> Any:
    """Share of questions whose passage is among the first k [share]: logit(recall) = logit(at_one) + slope x ln k.

    Fitted to three data sets at seven k each (Leng et al. 2024, arXiv:2411.03538, recall tables); `at_one` is the recall of
    a single chunk and says how hard the corpus is. Not in it: chunk size, filters.

    >>> [
    ...     round(float(recall_at_k(k, 0.547, 0.86)), 2) for k in (1, 5, 29)
    ... ]  # measured: 0.55, 0.86, 0.96
    [0.55, 0.83, 0.96]
    """
    odds = at_one / (1 - at_one) * np.asarray(k, float) ** slope
    return odds / (1 + odds)


@public
def all_found(entities: Any, per_entity: Any) -> Any:
    """Chance that everything a question needs is found [share]: per_entity ^ entities.

    Perfect retrieval of two hops by vectors alone is 0.23 to 0.32 (fast-graphrag benchmarks, 2wiki), so 0.48 to 0.57 an
    entity, and nothing is left at five and more; a graph keeps 0.8 to 0.97 an entity. Not in it: answers that need only a part.

    >>> [round(all_found(n, 0.52), 2) for n in (1, 2, 5, 8)]
    [0.52, 0.27, 0.04, 0.01]
    """
    return per_entity**entities


@public
def graph_index_ratio(
    chunk_tokens: Any, overhead_tokens: Any, per_token: Any, gleanings: Any = 1.0
) -> Any:
    """Tokens through a model to index one token of text [token/token]: (overhead / chunk + per token) x (1 + gleanings) / 2.

    Instructions and examples are sent with every chunk, so short chunks are dear; `overhead_tokens` and `per_token` hold
    with one gleaning, the default of the reference implementation: a second extraction pass over each chunk. LightRAG:
    75 for passages of 115 tokens (HippoRAG 2, arXiv:2502.14802, table 12), 10 for chunks of 1,206. Not in it: retries.

    >>> round(graph_index_ratio(1_206, 6_925, 4.5)), round(graph_index_ratio(115, 6_925, 4.5))
    (10, 65)
    """
    return (overhead_tokens / chunk_tokens + per_token) * (1 + gleanings) / 2


@public
def graph_size(
    tokens: Any, entities_per_ktok: Any, relations_per_entity: Any, entities_per_community: Any
) -> tuple[Any, Any, Any]:
    """(entities, relations, communities) of a graph index [count], in proportion to the text.

    Edge et al. 2024 (arXiv:2404.16130): a million tokens of podcasts gave 8,564 entities and 20,691 relations. Not in it:
    that entities repeat, so that large corpora have fewer.

    >>> [round(n) for n in graph_size(1_000_000, 8.56, 2.42, 6.5)]
    [8560, 20715, 1317]
    """
    entities = tokens / 1_000 * entities_per_ktok
    return entities, entities * relations_per_entity, entities / entities_per_community


def index_hours(tokens: Any, tokens_per_minute: Any) -> Any:
    """Time of an index [hour]: tokens through the model / tokens a minute that the provider or the GPUs allow.

    151.6 M tokens took 277 minutes on four H100 (HippoRAG 2, table 12). Not in it: waiting for batch.

    >>> round(60 * index_hours(151.6e6, 547_000))
    277
    """
    return tokens / tokens_per_minute / MINUTES_PER_HOUR


@public
def stale_share(drift_per_quarter: Any, months: Any) -> Any:
    """Share of an index that is out of date after so many months without refresh: 1 - (1 - drift)^(months / 3).

    >>> [
    ...     round(stale_share(d, 12), 2) for d in (0.15, 0.20)
    ... ]  # 15 to 20 % a quarter; not in it: what is asked most
    [0.48, 0.59]
    """
    return 1 - (1 - drift_per_quarter) ** (months / MONTHS_PER_QUARTER)


def from_sample(usd: Any, share: Any, exponent: Any = 1.0) -> Any:
    """What all of a corpus costs, when `share` of it cost `usd`: usd x (1 / share)^exponent.

    1 is in proportion; summaries over entities that meet again grow a little faster. Not in it: that a sample is not like
    the rest; take documents at random.

    >>> from_sample(0.30, 0.02)
    15.0
    """
    return usd * (1 / share) ** exponent


@public
def first_token_s(prompt_tokens: Any, fixed_s: Any, seconds_per_mtok: Any) -> Any:
    """Time to first token of a prompt that is not cached [s]: fixed + tokens x seconds per million tokens.

    Two published points, 20 s at 160,000 tokens and 60 s at 890,000, make a line that says 66 s at a million and 11.5 s at
    5,000, where 1 s is measured: the line holds between its points only. Not in it: queues, reasoning before the answer.

    >>> slope = (60 - 20) / (0.89 - 0.16)
    ... fixed = 20 - 0.16 * slope
    >>> round(first_token_s(1e6, fixed, slope)), round(first_token_s(5e3, fixed, slope), 1)
    (66, 11.5)
    """
    return fixed_s + prompt_tokens / MTOK * seconds_per_mtok
