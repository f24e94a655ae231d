"""The business case: textbook present values, undefined rates, assets and their sale, tax, time of
people, months of building, expected values, contingency, currency, baselines.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from toys import PEOPLE, STILL, Buy, api, lines, total

import costmodel as cm
from costmodel.choices.purchases import Line, labour
from costmodel.choices.schedule import every, monthly, once
from costmodel.decisions.simulate import per_draw
from costmodel.laws.money import written_off
from costmodel.studies.memo import people_text

ONE = cm.Workload(1, input_tokens=1, peak_to_average=2.0)
MONTH = replace(STILL, months=1)
FIVE_YEARS = replace(STILL, months=60, discount_rate=0.10)
ALL = cm.finance.Policy(realised=1.0)


def free():
    return api(**{"in": 0.0, "out": 0.0})


def buys(*purchases):
    return cm.Option(free(), *purchases)


def case(option, base, policy=ALL, terms=FIVE_YEARS, **more):
    return cm.finance.business_case({"it": option}, ONE, base, policy, terms=terms, **more).iloc[0]


INVEST, SAVED = buys(Buy(1e6)), buys(Buy(550_000, every(12)))


def test_the_present_value_of_the_textbook():
    """-1,000,000, then 550,000 a year for five years at 10 %: 1,084,933; the rate of return 47 %,
    the money back in month 23.8.
    """
    row = case(INVEST, SAVED)
    assert round(row.npv) == 1_084_933
    assert (
        row.irr == pytest.approx(cm.finance.irr([-1e6] + [550_000] * 5), rel=1e-9)
        and row.irr_says == "47 % a year"
    )
    assert (row.investment, row.tco, row.benefit) == (1e6, 1e6, 5 * 550_000)
    assert row.payback_month == pytest.approx(
        23 + 450 / 550
    )  # 450,000 are missing in month 23, and month 24 brings 550,000
    assert row.npv_p10 == row.npv_p90 == pytest.approx(row.npv)


@pytest.mark.parametrize("amounts", [[100, 100], [-5, -5], [0, 0], [-1, 0]])
def test_a_rate_without_a_change_of_sign_is_undefined(amounts):
    assert np.isnan(cm.finance.irr(amounts))


def test_irr_is_where_the_present_value_is_0():
    for amounts in ([-100, 60, 60], [-100, 10, 10, 10], [100, -120], [-50, 400, -300]):
        rate = cm.finance.irr(amounts)
        assert cm.finance.npv(rate, amounts) == pytest.approx(0, abs=1e-7), amounts


def test_the_case_says_undefined():
    row = case(INVEST, buys(Buy(0)))
    assert (
        np.isnan(row.irr)
        and row.irr_says.startswith("undefined")
        and np.isnan(row.payback_month)
        and row.p_loss == 1
    )
    assert case(buys(Buy(0)), SAVED).irr_says.startswith(
        "undefined: the cash flow never changes sign, it is never negative"
    )


@dataclass(frozen=True)
class Hours:
    """A technique that takes hours of an engineer at $100."""

    hours: float
    schedule: object = monthly()
    phase: str = "maintenance"

    def buys(self, case):
        yield labour("hours", self.hours, PEOPLE.engineer, self.schedule, self.phase)


def test_cash_is_saved_in_full_and_people_as_far_as_realised():
    """10 hours at $30 are 300 a month; seats of 200 are cash: half of 300 counts, and 200."""
    work, half = (
        cm.Workload(10, input_tokens=1, peak_to_average=2.0),
        cm.finance.Policy(realised=0.5),
    )
    people = cm.Option(cm.finance.Staff(60, usd_per_hour=30, accepted=None))
    both = cm.Mix(
        cm.Part(people, answers=0.5), cm.Part(cm.Option(cm.finance.Seats(10, 20)), answers=0.5)
    )
    for base, saved in (
        (people, 0.5 * 300),
        (cm.Option(cm.finance.Seats(10, 20)), 200),
        (cm.Option(cm.finance.Today(200)), 200),
        (both, 0.5 * 150 + 200),
    ):
        row = cm.finance.business_case({"it": buys(Buy(0))}, work, base, half, terms=MONTH).iloc[0]
        assert row.benefit == pytest.approx(saved) and row.npv == pytest.approx(saved)


def test_time_that_both_take_is_no_saving():
    """50 h of an engineer before, 20 h after: 30 h at $100 are saved, half of them realised."""
    half = cm.finance.Policy(realised=0.5)
    row = case(buys(Hours(20)), buys(Hours(50)), half, terms=MONTH)
    assert row.npv == pytest.approx(0.5 * 30 * 100)
    more = case(buys(Hours(50)), buys(Hours(20)), half, terms=MONTH)
    assert more.npv == pytest.approx(-30 * 100)  # more people are paid in full


def test_an_option_against_itself_is_worth_nothing():
    """Also where it builds, has people in it, and pays tax; in each draw."""
    study = cm.load("support_assistant").changed(draws=300)
    for label in ("Prompt", "RAG", "LoRA"):
        for policy in (cm.finance.Policy(), cm.finance.Policy("build", tax_rate=0.3)):
            row = cm.finance.business_case(study.only(label), study.option(label), policy).iloc[0]
            assert row.npv == row.npv_base == row.npv_p10 == row.npv_p90 == row.p_loss == 0
    plain = cm.Option(api(**{"in": cm.Range(1, 3, name="price"), "out": 10.0}))
    work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    table = cm.finance.business_case({"one": plain, "two": plain}, work, plain, draws=300)
    assert (table[["npv", "npv_p10", "npv_p90", "p_loss", "wrong_answers"]].fillna(0) == 0).all(
        axis=None
    )


def test_the_hours_saved_are_people():
    """2,080 h a year are one: 2,080 requests of an hour a month are 12, less 1 that stays."""
    work = cm.Workload(2_080, input_tokens=1, peak_to_average=2.0)
    people = cm.Option(cm.finance.Staff(60, role="nurse", accepted=None, occupancy=1.0))
    keeps = buys(Hours(2_080 / 12))
    row = cm.finance.business_case({"it": keeps}, work, people, terms=MONTH).iloc[0]
    assert row.people_freed == pytest.approx(11)
    assert people_text(row.people_freed) == "; this frees 11 full-time people"


def test_hours_of_a_machine_are_no_people():
    """The endpoint of a managed tune is billed by the hour, 730 a month."""

    class Endpoint:
        def buys(self, case):
            yield Line("host", "serving", 730.0, "hour", 1.0, monthly(), "api")

    row = case(buys(Endpoint()), cm.Option(cm.finance.Today(1_000)), terms=MONTH)
    assert row.people_freed == 0 and row.tco == 730
    spared = case(buys(Buy(0)), buys(Endpoint()), replace(ALL, realised=0.5), terms=MONTH)
    assert spared.benefit == pytest.approx(730)  # a bill counts in full


# -- until it runs ---------------------------------------------------------------------------------


def test_benefits_begin_when_it_is_built_and_running_costs_at_once():
    """832 h of two people at 2,080 / 12 h a month are 2.4 months: of 12 months 9.6 are left."""
    built = buys(Hours(832, once(), "build"), Buy(100, monthly()))
    base, terms = buys(Buy(1_000, monthly())), replace(STILL, months=12)
    two = cm.finance.Policy(builders=2)
    row = case(built, base, two, terms=terms)
    assert row.build_months == pytest.approx(2.4) and row.benefit == pytest.approx(9_600)
    assert row.tco == pytest.approx(83_200 + 1_200)
    flow = cm.finance.case_flow({"it": built}, ONE, base, two, terms=terms).set_index("month")
    assert flow["benefit"].to_list() == pytest.approx([0, 0, 0, 600] + [1_000] * 9)
    assert flow["cost"].to_list() == pytest.approx([83_200] + [100] * 12)
    at_once = case(built, base, replace(two, build_months=0), terms=terms)
    assert (at_once.benefit, at_once.build_months) == (12_000, 0)
    assert case(built, base, replace(two, build_months=99), terms=terms).benefit == 0


def test_wrong_answers_of_both_go_on_until_it_is_built():
    """100 wrong answers fewer at $1, from month 3 of 4 on."""
    work = cm.Workload(1_000, input_tokens=1, peak_to_average=2.0, usd_per_failure=1.0)
    row = cm.finance.business_case(
        {"it": cm.Option(cm.finance.Seats(1, 1, accepted=0.9))},
        work,
        cm.Option(cm.finance.Seats(1, 1, accepted=0.8)),
        cm.finance.Policy(build_months=2),
        terms=replace(STILL, months=4),
    ).iloc[0]
    assert row.wrong_answers == pytest.approx(-200)
    assert row.npv == pytest.approx(200 - 2)  # its seat is paid while it is built


# -- expected values -------------------------------------------------------------------------------


def test_the_tco_is_what_compare_has_to_pay():
    """The same draws as everywhere, whatever the months of building."""
    study = cm.load("support_assistant").only("RAG", "LoRA").changed(draws=500)
    people = cm.Option(cm.finance.Staff(2, role="support_agent"))
    usd = per_draw(study, (to_pay,), 500)[0]
    for policy in (cm.finance.Policy(build_months=0), cm.finance.Policy()):
        table = cm.finance.business_case(study, people, policy)
        assert table.tco.to_dict() == pytest.approx(cm.compare(study).to_pay.to_dict(), rel=1e-12)
        for label, row in table.iterrows():
            band = np.percentile(usd[label], [10, 90])
            assert [row.tco_p10, row.tco_p90] == pytest.approx(band.tolist())


def to_pay(bill, calendar):
    return bill.to_pay(calendar)


def test_the_npv_is_a_mean_and_the_base_case_has_a_name():
    """A skewed cost up front: its mean lies above its middle."""
    usd = cm.Range(10, 1_000, mid=100, name="x")
    row = case(buys(Buy(usd)), buys(Buy(500)), draws=20_000)
    assert row.npv_base == pytest.approx(400) and row.npv_p50 == pytest.approx(400, rel=1e-3)
    drawn = usd.quantile((np.arange(20_000) + 0.5) / 20_000)
    assert row.npv == pytest.approx(500 - drawn.mean())
    assert row.p_loss == pytest.approx(np.mean(drawn > 500))


def test_draws_in_which_it_does_not_fit_are_left_out():
    small = cm.Option(api(window=1_000.0, **{"in": 1e6, "out": 0.0}))
    work = cm.Workload(1, input_tokens=cm.Range(500, 2_000, mid=900), peak_to_average=2.0)
    base = cm.Option(cm.finance.Today(5_000))
    row = cm.finance.business_case({"it": small}, work, base, terms=MONTH, draws=1_000).iloc[0]
    usd = per_draw(cm.Study(small, work, MONTH, accept_zero=None), (to_pay,), 1_000)[0]["option"]
    assert 0.1 < np.isnan(usd).mean() < 0.9 and row.tco == pytest.approx(np.nanmean(usd))
    assert row.npv == pytest.approx(5_000 - np.nanmean(usd))


def test_the_tornado_of_the_npv_moves_one_input_at_a_time():
    """Half to all of 300 a month of people's time, and the wage from 20 to 40, all else drawn."""
    work = cm.Workload(10, input_tokens=1, peak_to_average=2.0)
    wage = cm.Range(20, 40, mid=30, name="wage")
    people = cm.Option(cm.finance.Staff(60, usd_per_hour=wage, accepted=None))
    option, share = buys(Buy(50)), cm.Range(0.4, 0.8, mid=0.5, name="Policy.realised")
    study = cm.Study({"it": option}, work, MONTH, draws=2_000)
    bars = cm.finance.npv_tornado(study, "it", people, cm.finance.Policy(realised=share))
    assert list(bars) == list(cm.uncertainty.tornado(people, work))
    found = bars.set_index("input")
    uniform = (np.arange(2_000) + 0.5) / 2_000
    mean_wage, mean_share = wage.quantile(uniform).mean(), share.quantile(uniform).mean()
    ends = [10 * mean_wage * x - 50 for x in (0.4, 0.8)]
    assert found.loc["Policy.realised", ["usd_low", "usd_high"]].to_list() == pytest.approx(
        ends, abs=2
    )
    ends = [10 * mean_share * x - 50 for x in (20, 40)]
    assert found.loc["wage", ["usd_low", "usd_high"]].to_list() == pytest.approx(ends, abs=2)
    assert found["spread"].is_monotonic_decreasing
    assert set(found.index[found["spread"] > 1e-9]) == {"Policy.realised", "wage"}
    now = cm.finance.business_case(study, people, cm.finance.Policy(realised=share)).npv.item()
    assert bars.attrs["usd"] == pytest.approx(now)
    with pytest.raises(ValueError, match="baseline is 5"):
        cm.finance.npv_tornado(study, "it", baseline=5)


def test_3_200_tickets_of_9_minutes_at_32_dollars():
    """The human baseline of a support desk: 3,200 x 9 / 60 x 32 = 15,360 a month."""
    work = cm.Workload(3_200, input_tokens=1, peak_to_average=2.0)
    people = cm.Option(cm.finance.Staff(9, usd_per_hour=32, accepted=None))
    assert cm.compare(
        people, work, months=1, terms=STILL, draws=5
    ).expected.item() == pytest.approx(15_360)
    row = cm.finance.business_case(
        {"it": buys(Buy(0))}, work, people, ALL, months=1, terms=STILL
    ).iloc[0]
    assert row.benefit == pytest.approx(15_360)


def test_paid_time_without_requests_belongs_to_the_cost_of_people():
    """A desk that is busy three quarters of its hours pays 15,360 / 0.75."""
    work = cm.Workload(3_200, input_tokens=1, peak_to_average=2.0)
    busy = cm.Option(cm.finance.Staff(9, usd_per_hour=32, occupancy=0.75))
    assert total(busy, work, replace(STILL, months=1)) == pytest.approx(15_360 / 0.75)


def test_a_role_brings_its_wage_and_no_role_that_of_anybody():
    work, terms = cm.Workload(60, input_tokens=1, peak_to_average=2.0), replace(STILL, months=1)
    rates = {id: record.usd_per_hour for id, record in cm.facts.people().items()}
    mids = {id: rate.mid for id, rate in rates.items()}
    assert mids["physician"] > mids["lawyer"] > mids["nurse"] > mids["support_agent"] > 25
    for role in ("support_agent", "nurse"):  # 60 requests of a minute are an hour
        people = cm.Option(cm.finance.Staff(1, role=role, accepted=None, occupancy=1.0))
        assert total(people, work, terms) == pytest.approx(mids[role])
    anybody = cm.finance.Staff(1).role.usd_per_hour
    assert anybody.low <= rates["clerk"].mid and rates["nurse"].mid <= anybody.high
    with pytest.raises(TypeError, match="minutes_per_request"):
        cm.finance.Staff(role="nurse")
    with pytest.raises(ValueError, match="did you mean 'nurse'"):
        cm.finance.Staff(1, role="nurs")


def test_people_without_a_role_are_noted():
    work = cm.Workload(60, input_tokens=1)

    def noted(*staff):
        notes = cm.operations.lint(cm.Option(cm.finance.Staff(*staff)), work)["note"]
        return any("people without a role: the rate is that of anybody" in n for n in notes)

    assert noted(9) and not noted(9, 32) and not noted(9, None, "nurse")


def test_wrong_answers_follow_wages_as_people_do():
    """100 wrong answers at $1 beside 1 hour at $100, both a year later, with wages up 10 %."""
    work = cm.Workload(1_000, input_tokens=1, peak_to_average=2.0, usd_per_failure=1.0)
    people = cm.Option(cm.finance.Staff(0.06, usd_per_hour=100, accepted=0.9))
    terms = replace(STILL, months=12, trends=replace(STILL.trends, labour=0.10))
    book = cm.ledger(people, work, terms).set_index(["month", "item"])["usd"]
    assert book[12].to_list() == pytest.approx([110.0, 110.0])
    watched = cm.Option(api(accepted=0.9, **{"in": 1.0, "out": 1.0}), cm.Monitoring())
    wrong = [line for line in lines(watched, work) if line.phase == "failures"]
    assert len(wrong) > 1 and {line.trend for line in wrong} == {"labour"}


def test_doing_nothing_costs_the_wrong_answers():
    work = cm.Workload(1_000, input_tokens=1, peak_to_average=2.0, usd_per_failure=2.0)
    table = cm.compare(
        {
            "nothing": cm.Option(cm.finance.Today(0, accepted=0.0)),
            "seats": cm.Option(cm.finance.Seats(50, 20), quality=0.9),
        },
        work,
        months=1,
        terms=STILL,
        draws=5,
    )
    assert table.expected.to_dict() == pytest.approx(
        {"seats": 50 * 20 + 100 * 2.0, "nothing": 2_000}
    )


def test_seats_or_build_breaks_even_at_a_number_of_users():
    """$2,000 a month against $20 a seat: 100 users."""
    row = cm.breakeven(
        {"first": cm.Option(cm.finance.Seats(50, 20)), "second": buys(Buy(2_000, monthly()))},
        ONE,
        over="Seats.seats",
        terms=STILL,
        draws=5,
    ).iloc[0]
    assert row.crossing == pytest.approx(100, rel=1e-6)


# -- the books -------------------------------------------------------------------------------------


def asset(usd):
    """A capitalised purchase."""

    class Built:
        def buys(self, case):
            yield replace(next(Buy(usd).buys(case)), treatment="capex")

    return cm.Option(free(), Built())


def test_an_asset_iswritten_off_evenly_over_its_life():
    row = case(asset(36_000), SAVED, cm.finance.Policy(realised=1.0, life_months=36))
    assert (row.capex, row.depreciation, row.written_off_months, row.opex) == (
        36_000,
        pytest.approx(36_000),
        36,
        pytest.approx(0),
    )
    off = written_off(np.array([[1_200.0] + [0.0] * 24]), np.array([12.0]))[0]
    assert off.tolist() == pytest.approx([0.0] + [100.0] * 12 + [0.0] * 12)


def test_a_tune_ends_with_its_base():
    """Its base ends in month 9, so that all of it is written off then; at a longer life of the base
    the policy decides."""
    for months, life in ((8.5, 9), (60, 36)):
        tune = cm.Lora(base_life_months=months)
        tuned = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"), tune)
        row = case(tuned, SAVED, draws=20)
        assert row.written_off_months == pytest.approx(life)
        assert row.depreciation == pytest.approx(row.capex)


@pytest.mark.parametrize(("fetches", "gain"), [(0.5, 0.1), (0.3, -0.1)])
def test_the_sale_of_servers_is_taxed_against_their_book_value(fetches, gain):
    """36 of 60 months are written off: 40 % is left in the books. At 25 %: depreciation saves
    0.25 x 60 %, a gain costs 0.25 x 10 %, a loss saves it; no move of a model ends a server."""

    class Servers:
        def buys(self, case):
            made = replace(next(Buy(1e6).buys(case)), treatment="capex", life_months=60)
            yield made
            yield replace(made, quantity=-fetches, schedule=once(36), phase="retirement")
            yield next(Buy(0.0, every(9), phase="migration").buys(case))

    base, terms = cm.Option(cm.finance.Today(100_000)), replace(FIVE_YEARS, months=36)
    row = case(cm.Option(free(), Servers()), base, replace(ALL, tax_rate=0.25), terms=terms)
    assert row.capex == pytest.approx(1e6 * (1 - fetches))
    assert row.depreciation == pytest.approx(600_000)
    assert row.tax == pytest.approx(0.25 * (3_600_000 - 600_000 + gain * 1e6))
    assert row.tax == pytest.approx(0.25 * (3_600_000 - 1e6 + fetches * 1e6))  # all told: the cash
    for capitalise in ("build", "nothing"):  # over the whole life the taxable gain is the same
        again = replace(ALL, tax_rate=0.25, capitalise=capitalise)
        assert case(cm.Option(free(), Servers()), base, again, terms=terms).tax == pytest.approx(
            row.tax
        )


def test_own_gpus_live_as_long_as_their_owner_says():
    own = cm.serving.Owned(life_months=48, residual=0.3, setup_weeks=4)
    option = cm.Option(cm.Hosted("llama-3.1-8b", gpu="H100-SXM", owned=own), cm.Upgrades())
    work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    row = cm.finance.business_case(
        {"it": option}, work, cm.Option(cm.finance.Today(1e5)), terms=STILL, draws=20
    ).iloc[0]
    bought = row.depreciation / (36 / 48)
    assert row.capex == pytest.approx(bought * (1 - 0.3))
    growing = replace(work, requests_per_month=1e8, growth_per_year=0.8)  # servers in later months
    worth = [
        cm.finance.business_case(
            {"it": option}, growing, cm.Option(cm.finance.Today(1e5)), policy, terms=STILL, draws=20
        ).npv.item()
        for policy in (cm.finance.Policy(c, build_months=3) for c in ("tagged", "nothing"))
    ]
    assert worth[0] == pytest.approx(worth[1])  # the books move no cash


def test_equal_assets_in_the_baseline_save_no_tax():
    """What the baseline would write off is no tax saved at once."""
    policy = replace(ALL, tax_rate=0.25)
    base = cm.Option(free(), *asset(36_000).techniques, Buy(1_000, monthly()))
    row = case(asset(36_000), base, policy)
    assert row.tax == pytest.approx(0.25 * 60_000) and row.benefit == pytest.approx(96_000)


@pytest.mark.parametrize("capitalise", ["tagged", "build", "nothing"])
@pytest.mark.parametrize("label", ["Bought GPUs", "Own GPUs"])
def test_bought_servers_against_themselves_are_worth_nothing(label, capitalise):
    study, policy = (
        cm.load("own_gpus").changed(draws=100),
        cm.finance.Policy(capitalise, tax_rate=0.3),
    )
    row = cm.finance.business_case(study.only(label), study.option(label), policy).iloc[0]
    assert row.npv == row.npv_base == row.npv_p10 == row.npv_p90 == row.tax == row.p_loss == 0


def test_capitalising_the_build_takes_what_is_tagged_too():
    tagged = buys(Buy(0), *asset(36_000).techniques, Buy(12_000, phase="build"))
    assert case(tagged, SAVED, cm.finance.Policy("tagged")).capex == pytest.approx(36_000)
    assert case(tagged, SAVED, cm.finance.Policy("build")).capex == pytest.approx(48_000)


def test_what_is_left_at_the_horizon_is_notwritten_off():
    row = case(
        asset(36_000),
        SAVED,
        cm.finance.Policy(realised=1.0, life_months=120),
        terms=replace(FIVE_YEARS, months=12),
    )
    assert row.depreciation == pytest.approx(36_000 * 12 / 120)


@pytest.mark.parametrize("capitalise", ["tagged", "build", "nothing"])
def test_without_tax_the_policy_moves_no_cash(capitalise):
    """Cash NPV is unchanged whatever is capitalised; with tax, expensing at once is worth more."""
    assert case(
        asset(36_000), SAVED, cm.finance.Policy(capitalise, realised=1.0)
    ).npv == pytest.approx(case(asset(36_000), SAVED).npv)
    taxed = {
        c: case(asset(36_000), SAVED, cm.finance.Policy(c, tax_rate=0.25, realised=1.0)).npv
        for c in ("tagged", "nothing")
    }
    assert taxed["nothing"] > taxed["tagged"]


def test_tax_takes_its_share_of_the_gain():
    """All expensed: 25 % of (2,750,000 - 1,000,000)."""
    row = case(INVEST, SAVED, cm.finance.Policy("nothing", tax_rate=0.25, realised=1.0))
    assert row.tax == pytest.approx(0.25 * 1_750_000)


def test_the_contingency_reaches_the_chosen_percentile():
    usd = cm.Range(50, 200, mid=100, name="x")
    row = case(
        buys(Buy(usd)),
        SAVED,
        cm.finance.Policy(realised=1.0, contingency_percentile=90),
        draws=8_000,
    )
    assert row.tco == pytest.approx(
        usd.quantile((np.arange(8_000) + 0.5) / 8_000).mean()
    ) and row.budget == pytest.approx(usd.quantile(0.9), rel=0.01)
    assert row.contingency == pytest.approx(row.budget - row.tco)


def test_another_currency_says_its_rate_and_date():
    row = case(INVEST, SAVED, terms=replace(FIVE_YEARS, currency="EUR 0.92 2026-11-20"))
    assert row.currency == "EUR at 0.92 per USD of 2026-11-20" and row.npv == pytest.approx(
        0.92 * 1_084_932.72, abs=0.01
    )


def test_the_flow_adds_up_to_the_case():
    policy = cm.finance.Policy(tax_rate=0.25, realised=0.9)
    flow = cm.finance.case_flow({"it": asset(36_000)}, ONE, SAVED, policy, terms=FIVE_YEARS)
    row = case(asset(36_000), SAVED, policy)
    assert flow["discounted"].sum() == pytest.approx(row.npv) and flow[
        "tax"
    ].sum() == pytest.approx(row.tax)
    assert (
        flow["net"] - (flow["benefit"] - flow["cost"] - flow["wrong_answers"] - flow["tax"])
    ).abs().max() < 1e-9


def test_tco_is_compare_at_each_horizon():
    option = buys(Buy(1_000), Buy(cm.Range(5, 20, name="x"), monthly()))
    table = cm.finance.tco(option, ONE, terms=STILL, draws=200).set_index("months")
    assert list(table.index) == [12, 24, 36, 48, 60]
    assert table.expected.to_list() == pytest.approx(
        [
            cm.compare(option, ONE, terms=STILL, draws=200, months=m).expected.item()
            for m in table.index
        ]
    )
    x = cm.Range(5, 20, name="x").quantile((np.arange(200) + 0.5) / 200).mean()
    assert table.expected.to_list() == pytest.approx([1_000 + x * m for m in table.index])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"capitalise": "some"}, "allowed are tagged, nothing, build"),
        ({"tax_rate": 1.5}, "Policy.tax_rate is 1.5"),
        ({"contingency_percentile": 100}, "between 0.1 and 99.9"),
    ],
)
def test_a_wrong_policy_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        cm.finance.Policy(**given)


def test_a_baseline_must_be_an_option():
    with pytest.raises(ValueError, match="baseline is 5"):
        cm.finance.business_case(INVEST, ONE, 5)


def test_baselines_are_written_and_read():
    text = """
title: Baselines
workload: {requests_per_month: 3200, input_tokens: 900, output_tokens: 250, usd_per_failure: 2}
terms: {on: 2026-11-20, months: 12, trends: {labour: 0, service: 0}}
options:
  people: {serving: {staff: 9, usd_per_hour: {low: 25, high: 40}}}
  agents: {serving: {staff: 9, role: support_agent, occupancy: 0.8}}
  seats: {serving: {seats: 50, usd_per_seat_month: 20}, quality: 0.8}
  nothing: {serving: {today: 0, accepted: 0}}
"""
    from costmodel.scenarios.writing import as_yaml

    case = cm.load(text)
    again = cm.load(as_yaml(case))
    table = cm.compare(case.options, case.work, terms=case.terms, draws=100)
    assert cm.compare(again.options, again.work, terms=again.terms, draws=100).equals(table)
    assert table.expected["seats"] == pytest.approx(12 * 50 * 20 + 12 * 3_200 * 0.2 * 2)
    assert cm.report.made_of(case.options)["answers"].to_list() == [
        "people",
        "people",
        "seats of a product",
        "as today",
    ]


def test_wrong_answers_count_only_where_both_qualities_are_known():
    """1,000 requests at $2 a wrong answer: a bill of today says nothing of its answers, so no
    option pays for its own against it.
    """
    work = cm.Workload(1_000, input_tokens=1, peak_to_average=2.0, usd_per_failure=2.0)
    known, unknown = (
        cm.Option(cm.finance.Seats(5, 10), quality=0.9),
        cm.Option(cm.finance.Seats(5, 10)),
    )
    for option, base in (
        (known, cm.Option(cm.finance.Today(500))),
        (unknown, cm.Option(cm.finance.Today(500, accepted=0.5))),
    ):
        row = cm.finance.business_case({"it": option}, work, base, ALL, months=1, terms=STILL).iloc[
            0
        ]
        assert np.isnan(row.wrong_answers) and row.npv == pytest.approx(500 - 50)
    row = cm.finance.business_case(
        {"it": known},
        work,
        cm.Option(cm.finance.Today(500, accepted=0.5)),
        ALL,
        months=1,
        terms=STILL,
    ).iloc[0]
    assert row.wrong_answers == pytest.approx(-800) and row.npv == pytest.approx(500 - 50 + 800)


def test_a_rate_that_is_huge_is_not_called_undefined():
    """5,000 today and 300,000 a month later: sixty-fold in a month."""
    assert cm.finance.irr([-5_000, 300_000]) == pytest.approx(59)
    row = case(buys(Buy(5_000)), buys(Buy(300_000, monthly())))
    assert row.irr_says.startswith("above 1,000 % a year") and np.isnan(row.irr)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: case(INVEST, SAVED, draws=0), "draws is 0, allowed"),
        (lambda: case(INVEST, SAVED, "tagged"), "policy is 'tagged', it must be Policy"),
        (lambda: cm.finance.tco(INVEST, ONE, horizons=()), "horizons is empty"),
        (lambda: cm.finance.irr([[1, -1]]), "one finite number for each period"),
        (
            lambda: cm.finance.Policy(life_months=0),
            "Policy.life_months is 0, allowed is at least 1",
        ),
        (
            lambda: cm.finance.Policy(contingency_percentile="80"),
            "Policy.contingency_percentile is '80'",
        ),
    ],
)
def test_what_finance_cannot_mean_is_one_sentence(ask, says):
    with pytest.raises(ValueError, match=says):
        ask()
