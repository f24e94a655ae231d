"""Reserved units of a provider, failed attempts, and the modes of an API."""

from dataclasses import replace

import pytest
from toys import ON, STILL, api, lines, total

import costmodel as cm
from costmodel.core.errors import CatalogError

MONTH = replace(STILL, months=1)
HOURS = 730
CARD = api(**{"in": 1.25, "out": 10.0})
UNITS = {
    "tokens_per_min_per_unit": 4_750,
    "usd_per_unit_hour": 1.0,
    "units_min": 15,
    "units_step": 5,
    "load_max": 1.0,
}


def flat(tokens_per_min, peak=1.0, out=0.0):
    """Input tokens a minute, all month, in requests of 1,000."""
    return cm.Workload(
        tokens_per_min / 1_000 * 60 * HOURS,
        input_tokens=1_000,
        output_tokens=out,
        active_hours_per_month=HOURS,
        peak_to_average=peak,
    )


def units(work, **fields):
    return (
        sum(
            float(line.quantity)
            for line in lines(cm.Option(cm.Provisioned(CARD, **UNITS | fields)), work, MONTH)
            if line.unit == "unit-hour"
        )
        / HOURS
    )


@pytest.mark.parametrize(("load", "bought"), [(0.1, 15), (15, 15), (15.01, 20), (42, 45)])
def test_units_are_bought_in_steps_from_a_minimum(load, bought):
    assert units(flat(4_750 * load)) == pytest.approx(bought)


def test_a_unit_of_gpt_5_replaces_260_dollars_of_tokens():
    """4,750 input tokens a minute for a month are 208 million, $260 at $1.25: a yearly unit at
    $221 pays above 85 % use."""
    ptu = cm.Provisioned("gpt-5", on="2026-11-01")
    asked = flat(4_750)
    by_token = total(cm.Option(cm.Api("gpt-5", on="2026-11-01")), asked, MONTH)
    assert by_token == pytest.approx(260, rel=0.002)
    assert ptu.usd_per_unit_hour * HOURS / by_token == pytest.approx(0.85, abs=0.005)


def test_an_output_token_counts_like_its_price():
    ptu = cm.Provisioned("gpt-5", on="2026-11-01")
    assert ptu.output_weight == 8.0
    assert units(flat(4_750 * 20, out=125), output_weight=8.0) == pytest.approx(
        40
    )  # 1,000 + 8 x 125 tokens a request


def test_idle_units_are_apart_and_the_peak_sizes_them():
    """Half the peak on average: half the unit-hours are idle."""
    option = cm.Option(cm.Provisioned(CARD, **UNITS))
    found = {
        line.item: float(line.quantity) for line in lines(option, flat(4_750 * 20, peak=2.0), MONTH)
    }
    assert found["provisioned units idle"] == pytest.approx(20 * HOURS)
    assert found["production: provisioned units in use"] == pytest.approx(20 * HOURS)


def test_what_units_do_not_cover_is_paid_by_the_token():
    """Peak 80, mean 40 units, a straight line: 40 units leave a quarter of the tokens."""
    asked = flat(4_750 * 40, peak=2.0)
    spilled = asked.requests_per_month * 0.25 * 1_000 * 1.25 / 1e6
    assert total(
        cm.Option(cm.Provisioned(CARD, **UNITS, cover=0.5)), asked, MONTH
    ) == pytest.approx(40 * HOURS + spilled)


def test_units_work_with_draws_and_growth():
    row = cm.compare(
        cm.Option(cm.Provisioned(CARD, **UNITS | {"load_max": cm.Range(0.7, 0.95)})),
        replace(flat(4_750 * 40), growth_per_year=cm.Range(0.2, 0.9)),
        draws=300,
        terms=replace(STILL, months=13),
    ).iloc[0]
    assert row.p10 < row.p50 < row.p90


def test_unknown_units_name_what_is_known():
    with pytest.raises(
        CatalogError,
        match=r"no tokens_per_min_per_unit of 'azure\.gpt-4o' in provisioned\.csv; "
        r"give .* known are azure\.gpt-4\.1, ",
    ):
        cm.Provisioned("gpt-4o", on=ON)


def test_the_prices_of_units_and_api_are_of_one_day():
    with pytest.raises(
        ValueError,
        match=r"Provisioned\.on is '2026-01-01', but its api has the prices of '2026-11-01'",
    ):
        cm.Provisioned(cm.Api("gpt-5", on="2026-11-01"), on="2026-01-01")
    assert (
        cm.choices.repriced(cm.Provisioned("gpt-5", on="2026-11-01"), "2026-10-01").on
        == "2026-10-01"
    )


def test_another_reservation_or_model_takes_its_own_numbers():
    """`dataclasses.replace` is the what-if of this package: it must not leave the price of a year
    on an hour."""
    yearly = cm.Provisioned("gpt-5", on="2026-11-01")
    assert (
        replace(yearly, reservation="hourly")
        == cm.Provisioned("gpt-5", on="2026-11-01", reservation="hourly")
        != yearly
    )
    other = cm.Api("gpt-4.1", on="2026-11-01")
    assert replace(yearly, api=other) == cm.Provisioned(other)
    assert (
        replace(replace(yearly, usd_per_unit_hour=0.5), reservation="hourly").usd_per_unit_hour
        == 0.5
    )


# -- failed attempts -------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "wasted"), [(1, 0.10), (3, 0.111), (9, 0.1111111110)])
def test_failed_attempts_are_billed(most, wasted):
    """10 % fail: of every call 0.1 x (1 + 0.1 + 0.01 ...) attempts are paid for nothing."""
    asked = flat(1_000)
    plain, tried = (
        total(cm.Option(replace(CARD, failed=f, attempts_max=most)), asked, MONTH)
        for f in (0.0, 0.1)
    )
    assert tried / plain - 1 == pytest.approx(wasted)
    half = total(
        cm.Option(replace(CARD, failed=0.1, attempts_max=most, billed_share=0.5)), asked, MONTH
    )
    assert half / plain - 1 == pytest.approx(wasted / 2)


def test_hidden_retries_multiply():
    """A library that tries 3 times inside a loop that tries 3 times makes 9 attempts of a dead
    call: 8,000 tokens become 72,000."""
    assert float(cm.operations.attempts(1.0, 3 * 3)) == pytest.approx(9.0, rel=1e-6)


# -- modes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "factor"), [("batch", 0.5), ("flex", 0.5), ("priority", 2.0)])
def test_a_mode_is_priced_where_the_provider_prices_it(mode, factor):
    usd = {
        m: total(cm.Option(cm.Api("gpt-5.4", on="2026-11-20", mode=m)), flat(1_000, out=100), MONTH)
        for m in ("standard", mode)
    }
    assert usd[mode] / usd["standard"] == pytest.approx(factor)


def test_a_fixed_number_of_units_is_paid_and_the_rest_goes_by_the_token():
    """Ten units carry 47,500 tokens a minute: of 95,000 half is paid by the token."""
    fixed = cm.Option(cm.Provisioned(CARD, **UNITS, units=10))
    for load in (5, 20):
        held = lines(fixed, flat(4_750 * load), MONTH)
        hours = sum(float(x.quantity) for x in held if x.unit == "unit-hour")
        by_token = sum(float(x.quantity) for x in held if x.item.startswith("overflow"))
        assert hours == pytest.approx(10 * HOURS)
        spilled = max(load - 10, 0) * 4_750 * 60 * HOURS / 1e6
        assert by_token == pytest.approx(spilled)


def test_units_of_other_clouds():
    gemini = cm.Provisioned("gemini-2.5-pro", "monthly", on="2026-06-01")
    assert (gemini.seller, gemini.output_weight, gemini.units_min) == ("vertex", 8, 1)
    assert gemini.usd_per_unit_hour * HOURS == pytest.approx(2_700, rel=0.001)
    with pytest.raises(CatalogError, match=r"no tokens_per_min_per_unit of 'bedrock\.claude"):
        cm.Provisioned("claude-sonnet-4-5", on=ON)
    text = """
title: Model units
workload: {requests_per_month: 1e6, input_tokens: 900, output_tokens: 250}
terms: {on: 2026-11-01}
options:
  Units:
    serving:
      provisioned: claude-sonnet-4-5
      tokens_per_min_per_unit: 50_000
      usd_per_unit_hour: 20
      units: 3
"""
    claude = cm.load(text).options["Units"].serving
    assert (claude.seller, claude.units, claude.units_step) == ("bedrock", 3, 1)
    imported = replace(
        claude, seller="bedrock_import", reservation="hourly", usd_per_unit_hour=None
    )
    assert imported.usd_per_unit_hour == pytest.approx(0.05718 * 60)
    with pytest.raises(CatalogError, match="seller 'azur'"):
        replace(claude, seller="azur")
