"""Seasons: months that bring more or less than an ordinary one, and the fleets that follow them."""

from dataclasses import replace

import numpy as np
import pytest
from fleets import OWN, option, work
from toys import STILL, api, total

import costmodel as cm
from costmodel.scenarios.scenario import load, save

PEAK = {"december": 1.8}
YEAR = replace(STILL, start="2027-01-01", months=12)
WORK = cm.Workload(1_000, input_tokens=1_000, seasons=PEAK)


@pytest.mark.parametrize(("start", "month"), [("2027-01-01", 12), ("2027-07-01", 6)])
def test_a_peak_falls_into_its_month_of_the_calendar(start, month):
    demand = WORK.demand(18, start=start)
    assert demand[0] == 0
    assert demand[month] == pytest.approx(2.8)
    others = np.delete(demand, [0, month, month + 12] if month + 12 <= 18 else [0, month])
    assert (others == 1).all()


def test_seasons_stand_on_top_of_growth_and_ramp():
    grows = replace(WORK, growth_per_year=1.0, ramp_months=4)
    plain = replace(grows, seasons=None)
    ratio = grows.demand(24, "2027-11-01")[1:] / plain.demand(24)[1:]
    assert ratio == pytest.approx(np.where(np.arange(24) % 12 == 1, 2.8, 1.0))


def test_tokens_of_a_year_by_hand():
    """A thousand requests of a thousand tokens at $1: eleven ordinary months and one of 2.8."""
    assert total(cm.Option(api(**{"in": 1.0, "out": 1.0})), WORK, YEAR) == pytest.approx(11 + 2.8)


def test_a_list_has_factors_and_a_mapping_has_extra_shares():
    as_list = [1.0] * 7 + [0.5, 1, 1, 1, 2.8]
    listed, mapped = (
        replace(WORK, seasons=given) for given in (as_list, {"august": -0.5, "december": 1.8})
    )
    assert listed.demand(12, "2027-01-01")[1:] == pytest.approx(as_list)
    assert listed.demand(12, "2027-01-01") == pytest.approx(mapped.demand(12, "2027-01-01"))
    assert not mapped.flat and replace(mapped, seasons=None).flat


def test_draws_of_a_peak_agree_with_single_numbers():
    shares = np.array([[0.5], [1.8]])
    drawn = replace(WORK, seasons={"december": shares}).demand(14, "2027-01-01")
    for row, share in zip(drawn, shares.ravel(), strict=True):
        one = replace(WORK, seasons={"december": float(share)})
        assert row == pytest.approx(one.demand(14, "2027-01-01"))
    doubt = replace(WORK, seasons={"december": cm.Range(1.0, 2.5)})
    table = cm.compare(cm.Option(api(**{"in": 1.0, "out": 1.0})), doubt, terms=YEAR, draws=200)
    assert (table.p10 < table.expected).all() and (table.expected < table.p90).all()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"dezember": 1.8}, "no month 'dezember' in seasons; did you mean 'december'"),
        ({"december": -1.2}, "Seasons.december is -1.2, allowed is at least -1"),
        ([1.0] * 11, "seasons has 11 factors, a list must have twelve"),
        ([1.0] * 11 + [cm.Range(1, 2)], "seasons: december in a list is a Range"),
        (0.3, "Workload.seasons is 0.3, it must be Seasons"),
    ],
)
def test_slips_are_one_sentence(given, says):
    with pytest.raises(ValueError) as reason:
        replace(WORK, seasons=given)
    assert says in str(reason.value)


def test_seasons_without_a_first_month_are_refused():
    with pytest.raises(ValueError, match="seasons need the first month"):
        WORK.demand(12)


# -- fleets ----------------------------------------------------------------------------------------


def test_rented_replicas_follow_the_month():
    table = cm.serving.capacity(option(), work(2.0, seasons=PEAK), terms=YEAR)
    assert table.replicas.to_list() == [2.0] * 11 + [6.0]  # 5.6 in December


def test_servers_are_bought_for_the_peak_and_kept():
    """One server holds eight GPUs; 16.8 replicas in December need three, bought in November."""
    asked = work(6.0, seasons=PEAK)
    book = cm.ledger(option(owned=OWN), asked, terms=replace(YEAR, months=15))
    bought = book[book["item"] == "servers"].set_index("month").quantity
    assert bought.to_dict() == {0: 1.0, 11: 2.0}
    housed = book[book["item"] == "housing of the servers"].set_index("month").quantity
    assert housed.to_dict() == {m: 1.0 if m < 12 else 3.0 for m in range(1, 16)}


# -- words and files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seasons", "more", "words"),
    [
        (PEAK, {}, "At 1,000 requests a month, with a peak of +180 % in December, "),
        (
            {"december": 0.4, "august": -0.5},
            {"growth_per_year": 0.2},
            "Starting at 1,000 requests a month and growing 20 % a year, "
            "with a peak of +40 % in December, ",
        ),
        ({"august": -0.5}, {}, "At 1,000 requests a month, with a low of −50 % in August, "),
    ],
)
def test_the_headline_names_the_season(seasons, more, words):
    asked = replace(WORK, seasons=seasons, **more)
    usd = {"a": 1.0, "b": 2.0}
    two = {x: cm.Option(api(x, accepted=0.9, **{"in": usd[x]})) for x in usd}
    assert cm.recommend(two, asked, terms=YEAR, draws=50).headline.startswith(words)


@pytest.mark.parametrize(
    "text", ["{december: 1.8}", "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2.8]"], ids=["dict", "list"]
)
def test_seasons_come_back_from_a_file(text, tmp_path):
    case = load(
        "title: T\nworkload: {requests_per_month: 9, input_tokens: 9, seasons: " + text + "}\n"
        "terms: {on: 2026-11-01}\noptions: {A: {serving: gpt-6-sol}}"
    )
    assert case.work.seasons.december == pytest.approx(1.8)
    save(case, tmp_path / "s.yaml")
    assert load(tmp_path / "s.yaml").work.seasons == case.work.seasons
