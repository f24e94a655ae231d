"""Load tests: every tool in its own unit, one of which is not said."""

import numpy as np
import pytest

import costmodel as cm

RUN = {"model_id": "m", "max_concurrency": 16, "request_rate": "inf", "duration": 100.0,
       "completed": 160, "total_input_tokens": 1_600, "total_output_tokens": 20_480,
       "request_throughput": 1.6, "output_throughput": 204.8}  # fmt: skip


def row(write, doc, name="run.json"):
    return cm.ingest.read_load_test(write(name, doc)).table.iloc[0]


def test_vllm_in_milliseconds_and_its_copy_in_seconds(write):
    ms = row(write, RUN | {"mean_ttft_ms": 250.0, "p99_tpot_ms": 30.0})
    s = row(write, RUN | {"median_ttft": 0.25, "p99_tpot": 0.03})
    for found in (ms, s):
        assert (found.ttft_s, found.tpot_p99_s, found.input) == (0.25, 0.03, 10)
        assert found.rate_per_s == np.inf


def test_tools_that_state_their_unit(write):
    metric = {"successful": {"mean": 11.5, "percentiles": {"p99": 12.0}}}
    guide = {"benchmarks": [{"duration": 5, "metrics": {
        "time_to_first_token_ms": metric, "request_latency": {"successful": {"mean": 0.02}},
        "requests_per_second": {"successful": {"mean": 2.0}}}}]}  # fmt: skip
    found = row(write, guide)
    assert (found.ttft_s, found.ttft_p99_s, found.e2e_s) == (0.0115, 0.012, 0.02)
    flat = {"num_concurrent_requests": 5, "results_ttft_s_mean": 0.25,
            "results_number_input_tokens_mean": "550",
            "results_num_completed_requests_per_min": 90}  # fmt: skip
    found = row(write, flat)
    assert (found.ttft_s, found.input, found.requests_per_s) == (0.25, 550, 1.5)
    mean = {"mean": 0.5, "p99": 0.9}
    stage = {"successes": {"count": 60, "latency": {"request_latency": mean}}}
    assert row(write, stage).e2e_p99_s == 0.9
    report = "results:\n  request_performance:\n    aggregate:\n      latency:\n"
    report += "        time_to_first_token: {mean: 0.04, units: s}\n"
    report += "scenario:\n  stack:\n  - standardized: {model: {name: qwen}}\n"
    found = row(write, report, "br.yaml")
    assert (found.ttft_s, found.model) == (0.04, "qwen")


def test_single_requests_become_a_run(write):
    def request(k, error=None):
        times = {"request_start_ns": 1_759_813_207_000_000_000 + k * 10**9,
                 "request_end_ns": 1_759_813_208_000_000_000 + k * 10**9}  # fmt: skip
        metrics = {"time_to_first_token": {"value": 200.0 + k, "unit": "ms"},
                   "input_sequence_length": {"value": 550, "unit": "tokens"}}  # fmt: skip
        return {"metadata": times, "metrics": metrics, "error": error}

    lines = [request(k) for k in range(10)] + [request(0, {"code": 499})]
    found = row(write, lines, "profile.jsonl")
    assert (found.completed, found.failed, found.duration_s) == (10, 1, 10)
    assert (found.ttft_s, found.requests_per_s) == (pytest.approx(0.2045), 1.0)


def test_the_best_run_with_the_band_of_its_count(write):
    write("a.json", RUN | {"mean_ttft_ms": 1.0})
    folder = write("b.json", RUN | {"mean_ttft_ms": 1.0, "request_throughput": 0.4}).parent
    test = cm.ingest.read_load_test(folder)
    found = test.requests_per_s(replicas=2)
    assert found.mid == 0.8
    assert found.high / found.mid == pytest.approx(np.exp(1.6449 / np.sqrt(160)), rel=1e-3)
    assert found.why == "your load test, 160 requests"
