"""Usage as providers and sellers export it: buckets of a day or an hour, and single calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from costmodel.ingest.reader import Reader, fields


def buckets(doc: dict, memory: dict) -> Iterator[dict]:
    """The results of every bucket, each with the times of its bucket."""
    for bucket in doc["data"]:
        for result in bucket.get("results") or []:
            yield {**bucket, **result}


def holds(name: str) -> Callable[[dict], bool]:
    """Whether a result of any bucket has a field of this name."""
    return lambda doc: any(name in result for result in buckets(doc, {}))


OPENAI = """
id              start_time, project_id, user_id, api_key_id, model, batch, service_tier
time            start_time@s
provider        =openai
model           model
team            project_id
batch           batch
tier            service_tier
calls           num_model_requests
input           input_tokens
cache_read      input_cached_tokens
cache_write_5m  input_cache_write_tokens
output          output_tokens
other_tokens    input_audio_tokens + output_audio_tokens
"""
CONSOLE = """
calls           not exported
time            usage_date_utc
provider        =anthropic
model           model_version
team            workspace
batch           usage_type
tier            speed
context         context_window
input           usage_input_tokens_no_cache
cache_read      usage_input_tokens_cache_read
cache_write_5m  usage_input_tokens_cache_write_5m
cache_write_1h  usage_input_tokens_cache_write_1h
output          usage_output_tokens
id              usage_date_utc, model_version, api_key, workspace, usage_type, context_window,
                inference_geo, speed
"""
ADMIN = """
calls           not exported
time            starting_at
provider        =anthropic
model           model
team            workspace_id
batch           service_tier
tier            service_tier
context         context_window
input           uncached_input_tokens
cache_read      cache_read_input_tokens
cache_write_5m  cache_creation/ephemeral_5m_input_tokens
cache_write_1h  cache_creation/ephemeral_1h_input_tokens
output          output_tokens
id              starting_at, model, workspace_id, api_key_id, service_tier, context_window
"""
OPENROUTER = """
id             generation_id
time           created_at
provider       =openrouter
model          model_permaslug
status         finish_reason_normalized
input          tokens_prompt
cache_read     tokens_cached
output         tokens_completion
reasoning      tokens_reasoning
billed_usd     cost_total
fee_usd        cost_web_search + cost_file_processing
elsewhere_usd  byok_usage_inference
"""
OPENROUTER_DAILY = """
id             Date, Slug
time           Date
provider       =openrouter
model          Slug
calls          Requests
input          Prompt Tokens
output         Completion Tokens
reasoning      Reasoning Tokens
billed_usd     Usage
elsewhere_usd  BYOK Usage
"""
INVOCATIONS = """
id              requestId
time            timestamp
provider        =aws
model           modelId
team            requestMetadata/team
input           input/inputTokenCount
cache_read      output/outputBodyJson/usage/cacheReadInputTokens
                output/outputBodyJson/usage/cache_read_input_tokens
cache_write_5m  output/outputBodyJson/usage/cacheWriteInputTokens
                output/outputBodyJson/usage/cache_creation_input_tokens
output          output/outputTokenCount
"""
READERS = [
    Reader("the OpenAI usage API", "data/0/start_time", fields(OPENAI), rows=buckets,
           fits=holds("num_model_requests")),
    Reader("the OpenAI usage CSV", "start_time, num_model_requests, model, input_tokens",
           fields(OPENAI)),
    Reader("the Anthropic console CSV of tokens", "usage_date_utc, usage_input_tokens_no_cache",
           fields(CONSOLE), cached="outside"),
    Reader("the Anthropic admin API of usage", "data/0/starting_at", fields(ADMIN),
           cached="outside", rows=buckets, fits=holds("uncached_input_tokens")),
    Reader("the OpenRouter activity by call", "generation_id, cost_total, tokens_prompt",
           fields(OPENROUTER)),
    Reader("the OpenRouter activity by day", "Date, Slug, Usage, Requests, Prompt Tokens",
           fields(OPENROUTER_DAILY)),
    Reader("the Bedrock invocation log", "schemaType, modelId, input/inputTokenCount",
           fields(INVOCATIONS), cached="outside", absent_is_zero=False),
]  # fmt: skip
