"""Value added tax and the commitment to spend, each against a sum by hand."""

from dataclasses import replace

import pytest
from toys import STAFFED, STILL, api

import costmodel as cm

TOY = api(**{"in": 10.0, "out": 0.0})  # USD 1,000 a month
WORK = cm.Workload(100_000, input_tokens=1_000, output_tokens=0)


def bill(terms, *techniques, months=12, work=WORK):
    book = cm.ledger(cm.Option(TOY, *techniques), work, terms=replace(terms, months=months))
    return book.groupby("item")["usd"].sum().to_dict(), book


def committed(usd_per_year, discount=0.1, **more):
    return replace(STILL, spend=cm.choices.SpendCommitment("toys", usd_per_year, discount, **more))


def test_tax_is_on_what_is_bought_and_not_on_pay():
    work = cm.Cost("audit", hours=10), cm.Cost("fee", usd=200)
    items, book = bill(replace(STAFFED, vat=0.2), *work)
    assert items["value added tax"] == pytest.approx(0.2 * (12_000 + 200))
    assert book[(book["item"] == "value added tax") & (book["month"] == 0)]["usd"].sum() == 40
    assert "value added tax" not in bill(replace(STAFFED, vat=0.2, vat_recovered=1.0), *work)[0]
    assert "value added tax" not in bill(STAFFED, *work)[0]


@pytest.mark.parametrize(
    ("usd_per_year", "months", "short"),
    [(9_000, 12, 0), (10_800, 12, 0), (15_000, 12, 4_200), (15_000, 24, 8_400), (15_000, 6, 2_100)],
)
def test_a_commitment_pays_what_is_short_of_it_at_the_end_of_each_year(usd_per_year, months, short):
    items, book = bill(committed(usd_per_year), months=months)
    assert items["discount of the spend commitment"] == pytest.approx(-100 * months)
    assert items.get("shortfall of the spend commitment", 0) == pytest.approx(short)
    due = set(book.loc[book["item"].str.startswith("shortfall"), "month"])
    assert due == ({m for m in (6, 12, 24) if m == months or m == 12 < months} if short else set())


def test_a_commitment_is_with_one_seller_and_its_fee_may_be_a_part():
    elsewhere = replace(STILL, spend=cm.choices.SpendCommitment("openai", 1_200, 0.1))
    items, _ = bill(elsewhere)
    assert "discount of the spend commitment" not in items
    assert items["shortfall of the spend commitment"] == pytest.approx(1_200)
    half, _ = bill(committed(15_000, shortfall_fee=0.5))
    assert half["shortfall of the spend commitment"] == pytest.approx(2_100)


def test_growth_is_settled_year_by_year():
    """Twice as much at the end of the first year: it is short in the first year alone."""
    grown = replace(WORK, growth_per_year=1.0)
    _, book = bill(committed(18_000, 0.0), months=24, work=grown)
    tokens = book[book["item"] == "production: fresh input"]
    first = tokens.loc[tokens["month"] <= 12, "usd"].sum()
    short = book[book["item"].str.startswith("shortfall")]
    assert short["usd"].to_list() == pytest.approx([18_000 - first])


def test_the_ledger_sums_to_the_comparison_and_a_file_says_the_same():
    text = """
title: Hospital
workload: {requests_per_month: 100_000, input_tokens: 1_000, output_tokens: 100}
terms:
  on: 2026-11-01
  months: 24
  vat: 0.19
  spend: {provider: openai, usd_per_year: {low: 2_000, high: 9_000}, discount: 0.08}
options:
  API: {serving: {api: gpt-4o}, techniques: [{cost: {item: fee, usd: 900}}]}
"""
    study = cm.load(text, draws=200)
    total = cm.ledger(study)["usd"].sum()
    assert total == pytest.approx(cm.compare(study)["expected"].iloc[0], rel=1e-9)
    explained = cm.explain(study, "API")
    assert explained.loc[explained["item"] == "value added tax", "basis"].str.contains("0.19").all()
