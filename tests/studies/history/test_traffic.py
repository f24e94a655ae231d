"""A profile: each number is that of the data, and its band is as wide as the data leave it."""

import re
from dataclasses import replace
from pathlib import Path

import genai_prices.data
import numpy as np
import pandas as pd
import pytest
from toys import STILL, api

import costmodel as cm
from costmodel.core import DAYS_PER_MONTH
from costmodel.ingest.usage import SIZES


def daily(calls, **more):
    days = pd.date_range("2026-01-01", periods=len(calls)).strftime("%Y-%m-%d")
    table = {"time": days, "model": "gpt-4o", "calls": calls, "input": 900.0 * np.array(calls)}
    return cm.ingest.Usage.of(pd.DataFrame(table | {"output": 250.0 * np.array(calls)} | more))


def hourly(weeks=4, night=0.0, seed=1):
    """Calls of office hours: nine hours of five days, the busiest twice as busy as the mean."""
    rng, rows = np.random.default_rng(seed), []
    for hour in pd.date_range("2026-10-05", periods=weeks * 168, freq="h"):
        busy = hour.day_of_week < 5 and 8 <= hour.hour < 17
        mean = (80 if hour.hour == 10 else 35) if busy else night
        for minute in rng.uniform(0, 60, rng.poisson(mean)):
            rows.append((hour + pd.Timedelta(minutes=minute)).isoformat())
    table = {"time": rows, "model": "gpt-4o", "input": rng.lognormal(7, 1, len(rows)).round()}
    return cm.ingest.Usage.of(pd.DataFrame(table | {"output": 100}))


def test_rates_are_those_of_a_month_and_their_band_that_of_the_days():
    rng = np.random.default_rng(0)
    calls = rng.normal(1_000, 200, 60).round()
    row = cm.history.profile(daily(calls)).loc["requests_per_month"]
    assert row.mid == pytest.approx(calls.mean() * DAYS_PER_MONTH)
    error = calls.std(ddof=1) / calls.mean() / np.sqrt(60)
    assert np.log(row.high / row.mid) == pytest.approx(1.6449 * error, rel=1e-3)
    assert row.why == "your usage, 2026-01 to 2026-03, 60,046 calls".replace(
        "60,046", f"{calls.sum():,.0f}"
    )


def test_the_band_of_tokens_covers_the_truth_nine_times_in_ten():
    hit = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        level = rng.lognormal(0, 0.3, 30)  # days differ, calls of one day do not
        usage = daily(np.full(30, 500), input=500 * 1_000 * level)
        row = cm.history.profile(usage).loc["input_tokens"]
        hit += row.low <= 1_000 * np.exp(0.3**2 / 2) <= row.high
    assert 165 <= hit <= 195


def test_growth_is_found_from_half_a_year_on_and_not_before():
    calls = np.round(1_000 * 1.5 ** (np.arange(200) / 365))
    row = cm.history.profile(daily(calls)).loc["growth_per_year"]
    assert row.mid == pytest.approx(0.5, abs=0.01)
    assert row.low < row.mid < row.high
    assert "growth_per_year" not in cm.history.profile(daily(calls[:150])).index


def test_seasons_need_two_years():
    days = np.arange(365 * 2 + 90)
    calls = np.where(pd.date_range("2026-01-01", periods=len(days)).month == 12, 2_800, 1_000)
    seasons = cm.history.workload(daily(calls)).seasons
    assert seasons.december == pytest.approx(1.8, abs=0.1)
    assert cm.history.workload(daily(calls[:400])).seasons is None


def test_hours_and_the_peak_are_those_of_the_calls():
    usage = hourly()
    found = cm.history.profile(usage)
    assert found.loc["active_hours_per_month", "mid"] == pytest.approx(45 / 168 * 730, rel=0.01)
    assert found.loc["peak_to_average", "mid"] == pytest.approx(80 / 40 * 1.1, rel=0.15)
    curve = cm.history.load_curve(usage, levels=9)
    assert curve["measured"].iloc[0] == pytest.approx(2.0, rel=0.1)
    assert curve["measured"].mean() == pytest.approx(1.0, abs=0.01)
    assert "peak_to_average" not in cm.history.profile(daily([1_000] * 30)).index


def test_what_repeats_is_the_instruction_and_batch_and_failures_are_shares(write):
    calls = np.full(30, 100)
    usage = daily(calls, cache_read=5e4, cache_write_5m=1e4, batch=[True] * 15 + [False] * 15)
    found = cm.history.profile(usage)["mid"]
    assert found["instruction_tokens"] == 600
    assert found["cached_share"] == pytest.approx(5e4 / 15e4)
    assert found["batch_share"] == 0.5
    lines = [{"id": f"b{k}", "custom_id": "x", "response": None, "error": {"code": "batch_expired"}}
             for k in range(5)]  # fmt: skip
    good = {"created": 1_790_000_000, "model": "gpt-4o",
            "usage": {"prompt_tokens": 1, "completion_tokens": 1}}  # fmt: skip
    answers = [{"id": f"g{k}", "custom_id": "x", "response": {"body": good | {"id": f"g{k}"}}}
               for k in range(15)]  # fmt: skip
    made = cm.ingest.read(write("batch.jsonl", lines + answers))
    assert cm.history.profile(made).loc["failed_share", "mid"] == 0.25


def test_steps_and_context_of_sessions():
    rows = [
        (f"2026-10-0{1 + s}T10:0{k}:00Z", f"s{s}", 1_000 + 500 * k)
        for s in range(5)
        for k in range(4)
    ]
    table = pd.DataFrame(rows, columns=["time", "session", "input"]).assign(
        model="gpt-4o", output=5
    )
    found = cm.history.profile(cm.ingest.Usage.of(table))["mid"]
    assert (found["steps_per_session"], found["context_growth_per_step"]) == (4, 500)


def test_a_workload_says_measured_and_survives_a_file(tmp_path):
    work = cm.history.workload(hourly(), usd_per_failure=0.4)
    study = cm.Study(
        {"API": cm.Option(cm.Api("gpt-4o", on="2026-11-20"))}, work, draws=200, title="Mine"
    )
    register = cm.ledgers.register(study).set_index("input")
    assert register.loc["Workload.requests_per_month", "source"] == "measured"
    assert register.loc["Workload.requests_per_month", "why"].startswith("your usage, 2026-10")
    assert not register.loc["Workload.input_tokens", "default"]
    assert "measured" not in cm.ledgers.bibliography(study)["id"].tolist()
    again = cm.load(cm.scenarios.save(study, tmp_path / "mine.yaml"))
    assert again.work == work
    assert cm.recommend(again).headline == cm.recommend(study).headline


def test_usage_without_times_is_refused(write):
    body = {"model": "gpt-4o", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    usage = cm.ingest.read(write("a.json", body))
    with pytest.raises(ValueError, match="no calls with a time"):
        cm.history.profile(usage)


def bimodal(rng, cached=0):
    """A month of calls: two thirds short, a third over 200,000 tokens with longer answers."""
    many = 500  # equal calls in a row, so that a cache finds what was cached
    long = np.arange(900) % 3 == 0
    sent = np.where(long, rng.uniform(205_000, 330_000, 900), rng.uniform(1_000, 30_000, 900))
    times = pd.date_range("2026-10-01", periods=900, freq="48min").astype(str)
    table = {"input": sent.round(), "output": np.where(long, rng.uniform(900, 1_500, 900), 200)}
    sums = many * pd.DataFrame(table | {"cache_read": cached, "calls": 1}).round()
    return cm.ingest.Usage.of(sums.assign(time=times, model="gpt-4o"))


@pytest.mark.parametrize("cached", [0, 3_000])
def test_calls_above_a_tier_pay_it_though_their_mean_is_below(cached):
    usage = bimodal(np.random.default_rng(1), cached)
    tiered = api("gpt-4o", tiers={200_000: {"in": 4, "out": 15, "cache_read": 0.4}},
                 **{"in": 2, "out": 10, "cache_read": 0.2})  # fmt: skip
    option = cm.Option(tiered, cm.PromptCache())
    work = cm.history.workload(usage)
    mean = cm.core.middle(work.input_tokens) + cached
    assert mean < 200_000 and len(work.prompt_lengths.shares) > 3
    lines = cm.explain(option, work, terms=STILL, months=1)
    above = lines[lines["item"].str.contains("prompts above 200,000 tokens: fresh input")]
    assert above["usd_per_unit"].item() == 4
    calls = cm.history.reprice(usage, {"tiered": option})
    by_call = calls.loc[calls["option"] == "tiered", "usd"].sum() * DAYS_PER_MONTH / 30
    assert lines["usd"].sum() == pytest.approx(by_call, rel=0.01)
    flat = cm.explain(option, replace(work, prompt_lengths=None), terms=STILL, months=1)
    assert flat["usd"].sum() < 0.65 * by_call, "a mean would have the low tier"


def test_sums_by_hour_keep_the_lengths_and_every_tier_of_the_price_list_is_an_edge(write):
    usage = bimodal(np.random.default_rng(2))
    table = usage.table[["time", "model", "calls", "input", "output"]].astype({"time": str})
    path = write("log.csv", (",".join(table), table.values.tolist()))
    calls, days = (cm.history.prompt_lengths(cm.ingest.read(path, every=every))
                   for every in (None, "1D"))  # fmt: skip
    pd.testing.assert_frame_equal(calls, days)
    assert calls["share_of_calls"].sum() == pytest.approx(1.0)
    assert calls.loc[calls["above"] >= 200_000, "share_of_calls"].sum() == pytest.approx(1 / 3)
    listed = Path(genai_prices.data.__file__).read_text(encoding="utf-8")
    tiers = {int(start) for start in re.findall(r"Tier\(start=(\d+)", listed)}
    assert 200_000 in tiers and tiers <= {*SIZES}
