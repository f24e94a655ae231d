"""Answers of providers, as their APIs return them, one JSON object each."""

from __future__ import annotations

from collections.abc import Iterator

from costmodel.ingest.lookup import dig
from costmodel.ingest.reader import Reader, fields


def _iterations(doc: dict, memory: dict) -> Iterator[dict]:
    """One row for each model call inside an answer: the top level leaves out what was compacted,
    and what another model advised.
    """
    inner = dig(doc, ("usage", "iterations")) or [doc["usage"]]
    for k, usage in enumerate(inner):
        name = f"{doc['id']}/{k}" if "id" in doc else None
        yield {**doc, "usage": usage, "model": usage.get("model", doc.get("model")), "id": name}


def _batch(doc: dict, memory: dict) -> Iterator[dict]:
    """The answer inside a line of a batch; one that failed keeps the reason."""
    body = dig(doc, ("response", "body")) or {}
    yield {**body, "batch": True, "status": dig(doc, ("error", "code"))}


def _written_for_an_hour(doc: dict, memory: dict) -> Iterator[dict]:
    """The usage of Bedrock, with its cache writes by how long they last."""
    usage = doc["usage"]
    details = usage.get("cacheDetails") or []
    hour = sum(d.get("inputTokens", 0) for d in details if d.get("ttl") == "1h")
    written = usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount"))
    yield {**doc, "usage": usage | {"hour": hour, "short": (written or 0) - hour}}


OPENAI = """
id              id
time            created@s
                created_at@s
model           model
tier            service_tier
batch           batch
input           usage/prompt_tokens
                usage/input_tokens
cache_read      usage/prompt_tokens_details/cached_tokens
                usage/input_tokens_details/cached_tokens
                usage/num_cached_tokens
                usage/cached_tokens
                usage/prompt_cache_hit_tokens
cache_write_5m  usage/prompt_tokens_details/cache_write_tokens
                usage/input_tokens_details/cache_write_tokens
output          usage/completion_tokens
                usage/output_tokens
reasoning       usage/completion_tokens_details/reasoning_tokens
                usage/output_tokens_details/reasoning_tokens
other_tokens    usage/prompt_tokens_details/audio_tokens +
                usage/completion_tokens_details/audio_tokens
total           usage/total_tokens
billed_usd      usage/cost
tokens_usd      usage/cost_details/upstream_inference_prompt_cost +
                usage/cost_details/upstream_inference_completions_cost
own_keys        usage/is_byok
"""
ANTHROPIC = """
id     id
model  model
"""
ANTHROPIC_COUNTS = """
provider        =anthropic
tier            usage/speed
                usage/service_tier
input           usage/input_tokens
cache_read      usage/cache_read_input_tokens
cache_write_5m  usage/cache_creation/ephemeral_5m_input_tokens
                usage/cache_creation_input_tokens
cache_write_1h  usage/cache_creation/ephemeral_1h_input_tokens
written         usage/cache_creation_input_tokens
output          usage/output_tokens
reasoning       usage/output_tokens_details/thinking_tokens
"""
GEMINI = """
id          responseId
time        createTime
provider    =google
model       modelVersion
input       usageMetadata/promptTokenCount + usageMetadata/toolUsePromptTokenCount
cache_read  usageMetadata/cachedContentTokenCount
output      usageMetadata/candidatesTokenCount
reasoning   usageMetadata/thoughtsTokenCount
total       usageMetadata/totalTokenCount
"""
BEDROCK = """
provider        =aws
model           model
input           usage/inputTokens
cache_read      usage/cacheReadInputTokens
                usage/cacheReadInputTokenCount
cache_write_5m  usage/short
cache_write_1h  usage/hour
output          usage/outputTokens
total           usage/totalTokens
"""
COHERE = """
provider  =cohere
model     model
input     usage/billed_units/input_tokens
output    usage/billed_units/output_tokens
"""
READERS = [
    Reader("OpenAI batch output", "custom_id, id", fields(OPENAI + "status  status"), rows=_batch),
    Reader("a chat completion of OpenAI or a compatible host", "usage/prompt_tokens",
           fields(OPENAI)),
    Reader("a response of OpenAI", "usage/input_tokens, usage/total_tokens", fields(OPENAI)),
    Reader("an answer of Anthropic", "usage/input_tokens, usage/output_tokens",
           fields(ANTHROPIC + ANTHROPIC_COUNTS), cached="outside", rows=_iterations),
    Reader("an answer of Gemini", "usageMetadata/promptTokenCount", fields(GEMINI),
           reasoning="outside"),
    Reader("an answer of Bedrock Converse", "usage/inputTokens, usage/outputTokens",
           fields(BEDROCK), cached="outside", rows=_written_for_an_hour),
    Reader("an answer of Cohere", "usage/billed_units/input_tokens", fields(COHERE),
           absent_is_zero=False),
]  # fmt: skip
