"""Token counts: exact where the encoding is published, a band elsewhere, and never a network."""

import hashlib
import lzma
import socket

import pytest
import tiktoken
from tiktoken_ext import openai_public

from costmodel.core.errors import CatalogError
from costmodel.core.ranges import Range
from costmodel.facts import catalog, tokens
from costmodel.facts.cards import api_models
from costmodel.facts.tokens import FAMILIES, basis, count_tokens, pages_to_tokens, words_to_tokens

CASES = [
    "",
    " ",
    "hello world",
    "tiktoken is great!",
    "antidisestablishmentarianism",
    "2 + 2 = 4",
    "お誕生日おめでとう",
    "  def f(x):\r\n\treturn x**2  # naïve\n\n\n",
    "<|endoftext|> is text",
    "I'LL don't WE'VE",
    "👩‍👩‍👧 \ud800",
    "price: $1,234.56 / 1000000",
    "नमस्ते दुनिया",
    "e\u0301 é",
]


def upstream(monkeypatch, name):
    """tiktoken's own encoding, built from our ranks, with the checksum that it demands."""
    wanted = {}

    def ranks(url, expected_hash):
        wanted["sha256"] = expected_hash
        return tokens._encoding(name)._mergeable_ranks

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", ranks)
    return tiktoken.Encoding(**getattr(openai_public, name)()), wanted["sha256"]


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_the_shipped_encoding_is_that_of_tiktoken(name, monkeypatch):
    theirs, sha256 = upstream(monkeypatch, name)
    raw = lzma.decompress(
        (catalog.data_folder() / "tokenizers" / f"{name}.tiktoken.xz").read_bytes()
    )
    assert hashlib.sha256(raw).hexdigest() == sha256
    model = {"cl100k_base": "gpt-4", "o200k_base": "gpt-4o"}[name]
    assert theirs._pat_str == tokens._PATTERNS[name]
    assert count_tokens(CASES, model) == [len(theirs.encode_ordinary(text)) for text in CASES]


@pytest.mark.parametrize(
    "text, cl100k, o200k",
    [
        ("tiktoken is great!", 6, 6),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
    ],
)
def test_published_counts(text, cl100k, o200k):
    """OpenAI cookbook, "How to count tokens with tiktoken", section 5."""
    assert (count_tokens(text, "gpt-4"), count_tokens(text, "gpt-4o")) == (cl100k, o200k)


def test_nothing_is_fetched(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    tokens._encoding.cache_clear()
    assert count_tokens("hello world", "gpt-4") == 2


def test_a_damaged_file_is_refused(monkeypatch, tmp_path):
    (tmp_path / "tokenizers").mkdir()
    (tmp_path / "tokenizers" / "o200k_base.tiktoken.xz").write_bytes(lzma.compress(b"aGVsbG8= 0\n"))
    monkeypatch.setattr(tokens, "data_folder", lambda folder=None: tmp_path)
    tokens._encoding.cache_clear()
    with pytest.raises(CatalogError, match="damaged"):
        count_tokens("hello", "gpt-4o")
    tokens._encoding.cache_clear()


@pytest.mark.parametrize(
    "model, found",
    [
        ("gpt-4o-mini", ("o200k_base", None)),
        ("gpt-4.1", ("o200k_base", None)),
        ("gpt-6.1-sol", ("o200k_base", None)),
        ("o4-mini", ("o200k_base", None)),
        ("gpt-4-turbo", ("cl100k_base", None)),
        ("gpt-3.5-turbo", ("cl100k_base", None)),
        ("text-embedding-3-large", ("cl100k_base", None)),
        ("openai/gpt-oss-120b", ("o200k_base", None)),
        ("ft:gpt-4o-2024-08-06:org::id", ("o200k_base", None)),
        ("claude-sonnet-4-5", ("o200k_base", "claude")),
        ("claude-5.5-opus", ("o200k_base", "claude-4.7")),
        ("qwq-32b", ("o200k_base", "qwen")),
        ("claude-opus-4-8", ("o200k_base", "claude-4.7")),
        ("us.anthropic.claude-fable-5-v1:0", ("o200k_base", "claude-4.7")),
        ("meta-llama/Llama-3.3-70B-Instruct", ("o200k_base", "llama")),
        ("qwen3-32b", ("o200k_base", "qwen")),
        ("codestral-2508", ("o200k_base", "mistral")),
        ("deepseek-r1-distill-llama-70b", ("o200k_base", "llama")),
    ],
)
def test_what_a_count_rests_on(model, found):
    assert basis(model) == found


def test_another_tokenizer_is_a_band_that_contains_its_middle():
    text = "The refund was issued on Monday. " * 50
    exact = count_tokens(text, "gpt-4o")
    for family in FAMILIES:
        ratio = catalog.fact("tokenizers", f"{family}.tokens_per_o200k_token").value
        assert ratio.low < ratio.mid < ratio.high
    llama, claude, newer = (
        count_tokens(text, m) for m in ("llama-3.1-8b", "claude-sonnet-4-5", "claude-opus-5")
    )
    assert exact * 1.1 < claude.mid < newer.mid
    assert llama.low <= exact <= llama.high
    assert claude.source == "ingest"
    assert claude.name == "claude.tokens_per_o200k_token"  # every count of a family moves together


def test_other_scripts_take_the_multilingual_ratio():
    english, hindi = count_tokens(["hello world " * 40, "नमस्ते दुनिया " * 40], "llama-3.1-8b")
    assert (english.name, hindi.name) == (
        "llama.tokens_per_o200k_token",
        "llama.tokens_per_o200k_token_multilingual",
    )
    assert hindi.high / hindi.low > english.high / english.low
    assert count_tokens("", "llama-3.1-8b").high == 0


def test_an_unknown_model_is_an_error_with_the_nearest_name():
    with pytest.raises(CatalogError, match="did you mean 'claude"):
        count_tokens("hello", "cluade-sonnet")
    with pytest.raises(CatalogError, match="no tokenizer for model 'my-model'"):
        count_tokens("hello", "my-model")
    with pytest.raises(ValueError, match="or a list of texts"):
        count_tokens(["a", 3], "gpt-4o")


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "deepseek", "mistral"])
def test_the_models_of_the_makers_are_known(provider):
    chat = [
        m
        for m in api_models(provider)
        if m.startswith(
            (
                "gpt-3",
                "gpt-4",
                "gpt-5",
                "gpt-6",
                "o1",
                "o3",
                "o4",
                "claude",
                "gemini",
                "deepseek",
                "mistral",
            )
        )
    ]
    special = ("gpt-image", "gpt-audio", "gpt-realtime", "gpt-chat")
    for model in chat:
        if not model.startswith(special):
            assert basis(model)


def test_pages_and_words():
    page, word = catalog.practice("text.tokens_per_page"), catalog.practice("text.tokens_per_word")
    assert (pages_to_tokens(3).low, pages_to_tokens(3).mid) == (3 * page.low, 3 * page.mid)
    assert pages_to_tokens(3).name == page.name  # all conversions move together
    assert words_to_tokens(Range(100, 200)).high == pytest.approx(200 * word.high)
    with pytest.raises(ValueError, match="0 or more"):
        words_to_tokens(-1)
