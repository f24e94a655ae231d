"""Retrieval arithmetic, first version: chunks, vectors and graph-index tokens, as pure functions.

Not in it yet: recall against top_k, index time, community and entity counts, query modes beyond prompt tokens.
"""

from __future__ import annotations

from typing import Any

BYTES_PER_DIMENSION = 4.0  # float32


def chunks(tokens: Any, chunk_tokens: Any, overlap: Any) -> Any:
    """Chunks of a corpus [count]: tokens / (chunk_tokens x (1 - overlap)), overlap as a share of the chunk.

    >>> chunks(1_000_000, 500, 0.0)
    2000.0
    """
    return tokens / (chunk_tokens * (1 - overlap))


def index_bytes(chunk_count: Any, dimensions: Any, overhead: Any) -> Any:
    """Size of a float32 vector index [byte]: chunks x dimensions x 4 x overhead of the index structure.

    >>> index_bytes(1_000_000, 1_536, 1.5) / 1e9
    9.216
    """
    return chunk_count * dimensions * BYTES_PER_DIMENSION * overhead
