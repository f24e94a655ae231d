"""How a fleet runs: a day, price against use, energy and carbon, the wait at an API; and whether to
buy the GPUs.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fleets import OWN, RENT, option, work
from toys import ON

import costmodel as cm
from costmodel.core.nested import walk
from costmodel.facts import catalog

FLAT = cm.Terms(discount_rate=0.0, trends=cm.choices.Trends(api=0, gpu=0, labour=0, service=0))


def test_the_fleet_of_each_month():
    table = cm.serving.capacity(option(), work(0.9, growth_per_year=1.0), months=13)
    assert table.month.to_list() == list(range(1, 14)) and table.replicas.iloc[
        [0, -1]
    ].to_list() == [1, 2]
    assert table.usd_per_mtok_out.iloc[0] == pytest.approx(
        2.0 * 730 / (0.9 * 730 * 3_600 * 100) * 1e6
    )
    with pytest.raises(ValueError, match="no model on GPUs of its own"):
        cm.serving.capacity(cm.Option(cm.Api("gpt-4o", on=ON)), work(1.0))


def test_a_day_of_load_against_capacity():
    for scaling in ("fixed", "hourly"):
        own = option(scaling=scaling)
        day = cm.serving.day(own, work(2.0, peak=2.0))
        assert (
            len(day) == 24
            and day.load.mean() == pytest.approx(2.0, rel=0.02)
            and day.load.max() <= 4
        )
        assert (day.capacity >= day.load).all()
    assert day.capacity.min() < day.capacity.max() == 4


def test_what_can_wait_lies_in_the_troughs_of_the_day():
    """A mean of 2, a peak of 6 and half of it deferrable: three replicas hold the day, and all of
    it is answered.
    """
    plain, waits = (
        cm.serving.day(option(deferrable=share), work(2.0, peak=3.0)) for share in (0.0, 0.5)
    )
    assert waits.capacity.max() == 3 < plain.capacity.max()
    assert (waits.busy <= waits.capacity + 1e-9).all() and waits.busy.sum() == pytest.approx(
        plain.busy.sum()
    )
    assert waits.load.max() < plain.load.max() and waits.load.min() > plain.load.min()


# -- price against use -----------------------------------------------------------------------------


def test_ten_percent_busy_costs_ten_times_as_much():
    """$2.50 an hour at 0.7 requests of 1,000 tokens a second: $0.99 a million fully busy, $9.92 at
    10 %.
    """
    own = cm.Hosted(
        "llama-3.1-8b",
        requests_per_s=0.7,
        gpus_per_replica=1,
        rent=replace(RENT, usd_per_gpu_hour=2.5),
    )
    asked = cm.Workload(1_000, input_tokens=1_000, output_tokens=1_000)
    table = cm.serving.by_utilisation(own, asked, [0.1, 1.0])
    assert table.usd_per_mtok_out.round(2).to_list() == [9.92, 0.99]
    people = (
        cm.serving.by_utilisation(own, asked, [1.0], fte=0.25).with_people.item()
        - table.usd_per_mtok_out.iloc[1]
    )
    assert people == pytest.approx(
        0.25
        * 2080
        / 12
        * cm.uncertainty.middle(cm.facts.person("engineer")).usd_per_hour
        / (700 * 730 * 3_600)
        * 1e6
    )


def test_the_map_of_use_and_people():
    own = cm.Hosted("llama-3.1-8b", requests_per_s=1.0, gpus_per_replica=1, rent=RENT)
    asked = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    table = cm.serving.own_over_api(
        own, cm.Api("gpt-4o-mini", on=ON), asked, [0.1, 1.0], [0.0, 1.0], terms=FLAT
    )
    each = (1_000 * 0.15 + 100 * 0.60) / 1e6
    assert table.loc[0.0, 1.0] == pytest.approx(2.0 / (3_600 * each))
    assert (
        table.loc[0.0, 0.1] == pytest.approx(10 * table.loc[0.0, 1.0])
        and (table.loc[1.0] > table.loc[0.0]).all()
    )


# -- energy ----------------------------------------------------------------------------------------


def test_energy_and_carbon_of_a_request():
    """One H100 (700 W and 150 W of the server) half busy: 850 W x 1.5 x (0.5 x 0.8 + 0.5 x 0.2) x
    730 h = 465 kWh a month.
    """
    site = cm.serving.Site(carbon=0.4, pue=1.5, busy_power=0.8, idle_power=0.2)
    asked = work(0.5)
    table = cm.serving.footprint(option(), asked, site)
    assert table.mid["kwh_per_month"] == pytest.approx(0.85 * 1.5 * 0.5 * 730)
    assert table.mid["kwh_per_request"] == pytest.approx(
        table.mid["kwh_per_month"] / asked.requests_per_month
    )
    hardware = (273 + 5_700 / 8) / 60
    assert table.mid["kgco2e_per_month"] == pytest.approx(
        0.4 * table.mid["kwh_per_month"] + hardware
    )
    wide = cm.serving.footprint(option(), asked, cm.serving.Site("france"))
    assert (wide.loc[["kwh_of_training", "kgco2e_of_training"], "high"] == 0).all()
    wide = wide.drop(["kwh_of_training", "kgco2e_of_training"])
    assert (
        (wide.low < wide.mid).all()
        and list(wide.columns) == ["what", "low", "mid", "high", "unit"]
        and (wide.mid < wide.high).all()
    )
    assert wide.mid["kgco2e_per_month"] < table.mid["kgco2e_per_month"]
    with pytest.raises(ValueError, match="no grid 'atlantis' in Site"):
        cm.serving.Site("atlantis")


def test_another_grid_takes_its_own_carbon():
    assert (
        replace(cm.serving.Site(), grid="france") == cm.serving.Site("france") != cm.serving.Site()
    )
    assert replace(cm.serving.Site(carbon=0.1), grid="france").carbon == 0.1


def test_idle_gpus_cost_energy_too():
    busy, idle = (
        cm.serving.footprint(option(spare_replicas=n), work(0.9)).mid["kwh_per_request"]
        for n in (0, 3)
    )
    assert 1.2 * busy < idle < 4 * busy


SITE = cm.serving.Site(carbon=0.5, kwh_per_mtok_in=0.2, kwh_per_mtok_out=1.0)


def test_tokens_of_an_api_take_energy_and_cached_ones_none():
    """A million requests of 2,000 + 1,000 tokens in and 100 out: 3,000 Mtok x 0.2 + 100 x 1 kWh."""
    work = cm.Workload(1e6, instruction_tokens=2_000, input_tokens=1_000, output_tokens=100)
    api = cm.Api("gpt-6.1-terra", on="2026-11-20")
    table = cm.serving.footprint(cm.Option(api), work, SITE)
    assert table.mid["kwh_per_month"] == pytest.approx(700)
    assert table.mid["kgco2e_per_request"] == pytest.approx(700 * 0.5 / 1e6)
    cached = cm.serving.footprint(cm.Option(api, cm.PromptCache()), work, SITE)
    assert cached.mid["kwh_per_month"] == pytest.approx(300, rel=0.02)
    units = cm.Provisioned(api, tokens_per_min_per_unit=5e4, usd_per_unit_hour=1, units_min=1)
    units = cm.serving.footprint(cm.Option(units), work, SITE)
    assert units.mid["kwh_per_month"] == pytest.approx(700)
    with pytest.raises(cm.Infeasible, match="no model answers"):
        cm.serving.footprint(cm.Option(cm.finance.Staff(5)), work)


def test_training_takes_the_hours_of_its_gpus_or_three_passes_of_its_tokens():
    work = cm.Workload(1e5, input_tokens=1_000, output_tokens=100)
    once = {"examples": 2_000, "tokens_per_example": 500, "epochs": 1, "runs": 1}
    never = {"retrain_months": 1e4, "base_life_months": 1e4, "sweep_runs": 0}
    lora = cm.Lora(**once, **never)
    own = cm.Option(cm.Hosted("llama-3.1-8b"), lora)
    book = cm.ledger(own, work, base_case=True).set_index("item")
    hours = book.loc["the run that passes", "quantity"]
    took = cm.serving.footprint(own, work, SITE).mid["kwh_of_training"]
    assert took == pytest.approx(hours * 0.85 * 1.54 * SITE.busy_power.mid, rel=0.02)
    managed = cm.Lora(**once, retrain_months=1e4, tuning="together.lora-16b")
    managed = cm.Option(cm.Hosted("llama-3.1-8b"), managed)
    took = cm.serving.footprint(managed, work, SITE, months=6).mid["kwh_of_training"]
    assert took == pytest.approx(2_000 * 500 / 1e6 * 3 * 0.2)


# -- the wait at an API ----------------------------------------------------------------------------


def test_a_longer_prompt_waits_longer_and_retries_add():
    def wait(tokens, **api):
        option = cm.Option(cm.Api("gpt-6-sol", **api))
        return cm.knowledge.latency(option, cm.Workload(1_000, input_tokens=tokens), draws=100)

    table = pd.concat([wait(tokens) for tokens in (100, 10_000, 100_000)])
    assert (np.diff(table.p50) > 0).all() and (table.p50_low < table.p50_high).all()
    again = wait(10_000, failed=0.1, attempts_max=2)
    assert again.p50.item() == pytest.approx(1.1 * table.p50.iloc[1])


# -- buy or rent -----------------------------------------------------------------------------------


def test_buying_pays_from_the_hours_that_it_breaks_even():
    """8 GPUs: $300,000 less 20 %, and 8 x 8,760 x 3 h x $0.45; rent at $2 an hour for all hours is
    $420,480.
    """
    table = cm.serving.buy_or_rent(
        "H100-SXM", 8, 0.5, 36, OWN, {"rent": 2.0}, FLAT, draws=2
    ).set_index("choice")
    buy = 240_000 + 8 * 26_280 * 0.45
    assert table.npv["buy"] == pytest.approx(buy) and table.npv["rent"] == pytest.approx(
        8 * 26_280 * 2.0 * 0.5
    )
    at = table.breakeven_utilisation["rent"]
    assert (
        at == pytest.approx(buy / (8 * 26_280 * 2.0))
        and f"above {100 * at:.0f} % of the hours" in table.verdict["rent"]
    )
    there = cm.serving.buy_or_rent(
        "H100-SXM", 8, at, 36, OWN, {"rent": 2.0}, FLAT, draws=2
    ).set_index("choice")
    assert there.npv["buy"] == pytest.approx(there.npv["rent"])


@pytest.mark.parametrize("months", [12, 60])
def test_buying_costs_the_same_here_and_in_the_ledger(months):
    """Eight replicas of one GPU that are always up, servers replaced after three years: the present
    value of either way.
    """
    terms = replace(FLAT, months=months, discount_rate=0.08, trends=replace(FLAT.trends, gpu=-0.1))
    whole = cm.compare(option(owned=OWN), work(8.0), terms=terms, draws=2).present_value.item()
    assert cm.serving.buy_or_rent(
        "H100-SXM", 8, months=months, owned=OWN, rents={"rent": 2.0}, terms=terms, draws=2
    ).npv[0] == pytest.approx(whole)


def test_the_price_of_a_fleet_holds_its_commitment_spot_and_servers():
    """One replica: $1.20 committed; $2 over the 95 % that spot keeps; or power, housing and 80 % of
    a server's price over three years.
    """
    signed, spot = (
        replace(RENT, id="signed", usd_per_gpu_hour=1.2),
        replace(RENT, id="spot", term="spot"),
    )
    hourly = [
        cm.serving.capacity(o, work(0.9), months=1).usd_per_hour[0]
        for o in (
            option(committed_replicas=1, commitment=signed),
            option(rent=spot, interrupted=0.05),
            option(owned=OWN),
        )
    ]
    assert hourly[:2] == pytest.approx([1.2, 2.0 / 0.95])
    assert hourly[2] == pytest.approx(0.15 + 219 / 730 + 30_000 * 1.25 * 0.8 / 36 / 730)
    table = cm.serving.by_utilisation(option(owned=OWN).serving, work(0.9), [1.0], draws=2)
    assert table.usd_per_mtok_out.item() == pytest.approx(hourly[2] / (3_600 * 100) * 1e6)
    ratio = cm.serving.own_over_api(
        option(owned=OWN).serving, cm.Api("gpt-4o-mini", on=ON), work(0.9), [1.0], [0.0], terms=FLAT
    ).iloc[0, 0]
    assert ratio == pytest.approx(hourly[2] / (3_600 * (1_000 * 0.15 + 100 * 0.60) / 1e6))


def test_a_cheap_rent_is_never_beaten():
    table = cm.serving.buy_or_rent(
        "H100-SXM", 8, 1.0, 36, OWN, {"rent": 1.0}, FLAT, draws=2
    ).set_index("choice")
    assert (
        table.verdict["rent"].startswith("never: even at all hours")
        and table.breakeven_utilisation["rent"] > 1
    )


def test_a_dear_discount_rate_favours_rent():
    at = [
        cm.serving.buy_or_rent(
            "H100-SXM",
            owned=OWN,
            rents={"rent": 2.0},
            terms=replace(FLAT, discount_rate=r),
            draws=2,
        ).breakeven_utilisation.iloc[1]
        for r in (0.0, 0.2)
    ]
    assert at[0] < at[1]


def test_the_catalogue_prices_of_owning_lie_near_a_published_cost_of_ownership():
    """InferenceX (2026-04-03) has $1.30 to $1.69 an H100 hour in large fleets. Eight GPUs at street
    prices over three years, all hours, come to more, because a server for five years costs less an
    hour than one for three.
    """
    facts = catalog.fact("own", "H100-SXM.owner_usd_per_gpu_hour").value
    five = cm.serving.buy_or_rent(
        "H100-SXM", months=60, terms=FLAT, owned=cm.serving.Owned(life_months=60)
    ).usd_per_gpu_hour.iloc[0]
    assert facts.low < five < 1.15 * facts.high
    assert cm.serving.buy_or_rent("H100-SXM", months=36, terms=FLAT).usd_per_gpu_hour.iloc[0] > five


def test_life_and_residual_are_ranges_with_sources():
    own = cm.serving.Owned().of(cm.facts.gpu("H100-SXM"))
    found = {name: value for _, name, value in walk(own)}
    for name in (
        "capex_usd",
        "server_overhead",
        "life_months",
        "residual",
        "usd_per_kw_month",
        "usd_per_kwh",
        "pue",
    ):
        assert isinstance(found[name], cm.Range) and found[name].source, name


# -- what is not meant -----------------------------------------------------------------------------

SERVING = option().serving
CHAT = work(0.9)
WRONG = [
    (lambda: cm.serving.day(SERVING, CHAT), "option 'option' is a Hosted, it must be Option"),
    (lambda: cm.serving.day(option(), None), "the workload is None, it must be Workload"),
    (
        lambda: cm.serving.day(option(), CHAT, days_per_month=0),
        "days_per_month is 0, it must be one number, between 1 and 31",
    ),
    (
        lambda: cm.serving.footprint(option(), CHAT, site="france"),
        "site is 'france', it must be Site",
    ),
    (
        lambda: cm.serving.by_utilisation(option(), CHAT, [1.0]),
        "serving is a Option, it must be Hosted",
    ),
    (
        lambda: cm.serving.by_utilisation(SERVING, CHAT, []),
        r"shares is \[\], it must be a list of numbers",
    ),
    (
        lambda: cm.serving.by_utilisation(SERVING, CHAT, [float("nan")]),
        r"shares is \(nan, nan\), it must be a finite number, between 1e-06 and 1",
    ),
    (
        lambda: cm.serving.by_utilisation(SERVING, CHAT, [1.0], fte=-1),
        "fte is -1, it must be one number, at least 0",
    ),
    (lambda: cm.serving.by_utilisation(SERVING, CHAT, [1.0], replicas=0), "replicas is 0"),
    (
        lambda: cm.serving.own_over_api(SERVING, cm.Api("gpt-4o-mini", on=ON), CHAT, [2.0], [0.0]),
        r"utilisation is \(2.0, 2.0\), allowed is",
    ),
    (
        lambda: cm.serving.own_over_api(SERVING, cm.Api("gpt-4o-mini", on=ON), CHAT, [1.0], [-1.0]),
        r"fte is \(-1.0, -1.0\)",
    ),
    (lambda: cm.serving.buy_or_rent(3), "no GPU '3' in gpus.csv"),
    (
        lambda: cm.serving.buy_or_rent("H100-SXM", rents={"ours": -1}),
        r"rents\['ours'\] is -1, allowed is at least",
    ),
    (lambda: cm.serving.buy_or_rent("H100-SXM", rents=2.0), "rents is 2.0, it must be dict"),
    (
        lambda: cm.serving.buy_or_rent("H100-SXM", months=0),
        "months is 0, allowed is a whole number between 1 and 120",
    ),
    (
        lambda: cm.serving.buy_or_rent("H100-SXM", utilisation=cm.Range(0.2, 0.5)),
        "utilisation is a Range, it must be one number",
    ),
    (lambda: cm.serving.Owned(life_months=0), "life_months is 0, allowed is at least 1"),
    (lambda: cm.serving.Owned(pue=0.9), "pue is 0.9, allowed is at least 1"),
]


@pytest.mark.parametrize(("call", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
def test_what_is_not_meant_is_refused_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
