"""Published bills beside the engine: arithmetic to the cent, and bands that are honest."""

import pytest

import costmodel as cm
from costmodel.core.errors import CatalogError
from costmodel.facts.prices import Tokens
from costmodel.validation.bills import bill_study
from costmodel.validation.held_out import measured

TABLE = cm.validation.bills(draws=400).set_index("case")
BILLS = (
    measured("bills").fillna({"cache_read": 0.0, "cache_write": 0.0}).set_index("id", drop=False)
)


def test_every_bill_is_predicted_once_and_none_is_free():
    assert list(TABLE.index) == list(BILLS.index)
    assert (TABLE[["low", "mid", "high"]] > 0).all().all()
    assert (TABLE["low"] <= TABLE["mid"]).all() and (TABLE["mid"] <= TABLE["high"]).all()


@pytest.mark.parametrize(
    "case", ["openrouter-day-a", "twenty-workers", "code-diffs", "labels-nano"]
)
def test_a_bill_with_all_its_tokens_is_met_to_a_thousandth_and_by_hand(case):
    bill = BILLS.loc[case]
    names = ("input", "output", "cache_read", "cache_write")
    tokens = Tokens(**{name: float(bill[name]) / bill["requests"] for name in names})
    hand = bill["requests"] * cm.facts.price(bill["model"], tokens, on=bill["on"])
    assert TABLE.loc[case, "mid"] == pytest.approx(hand, rel=1e-9)
    assert TABLE.loc[case, "ratio"] == pytest.approx(1, abs=1e-3) and TABLE.loc[case, "exact"]


def test_what_was_not_published_is_a_band():
    wide = TABLE[~TABLE["exact"]]
    assert len(wide) > 15 and (wide["low"] < wide["high"]).all()
    assert (wide.loc[wide["note"].str.contains("assumption"), "high"] > 0).all()


def test_bills_that_are_missed_stay_in_the_table():
    """A price that the list lacks, prompts of unknown length, and agents of unknown steps."""
    missed = TABLE[~TABLE["inside"]]
    assert {"bedrock-long-prompt", "c-compiler", "swe-hal-opus"} <= set(missed.index)
    assert missed.loc["bedrock-long-prompt", "ratio"] == pytest.approx(0.5)


def test_errors_count_each_bill_once():
    errors = cm.validation.bill_errors(TABLE.reset_index(), "evidence")
    assert errors.loc["all", "bills"] == len(TABLE) == errors["bills"].iloc[:-1].sum()
    assert errors.loc["worked example", "error"] < 0.001
    assert errors.loc["all", "coverage"] == pytest.approx(TABLE["inside"].mean())


def test_another_way_is_refused():
    with pytest.raises(CatalogError, match=r"no way 'apy' in data/measured/bills\.csv"):
        bill_study(BILLS.iloc[0].to_dict() | {"way": "apy"})
