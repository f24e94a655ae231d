"""Counting tokens: exact for OpenAI's encodings, an estimate with a band for others.

The ranks of cl100k_base and o200k_base are shipped, compressed and checked against the SHA-256
that tiktoken expects; nothing is fetched. Special tokens count as plain text. Message framing (a
few tokens per message), images and tools are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import Any

from costmodel.core import CatalogError, Number, Range, check, data_folder, public, unknown
from costmodel.facts.catalog import fact, practice

# Split patterns and checksums of the rank files: definitions of the encodings, from
# tiktoken_ext/openai_public.py.
_PATTERNS = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
_SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


# Encoding -> what the names of its models begin with; the first that fits holds. gpt-6 is taken to
# use o200k_base like gpt-5: no other encoding has been published.
ENCODINGS = {
    "o200k_base": "gpt-oss gpt-4o chatgpt-4o gpt-4.1 gpt-4.5 gpt-5 gpt-6 o1 o3 o4".split(),
    "cl100k_base": "gpt-4 gpt-3.5 gpt-35 text-embedding-3 text-embedding-ada-002".split(),
}
# Family in data/facts/tokenizers.csv -> names of its models, a pattern. Claude has counted about
# 30 % more since Opus 4.7.
FAMILIES = {
    "claude-4.7": "claude-(opus-)?4[-.][78]|claude-((opus|sonnet|haiku|fable|mythos)-)?[5-9]",
    "claude": "claude",
    "gemini": "gemini",
    "gemma": "gemma",
    "llama": "llama",
    "qwen": "qwen|qwq",
    "deepseek": "deepseek",
    "mistral": "(mi|code|dev|magi|mini)stral|mixtral|pixtral|voxtral",
    "glm": "glm",
    "kimi": "kimi|moonshot",
    "phi": "phi",
    "grok": "grok",
    "minimax": "minimax",
    "command": "command",
    "nova": "nova",
}
OTHER_SCRIPTS = 0.1  # share of non-ASCII characters above which a text counts as multilingual


@public
def count_tokens(text: str | Sequence[str], model: str) -> Any:
    """Tokens of a text, or of each text of a list, for a model.

    Parameters
    ----------
    text : str or list of str
        Special tokens count as plain text; message framing, images and tools are not in it.
    model : str
        Name of the model, open or behind an API.

    Returns
    -------
    int, Range, or a list of them
        An exact int for OpenAI models. Otherwise a Range: the o200k count times the ratio of the
        model's family (data/facts/tokenizers.csv), with the band between kinds of text; a text
        with over a tenth of non-ASCII characters takes the multilingual ratio.

    Raises
    ------
    CatalogError
        Where the tokenizer of the model is not known.
    ValueError
        Where `text` is no text.

    Examples
    --------
    >>> count_tokens("tiktoken is great!", "gpt-4"), count_tokens(["hello world", ""], "gpt-6-sol")
    (6, [2, 0])
    >>> estimate = count_tokens("hello world " * 100, "claude-sonnet-4-5")
    >>> estimate.low < estimate.mid < estimate.high
    True
    """
    texts = [text] if isinstance(text, str) else text
    fine = isinstance(texts, Sequence) and all(isinstance(t, str) for t in texts)
    check(fine, "count_tokens: give a text, or a list of texts")
    encoding, family = basis(model)
    ids = _encoding(encoding).encode_ordinary_batch(list(texts), num_threads=2)
    counts: list[Any] = list(map(len, ids))
    if family is not None:
        counts = [_estimate(n, t, family) for n, t in zip(counts, texts, strict=True)]
    return counts[0] if isinstance(text, str) else counts


def basis(model: str) -> tuple[str, str | None]:
    """The (encoding, family) of a count for this model; no family where the count is exact.

    >>> basis("gpt-4o-2024-08-06"), basis("claude-opus-5-5")
    (('o200k_base', None), ('o200k_base', 'claude-4.7'))
    """
    name = str(model).lower()
    bare = name.rsplit("/", 1)[-1].removeprefix("ft:")
    for encoding, beginnings in ENCODINGS.items():
        if re.match(rf"({'|'.join(map(re.escape, beginnings))})(?!\w)", bare):
            return encoding, None
    for family, pattern in FAMILIES.items():
        if re.search(rf"(?<![a-z])(?:meta-)?(?:{pattern})", name):
            return "o200k_base", family
    known = [*chain(*ENCODINGS.values()), *FAMILIES]
    raise unknown("tokenizer for model", model, known, "data/facts/tokenizers.csv")


@public
def pages_to_tokens(pages: Number) -> Range:
    """Tokens of so many pages of text.

    Parameters
    ----------
    pages : float or Range
        Number of pages, 0 or more.

    Returns
    -------
    Range [token]

    Examples
    --------
    >>> pages_to_tokens(10).mid
    7000.0
    """
    return _times(practice("text.tokens_per_page"), pages)


@public
def words_to_tokens(words: Number) -> Range:
    """Tokens of so many English words.

    Parameters
    ----------
    words : float or Range
        Number of words, 0 or more.

    Returns
    -------
    Range [token]

    Examples
    --------
    >>> round(words_to_tokens(750).mid)
    1000
    """
    return _times(practice("text.tokens_per_word"), words)


def _times(factor: Range, amount: Any) -> Range:
    """A Range times a number, which keeps its key, or times a Range: low x low, high x high."""
    low, mid, high = (getattr(amount, end, amount) for end in ("low", "mid", "high"))
    check(low >= 0, f"the amount is {low}, allowed is 0 or more")
    return replace(
        factor,
        low=factor.low * low,
        high=factor.high * high,
        mid=factor.mid * mid,
        name=None if isinstance(amount, Range) else factor.name,
        form="amount" if low > 0 else "signed",
    )


def _estimate(count: int, text: str, family: str) -> Range:
    multilingual = sum(not c.isascii() for c in text) > OTHER_SCRIPTS * len(text)
    field = "tokens_per_o200k_token" + ("_multilingual" if multilingual else "")
    return _times(fact("tokenizers", f"{family}.{field}").value, count)


@cache
def _encoding(name: str) -> Any:
    """An encoding of tiktoken from the shipped ranks, without special tokens."""
    import base64
    import hashlib
    import lzma

    import tiktoken

    path = data_folder() / "tokenizers" / f"{name}.tiktoken.xz"
    raw = lzma.decompress(path.read_bytes())
    if hashlib.sha256(raw).hexdigest() != _SHA256[name]:
        raise CatalogError(
            f"{path.name} is damaged: its SHA-256 is not that of {name}; install costmodel again"
        )
    lines = (line.split() for line in raw.splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return tiktoken.Encoding(
        name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens={}
    )
