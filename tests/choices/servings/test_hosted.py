"""Fleets: replicas for a load that varies, what they cost, and every way to pay for them."""

from dataclasses import replace

import numpy as np
import pytest
from fleets import HOURS, MONTH, OWN, RENT, option, work
from toys import ON, STILL, api, lines, total

import costmodel as cm
from costmodel.core.errors import CatalogError
from costmodel.laws import queueing as fleet


def month(load_or_work, **fields):
    return cm.serving.capacity(option(**fields), load_or_work, terms=MONTH).iloc[0]


# -- the load --------------------------------------------------------------------------------------


@pytest.mark.parametrize("peak", [1.0, 1.3, 2.0, 2.5, 6.0])
def test_a_duration_curve_has_the_mean_and_the_peak_of_its_workload(peak):
    levels = np.array([float(x) for x in cm.serving.duration_curve(peak)])
    assert levels.mean() == pytest.approx(1)
    assert (np.diff(levels) <= 1e-12).all() and levels[0] <= peak
    assert float(fleet.load_at(0, peak)) == pytest.approx(peak)


@pytest.mark.parametrize("peak", [1.2, 2.0, 4.0])
@pytest.mark.parametrize("cover", [0.2, 0.5, 0.9])
def test_what_spills_over_is_the_area_above_the_line(peak, cover):
    share = (np.arange(100_000) + 0.5) / 100_000
    load = fleet.load_at(share, peak)
    assert float(fleet.share_above(cover, peak)) == pytest.approx(
        np.maximum(load - cover * peak, 0).mean(), abs=1e-5
    )


def test_a_day_counted_by_the_hour_gives_the_two_numbers_of_a_workload():
    """Ten open hours at 100, one of them at 190: mean 109, peak 190."""
    got = cm.serving.profile(hourly=[0] * 8 + [100] * 9 + [190] + [0] * 6)
    assert got["active_hours_per_month"] == pytest.approx(HOURS * 10 / 24) and got[
        "peak_to_average"
    ] == pytest.approx(190 / 109)
    with pytest.raises(ValueError, match="hourly has 23 numbers"):
        cm.serving.profile(hourly=[1] * 23)
    with pytest.raises(CatalogError, match="no traffic profile 'offices'"):
        cm.serving.profile("offices")


# -- the queue -------------------------------------------------------------------------------------


def exact_erlang_c(servers, load):
    """By the recursion of the textbooks: B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1))."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (10, 8.0), (64, 50.0), (400, 380.0)])
def test_the_chance_to_wait_is_erlangs(servers, load):
    assert float(cm.serving.wait_chance(servers, load)) == pytest.approx(
        exact_erlang_c(servers, load), rel=1e-9
    )


@pytest.mark.parametrize("load", [0.4, 1.3, 5.0, 40.0])
def test_replicas_keep_the_95th_percentile_from_waiting(load):
    """At 64 sequences a replica and Poisson arrivals, at most some 5 % find no free place; one
    replica less breaks it."""
    slots = 64
    n = float(cm.serving.replicas_needed(load, slots, 1.0, fleet.staffing_margin(0.05), 1.0, 1))
    assert float(cm.serving.wait_chance(n * slots, load * slots)) <= 0.055
    assert n == 1 or float(cm.serving.wait_chance((n - 1) * slots, load * slots)) > 0.04


def test_bursts_need_more_and_size_needs_less_head_room():
    smooth, bursty = (
        float(cm.serving.replicas_needed(10.0, 16, 1.0, fleet.staffing_margin(0.05), z, 1))
        for z in (1.0, 16.0)
    )
    assert bursty > smooth
    small, large = (
        float(cm.serving.replicas_needed(x, 16, 1.0, fleet.staffing_margin(0.05), 1.0, 1)) / x
        for x in (2.0, 200.0)
    )
    assert large < small


# -- whole replicas --------------------------------------------------------------------------------


def test_utilisation_comes_out():
    """A mean of 2.2 over 220 of 730 hours, 2.5 times that at the peak: 6 replicas are 11 % busy."""
    row = month(work(2.2, peak=2.5, hours=220))
    assert row.replicas == 6 and row.utilisation == pytest.approx(2.2 * 220 / (6 * 730))
    assert row.gpu_hours == 6 * HOURS and row.idle_gpu_hours == pytest.approx(6 * HOURS - 2.2 * 220)


def test_a_spare_replica_is_paid_and_idle():
    assert month(work(1.5), spare_replicas=1).replicas == 3
    assert total(option(spare_replicas=1), work(1.5), MONTH) == pytest.approx(3 * HOURS * 2.0)


def test_half_the_traffic_is_not_half_the_bill():
    full, half = (total(option(), work(load, peak=2.0), MONTH) for load in (1.0, 0.5))
    assert full == pytest.approx(2 * HOURS * 2.0) and half == pytest.approx(HOURS * 2.0)
    full, half = (
        total(option(upkeep_fte=0.25), work(load, peak=2.0), MONTH) for load in (1.0, 0.5)
    )
    assert half > 0.6 * full


def test_replicas_that_follow_the_hour_cost_less_and_start_cold():
    """Peak 4, mean 2 over 730 hours, a straight line: 8 levels of 3.75, 3.25 ... 0.25 need 4, 4,
    3, 3, 2, 2, 1, 1."""
    fixed, hourly = (
        month(work(2.0, peak=2.0), scaling=s, cold_start_s=180) for s in ("fixed", "hourly")
    )
    starts = (4 - 1) * HOURS / 24
    assert fixed.gpu_hours == 4 * HOURS and fixed.cold_starts == 0
    assert hourly.gpu_hours == pytest.approx(
        2.5 * HOURS + starts * 180 / 3_600
    ) and hourly.cold_starts == pytest.approx(starts)
    assert hourly.utilisation > fixed.utilisation
    warm = month(work(2.0, peak=2.0), scaling="hourly", warm_replicas=1, cold_start_s=180)
    assert hourly.gpu_hours < warm.gpu_hours <= fixed.gpu_hours + starts


def test_the_last_replica_sleeps_between_rare_requests():
    """One request an hour and ten minutes awake after each: up 1 - exp(-1/6) = 15 % of the time,
    85 % of requests start cold."""
    rare = cm.Workload(
        730, input_tokens=1_000, output_tokens=100, active_hours_per_month=730, peak_to_average=1.0
    )
    row = month(rare, scaling="hourly", replicas_min=0, keep_warm_s=600, cold_start_s=180)
    up = 1 - np.exp(-1 / 6)
    assert row.cold_share == pytest.approx(1 - up)
    assert row.gpu_hours == pytest.approx(up * HOURS + row.cold_starts * 180 / 3_600)
    assert row.cold_starts == pytest.approx(730 * (1 - up) + 730 / 24, rel=1e-6)
    assert row.gpu_hours < 0.3 * HOURS < month(rare).gpu_hours == HOURS


def test_what_can_wait_fills_the_troughs():
    """Half the requests wait for the night: the peak needs half the replicas."""
    assert (
        month(work(2.0, peak=3.0)).replicas,
        month(work(2.0, peak=3.0), deferrable=0.5).replicas,
    ) == (6, 3)
    assert (
        month(work(2.0, peak=1.0), deferrable=1.0).replicas == 2
    )  # the mean must fit all the same


def test_the_mean_hours_of_the_levels_are_those_of_the_fleet():
    """Whatever the scaling, the hours in use are the requests times their seconds."""
    for scaling in ("fixed", "hourly"):
        row = month(work(3.3, peak=2.2, hours=400), scaling=scaling)
        assert row.gpu_hours - row.idle_gpu_hours == pytest.approx(3.3 * 400)


# -- ways to pay -----------------------------------------------------------------------------------


def test_committed_replicas_are_paid_all_hours_at_their_price():
    """Three replicas of which two are committed at $1.20: 730 x (2 x 1.20 + 2.00)."""
    signed = replace(RENT, id="signed", usd_per_gpu_hour=1.2)
    assert total(
        option(committed_replicas=2, commitment=signed), work(2.5), MONTH
    ) == pytest.approx(HOURS * (2 * 1.2 + 2.0))
    assert total(
        option(committed_replicas=5, commitment=signed), work(2.5), MONTH
    ) == pytest.approx(HOURS * 5 * 1.2)


def test_a_commitment_keeps_its_price_when_rents_fall():
    falls = replace(
        STILL, months=12, trends=cm.choices.Trends(api=0, gpu=-0.5, labour=0, service=0)
    )
    signed = replace(RENT, id="signed", usd_per_gpu_hour=1.2)
    assert total(
        option(committed_replicas=1, commitment=signed), work(1.0), falls
    ) == pytest.approx(12 * HOURS * 1.2)
    assert total(option(), work(1.0), falls) < 0.8 * 12 * HOURS * 2.0


def test_spot_pays_for_what_it_loses():
    """5 % of the hours are lost: 730 / 0.95 are rented."""
    spot = replace(RENT, id="spot", term="spot")
    assert total(option(rent=spot, interrupted=0.05), work(1.0), MONTH) == pytest.approx(
        HOURS / 0.95 * 2.0
    )


def test_a_fleet_below_its_peak_hands_the_rest_to_an_api():
    """Peak 20, mean 10, a straight line: 10 replicas leave a quarter of the requests, 1,000 tokens
    in at $1 and 100 out at $10."""
    other = api(**{"in": 1.0, "out": 10.0})
    asked = work(10.0, peak=2.0)
    own = option(cover=0.5, overflow=other)
    row = cm.serving.capacity(own, asked, terms=MONTH).iloc[0]
    assert row.replicas == 10 and row.spilled == pytest.approx(0.25)
    spilled = asked.requests_per_month * 0.25 * (1_000 * 1.0 + 100 * 10.0) / 1e6
    assert total(own, asked, MONTH) == pytest.approx(10 * HOURS * 2.0 + spilled)
    assert all(
        line.item.startswith("overflow: ")
        for line in lines(own, asked, MONTH)
        if line.unit == "Mtok"
    )
    with pytest.raises(ValueError, match="needs overflow=Api"):
        cm.Hosted("llama-3.1-8b", fleet=cm.serving.Fleet(cover=0.5))


def test_overflow_follows_a_growing_demand():
    grows = work(10.0, peak=2.0, growth_per_year=1.0)
    book = cm.ledger(
        option(cover=0.5, overflow=api(**{"in": 1.0, "out": 10.0})),
        grows,
        terms=replace(STILL, months=13),
    )
    per_month = book.groupby("month").usd.sum()
    assert per_month[13] == pytest.approx(2 * per_month[1], rel=0.01)


# -- servers of your own ---------------------------------------------------------------------------


def test_own_servers_are_bought_whole_and_sold_at_the_end():
    """Three GPUs need one server of 8 x $30,000 x 1.25 = $300,000, of which 20 % ^ (12 / 36) = 58 %
    come back after a year; a GPU that is up draws 1 kW x 1.5 at $0.10, and the server houses 8 kW
    at $219, whatever is up."""
    book = cm.ledger(option(owned=OWN), work(2.5), terms=replace(STILL, months=12))
    by_item = book.groupby("item").usd.sum()
    assert by_item["servers"] == pytest.approx(300_000) and by_item[
        "servers sold"
    ] == pytest.approx(-300_000 * 0.2 ** (1 / 3))
    assert book[book.unit == "GPU-hour"].usd.sum() == pytest.approx(12 * 3 * HOURS * 0.15)
    assert by_item["housing of the servers"] == pytest.approx(12 * 8 * 219)
    assert set(book[book["item"].str.startswith("servers")].treatment) == {"capex"}
    assert book[book["item"] == "servers"].month.to_list() == [0] and book[
        book["item"] == "servers sold"
    ].month.to_list() == [12]


def test_another_gpu_takes_its_own_price_and_power():
    """As in `dataclasses.replace(hosted, gpu=...)`; a price of your own stays."""
    own = cm.Hosted("llama-3.1-8b", owned=cm.serving.Owned())
    assert (
        replace(own, gpu="B200-SXM").owned
        == cm.Hosted("llama-3.1-8b", gpu="B200-SXM", owned=cm.serving.Owned()).owned
        != own.owned
    )
    assert replace(replace(own, owned=OWN), gpu="B200-SXM").owned == OWN


def test_a_rent_of_1_70_an_hour_is_1241_a_month():
    """Azure bills the hosting of a tuned model by the hour: $1.70 x 730 h, whatever it does."""
    assert total(
        option(rent=replace(RENT, usd_per_gpu_hour=1.70)), work(0.01), MONTH
    ) == pytest.approx(1_241)


def test_worn_servers_are_replaced_and_the_last_ones_sold_at_their_age():
    """36 months of life in a horizon of 60: new ones in month 36 for the price less 20 %, sold
    after 24 months for 0.2 ^ (24 / 36)."""
    by_item = cm.ledger(option(owned=OWN), work(2.5), terms=replace(STILL, months=60)).groupby(
        "item"
    )
    usd, when = by_item.usd.sum(), by_item.month.first()
    assert (
        usd["servers replaced"] == pytest.approx(300_000 * 0.8) and when["servers replaced"] == 36
    )
    assert usd["servers sold"] == pytest.approx(-300_000 * 0.2 ** (2 / 3))
    exact = (
        cm.ledger(option(owned=OWN), work(2.5), terms=replace(STILL, months=36))
        .groupby("item")
        .usd.sum()
    )
    assert "servers replaced" not in exact and exact["servers sold"] == pytest.approx(-60_000)


def test_a_longer_life_and_a_lower_pue_make_bought_gpus_cheaper():
    def usd(**fields):
        return total(option(owned=replace(OWN, **fields)), work(2.5), replace(STILL, months=72))

    assert usd(life_months=72) < usd(life_months=48) < usd(life_months=24)
    assert usd(pue=1.1) < usd(pue=1.5)


def test_servers_are_bought_when_a_growing_load_needs_them():
    """Six replicas in month 1, twelve a year later: a second server in the month before the ninth
    is needed."""
    grows = work(5.5, growth_per_year=1.0)
    book = cm.ledger(option(owned=OWN), grows, terms=replace(STILL, months=13))
    bought = book[book["item"] == "servers"].set_index("month").quantity
    first = next(m for m in range(1, 14) if np.ceil(5.5 * 2 ** ((m - 1) / 12)) > 8)
    assert bought.to_dict() == {0: 1.0, first - 1: 1.0}
    resale = 0.2 ** (13 / 36) + 0.2 ** ((13 - first + 1) / 36)  # each at its own age
    assert book[book["item"] == "servers sold"].usd.sum() == pytest.approx(-300_000 * resale)


def test_each_server_is_replaced_after_its_own_life():
    """As above with a life of 12 months: the first again in month 12, the second not before the
    end; drawn lives give the same mean."""
    grows, terms = work(5.5, growth_per_year=1.0), replace(STILL, months=13)
    book = cm.ledger(option(owned=replace(OWN, life_months=12)), grows, terms=terms)
    again = book[book["item"] == "servers replaced"]
    assert again.month.to_list() == [12] and again.usd.sum() == pytest.approx(
        300_000 * (1 - 0.2 ** (1 / 3))
    )
    narrow = option(owned=replace(OWN, life_months=cm.Range(11.99, 12.0)))
    assert cm.compare(narrow, grows, terms=terms, draws=50).p50.item() == pytest.approx(
        cm.ledger(narrow, grows, terms=terms).usd.sum(), rel=0.01
    )


def test_an_unknown_purchase_price_names_what_is_known():
    with pytest.raises(
        CatalogError,
        match=r"no purchase price of GB300 in own\.csv; give capex_usd= "
        r".in a report purchase_price., known are A100",
    ):
        cm.Hosted("llama-3.2-1b", gpu="GB300", owned=cm.serving.Owned())


@pytest.mark.parametrize("gpu, usd", [("L4", 2_500), ("L40S", 8_500), ("A100-80GB", 15_000)])
def test_smaller_cards_can_be_bought(gpu, usd):
    """List prices of Hugging Face; a server holds eight and costs 1.35 times their price."""
    bought = cm.Hosted("llama-3.2-1b", gpu=gpu, owned=cm.serving.Owned())
    assert bought.owned.capex_usd.mid == usd
    assert cm.uncertainty.middle(bought).owned.server_usd() == pytest.approx(8 * usd * 1.35)


# -- caches, adapters, people ----------------------------------------------------------------------


def test_a_held_prefix_takes_less_time_but_not_none():
    """8,000 tokens of instructions are read once instead of a thousand times; decoding and the
    cache stay."""
    asked = cm.Workload(
        1e6,
        instruction_tokens=8_000,
        input_tokens=200,
        output_tokens=200,
        active_hours_per_month=730,
        peak_to_average=1.0,
    )
    own = cm.Hosted("llama-3.1-8b", build_weeks=0, upkeep_fte=0, error=1.0)

    def hours(*techniques):
        return sum(
            float(line.quantity * line.schedule.weights(1, asked.demand(1))[1])
            for line in lines(cm.Option(own, *techniques), asked, MONTH)
            if "in use" in line.item
        )

    assert 0.05 < hours(cm.PromptCache()) / hours() < 0.5


def test_adapters_on_one_base_share_the_fleet_and_slow_it_down():
    plain, many = (
        cm.Hosted("llama-3.1-8b", gpu="L40S", error=1.0, adapters=n, adapter_slowdown=0.2)
        for n in (0, 50)
    )
    call = work(1.0).request().calls[0]
    assert many.seconds_per_call(call) == pytest.approx(1.2 * plain.seconds_per_call(call))
    crowd = cm.Hosted(
        "llama-3.1-8b", gpu="L40S", adapters=400
    )  # 400 x 0.2 GB no longer fit beside the weights
    assert crowd.gpus > plain.gpus


def test_engineers_on_call_are_paid():
    rate = cm.uncertainty.middle(STILL.people.engineer.usd_per_hour)
    calm, watched = (total(option(on_call_hours_per_month=h), work(1.0), MONTH) for h in (0, 10))
    assert watched - calm == pytest.approx(10 * rate)


def test_residency_raises_the_rent():
    assert total(option(residency_uplift=1.1), work(1.0), MONTH) == pytest.approx(1.1 * HOURS * 2.0)


# -- physics behind it -----------------------------------------------------------------------------


def test_70b_on_one_h100_is_several_times_slower_than_on_one_h200():
    """The weights leave 4 GB of an H100 for keys and values, and 63 GB of an H200."""
    call = cm.Workload(1, input_tokens=1_000, output_tokens=1_000).request().calls[0]
    one = {"precision": "fp8", "gpus_per_replica": 1, "error": 1.0}
    small, large = (
        cm.Hosted("llama-3.1-70b", gpu=gpu, **one).seconds_per_call(call)
        for gpu in ("H100-SXM", "H200-SXM")
    )
    assert small > 3 * large


def test_a_replica_that_memory_limits_is_a_smaller_queue():
    """One H100 holds a few sequences of 70B beside the weights, so that the same load meets by
    chance more often than with 64."""
    fields = {
        "precision": "fp8",
        "gpus_per_replica": 1,
        "error": 1.0,
        "load_max": 1.0,
        "fleet": cm.serving.Fleet(burstiness=1.0),
        "build_weeks": 0,
        "upkeep_fte": 0,
    }
    asked = cm.Workload(
        2e6, input_tokens=2_000, output_tokens=500, active_hours_per_month=730, peak_to_average=1.0
    )
    call = asked.request().calls[0]
    tight, roomy = (
        cm.Hosted("llama-3.1-70b", gpu=gpu, **fields) for gpu in ("H100-SXM", "H200-SXM")
    )
    assert tight.at_once(call) < 32 < roomy.at_once(call) == 64
    for own in (tight, roomy):
        row = cm.serving.capacity(cm.Option(own), asked, terms=MONTH).iloc[0]
        assert row.replicas == fleet.replicas_needed(
            row.peak, own.at_once(call), 1.0, fleet.staffing_margin(0.05), 1.0, 1
        )


def test_the_speed_of_a_fleet_cites_its_model_and_gpu():
    book = cm.ledger(cm.Option(cm.Hosted("llama-3.1-8b")), work(1.0), terms=MONTH)
    sources = book[book["item"].str.endswith("GPU hours in use")].sources.iloc[0].split("; ")
    assert {"llama-card", "accelerators", "serving-fit"} <= set(sources)


def test_a_rent_is_that_of_the_gpu():
    with pytest.raises(
        ValueError, match="the rent 'ours' is that of a H100-SXM, but the GPU is a L40S"
    ):
        cm.Hosted("llama-3.1-8b", gpu="L40S", rent=RENT)


def test_everything_works_with_draws():
    """Any field may be a Range; the middle of the draws is near the middle."""
    wide = option(
        requests_per_s=cm.Range(0.8, 1.25),
        load_max=cm.Range(0.7, 0.95),
        scaling="hourly",
        replicas_min=cm.Range(0.5, 2.0),
        spare_replicas=cm.Range(0.5, 1.5),
        wait_share=cm.Range(0.01, 0.1),
        burstiness=cm.Range(1, 4),
        deferrable=cm.Range(0.1, 0.3),
        cover=cm.Range(0.4, 0.8),
        overflow=api(**{"in": 1.0, "out": 10.0}),
        committed_replicas=cm.Range(1, 2),
        commitment=RENT,
    )
    for growth in (0.0, cm.Range(0.1, 0.5)):
        asked = work(3.0, peak=cm.Range(1.5, 3.0), growth_per_year=growth)
        row = cm.compare(wide, asked, draws=500, terms=replace(STILL, months=3)).iloc[0]
        assert row.p10 < row.p50 < row.p90 and 0.5 < row.p50 / row.base_case < 2
    bought = option(owned=cm.serving.Owned())
    assert np.isfinite(
        cm.compare(bought, work(3.0, growth_per_year=cm.Range(0.1, 0.5)), draws=500).p50.item()
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: cm.serving.Fleet(scaling="auto"),
            "no scaling 'auto' in Fleet; known: fixed, hourly",
        ),
        (
            lambda: cm.serving.Fleet(wait_share=1.5),
            "Fleet.wait_share is 1.5, allowed is between 0 and 1",
        ),
        (
            lambda: cm.Hosted("llama-3.1-8b", engine="vlm"),
            "no engine 'vlm' in Hosted; did you mean 'vllm'",
        ),
        (lambda: cm.Hosted("llama-3.1-8b", kv_precision="fp7"), "no kv_precision 'fp7' in Hosted"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_prices_of_the_overflow_move_with_the_date():
    own = cm.Hosted(
        "llama-3.1-8b",
        fleet=cm.serving.Fleet(cover=0.5),
        overflow=cm.Api("gpt-4o", on="2026-11-20"),
    )
    assert cm.choices.repriced(own, ON).overflow.on == ON


WRONG = [
    ({"model": None}, "no open model 'None'"),
    ({"gpu": 5}, "no GPU '5'"),
    ({"rent": 2.0}, "Hosted.rent is 2.0, it must be Rent"),
    (
        {"rent": replace(RENT, usd_per_gpu_hour=-1.0)},
        "the rent 'ours' is -1.0, allowed is at least 0",
    ),
    ({"commitment": "reserved"}, "Hosted.commitment is 'reserved', it must be Rent"),
    ({"gpus_per_replica": 0}, "gpus_per_replica is 0, allowed is between 1 and 1024"),
]


@pytest.mark.parametrize(("fields", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_cannot_be_hosted_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        cm.Hosted(**{"model": "llama-3.1-8b", **fields})


def test_a_fleet_refuses_what_it_would_ignore():
    with pytest.raises(
        ValueError, match=r"Fleet\.warm_replicas is 2, allowed is 0 where scaling is 'fixed'"
    ):
        cm.serving.Fleet(warm_replicas=2)
    with pytest.raises(
        CatalogError, match="no commitment 'reserved_12' in Fleet; did you mean 'reserved_12mo'"
    ):
        cm.serving.Fleet(commitment="reserved_12")
    only_api, rented = ({"a": o} for o in (cm.Option(api(**{"in": 1.0, "out": 1.0})), option()))
    with pytest.raises(
        ValueError,
        match="purchase_price, life_months or residual changes nothing, because no option has",
    ):
        cm.serving.with_fleet(rented, work(1.0), purchase_price=1e4, residual=0.5)
    with pytest.raises(
        ValueError, match="gpu_hourly changes nothing, because no option has rented GPUs"
    ):
        cm.serving.with_fleet(only_api, work(1.0), gpu_hourly=2.0)


def test_every_field_of_a_fleet_changes_the_bill():
    """Where it acts: by the hour, asleep at night, on spot, with an overflow and a commitment."""
    signed, spot = (
        replace(RENT, id="signed", usd_per_gpu_hour=1.2),
        replace(RENT, id="spot", term="spot"),
    )
    given = {
        "scaling": "hourly",
        "burstiness": 1.0,
        "cover": 0.6,
        "committed_replicas": 1,
        "interrupted": 0.05,
    }
    changes = {
        "scaling": "fixed",
        "spare_replicas": 1,
        "wait_share": 0.001,
        "burstiness": 400.0,
        "warm_replicas": 1,
        "cold_start_s": 2_000.0,
        "deferrable": 0.5,
        "cover": 0.9,
        "committed_replicas": 2,
        "interrupted": 0.3,
        "regions": 2,
        "standby_share": 0.0,
    }
    given["regions"] = 3

    def usd(**fields):
        own = cm.Hosted(
            "llama-3.1-8b",
            requests_per_s=1.0,
            load_max=1.0,
            gpus_per_replica=1,
            rent=spot,
            commitment=signed,
            overflow=api(**{"in": 1.0, "out": 10.0}),
            fleet=cm.serving.Fleet(**given | fields),
        )
        return total(cm.Option(own), work(6.0, peak=2.5, hours=400), MONTH)

    assert [name for name, value in changes.items() if usd(**{name: value}) == usd()] == []
    asleep = cm.Workload(
        730, input_tokens=1_000, output_tokens=100, active_hours_per_month=730, peak_to_average=1.0
    )
    assert (
        len(
            {
                total(option(replicas_min=0, scaling="hourly", keep_warm_s=s), asleep, MONTH)
                for s in (60, 600)
            }
        )
        == 2
    )
    terms = {
        term: cm.Hosted(
            "llama-3.1-8b",
            channel="hyperscaler",
            fleet=cm.serving.Fleet(committed_replicas=1, commitment=term),
        )
        for term in ("reserved_12mo", "reserved_36mo")
    }
    assert len({total(cm.Option(own), work(6.0), MONTH) for own in terms.values()}) == 2
    assert set(cm.serving.Fleet.__dataclass_fields__) == {*changes, "keep_warm_s", "commitment"}


@pytest.mark.parametrize(("share", "more"), [(1.0, 4), (0.5, 2), (0.3, 2), (0.0, 0)])
@pytest.mark.parametrize("scaling", ["fixed", "hourly"])
def test_a_second_region_keeps_its_share_of_whole_replicas(share, more, scaling):
    """Active in both regions it keeps what the first keeps, a warm standby its share of it."""
    asked = work(3.9, peak=1.0)
    one = month(asked, scaling=scaling)
    two = month(asked, scaling=scaling, regions=2, standby_share=share)
    assert (one["replicas"], two["replicas"]) == (4, 4 + more)
    assert two["gpu_hours"] == pytest.approx(one["gpu_hours"] * (1 + more / 4))
    assert two["idle_gpu_hours"] - one["idle_gpu_hours"] == pytest.approx(
        two["gpu_hours"] - one["gpu_hours"]
    )


# -- stacks, drafts, memory, pools -----------------------------------------------------------------


def served_in(**more):
    """Seconds of a replica for one call of a chat, without the doubt of the calibration."""
    call = cm.Workload(1, input_tokens=1_000, output_tokens=300).request().calls[0]
    own = cm.Hosted("llama-3.1-70b", gpu="H200-SXM", error=1.0, **more)
    return own.seconds_per_call(call)


def test_a_draft_pays_where_few_answers_run():
    """Its gain at batch 4 is that of the tokens kept; at batch 512 checking drafts costs more."""
    draft = {"draft_tokens": 2, "draft_accepted": 0.7, "draft_cost": 0.05}
    few, many = (served_in(batch_max=n) / served_in(batch_max=n, **draft) for n in (4, 512))
    assert 1.4 < few < 2.1 and few > many


def test_an_ordinary_server_is_slower_than_a_tuned_one_and_less_sure():
    tuned, standard, found = (served_in(stack=stack) for stack in ("tuned", "standard", "as_found"))
    assert tuned < standard < found
    widths = [
        cm.Hosted("llama-3.1-70b", gpu="H200-SXM", stack=stack).error
        for stack in ("tuned", "as_found")
    ]
    assert widths[0].high < widths[1].high
    with pytest.raises(cm.facts.CatalogError, match="did you mean 'standard'"):
        cm.Hosted("llama-3.1-70b", stack="standart")


def test_memory_that_is_not_taken_holds_no_answers():
    call = cm.Workload(1, input_tokens=4_000, output_tokens=500).request().calls[0]
    few, many = (
        cm.Hosted("llama-3.1-70b", gpu="H200-SXM", memory_share=share, gpus_per_replica=1)
        for share in (0.7, 0.9)
    )
    assert few.at_once(call) < many.at_once(call)


def test_two_pools_keep_two_replicas_and_answers_wait_for_no_prompt():
    call = cm.Workload(1, input_tokens=8_000, output_tokens=300).request().calls[0]
    together, apart = (
        cm.uncertainty.middle(cm.Hosted("llama-3.1-70b", gpu="H200-SXM", prefill=prefill))
        for prefill in ("together", "apart")
    )
    assert apart.waits_s(call)[3] < together.waits_s(call)[3]
    assert apart.replicas_for(0.1, 64) == 2 and together.replicas_for(0.1, 64) == 1
