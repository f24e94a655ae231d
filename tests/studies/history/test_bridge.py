"""Reconciliation: the parts add up to the bill, and each is named for what it is."""

import pandas as pd
import pytest

import costmodel as cm

MODEL = "gpt-4o"  # 2.50 in, 1.25 cached, 10 out per million


def usage(rows):
    names = ["time", "model", "input", "cache_read", "output"]
    return cm.ingest.Usage.of(pd.DataFrame(rows, columns=names).assign(calls=10))


def bill(write, rows):
    header = "start_time_iso,line_item,quantity,amount_value"
    columns = dict(
        time="start_time_iso", item="line_item", quantity="quantity", amount="amount_value"
    )
    return cm.ingest.read_bill(write("bill.csv", (header, rows)), columns)


def adds_up(made, total):
    assert made.bridge["usd"].sum() == pytest.approx(total)
    return made.bridge.set_index("part")


def test_what_nobody_tracked_is_unexplained_and_timeouts_are_asked_about():
    made = cm.history.reconcile(
        usage([["2026-10-01", MODEL, 20_680_000, 0, 0]]), cm.ingest.Bill.of_total(96.91)
    )
    adds_up(made, 96.91)
    assert made.unexplained == pytest.approx(0.4665, abs=1e-4)
    assert "USD 45.21 (47 %) is unexplained" in made.sentence
    assert "timed out" in made.sentence


def test_tokens_in_another_class_are_counted_and_named(write):
    ours = usage([["2026-10-01", MODEL, 73_550 - 49_563, 49_563, 20_480]])
    rows = [
        ["2026-10-01", "gpt-4o, input", 73_550 - 65_304, (73_550 - 65_304) * 2.5e-6],
        ["2026-10-01", "gpt-4o, cached input", 65_304, 65_304 * 1.25e-6],
        ["2026-10-01", "gpt-4o, output", 20_480, 20_480 * 1e-5],
    ]
    theirs = bill(write, rows)
    made = cm.history.reconcile(ours, theirs)
    parts = adds_up(made, theirs.usd)
    why = "15,741 tokens are billed as cache_read and logged as input"
    assert parts.loc["another class", "why"] == why
    assert parts.loc["another class", "usd"] == pytest.approx(-15_741 * 1.25e-6)
    assert abs(parts.loc["unexplained", "usd"]) < 1e-9
    assert made.sentence.endswith("is tracked, together with tokens in another class: matched.")


def test_discount_fees_tax_credits_and_other_keys_stand_apart(write):
    days = [f"2026-10-0{k}" for k in range(1, 5)]
    ours = usage([[day, MODEL, 1_000_000, 0, 100_000] for day in days])
    rows = [[day, f"gpt-4o, {kind}", count, 0.9 * usd] for day in days
            for kind, count, usd in (("input", 1e6, 2.5), ("output", 1e5, 1.0))]  # fmt: skip
    beside = {"web search calls": 0.3, "Sales tax": 0.2, "credit": -0.1, "gpt-5, input": 1.25}
    rows += [["2026-10-04", item, 1, usd] for item, usd in beside.items()]
    parts = adds_up(cm.history.reconcile(ours, bill(write, rows)), 4 * 3.5 * 0.9 + 0.4 + 1.25)
    assert parts.loc["discount", "why"] == "10 % off the list, on 8 lines"
    assert parts["usd"].round(6).to_dict() == {
        "tracked tokens": 14.0, "discount": -1.4, "billed without usage": 1.25, "fees": 0.3,
        "tax": 0.2, "credits": -0.1, "unexplained": 0.0,
    }  # fmt: skip


def test_days_are_kept_apart_and_a_stale_bill_is_refused(write):
    ours = usage([["2026-10-01", MODEL, 1_000_000, 0, 0], ["2026-10-02", MODEL, 1_000_000, 0, 0]])
    rows = [["2026-10-01", "gpt-4o, input", 2e6, 5.0], ["2026-10-03", "gpt-4o, input", 0, 0.0]]
    made = cm.history.reconcile(ours, bill(write, rows))
    assert len(made.lines) == 3, "two days never cancel"
    parts = adds_up(made, 5.0)
    assert parts.loc["used and not billed", "usd"] == -2.5
    with pytest.raises(
        ValueError, match=r"stale: it ends on 2026-10-01 and the usage on 2026-10-02"
    ):
        cm.history.reconcile(ours, bill(write, rows[:1]))


def test_a_lower_bound_is_never_matched(write):
    line = {"type": "assistant", "timestamp": "2026-10-01T10:00:00Z", "sessionId": "s",
            "message": {"id": "m", "model": "claude-sonnet-4-5",
                        "usage": {"input_tokens": 1_000_000, "output_tokens": 1}}}  # fmt: skip
    ours = cm.ingest.read(write("s.jsonl", [line]))
    said = cm.history.reconcile(ours, cm.ingest.Bill.of_total(6.0)).sentence
    assert said.startswith("At least USD 6.00 of USD 6.00 is tracked (lower bound")
    assert "matched" not in said


def test_a_billed_cost_beats_the_list():
    row = {"time": ["2026-10-01"], "model": [MODEL], "input": [1_000_000], "billed_usd": [9.0]}
    made = cm.history.reconcile(cm.ingest.Usage.of(pd.DataFrame(row)), cm.ingest.Bill.of_total(9.0))
    assert made.sentence == "USD 9.00 of USD 9.00 is tracked: matched."


def test_what_is_billed_elsewhere_never_cancels_what_is_used(write):
    ours = usage([["2026-10-01", MODEL, 20_000_000, 0, 0]])
    made = cm.history.reconcile(ours, bill(write, [["2026-10-01", "gpt-5, input", 4e7, 50.0]]))
    assert made.bridge.set_index("part").loc["unexplained", "usd"] == 0
    assert "matched" not in made.sentence and made.unexplained == 2
    assert "USD 50.00 (100 %) is billed without usage" in made.sentence
    assert made.sentence.endswith("USD 50.00 (100 %) is used and not billed.")


def test_a_uniform_surcharge_names_its_usual_causes(write):
    days = [f"2026-10-0{k}" for k in range(1, 5)]
    ours = usage([[day, MODEL, 1_000_000, 0, 0] for day in days])
    rows = [[day, "gpt-4o, input", 1e6, 2.75] for day in days]
    made = cm.history.reconcile(ours, bill(write, rows))
    parts = adds_up(made, 11.0)
    assert parts.loc["surcharge", "why"] == "10 % above the list, on 4 lines"
    assert parts.loc["surcharge", "usd"] == pytest.approx(1.0)
    assert "matched" not in made.sentence
    for cause in ("tier", "region", "tax"):
        assert cause in made.sentence


def lines(days, input_over=1.0, output_over=1.0, tokens_over=1.0):
    """Lines of a bill on a million in (2.50) and a hundred thousand out (1.00) a day."""
    sent = "gpt-4o, input", 1e6, 2.5 * input_over
    written = "gpt-4o, output", 1e5 * tokens_over, output_over * tokens_over
    return [[day, *line] for day in days for line in (sent, written)]


def test_a_class_that_is_billed_at_another_price_is_named_and_nobody_asks_about_timeouts(write):
    days = [f"2026-10-0{k}" for k in range(1, 5)]
    ours = usage([[day, MODEL, 1_000_000, 0, 100_000] for day in days])
    made = cm.history.reconcile(ours, bill(write, lines(days, output_over=1.1)))
    assert adds_up(made, 14.4).loc["above the list", "usd"] == pytest.approx(0.4)
    assert made.unexplained == pytest.approx(0.4 / 14.4)
    assert made.sentence == (
        "USD 14.00 of USD 14.40 is tracked; USD 0.40 (3 %) is billed above the list: output of "
        "gpt-4o at 1.10 of the list price on 4 days (2026-10-01 to 2026-10-04); the counts are "
        "equal."
    )
    nine = [[*line[:3], 0.9 * line[3]] for line in lines(days)]
    nine += [[days[0], "gpt-5, output", 1e5, 1.1]]
    two = cm.ingest.Usage.of(pd.DataFrame({"time": days[:1], "model": "gpt-5", "output": 1e5}))
    mixed = cm.ingest.Usage.of(
        pd.concat([ours.table, two.table])[["time", "model", "input", "output"]]
    )
    assert (
        "at 1.10 of the list price on 2026-10-01; the counts are equal, and other lines are "
        "at 0.90 of it" in cm.history.reconcile(mixed, bill(write, nine)).sentence
    )
    both = lines(days, input_over=0.9, output_over=1.25)
    made = cm.history.reconcile(ours, bill(write, both))
    parts = adds_up(made, 14.0)
    assert parts.loc["below the list", "usd"] == pytest.approx(-1.0), "they never cancel"
    assert "input of gpt-4o" in made.sentence and "matched" not in made.sentence


def test_where_the_unexplained_lies_is_named_before_its_causes_are_asked(write):
    days = [f"2026-10-0{k}" for k in range(1, 5)]
    ours = usage([[day, MODEL, 1_000_000, 0, 100_000] for day in days])
    rows = lines(days[:3]) + lines(days[3:], tokens_over=1.5)
    made = cm.history.reconcile(ours, bill(write, rows))
    assert adds_up(made, 14.5).loc["unexplained", "usd"] == pytest.approx(0.5)
    assert "most of it output of gpt-4o at 1.50 of what was logged on 2026-10-04" in made.sentence
    assert made.sentence.endswith("leaves out, or cached tokens that are logged otherwise?")
    free = cm.history.reconcile(ours, bill(write, lines(days, tokens_over=0.5)))
    assert "is tracked beyond the bill" in free.sentence and "timed out" not in free.sentence


def test_the_admin_exports_of_one_use_match_to_the_cent(write):
    """Sonnet 4.5 a million: 3 in, 0.3 read, 3.75 and 6 written, 15 out; 6 in above 200k."""
    used = {"uncached_input_tokens": 10_000_000, "cache_read_input_tokens": 20_000_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 4_000_000,
                               "ephemeral_1h_input_tokens": 2_000_000},
            "output_tokens": 1_000_000, "model": "claude-sonnet-4-5", "context_window": "0-200k",
            "service_tier": "standard"}  # fmt: skip
    usd = {"uncached_input_tokens": 30, "cache_read_input_tokens": 6, "output_tokens": 15,
           "cache_creation.ephemeral_5m_input_tokens": 15,
           "cache_creation.ephemeral_1h_input_tokens": 12}  # fmt: skip
    lines = [{"amount": f"{100 * dollars}.0", "currency": "USD", "cost_type": "tokens",
              "token_type": name, "model": "claude-sonnet-4-5", "context_window": "0-200k"}
             for name, dollars in usd.items()]  # fmt: skip
    pages = [{"data": [{"starting_at": "2026-10-01T00:00:00Z", "results": rows}]}
             for rows in ([used], lines)]  # fmt: skip
    theirs = cm.ingest.read_bill(write("costs.json", pages[1]))
    made = cm.history.reconcile(cm.ingest.read(write("usage.json", pages[0])), theirs)
    assert made.sentence == "USD 78.00 of USD 78.00 is tracked: matched."
    assert (made.lines["usd"] - made.lines["billed_usd"]).abs().max() < 0.01
