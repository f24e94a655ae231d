"""Showback: rows sum to the total, and what nobody is charged for stays in sight."""

from dataclasses import replace

import pandas as pd
import pytest
from toys import STAFFED, api

import costmodel as cm
from costmodel.studies.follow_up.showback import BY_USAGE, shares_of, showback

WORK = cm.Workload(1e5, input_tokens=900, output_tokens=250, shares={"sales": 0.5, "legal": 0.3})
STUDY = cm.Study(
    {"plain": cm.Option(api(**{"in": 3, "out": 12}), cm.Prompt(), cm.Evals())},
    WORK, replace(STAFFED, months=12), draws=100, accept_zero=None,
)  # fmt: skip


@pytest.mark.parametrize("fixed", ["by share", "even", "unallocated"])
def test_rows_sum_to_the_total_and_costs_by_usage_follow_the_shares(fixed):
    table = showback(STUDY, fixed=fixed)
    book = cm.ledger(STUDY)
    usage = book.loc[book["phase"].isin(BY_USAGE), "usd"].sum()
    rest = book["usd"].sum() - usage
    assert table.loc["total", "usd"] == pytest.approx(cm.compare(STUDY)["expected"].item())
    for column in ("share", "by_usage", "fixed", "usd", "requests_per_month"):
        parts = table[column].drop("total").sum()
        assert parts == pytest.approx(table.loc["total", column])
    assert table.loc["sales", "by_usage"] == pytest.approx(0.5 * usage)
    share = {"by share": 0.5, "even": 0.5, "unallocated": 0.0}[fixed]
    assert table.loc["sales", "fixed"] == pytest.approx(share * rest)
    left = {"by share": 0.2, "even": 0.0, "unallocated": 1.0}[fixed]
    assert table.loc["unallocated", "fixed"] == pytest.approx(left * rest)


def test_shares_of_own_usage_count_calls_or_tokens():
    days = {"time": ["2026-10-01"] * 3, "model": ["gpt-4o"] * 3, "input": [100, 300, 600]}
    usage = cm.ingest.Usage.of(
        pd.DataFrame(days | {"calls": [1, 1, 2], "team": ["sales", "legal", ""]})
    )
    assert shares_of(usage) == {"legal": 0.25, "sales": 0.25}
    assert shares_of(usage, by="tokens") == pytest.approx({"legal": 0.3, "sales": 0.1})
    table = showback(STUDY, shares=shares_of(usage))
    assert table.loc["unallocated", "share"] == pytest.approx(0.5)


def test_shares_are_checked_move_no_cost_and_are_kept_in_a_file(tmp_path):
    with pytest.raises(ValueError, match=r"shares add up to 1\.2, allowed is at most 1"):
        replace(WORK, shares={"a": 0.6, "b": 0.6})
    with pytest.raises(ValueError, match=r"shares of 'a' is -0\.1"):
        replace(WORK, shares={"a": -0.1})
    with pytest.raises(ValueError, match="no shares are given"):
        showback(STUDY.changed(work=replace(WORK, shares=None)))
    study = cm.load("own_gpus", draws=20)
    shared = study.changed(work=replace(study.work, shares={"sales": 0.25}))
    again = cm.load(cm.scenarios.save(shared, tmp_path / "shared.yaml"))
    assert again.work.shares == {"sales": 0.25}
    assert cm.compare(again)["expected"].equals(cm.compare(study)["expected"])
