"""Counting tokens: exact for OpenAI's encodings, an estimate with a stated band for every other family.

The ranks of cl100k_base and o200k_base are shipped, compressed and checked against the SHA-256 that tiktoken expects;
nothing is fetched. Special tokens count as plain text. Message framing (a few tokens per message), images and tools
are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from costmodel.core.errors import CatalogError, check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.facts import catalog

# Split patterns and checksums of the rank files: definitions of the encodings, from tiktoken_ext/openai_public.py.
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_PATTERNS = {
    "cl100k_base": r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s""",
    "o200k_base": "|".join(
        [
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
            + _CONTRACTION,
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
            + _CONTRACTION,
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
}
_SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


# First match wins. gpt-6 is taken to use o200k_base like gpt-5: no other encoding has been published.
ENCODINGS: tuple[tuple[str, str], ...] = (
    ("gpt-oss", "o200k_base"),
    ("gpt-4o", "o200k_base"),
    ("chatgpt-4o", "o200k_base"),
    ("gpt-4.1", "o200k_base"),
    ("gpt-4.5", "o200k_base"),
    ("gpt-5", "o200k_base"),
    ("gpt-6", "o200k_base"),
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("gpt-35", "cl100k_base"),
    ("text-embedding-3", "cl100k_base"),
    ("text-embedding-ada-002", "cl100k_base"),
)


# Name of the model -> family in data/facts/tokenizers.csv. Claude has counted about 30 % more since Opus 4.7.
FAMILIES: tuple[tuple[str, str], ...] = (
    ("claude-(opus-)?4[-.][78]", "claude-4.7"),
    ("claude-((opus|sonnet|haiku|fable|mythos)-)?[5-9]", "claude-4.7"),
    ("claude", "claude"),
    ("gemini", "gemini"),
    ("gemma", "gemma"),
    ("llama", "llama"),
    ("qwen|qwq", "qwen"),
    ("deepseek", "deepseek"),
    ("(mi|code|dev|magi|mini)stral|mixtral|pixtral|voxtral", "mistral"),
    ("glm", "glm"),
    ("kimi|moonshot", "kimi"),
    ("phi", "phi"),
    ("grok", "grok"),
    ("minimax", "minimax"),
    ("command", "command"),
    ("nova", "nova"),
)
OTHER_SCRIPTS = 0.1  # share of non-ASCII characters above which a text counts as multilingual


@public
def count_tokens(text: str | Sequence[str], model: str) -> Any:
    """Tokens of a text, or of each text of a list, for a model.

    Exact (int) for OpenAI models. Otherwise a Range: the o200k count times the family's ratio, with the band between
    kinds of text; texts with over a tenth of non-ASCII characters take the multilingual ratio. An unknown model is a
    `CatalogError`. Ratios and their sources: data/facts/tokenizers.csv.

    >>> count_tokens("tiktoken is great!", "gpt-4"), count_tokens(["hello world", ""], "gpt-6-sol")
    (6, [2, 0])
    >>> estimate = count_tokens("hello world " * 100, "claude-sonnet-4-5")
    >>> estimate.low < estimate.mid < estimate.high
    True
    """
    texts = (
        [text] if isinstance(text, str) else list(text) if isinstance(text, Sequence) else [None]
    )
    check(all(isinstance(t, str) for t in texts), "count_tokens: give a text, or a list of texts")
    encoding, family = basis(model)
    counts: list[Any] = _counts(texts, encoding)
    if family is not None:
        counts = [_estimate(n, t, family) for n, t in zip(counts, texts, strict=True)]
    return counts[0] if isinstance(text, str) else counts


def basis(model: str) -> tuple[str, str | None]:
    """(encoding, family) that a count for this model rests on; the family is None where the count is exact.

    >>> basis("gpt-4o-2024-08-06"), basis("claude-opus-5-5")
    (('o200k_base', None), ('o200k_base', 'claude-4.7'))
    """
    name = str(model).lower()
    bare = name.rsplit("/", 1)[-1].removeprefix("ft:")
    for prefix, encoding in ENCODINGS:
        if re.match(rf"{re.escape(prefix)}(?![\w])", bare):
            return encoding, None
    for pattern, family in FAMILIES:
        if re.search(rf"(?<![a-z])(?:meta-)?(?:{pattern})", name):
            return "o200k_base", family
    raise unknown(
        "tokenizer for model",
        model,
        [p for p, _ in ENCODINGS] + [f for _, f in FAMILIES],
        "data/facts/tokenizers.csv",
    )


@public
def pages_to_tokens(pages: Number) -> Range:
    """Tokens of so many pages of text.

    >>> pages_to_tokens(10).mid
    7000.0
    """
    return _times(catalog.practice("text.tokens_per_page"), pages)


@public
def words_to_tokens(words: Number) -> Range:
    """Tokens of so many English words.

    >>> round(words_to_tokens(750).mid)
    1000
    """
    return _times(catalog.practice("text.tokens_per_word"), words)


def _times(factor: Range, amount: Any) -> Range:
    """A Range times a number keeps its key; times another Range the ends are multiplied, which is wide on purpose."""
    low, mid, high = (getattr(amount, end, amount) for end in ("low", "mid", "high"))
    check(low >= 0, f"the amount is {low}, allowed is 0 or more")
    name = None if isinstance(amount, Range) else factor.name
    return Range(
        factor.low * low,
        factor.high * high,
        factor.mid * mid,
        name=name,
        form="amount" if low > 0 else "signed",
        source=factor.source,
        why=factor.why,
    )


def _estimate(count: int, text: str, family: str) -> Range:
    other = (
        sum(not c.isascii() for c in text) > OTHER_SCRIPTS * len(text)
        if not text.isascii()
        else False
    )
    field = "tokens_per_o200k_token" + ("_multilingual" if other else "")
    return _times(catalog.fact("tokenizers", f"{family}.{field}").value, count)


def _counts(texts: list[str], encoding: str) -> list[int]:
    return [len(ids) for ids in _encoding(encoding).encode_ordinary_batch(texts, num_threads=2)]


@cache
def _encoding(name: str) -> Any:
    """An encoding of tiktoken from the shipped ranks, without special tokens."""
    import base64
    import hashlib
    import lzma

    import tiktoken

    path = catalog.data_folder() / "tokenizers" / f"{name}.tiktoken.xz"
    raw = lzma.decompress(path.read_bytes())
    if hashlib.sha256(raw).hexdigest() != _SHA256[name]:
        raise CatalogError(
            f"{path.name} is damaged: its SHA-256 is not that of {name}; install costmodel again"
        )
    ranks = {
        base64.b64decode(token): int(rank)
        for token, rank in (line.split() for line in raw.splitlines())
    }
    return tiktoken.Encoding(
        name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens={}
    )
