"""History under other options: call by call where prices are by the token, else by the ledger."""

import pandas as pd
import pytest
from toys import api

import costmodel as cm

ON = "2026-11-01"


def usage(rows, model="gpt-4o", **more):
    table = pd.DataFrame(rows, columns=["time", "session", "input", "output"])
    return cm.ingest.Usage.of(table.assign(model=model, **more))


def paid(made):
    return made.groupby("option", sort=False)["usd"].sum().to_dict()


def test_tiers_are_chosen_call_by_call_and_not_from_a_mean():
    tiered = api("gpt-4o", tiers={100_000: {"in": 4, "out": 10}}, **{"in": 2, "out": 10})
    calls = [[f"2026-10-01T0{k}:00:00Z", "", 150_000 if k == 0 else 10_000, 0] for k in range(8)]
    made = cm.history.reprice(usage(calls), {"tiered": cm.Option(tiered)})
    assert paid(made)["tiered"] == pytest.approx(150_000 * 4e-6 + 70_000 * 2e-6)


def test_another_tokenizer_is_a_band():
    made = cm.history.reprice(usage([["2026-10-01", "", 1_000_000, 0]], calls=100), {
        "claude": cm.Api("claude-sonnet-4-5", on=ON), "same": cm.Api("gpt-4o", on=ON)})  # fmt: skip
    rows = made.set_index("option")
    assert rows.loc["claude", ["usd", "low", "high"]].tolist() == pytest.approx([3.54, 3.15, 3.9])
    assert rows.loc["same", ["usd", "low", "high"]].tolist() == [2.5, 2.5, 2.5]


def test_batch_discount_and_context_policy():
    rows = [["2026-10-01T00:00:00Z", "", 100_000, 1_000], ["2026-10-02T00:00:00Z", "", 1_000, 0]]
    options = {"batch": cm.Api("gpt-4o", on=ON, mode="batch"),
               "rebate": cm.Api("gpt-4o", on=ON, discount=0.1)}  # fmt: skip
    whole = cm.history.reprice(usage(rows), options)
    base = (101_000 * 2.5 + 1_000 * 10) / 1e6
    assert paid(whole) == pytest.approx(
        {"as it was": base, "batch": base / 2, "rebate": base * 0.9}
    )
    cut = cm.history.reprice(usage(rows), {"gpt-4o": cm.Api("gpt-4o", on=ON)}, context_max=50_000)
    assert paid(cut)["gpt-4o"] == pytest.approx((51_000 * 2.5 + 1_000 * 10) / 1e6)
    assert whole.groupby("day")["usd"].sum().index.tolist() == ["2026-10-01", "2026-10-02"]


def test_a_cache_reads_what_repeats_within_a_session():
    rows = [["2026-10-01T10:00:00Z", "s", 10_000, 0], ["2026-10-01T10:02:00Z", "s", 12_000, 0],
            ["2026-10-01T11:00:00Z", "s", 14_000, 0]]  # fmt: skip
    cached = cm.Option(cm.Api("claude-sonnet-4-5", on=ON), cm.PromptCache())
    made = cm.history.reprice(usage(rows, "claude-sonnet-4-5"), {"cached": cached})
    one = made[made["option"] == "cached"].set_index("class")["usd"]
    assert one["cache_read"] == pytest.approx(10_000 * 0.3e-6)
    assert one["cache_write_5m"] == pytest.approx((10_000 + 2_000 + 14_000) * 3.75e-6)


def test_own_gpus_are_priced_by_their_ledger_and_a_narrow_window_says_why_not():
    days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%dT12:00:00Z")
    log = usage([[d, "", 50_000 * 1_000, 1_000 * 200] for d in days], calls=1_000)
    own = cm.Option(cm.Hosted("llama-3.1-8b", gpu="H100-SXM"))
    made = cm.history.reprice(log, {"own": own, "narrow": "gpt-3.5-turbo"}, draws=100)
    narrow = made[made["option"] == "narrow"].iloc[0]
    assert narrow["why_not"].startswith("30 of 30 calls do not fit the 16,")
    work = cm.history.workload(log, growth_per_year=0.0)
    lines = cm.ledger(own, work, cm.Terms(months=1), draws=100)
    month = lines[(lines["month"] == 1) & (lines["phase"] == "serving")]["usd"].sum()
    assert paid(made)["own"] == pytest.approx(month * 30 / (365.25 / 12), rel=0.01)


def test_own_gpus_count_by_their_own_tokenizer_and_read_what_the_policy_leaves():
    days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%dT12:00:00Z")
    log = usage([[d, "", 40_000 * 4_000, 40_000 * 500] for d in days], calls=40_000)
    own = cm.Option(cm.Hosted("qwen3-8b", gpu="H100-SXM", requests_per_s=None))
    rows = {"own": own}
    made = cm.history.reprice(log, rows, draws=100).set_index("option").loc["own"]
    sums = made[["low", "usd", "high"]].sum()
    assert sums["low"] < sums["usd"] < sums["high"], "the doubt of the tokenizer"
    cut = cm.history.reprice(log, rows, context_max=1_000, draws=100)
    assert paid(cut)["own"] < 0.8 * sums["usd"]


def test_what_breaks_a_cache_is_named_with_its_dollars():
    small, large = "claude-sonnet-4-5", "claude-opus-4-5"
    rows = [("10:00", small, 0, 100_000), ("10:01", small, 100_000, 500),
            ("10:30", small, 0, 101_000), ("10:31", large, 0, 101_500),
            ("10:32", large, 1_000, 101_000)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["time", "model", "cache_read", "cache_write_5m"])
    table = table.assign(time="2026-10-01T" + table["time"] + ":00Z", session="s", output=1)
    found = cm.history.cache_breaks(cm.ingest.Usage.of(table)).set_index("cause")
    assert found["times"].to_dict() == {
        "another model": 1, "a changed prefix": 1, "a pause of over 5 minutes": 1}  # fmt: skip
    assert found.loc["a pause of over 5 minutes", "usd"] == pytest.approx(100_500 * 3.45e-6)


def test_what_keeps_an_option_running_is_left_out_and_calls_are_priced_one_by_one():
    rows = [["2026-10-01T00:00:00Z", "", 150_000, 1_000], ["2026-10-02T00:00:00Z", "", 1_000, 0]]
    sonnet = cm.Api("claude-sonnet-4-5", on=ON)
    alone = cm.history.reprice(usage(rows), {"plain": sonnet, "haiku": "claude-haiku-4-5"})
    kept = cm.Option(sonnet, cm.Prompt(), cm.Evals(), cm.Monitoring(), cm.Upgrades())
    few = cm.Option(sonnet, cm.FewShot(examples=2), cm.Evals())
    twice = cm.Option(sonnet, cm.SecondTry(), cm.Evals())
    mix = cm.cascade(cm.Option(cm.Api("claude-haiku-4-5"), cm.Evals()), kept, 0.25)
    made = cm.history.reprice(
        usage(rows), {"plain": kept, "few": few, "mix": mix, "twice": twice}, draws=20
    )
    assert paid(made)["plain"] == pytest.approx(paid(alone)["plain"])
    assert paid(made)["mix"] == pytest.approx(paid(alone)["haiku"] + 0.25 * paid(alone)["plain"])
    examples = 2 * 2 * few.techniques[0].tokens_per_example.mid * 3e-6 * 1.18
    assert paid(made)["few"] == pytest.approx(paid(alone)["plain"] + examples)
    bands = made.groupby("option")[["usd", "low", "high"]].sum()
    for label in ("plain", "few", "mix", "twice"):
        assert bands.loc[label, "low"] < bands.loc[label, "usd"] < bands.loc[label, "high"]


def test_rows_without_a_price_are_left_out_of_every_option_and_said():
    rows = [["2026-10-01", "", 1_000_000, 0], ["2026-10-20", "", 1_000_000, 0]]
    log = usage(rows, batch=True, calls=10)  # no list has the batch price of the first day
    made = cm.history.reprice(log, {"mini": cm.Api("gpt-4o-mini", on=ON)})
    assert paid(made) == pytest.approx({"as it was": 1.25, "mini": 0.15})
    assert made["why_not"].max().startswith("1 of 2 rows have no price and are left out of every")
    with pytest.raises(ValueError, match="what was used has no price"):
        cm.history.reprice(usage(rows, "a-model-of-mine"), {"mini": "gpt-4o-mini"})
