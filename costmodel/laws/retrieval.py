"""Retrieval arithmetic: chunks, vectors, recall, tokens and size of a graph index, time to answer.

The numbers of the equations are facts of data/facts/practice.csv and data/calibration/quality.csv.
Every argument is a number or an array of draws; they broadcast to the shape of the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core import MINUTES_PER_HOUR, MTOK, floats, public


def chunks(tokens: Any, chunk_tokens: Any, overlap: Any) -> Any:
    """Chunks of a corpus [count]: tokens / (chunk_tokens x (1 - overlap)), overlap as a share.

    Not in it: documents that end within a chunk.

    >>> chunks(1_000_000, 500, 0.0)
    2000.0
    """
    return tokens / (chunk_tokens * (1 - overlap))


def index_bytes(
    chunk_count: Any, dimensions: Any, overhead: Any, bytes_per_number: Any = 4.0, copies: Any = 1.0
) -> Any:
    """Size of a vector index with its structure and copies [byte].

    Chunks x dimensions x bytes of a number x overhead of the structure x copies. 4 bytes are
    float32, 1 is int8, 1/8 one bit. Not in it: text and fields beside the vector.

    >>> index_bytes(1_000_000, 1_536, 1.5) / 1e9
    9.216
    """
    return chunk_count * dimensions * bytes_per_number * overhead * copies


@public
def recall_at_k(k: Any, at_one: Any, slope: Any) -> Any:
    """Share of questions whose passage is among the first k: logit(r) = logit(at_one) + slope ln k.

    Fitted to three data sets at seven k each (Leng et al. 2024, arXiv:2411.03538, recall tables).
    Not in it: chunk size, filters.

    Parameters
    ----------
    k : number or array, at least 1
        Chunks that are read.
    at_one : share or array, below 1
        Recall of a single chunk, which says how hard the corpus is.
    slope : number or array
        Of the recall in ln k.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> [round(float(recall_at_k(k, 0.547, 0.86)), 2) for k in (1, 5, 29)]  # measured: .55 .86 .96
    [0.55, 0.83, 0.96]
    """
    odds = at_one / (1 - at_one) * floats(k) ** slope
    return odds / (1 + odds)


@public
def corpus_shift(passages: Any, per_efold: Any, reference: Any) -> Any:
    """Shift of the log-odds of recall by the corpus: per_efold x ln(passages / reference).

    FinanceBench: half of the facts are found with a store for each document, and 0.14 with one
    store for all, -0.3 to -0.4 for each factor e; its documents are alike. Not in it: filters.

    Parameters
    ----------
    passages : number or array above 0
        Of the corpus [count].
    per_efold : number or array
        Mostly below 0 [log-odds].
    reference : number or array above 0
        Passages of the corpora on which recall was measured [count].

    Returns
    -------
    number or array [log-odds]

    Examples
    --------
    >>> round(float(corpus_shift(20_000, -0.2, 10_000)), 2)  # twice the corpus
    -0.14
    """
    return per_efold * np.log(passages / reference)


@public
def all_found(entities: Any, per_entity: Any) -> Any:
    """Chance that everything that a question needs is found: per_entity ^ entities.

    Perfect retrieval of two hops by vectors alone is 0.23 to 0.32 on 2wiki and 0.78 on HotpotQA
    (fast-graphrag benchmarks), so 0.48 to 0.88 an entity; a graph keeps 0.8 to 0.97 an entity. Not
    in it: answers that need only a part.

    Parameters
    ----------
    entities : number or array, at least 0
        Things that the question needs.
    per_entity : share or array
        Chance that one of them is found.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> [round(all_found(n, 0.52), 2) for n in (1, 2, 5, 8)]
    [0.52, 0.27, 0.04, 0.01]
    """
    return per_entity**entities


def part_found(hops: Any, per_entity: Any) -> Any:
    """Part of the passages of a question over several hops that is found, over that of a fact.

    (1 + (hops - 1) x per_entity) / hops: the first is found as a fact is, each further one with the
    chance `per_entity` beside it. Answers follow this part, not the chance that all are found:
    HippoRAG 2 (arXiv:2502.14802) has MuSiQue .457, 2Wiki .615 and HotpotQA .753 right at recalls of
    .697, .765 and .945. Not in it: graphs that walk from one to the next.

    >>> round(part_found(2.5, 0.64), 2)
    0.78
    """
    return (1 + (hops - 1) * per_entity) / hops


def found_in_part(found: Any, part_read: Any) -> Any:
    """Share found where `found` is what a search finds, and a part of the corpus is read.

    1 - (1 - found) x (1 - part): what the search misses may stand in the part that is read, and
    whoever reads all of it misses nothing. Not in it: near passages that tell of each other.

    >>> [round(found_in_part(0.7, part), 2) for part in (0.0, 0.5, 1.0)]
    [0.7, 0.85, 1.0]
    """
    return 1 - (1 - found) * (1 - part_read)


@public
def graph_index_ratio(
    chunk_tokens: Any, overhead_tokens: Any, per_token: Any, gleanings: Any = 1.0
) -> Any:
    """Tokens through a model to index one token of text.

    (overhead / chunk + per token) x (1 + gleanings) / 2: instructions and examples are sent with
    every chunk, so short chunks are dear. LightRAG: 75 for passages of 115 tokens (HippoRAG 2,
    arXiv:2502.14802, table 12), 10 for chunks of 1,206. Not in it: retries.

    Parameters
    ----------
    chunk_tokens : number or array above 0 [token]
    overhead_tokens, per_token : number or array [token], [token/token]
        Of a chunk and of its text, with one gleaning.
    gleanings : number or array, at least 0
        Further extraction passes over each chunk; the reference implementation makes one.

    Returns
    -------
    number or array [token/token]

    Examples
    --------
    >>> round(graph_index_ratio(1_206, 6_925, 4.5)), round(graph_index_ratio(115, 6_925, 4.5))
    (10, 65)
    """
    return (overhead_tokens / chunk_tokens + per_token) * (1 + gleanings) / 2


@public
def graph_size(
    tokens: Any, entities_per_ktok: Any, relations_per_entity: Any, entities_per_community: Any
) -> tuple[Any, Any, Any]:
    """Entities, relations and communities of a graph index, in proportion to the text.

    Edge et al. 2024 (arXiv:2404.16130): a million tokens of podcasts gave 8,564 entities and 20,691
    relations. Not in it: that entities repeat, so that large corpora have fewer.

    Parameters
    ----------
    tokens : number or array [token]
    entities_per_ktok : number or array
        In a thousand tokens.
    relations_per_entity, entities_per_community : number or array

    Returns
    -------
    (entities, relations, communities), each a number or array [count]

    Examples
    --------
    >>> [round(n) for n in graph_size(1_000_000, 8.56, 2.42, 6.5)]
    [8560, 20715, 1317]
    """
    entities = tokens / 1_000 * entities_per_ktok
    return entities, entities * relations_per_entity, entities / entities_per_community


def index_hours(tokens: Any, tokens_per_minute: Any) -> Any:
    """Time of an index [hour]: tokens through the model / tokens a minute that are allowed.

    151.6 M tokens took 277 minutes on four H100 (HippoRAG 2, table 12). Not in it: waiting for
    batch.

    >>> round(60 * index_hours(151.6e6, 547_000))
    277
    """
    return tokens / tokens_per_minute / MINUTES_PER_HOUR


def from_sample(usd: Any, share: Any, exponent: Any = 1.0) -> Any:
    """Cost of all of a corpus, when `share` of it cost `usd` [USD]: usd x (1 / share)^exponent.

    1 is in proportion; summaries over entities that meet again grow a little faster. Not in it:
    that a sample is not like the rest; take documents at random.

    >>> from_sample(0.30, 0.02)
    15.0
    """
    return usd * (1 / share) ** exponent


@public
def first_token_s(prompt_tokens: Any, fixed_s: Any, seconds_per_mtok: Any) -> Any:
    """Time to first token of a prompt that is not cached: fixed + tokens x seconds per token.

    Two published points, 20 s at 160,000 tokens and 60 s at 890,000, make a line that says 66 s at
    a million and 11.5 s at 5,000, where 1 s is measured: the line holds between its points only.
    Not in it: queues, reasoning before the answer.

    Parameters
    ----------
    prompt_tokens : number or array [token]
    fixed_s : number or array [s]
    seconds_per_mtok : number or array [s/Mtok]

    Returns
    -------
    number or array [s]

    Examples
    --------
    >>> slope = (60 - 20) / (0.89 - 0.16)
    >>> [round(first_token_s(n, 20 - 0.16 * slope, slope), 1) for n in (5e3, 1e6)]
    [11.5, 66.0]
    """
    return fixed_s + prompt_tokens / MTOK * seconds_per_mtok
