"""Logs of gateways and traces: LiteLLM, Langfuse, LangSmith, OpenTelemetry, OpenInference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from costmodel.ingest.lookup import dig
from costmodel.ingest.reader import Reader, fields

WITHOUT_A_MODEL = {"invoke_agent", "create_agent", "execute_tool", "AGENT", "CHAIN", "TOOL"}


def _litellm(doc: dict, memory: dict) -> Iterator[dict]:
    """A row of SpendLogs: its metadata may be JSON in a text, and an answer from the cache is
    logged with the tokens of the first time.
    """
    meta = doc.get("metadata")
    meta = json.loads(meta or "{}") if isinstance(meta, str) else meta or {}
    row: dict[str, Any] = {**doc, "metadata": meta}
    if str(doc.get("cache_hit")).lower() == "true":
        row |= dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
        row["status"] = "answered from the gateway's cache"
    yield row


def _langfuse(doc: dict, memory: dict) -> Iterator[dict]:
    """The observations that called a model: of a trace, of a page of the API, or alone."""
    for seen in doc.get("observations", doc.get("data", [doc])):
        usage = seen.get("usageDetails")
        usage = json.loads(usage) if isinstance(usage, str) and usage else usage
        if usage:
            trace = doc.get("trace") or {}
            yield {"sessionId": trace.get("sessionId") or seen.get("traceId"), **seen,
                   "usageDetails": usage}  # fmt: skip


def _langsmith(doc: dict, memory: dict) -> Iterator[dict]:
    """Runs with counts of tokens; what was posted first and patched later is one run."""
    posted = doc.get("post") or [{}] * len(doc.get("patch", [])) or [doc]
    patched = doc.get("patch") or [{}] * len(posted)
    for first, later in zip(posted, patched, strict=False):
        run = {**first, **later}
        run["metadata"] = dig(first, ("extra", "metadata")) or dig(later, ("extra", "metadata"))
        if dig(run, ("outputs", "usage_metadata")):
            yield run


def _spans(doc: dict, memory: dict) -> Iterator[dict]:
    """Spans that called a model, of an OTLP export or alone; those of whole agents repeat them."""
    inside = [
        span
        for resource in doc.get("resourceSpans", [])
        for scope in resource.get("scopeSpans", [])
        for span in scope.get("spans", [])
    ]
    for span in inside or [doc]:
        found = span["attributes"]
        if isinstance(found, list):
            found = {a["key"]: next(iter(a["value"].values()), None) for a in found}
        kind = found.get("gen_ai.operation.name", found.get("openinference.span.kind"))
        if kind not in WITHOUT_A_MODEL and any("token" in key for key in found):
            yield {**span, "attributes": found}


def _is_langfuse(doc: dict) -> bool:
    page = doc.get("data")
    first = page[0] if isinstance(page, list) and page else doc
    return "observations" in doc or (isinstance(first, dict) and "usageDetails" in first)


def _has_spans(doc: dict) -> bool:
    return bool("resourceSpans" in doc or any("token" in key for key in doc.get("attributes", ())))


LITELLM = """
id              request_id
time            startTime
provider        custom_llm_provider
model           model
team            team_id
session         session_id
status          status
input           prompt_tokens
cache_read      metadata/usage_object/prompt_tokens_details/cached_tokens
                metadata/usage_object/cache_read_input_tokens
                metadata/additional_usage_values/prompt_tokens_details/cached_tokens
                metadata/additional_usage_values/cache_read_input_tokens
cache_write_5m  metadata/usage_object/cache_creation_input_tokens
                metadata/usage_object/prompt_tokens_details/cache_creation_tokens
                metadata/additional_usage_values/cache_creation_input_tokens
output          completion_tokens
reasoning       metadata/usage_object/completion_tokens_details/reasoning_tokens
total           total_tokens
billed_usd      spend
tokens_usd      metadata/cost_breakdown/total_cost
"""
LANGFUSE = """
id              id
time            startTime
model           model
                providedModelName
session         sessionId
                traceId
input           usageDetails/input
cache_read      usageDetails/input_cached_tokens
                usageDetails/prompt_details.cache_read
                usageDetails/cache_read_input_tokens
                usageDetails/input_cache_read
cache_write_5m  usageDetails/cache_creation_input_tokens
                usageDetails/input_cache_creation
output          usageDetails/output
reasoning       usageDetails/completion_details.reasoning
                usageDetails/output_reasoning_tokens
total           usageDetails/total
"""
LANGSMITH = """
id              id
                dotted_order
time            start_time@ms
                outputs/created@s
provider        metadata/ls_provider
model           outputs/model
                metadata/ls_model_name
session         trace_id
team            session_name
input           outputs/usage_metadata/input_tokens
cache_read      outputs/usage_metadata/input_token_details/cache_read
cache_write_5m  outputs/usage_metadata/input_token_details/cache_creation
output          outputs/usage_metadata/output_tokens
reasoning       outputs/usage_metadata/output_token_details/reasoning
total           outputs/usage_metadata/total_tokens
"""
SPANS = """
id              spanId
                span_id
                context/span_id
time            startTimeUnixNano@ns
                start_time
provider        attributes/gen_ai.provider.name
                attributes/gen_ai.system
                attributes/llm.provider
model           attributes/gen_ai.response.model
                attributes/gen_ai.request.model
                attributes/llm.model_name
session         attributes/gen_ai.conversation.id
                attributes/session.id
                traceId
input           attributes/gen_ai.usage.input_tokens
                attributes/gen_ai.usage.prompt_tokens
                attributes/llm.token_count.prompt
cache_read      attributes/gen_ai.usage.cache_read.input_tokens
                attributes/gen_ai.usage.cache_read_input_tokens
                attributes/llm.token_count.prompt_details.cache_read
cache_write_5m  attributes/gen_ai.usage.cache_write.input_tokens
                attributes/gen_ai.usage.cache_creation.input_tokens
                attributes/gen_ai.usage.cache_creation_input_tokens
                attributes/llm.token_count.prompt_details.cache_write
output          attributes/gen_ai.usage.output_tokens
                attributes/gen_ai.usage.completion_tokens
                attributes/llm.token_count.completion
reasoning       attributes/gen_ai.usage.reasoning.output_tokens
                attributes/llm.token_count.completion_details.reasoning
total           attributes/llm.token_count.total
"""
READERS = [
    Reader("LiteLLM SpendLogs", "request_id, call_type, prompt_tokens", fields(LITELLM),
           rows=_litellm, absent_is_zero=False),
    Reader("a Langfuse export", "", fields(LANGFUSE), cached="either", reasoning="either",
           rows=_langfuse, fits=_is_langfuse),
    Reader("LangSmith runs", "", fields(LANGSMITH), rows=_langsmith,
           fits=lambda doc: "post" in doc or "run_type" in doc),
    Reader("OpenTelemetry spans", "", fields(SPANS), cached="either", rows=_spans, fits=_has_spans),
]  # fmt: skip
