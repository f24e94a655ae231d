"""Reports of load tests. Each says its own unit; one copy of vLLM's gives seconds unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costmodel.ingest.lookup import dig
from costmodel.ingest.reader import UNITS, Reader, fields


def _each(doc: dict, memory: dict) -> Iterator[dict]:
    """A run of vLLM or SGLang, with its tokens a request."""
    row, done = dict(doc), doc.get("completed") or 1
    for side in ("input", "output"):
        row[side] = doc[f"total_{side}_tokens"] / done if f"total_{side}_tokens" in doc else None
    yield row


def _benchmarks(doc: dict, memory: dict) -> Iterator[dict]:
    """The runs of a guidellm report."""
    model = dig(doc, ("config", "spec", "backend", "model")) or dig(doc, ("args", "model"))
    for run in doc["benchmarks"]:
        yield {**run, "model": model}


def _request(doc: dict, memory: dict) -> Iterator[dict]:
    """One request of AIPerf, in seconds by the unit that each metric states."""
    row: dict[str, Any] = {**doc["metadata"], "failed": int(bool(doc.get("error")))}
    for name, metric in doc.get("metrics", {}).items():
        row[name] = metric["value"] * UNITS.get(metric["unit"], 1.0)
    yield row


def _finished(doc: dict, memory: dict) -> Iterator[dict]:
    yield doc | {"failed": int(doc.get("error_code") is not None)}


VLLM = """
model           model_id
concurrency     max_concurrency
rate_per_s      request_rate
duration_s      duration
completed       completed
input           input
output          output
requests_per_s  request_throughput
output_per_s    output_throughput
ttft_s          mean_ttft_ms@ms
                mean_ttft
                median_ttft
tpot_s          mean_tpot_ms@ms
                mean_tpot
                median_tpot
e2e_s           mean_e2el_ms@ms
                mean_e2e_latency_ms@ms
                mean_e2el
                median_e2el
ttft_p99_s      p99_ttft_ms@ms
                p99_ttft
tpot_p99_s      p99_tpot_ms@ms
                p99_tpot
e2e_p99_s       p99_e2el_ms@ms
                p99_e2e_latency_ms@ms
                p99_e2el
"""
GUIDELLM = """
model           model
concurrency     metrics/request_concurrency/successful/mean
rate_per_s      config/strategy/rate
duration_s      duration
completed       metrics/request_totals/successful
failed          metrics/request_totals/errored
input           metrics/prompt_token_count/successful/mean
output          metrics/output_token_count/successful/mean
requests_per_s  metrics/requests_per_second/successful/mean
output_per_s    metrics/output_tokens_per_second/successful/mean
ttft_s          metrics/time_to_first_token_ms/successful/mean@ms
tpot_s          metrics/inter_token_latency_ms/successful/mean@ms
ttft_p99_s      metrics/time_to_first_token_ms/successful/percentiles/p99@ms
tpot_p99_s      metrics/inter_token_latency_ms/successful/percentiles/p99@ms
e2e_s           metrics/request_latency/successful/mean
e2e_p99_s       metrics/request_latency/successful/percentiles/p99
"""
AIPERF_REQUESTS = """
failed   failed
start_s  request_start_ns@ns
end_s    request_end_ns@ns
input    input_sequence_length
output   output_sequence_length
ttft_s   time_to_first_token
tpot_s   inter_token_latency
e2e_s    request_latency
"""
AIPERF = """
input           input_sequence_length/avg
output          output_sequence_length/avg
completed       request_count/avg
requests_per_s  request_throughput/avg
output_per_s    output_token_throughput/avg
ttft_s          time_to_first_token/avg@ms
tpot_s          inter_token_latency/avg@ms
e2e_s           request_latency/avg@ms
ttft_p99_s      time_to_first_token/p99@ms
tpot_p99_s      inter_token_latency/p99@ms
e2e_p99_s       request_latency/p99@ms
"""
INFERENCE_PERF_STAGE = """
rate_per_s      load_summary/requested_rate
duration_s      load_summary/send_duration
completed       successes/count
failed          failures/count
input           successes/prompt_len/mean
output          successes/output_len/mean
requests_per_s  successes/throughput/requests_per_sec
output_per_s    successes/throughput/output_tokens_per_sec
ttft_s          successes/latency/time_to_first_token/mean
tpot_s          successes/latency/time_per_output_token/mean
e2e_s           successes/latency/request_latency/mean
ttft_p99_s      successes/latency/time_to_first_token/p99
tpot_p99_s      successes/latency/time_per_output_token/p99
e2e_p99_s       successes/latency/request_latency/p99
"""
INFERENCE_PERF = """
completed       successes/count
input           successes/prompt_len/mean
output          successes/output_len/mean
requests_per_s  successes/rate
output_per_s    successes/output_len/rate
ttft_s          successes/time_to_first_token/mean
tpot_s          successes/time_per_output_token/mean
e2e_s           successes/request_latency/mean
ttft_p99_s      successes/time_to_first_token/p99
tpot_p99_s      successes/time_per_output_token/p99
e2e_p99_s       successes/request_latency/p99
"""
LLMPERF = """
model           model
concurrency     num_concurrent_requests
completed       results_num_completed_requests
failed          results_number_errors
input           results_number_input_tokens_mean
output          results_number_output_tokens_mean
requests_per_s  results_num_completed_requests_per_min@per_min
output_per_s    results_mean_output_throughput_token_per_s
ttft_s          results_ttft_s_mean
tpot_s          results_inter_token_latency_s_mean
e2e_s           results_end_to_end_latency_s_mean
ttft_p99_s      results_ttft_s_quantiles_p99
tpot_p99_s      results_inter_token_latency_s_quantiles_p99
e2e_p99_s       results_end_to_end_latency_s_quantiles_p99
"""
LLMPERF_REQUESTS = """
failed  failed
input   number_input_tokens
output  number_output_tokens
ttft_s  ttft_s
tpot_s  inter_token_latency_s
e2e_s   end_to_end_latency_s
"""
GENAI_BENCH = """
concurrency     aggregated_metrics/num_concurrency
completed       aggregated_metrics/num_completed_requests
failed          aggregated_metrics/num_error_requests
input           aggregated_metrics/stats/num_input_tokens/mean
output          aggregated_metrics/stats/num_output_tokens/mean
requests_per_s  aggregated_metrics/requests_per_minute@per_min
output_per_s    aggregated_metrics/mean_output_throughput_tokens_per_s
ttft_s          aggregated_metrics/stats/ttft/mean
tpot_s          aggregated_metrics/stats/tpot/mean
e2e_s           aggregated_metrics/stats/e2e_latency/mean
ttft_p99_s      aggregated_metrics/stats/ttft/p99
tpot_p99_s      aggregated_metrics/stats/tpot/p99
e2e_p99_s       aggregated_metrics/stats/e2e_latency/p99
"""
LLM_D = """
model           scenario/stack/0/standardized/model/name
concurrency     scenario/load/standardized/concurrency
rate_per_s      scenario/load/standardized/rate_qps
completed       results/request_performance/aggregate/requests/total
failed          results/request_performance/aggregate/requests/failures
input           results/request_performance/aggregate/requests/input_length/mean
output          results/request_performance/aggregate/requests/output_length/mean
requests_per_s  results/request_performance/aggregate/throughput/request_rate/mean
output_per_s    results/request_performance/aggregate/throughput/output_token_rate/mean
ttft_s          results/request_performance/aggregate/latency/time_to_first_token/mean
tpot_s          results/request_performance/aggregate/latency/time_per_output_token/mean
e2e_s           results/request_performance/aggregate/latency/request_latency/mean
ttft_p99_s      results/request_performance/aggregate/latency/time_to_first_token/p99
tpot_p99_s      results/request_performance/aggregate/latency/time_per_output_token/p99
e2e_p99_s       results/request_performance/aggregate/latency/request_latency/p99
"""
READERS = [
    Reader(name, needs, fields(table), "load test", rows=rows)
    for name, needs, table, rows in (
        ("vllm bench or SGLang's", "request_throughput, total_output_tokens", VLLM, _each),
        ("a guidellm report", "benchmarks/0/metrics/time_to_first_token_ms", GUIDELLM, _benchmarks),
        ("the requests of AIPerf", "metadata/request_start_ns, metrics", AIPERF_REQUESTS, _request),
        ("the summary of AIPerf or genai-perf", "request_throughput/avg, time_to_first_token/avg",
         AIPERF, None),
        ("a stage of inference-perf", "successes/latency/request_latency", INFERENCE_PERF_STAGE,
         None),
        ("a summary of inference-perf", "successes/request_latency/mean", INFERENCE_PERF, None),
        ("a summary of llmperf", "results_ttft_s_mean, num_concurrent_requests", LLMPERF, None),
        ("the requests of llmperf", "ttft_s, end_to_end_latency_s", LLMPERF_REQUESTS, _finished),
        ("a run of genai-bench", "aggregated_metrics/stats", GENAI_BENCH, None),
        ("an llm-d benchmark report", "results/request_performance/aggregate", LLM_D, None),
    )
]  # fmt: skip
