"""Reports of load tests. Each says its own unit; one copy of vLLM's gives seconds unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costmodel.ingest.reader import UNITS, Reader, dig


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


def _percentiles(times: dict[str, str], mean: str, p99: str, unit: str = "") -> dict[str, str]:
    """The fields of a mean and a 99th percentile of each time."""
    ends = {f"{ours}_s": f"{theirs}{mean}{unit}" for ours, theirs in times.items()}
    return ends | {f"{ours}_p99_s": f"{theirs}{p99}{unit}" for ours, theirs in times.items()}


VLLM = {
    "model": "model_id",
    "concurrency": "max_concurrency",
    "rate_per_s": "request_rate",
    "duration_s": "duration",
    "completed": "completed",
    "input": "input",
    "output": "output",
    "requests_per_s": "request_throughput",
    "output_per_s": "output_throughput",
}
SHORT = ("ttft", "tpot", "e2el")
IN_MS = {
    "ttft_s": "mean_ttft_ms@ms",
    "tpot_s": "mean_tpot_ms@ms",
    "e2e_s": "mean_e2el_ms@ms | mean_e2e_latency_ms@ms",
    "ttft_p99_s": "p99_ttft_ms@ms",
    "tpot_p99_s": "p99_tpot_ms@ms",
    "e2e_p99_s": "p99_e2el_ms@ms | p99_e2e_latency_ms@ms",
}
IN_S = {
    **{f"{n[:4].removesuffix('l')}_s": f"mean_{n} | median_{n}" for n in SHORT},
    **{f"{n[:4].removesuffix('l')}_p99_s": f"p99_{n}" for n in SHORT},
}
TIMES = {"ttft": "time_to_first_token", "tpot": "time_per_output_token", "e2e": "request_latency"}
READERS = (
    Reader("vllm bench or SGLang's", "request_throughput, total_output_tokens, mean_ttft_ms",
           VLLM | IN_MS, "load test", rows=_each),
    Reader("a copy of vllm bench in seconds", "request_throughput, total_output_tokens, "
           "median_ttft", VLLM | IN_S, "load test", rows=_each),
    Reader("a guidellm report", "benchmarks/0/metrics/time_to_first_token_ms", {
        "model": "model",
        "concurrency": "metrics/request_concurrency/successful/mean",
        "rate_per_s": "config/strategy/rate",
        "duration_s": "duration",
        "completed": "metrics/request_totals/successful",
        "failed": "metrics/request_totals/errored",
        "input": "metrics/prompt_token_count/successful/mean",
        "output": "metrics/output_token_count/successful/mean",
        "requests_per_s": "metrics/requests_per_second/successful/mean",
        "output_per_s": "metrics/output_tokens_per_second/successful/mean",
        **_percentiles({"ttft": "metrics/time_to_first_token_ms/successful/",
                        "tpot": "metrics/inter_token_latency_ms/successful/"},
                       "mean", "percentiles/p99", "@ms"),
        **_percentiles({"e2e": "metrics/request_latency/successful/"}, "mean", "percentiles/p99"),
    }, "load test", rows=_benchmarks),
    Reader("the requests of AIPerf", "metadata/request_start_ns, metrics", {
        "failed": "failed",
        "start_s": "request_start_ns@ns",
        "end_s": "request_end_ns@ns",
        "input": "input_sequence_length",
        "output": "output_sequence_length",
        "ttft_s": "time_to_first_token",
        "tpot_s": "inter_token_latency",
        "e2e_s": "request_latency",
    }, "load test", rows=_request),
    Reader("the summary of AIPerf or genai-perf", "request_throughput/avg, time_to_first_token/avg",
           {
        "input": "input_sequence_length/avg",
        "output": "output_sequence_length/avg",
        "completed": "request_count/avg",
        "requests_per_s": "request_throughput/avg",
        "output_per_s": "output_token_throughput/avg",
        **_percentiles({"ttft": "time_to_first_token/", "tpot": "inter_token_latency/",
                        "e2e": "request_latency/"}, "avg", "p99", "@ms"),
    }, "load test"),
    Reader("a stage of inference-perf", "successes/latency/request_latency", {
        "rate_per_s": "load_summary/requested_rate",
        "duration_s": "load_summary/send_duration",
        "completed": "successes/count",
        "failed": "failures/count",
        "input": "successes/prompt_len/mean",
        "output": "successes/output_len/mean",
        "requests_per_s": "successes/throughput/requests_per_sec",
        "output_per_s": "successes/throughput/output_tokens_per_sec",
        **_percentiles({k: f"successes/latency/{v}/" for k, v in TIMES.items()}, "mean", "p99"),
    }, "load test"),
    Reader("a summary of inference-perf", "successes/request_latency/mean", {
        "completed": "successes/count",
        "input": "successes/prompt_len/mean",
        "output": "successes/output_len/mean",
        "requests_per_s": "successes/rate",
        "output_per_s": "successes/output_len/rate",
        **_percentiles({k: f"successes/{v}/" for k, v in TIMES.items()}, "mean", "p99"),
    }, "load test"),
    Reader("a summary of llmperf", "results_ttft_s_mean, num_concurrent_requests", {
        "model": "model",
        "concurrency": "num_concurrent_requests",
        "completed": "results_num_completed_requests",
        "failed": "results_number_errors",
        "input": "results_number_input_tokens_mean",
        "output": "results_number_output_tokens_mean",
        "requests_per_s": "results_num_completed_requests_per_min@per_min",
        "output_per_s": "results_mean_output_throughput_token_per_s",
        **_percentiles({"ttft": "results_ttft_s_", "tpot": "results_inter_token_latency_s_",
                        "e2e": "results_end_to_end_latency_s_"}, "mean", "quantiles_p99"),
    }, "load test"),
    Reader("the requests of llmperf", "ttft_s, end_to_end_latency_s", {
        "failed": "failed",
        "input": "number_input_tokens",
        "output": "number_output_tokens",
        "ttft_s": "ttft_s",
        "tpot_s": "inter_token_latency_s",
        "e2e_s": "end_to_end_latency_s",
    }, "load test", rows=_finished),
    Reader("a run of genai-bench", "aggregated_metrics/stats", {
        "concurrency": "aggregated_metrics/num_concurrency",
        "completed": "aggregated_metrics/num_completed_requests",
        "failed": "aggregated_metrics/num_error_requests",
        "input": "aggregated_metrics/stats/num_input_tokens/mean",
        "output": "aggregated_metrics/stats/num_output_tokens/mean",
        "requests_per_s": "aggregated_metrics/requests_per_minute@per_min",
        "output_per_s": "aggregated_metrics/mean_output_throughput_tokens_per_s",
        **_percentiles({k: f"aggregated_metrics/stats/{v}/" for k, v in
                        (("ttft", "ttft"), ("tpot", "tpot"), ("e2e", "e2e_latency"))},
                       "mean", "p99"),
    }, "load test"),
    Reader("an llm-d benchmark report", "results/request_performance/aggregate", {
        "model": "scenario/stack/0/standardized/model/name",
        "concurrency": "scenario/load/standardized/concurrency",
        "rate_per_s": "scenario/load/standardized/rate_qps",
        "completed": "results/request_performance/aggregate/requests/total",
        "failed": "results/request_performance/aggregate/requests/failures",
        "input": "results/request_performance/aggregate/requests/input_length/mean",
        "output": "results/request_performance/aggregate/requests/output_length/mean",
        "requests_per_s": "results/request_performance/aggregate/throughput/request_rate/mean",
        "output_per_s": "results/request_performance/aggregate/throughput/output_token_rate/mean",
        **_percentiles({k: f"results/request_performance/aggregate/latency/{v}/"
                        for k, v in TIMES.items()}, "mean", "p99"),
    }, "load test"),
)  # fmt: skip
