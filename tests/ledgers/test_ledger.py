"""The ledger: sums, time, money, evidence."""

import re
from dataclasses import replace

import numpy as np
import pytest
from toys import ON, STILL, Buy, api, lines, total

import costmodel as cm
from costmodel.choices.presets import LABELS
from costmodel.choices.purchases import PHASES
from costmodel.choices.schedule import every, monthly, once, path, with_demand
from costmodel.choices.terms import TRENDS, People
from costmodel.core.draws import sample
from costmodel.decisions.simulate import totals
from costmodel.facts.catalog import sources
from costmodel.facts.records import Person
from costmodel.ledgers.book import COLUMNS
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import cases
from costmodel.ledgers.evidence import Evidence

WORK = cm.Workload(
    300_000,
    instruction_tokens=600,
    input_tokens=900,
    output_tokens=250,
    corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03),
    usd_per_failure=0.5,
)
TOY = api(**{"in": 1.0, "out": 4.0}, accepted=0.68)
BARE = cm.Workload(1e6, input_tokens=1_000, output_tokens=0)


@pytest.fixture(scope="module")
def options():
    return cm.presets(WORK, on=ON, only="all")


@pytest.fixture(scope="module")
def study(options):
    return cm.Study(options, WORK, draws=300, accept_zero=None)


@pytest.fixture(scope="module")
def book(study):
    return cm.ledger(study)


@pytest.fixture(scope="module")
def table(study):
    return cm.compare(study)


# -- the same total everywhere, to the cent --------------------------------------------------------


def test_every_usual_option_runs(table):
    assert list(table.index.sort_values()) == sorted(LABELS) and (table.why_not == "").all()


def sums(book):
    return book.groupby("option").usd.sum().to_dict()


def cents(column):
    return pytest.approx(column.dropna().to_dict(), abs=0.005)


def adds_up(study):
    """Ledger, cash flow, explain and compare say the same to the cent."""
    table, book, flow = cm.compare(study), cm.ledger(study), cm.finance.cash_flow(study)
    last = flow.groupby("option").last()
    assert sums(book) == cents(table.expected)
    assert sums(book[book.phase == "failures"]) == cents(
        table.wrong_answers[table.wrong_answers > 0]
    )
    assert last.cumulative_usd.to_dict() == cents(table.expected)
    assert last.present_value.to_dict() == cents(table.present_value)
    assert (table.to_pay + table.wrong_answers).to_dict() == cents(table.expected)
    assert sums(cm.ledger(study, base_case=True)) == cents(table.base_case)
    for label in last.index:
        rows = cm.explain(study, label)
        assert rows.usd.sum() == pytest.approx(table.expected[label], abs=0.005)
        assert rows.base_case.sum() == pytest.approx(table.base_case[label], abs=0.005)
        assert rows.share.sum() == pytest.approx(1) and rows.usd.is_monotonic_decreasing


def test_the_ledger_sums_to_the_total_of_compare(study, book, table):
    adds_up(study)
    assert sums(book) == cents(table.expected) and len(sums(book)) == len(LABELS)


@pytest.mark.parametrize("name", cm.scenarios.examples())
def test_every_example_adds_up(name):
    """Also where an option does not run in some of the draws: its means are those of the others."""
    adds_up(cm.load(name, draws=1_000))


def test_explain_multiplies(options):
    rows = cm.explain(options["RAG"], WORK)
    assert (rows.quantity * rows.usd_per_unit).to_numpy() == pytest.approx(rows.usd.to_numpy())


def test_growth_ramp_and_trends_keep_the_totals_equal(options):
    work = replace(WORK, growth_per_year=0.4, ramp_months=5)
    terms = cm.Terms(
        start="2026-12-01",
        months=24,
        trends=cm.choices.Trends(api=-0.3, gpu=-0.2, labour=0.04, service=0.02),
    )
    adds_up(cm.Study(options, work, terms, draws=50, accept_zero=None))


def test_the_ledger_says_when_each_dollar_is_paid(study, book):
    by_month = book.groupby(["option", "month"]).usd.sum()
    flow = cm.finance.cash_flow(study).set_index(["option", "month"]).usd
    assert by_month.to_dict() == pytest.approx(flow[by_month.index].to_dict())
    assert flow.sum() == pytest.approx(by_month.sum())


# -- the columns -----------------------------------------------------------------------------------


def test_the_columns_are_the_documented_ones(options, book, table):
    assert (
        list(book.columns)
        == COLUMNS
        == [
            "option",
            "phase",
            "item",
            "month",
            "quantity",
            "unit",
            "usd_per_unit",
            "usd",
            "currency",
            "treatment",
            "trend",
            "basis",
            "sources",
        ]
    )
    assert list(table.columns) == [
        *("expected", "p10", "p50", "p90", "to_pay", "wrong_answers"),
        *("present_value", "risk_adjusted", "per_month", "per_request", "per_accepted"),
        *("quality", "p_reaches", "eligible", "more", "p_dearer", "as_good"),
        *("p_cheapest", "p_least_to_pay", "base_case", "currency", "why_not"),
    ]
    assert (table.currency == "USD").all() and table.eligible.dtype == table.as_good.dtype == bool
    assert table.index.name == "option"
    assert list(cm.finance.cash_flow(options, WORK).columns) == [
        "option",
        "month",
        "date",
        "usd",
        "cumulative_usd",
        "discounted_usd",
        "present_value",
        "currency",
    ]
    assert list(cm.ledgers.register(options, WORK).columns) == [
        "input",
        "low",
        "mid",
        "high",
        "unit",
        "source",
        "why",
        "options",
        "default",
        "date",
        "validity",
        "owner",
        "confidence",
    ]


def test_each_row_of_the_ledger_multiplies(book):
    assert (book.quantity * book.usd_per_unit).to_numpy() == pytest.approx(book.usd.to_numpy())


def test_each_row_has_a_known_phase_trend_and_treatment(book):
    assert set(book.phase) <= set(PHASES)
    assert set(book.trend) <= {*TRENDS, "none"}
    assert set(book.treatment) <= {"capex", "opex"}
    assert book.month.between(0, 36).all()


def test_capital_expenditure_is_paid_up_front(book):
    assert (book[book.treatment == "capex"].month == 0).all()
    assert set(book[book.treatment == "capex"].phase) >= {"data", "training", "experiments"}


def test_an_option_that_cannot_run_has_no_rows():
    cannot = {"no documents": cm.Option(TOY, cm.Rag())}
    assert cm.ledger(cannot, BARE).empty and cm.finance.cash_flow(cannot, BARE).empty
    with pytest.raises(cm.Infeasible, match="corpus"):
        cm.ledger(cannot["no documents"], BARE)


# -- volume ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["Prompt", "Few-shot", "GraphRAG", "Long context + cache", "Cascade"]
)
def test_an_api_option_is_linear_in_volume_without_a_cache_that_depends_on_it(options, label):
    volumes = [1e5, 2e5, 3e5, 1e6]
    option = options[label]
    if label == "Long context + cache":
        option = replace(
            option, techniques=[t for t in option.techniques if not isinstance(t, cm.PromptCache)]
        )
    if label == "Cascade":
        option = cm.Mix(
            mix=[
                replace(
                    p,
                    option=replace(
                        p.option,
                        techniques=[t for t in p.option.techniques if not isinstance(t, cm.Rag)],
                    ),
                )
                for p in option.mix
            ]
        )
    # people and traces follow the log of the volume, and are held here
    tier = replace(cm.facts.tier("product"), volume_slope=0.0, traces_in_full=1e9)
    study = cm.Study({label: option}, replace(WORK, tier=tier), accept_zero=None)
    usd = totals(study, grid={"requests_per_month": volumes})[label]
    slope = (usd[1] - usd[0]) / 1e5
    assert usd == pytest.approx(usd[0] + slope * (np.array(volumes) - 1e5))


def test_zero_volume_leaves_what_is_fixed():
    option = cm.Option(TOY, Buy(70), Buy(5, monthly()), Buy(9, with_demand()))
    usd = cm.sweep(
        option, BARE, "requests_per_month", [0.0], terms=replace(STILL, months=10)
    ).present_value.item()
    assert usd == pytest.approx(70 + 50 + 9 * 10)


# -- time meets money ------------------------------------------------------------------------------


def test_a_price_trend_compounds_from_today():
    """100 a month, prices +21 % a year: months 12 and 24 cost 121 and 146.41; month 0 is today's
    price."""
    terms = cm.Terms(
        start="2026-12-01",
        months=24,
        trends=cm.choices.Trends(api=0, gpu=0, labour=0, service=0.21),
    )
    rows = (
        cm.ledger(cm.Option(TOY, Buy(100), Buy(100, monthly())), BARE, terms=terms)
        .query("item == 'a purchase'")
        .set_index("month")
    )
    assert rows.usd[[0, 12, 24]].to_list() == pytest.approx([100, 121, 146.41])
    assert rows.usd[6] == pytest.approx(110)


def test_each_class_of_price_has_its_own_trend():
    terms = cm.Terms(
        start="2026-12-01",
        months=12,
        trends=cm.choices.Trends(api=0.1, gpu=0.2, labour=0.3, service=0.4),
    )
    for trend, expected in zip(TRENDS, (110, 120, 130, 140), strict=True):
        option = cm.Option(TOY, Buy(100, once(12), trend=trend))
        assert cm.ledger(option, BARE, terms=terms).query(
            "item == 'a purchase'"
        ).usd.item() == pytest.approx(expected)


def test_discounting_follows_the_stated_annual_rate():
    """1,000 today and 1,100 in a year at 10 % are worth 2,000."""
    terms = replace(STILL, months=12, discount_rate=0.10)
    option = cm.Option(api(**{"in": 0.0, "out": 0.0}), Buy(1_000), Buy(1_100, once(12)))
    assert cm.compare(option, BARE, terms=terms, draws=1).present_value.item() == pytest.approx(
        2_000
    )
    flow = cm.finance.cash_flow(option, BARE, terms=terms)
    assert flow.present_value.iloc[-1] == pytest.approx(2_000)
    assert flow.cumulative_usd.iloc[-1] == pytest.approx(2_100)


def test_present_value_of_the_textbook():
    """-1,000,000 then five times 550,000 at 10 % (the usual NPV example): 1,084,933."""
    assert round(cm.finance.npv(0.10, [-1_000_000] + [550_000] * 5)) == 1_084_933


@pytest.mark.parametrize(
    ("schedule", "months"),
    [
        (once(), [0]),
        (once(3), [3]),
        (monthly(), list(range(1, 13))),
        (monthly(10), [10, 11, 12]),
        (every(4), [4, 8, 12]),
        (every(4.5), [5, 9]),
        (every(12.4), []),
        (every(2.4), [3, 5, 8, 10, 12]),
    ],
)
def test_schedules_come_round_when_they_are_due(schedule, months):
    rows = cm.ledger(cm.Option(TOY, Buy(100, schedule)), BARE, months=12).query(
        "item == 'a purchase'"
    )
    assert rows.month.to_list() == months


def test_an_interval_below_a_month_comes_round_several_times_a_month():
    rows = cm.ledger(
        cm.Option(TOY, Buy(100, every(0.5))), BARE, terms=replace(STILL, months=3)
    ).query("item == 'a purchase'")
    assert rows.usd.to_list() == [200, 200, 200]


def test_a_path_is_taken_as_it_is():
    option = cm.Option(TOY, Buy(10, path([5, 0, 2])))
    assert cm.ledger(option, BARE, terms=replace(STILL, months=2)).query(
        "item == 'a purchase'"
    ).usd.to_list() == [50, 20]


def test_a_drawn_interval_counts_whole_events_in_each_draw():
    """Every 3 to 6 months in 36 months with a price trend: each draw as if its interval had been a
    number."""
    terms = cm.Terms(
        start="2026-12-01",
        discount_rate=0.1,
        trends=cm.choices.Trends(api=0, gpu=0, labour=0.05, service=0.03),
    )
    interval = cm.Range(3, 6, name="interval")
    calendar, n = Calendar(BARE, terms), 40
    drawn = sample(cm.Corpus(tokens=interval), n).tokens
    for discounted in (False, True):
        together = calendar.factor(every(drawn), "service", discounted)
        apart = [calendar.factor(every(float(k)), "service", discounted) for k in drawn[:, 0]]
        assert together[:, 0] == pytest.approx(apart)


def test_intervals_cannot_be_zero():
    with pytest.raises(ValueError, match="the interval must be above 0 months"):
        every(0)


# -- failures and accepted answers -----------------------------------------------------------------


def test_a_failure_costs_what_the_workload_says():
    work = replace(BARE, usd_per_failure=0.5)
    (line,) = [line for line in lines(cm.Option(TOY), work) if line.phase == "failures"]
    assert line.quantity == pytest.approx(1e6 * 0.32) and line.usd_per_unit == 0.5
    assert total(cm.Option(TOY), work, months=1) == pytest.approx(1_000 + 160_000)


def test_an_accepted_answer_costs_the_answers_that_are_not_accepted_too():
    """$2.80 for an answer, 68 % accepted: $4.12 for an accepted one, whatever a failure costs."""
    for usd_per_failure in (0.0, 10.0):
        work = cm.Workload(1_000, input_tokens=2.8e6, usd_per_failure=usd_per_failure)
        option = cm.Option(api(window=None, **{"in": 1.0, "out": 1.0}, accepted=0.68))
        assert round(cm.compare(option, work, terms=STILL, draws=1).per_accepted.item(), 2) == 4.12


def test_the_unit_costs_divide_the_total():
    row = cm.compare(
        cm.Option(TOY), replace(BARE, ramp_months=2), terms=replace(STILL, months=4), draws=1
    ).iloc[0]
    assert row.per_month == pytest.approx(row.expected / 4)
    assert row.per_request == pytest.approx(row.expected / (1e6 * 3.5))


# -- evidence --------------------------------------------------------------------------------------


def test_every_line_cites_inputs_that_exist(options):
    """Each "owner.field" of a line is a number of that option, its workload or its terms."""
    terms = cm.Terms(on=ON)
    for label, option in options.items():
        evidence = Evidence(option, WORK, terms)
        for line in cm.ledgers.evaluate(*cm.uncertainty.middle((option, WORK, terms))).lines:
            assert line.cites, f"{label}: {line.item} cites nothing"
            for key in line.cites:
                assert key in evidence.values, (
                    f"{label}: {line.item} cites {key}, which is not there"
                )


def test_every_line_has_a_formula_without_holes(book):
    assert (book.basis != "").all()
    assert not book.basis.str.contains(r"[{}]").any()


def test_a_formula_shows_the_numbers_that_were_used(options):
    rows = cm.explain(options["RAG"], WORK).set_index("item")
    assert (
        "19.72 (usual 18 [9 to 33] × 1 for the tier product × (1 + 0.2 [0.05 to 0.4] × "
        "log10(300,000 / 100,000)) for the volume) engineer-weeks × 40 h × USD 123 [93 to 173]/h"
        in rows.basis["build the retrieval pipeline"]
    )


def test_a_formula_shows_the_numbers_of_every_part_of_a_mix():
    parts = [
        cm.Part(cm.Option(TOY, cm.FewShot(build_hours=hours)), answers=0.5) for hours in (10, 20)
    ]
    rows = cm.explain(cm.Mix(*parts), BARE).query("item == 'choose the examples'")
    assert sorted(rows.quantity) == [10, 20] and rows.basis.str.startswith("10 or 20 h ×").all()


def test_every_line_has_a_source_that_the_data_knows(book):
    known = {*sources(), "yours", "assumption"}
    for cited in book.sources.unique():
        assert cited and set(cited.split("; ")) <= known


def test_explain_names_publishers(options):
    rows = cm.explain(options["RAG"], WORK).set_index("item")
    assert re.search(r"\w+: .+ \(20\d\d-\d\d-\d\d\)", rows.sources["production: fresh input"])


# -- the assumption register -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def inputs(options):
    return cm.ledgers.register(options, WORK).set_index("input")


def test_the_register_lists_each_input_once(inputs):
    assert inputs.index.is_unique


def test_the_register_has_bounds_unit_and_source(inputs):
    assert ((inputs.low <= inputs.mid) & (inputs.mid <= inputs.high)).all()
    assert (inputs.unit != "").all(), inputs.index[inputs.unit == ""].to_list()
    assert set(inputs.source) <= {*sources(), "yours", "assumption"}


def test_the_register_marks_what_nobody_touched(inputs):
    assert (
        inputs.default["Workload.peak_to_average"]
        and inputs.source["Workload.peak_to_average"] == "assumption"
    )
    assert inputs.default["rag.build_weeks"] and inputs.source["rag.build_weeks"] == "rag-tco"
    assert (
        inputs.default["engineer.usd_per_hour"]
        and inputs.source["engineer.usd_per_hour"] == "ml-salaries"
    )


def test_the_register_says_how_old_how_sure_and_whose(inputs):
    rag, mine = inputs.loc["rag.build_weeks"], inputs.loc["Workload.requests_per_month"]
    assert (rag.date, rag.validity, rag.confidence) == ("2026-11-28", "2027-11-28", "sourced")
    assert (mine.date, mine.validity, mine.owner, mine.confidence) == ("", "", "you", "yours")
    store = inputs.loc["pinecone.usd_per_gb_month"]
    assert (store.date, store.validity) == ("2026-10-07", "2027-01-05")  # a price: 90 days
    assert set(inputs.confidence) <= {"yours", "assumed", "derived", "ends assumed", "sourced"}
    assert (inputs.confidence[inputs.source == "assumption"] == "assumed").all()


def test_the_register_flags_what_moves_nothing_and_names_owners():
    option = cm.Option(TOY, cm.Upgrades())
    table = cm.ledgers.register(
        option, BARE, owners={"engineer": "HR", "Workload.input_tokens": "Ann"}, unused=True
    ).set_index("input")
    assert table.used["Workload.input_tokens"] and not table.used["Upgrades.silent_per_year"]
    assert table.owner["engineer.usd_per_hour"] == "HR"
    assert table.owner["Workload.input_tokens"] == "Ann"


def test_the_register_marks_what_is_yours(inputs):
    assert not inputs.default["Workload.requests_per_month"]
    assert inputs.source["Workload.requests_per_month"] == "yours"
    assert inputs.source["Corpus.tokens"] == "yours"


def test_a_changed_field_is_yours():
    rows = cm.ledgers.register(
        cm.Option(TOY, cm.Rag(top_k=4, upkeep_fte=cm.Range(0.1, 0.2))), WORK
    ).set_index("input")
    for key in ("rag.top_k", "rag.maintenance_fte"):
        assert rows.source[key] == "yours" and not rows.default[key]


def test_a_changed_record_no_longer_credits_its_source():
    """A rate of pay and a list price changed by hand are the user's, in the register and in the
    ledger."""
    listed = cm.Api("gpt-6.1-terra", on=ON)
    tier = replace(listed.model.tiers[0], usd_per_mtok_in=0.5)
    mine = replace(listed, model=replace(listed.model, tiers=(tier, *listed.model.tiers[1:])))
    terms = cm.Terms(
        people=People(engineer=replace(cm.facts.person("engineer"), usd_per_hour=95.0))
    )
    rows = cm.ledgers.register(cm.Option(mine, cm.Prompt()), BARE, terms).set_index("input")
    for key in ("gpt-6.1-terra.usd_per_mtok_in", "engineer.usd_per_hour"):
        assert rows.source[key] == "yours" and not rows.default[key]
    assert rows.source["gpt-6.1-terra.usd_per_mtok_out"] == "genai-prices"
    book = cm.ledger(cm.Option(mine, cm.Prompt()), BARE, terms=terms).set_index("item")
    assert set(book.sources["production: fresh input"]) == {"yours"}


def test_a_record_of_your_own_is_yours():
    terms = cm.Terms(people=People(engineer=Person("our engineer", usd_per_hour=95.0)))
    rows = cm.ledgers.register(cm.Option(TOY, cm.Prompt()), BARE, terms).set_index("input")
    assert (
        rows.source["our engineer.usd_per_hour"] == "yours"
        and not rows.default["our engineer.usd_per_hour"]
    )


def test_the_register_says_how_old_a_price_or_a_rent_is():
    option = cm.Option(cm.Hosted("llama-3.1-8b", "H100-SXM"))
    both = {"own": option, "api": cm.Option(cm.Api("gpt-4o", on=ON))}
    terms = {start: cm.Terms(start=start, on=ON) for start in ("2026-12-01", "2027-06-01")}
    then, later = (
        cm.ledgers.register(both, BARE, terms=t).set_index("input")["why"] for t in terms.values()
    )
    assert later["gpt-4o.usd_per_mtok_in"] == "173 days old" and not then["gpt-4o.usd_per_mtok_in"]
    (rent,) = [key for key in later.index if key.endswith(".usd_per_gpu_hour")]
    assert "days old" in later[rent]
    assert "days old" not in later.drop([rent]).loc[lambda x: ~x.index.str.startswith("gpt")].sum()


def test_the_register_names_the_options_of_an_input(inputs):
    assert set(inputs.options["distillation.kept"].split(", ")) == {"Distilled"}
    assert {"RAG", "RAG + LoRA"} <= set(inputs.options["rag.build_weeks"].split(", "))


# -- prices at a date ------------------------------------------------------------------------------


def test_prices_freeze_at_the_date_that_is_asked_for():
    """o3 fell on 2025-06-10 from $10 to $2 per million input tokens (OpenAI announcement of that
    day)."""
    option = cm.Option(cm.Api("o3", on=ON))
    before, after = (
        total(option, BARE, terms=cm.Terms("2025-05-01", months=1), on=day)
        for day in ("2025-06-09", "2025-06-10")
    )
    assert before == pytest.approx(10_000) and after == pytest.approx(2_000)


# -- prices that change on a known day -------------------------------------------------------------

ARGON, FLASH = cm.Option(cm.Api("gemini-4-argon", on=ON)), "gemini-3.8-flash"


def forecast(start, months, on, **trends):
    """What a model of a known step costs, undiscounted and month by month."""
    still = {"api": 0.0, "gpu": 0.0, "labour": 0.0, "service": 0.0}
    terms = cm.Terms(start, months, trends=cm.choices.Trends(**(still | trends)))
    return total(cm.Option(cm.Api(FLASH, on=on), cm.PromptCache()), WORK, terms=terms)


@pytest.mark.parametrize("api", [0.0, -0.2, 0.15])
def test_a_forecast_across_a_step_is_two_forecasts_glued_at_its_day(api):
    whole = forecast("2026-11-01", 36, ON, api=api)
    glued = forecast("2026-11-01", 2, ON, api=api)
    glued += forecast("2027-01-01", 34, "2027-01-01", api=api)
    assert whole == pytest.approx(glued, abs=0.005)


def test_a_month_with_a_step_pays_both_prices_by_days():
    """o3 fell from 10 to 2 on 2025-06-10, after 9 of the 30 days of June."""
    june = total(cm.Option(cm.Api("o3", on="2025-06-01")), BARE, terms=cm.Terms("2025-06-01", 1))
    assert june == pytest.approx(10_000 * 9 / 30 + 2_000 * 21 / 30)


def test_flat_traffic_doubles_with_its_step_and_the_line_says_so():
    terms = cm.Terms("2026-12-01", 36, trends=STILL.trends)
    book = cm.ledger(ARGON, BARE, terms=terms, base_case=True)
    today = total(ARGON, BARE, terms=cm.Terms("2026-11-01", 1))
    assert book.usd.sum() == pytest.approx(36 * 2 * today)
    assert book.basis.str.contains("list price changes on 2026-12-01").all()


def test_a_known_step_holds_until_the_model_is_replaced():
    """The successor's price is over the price at the move; a step after the move is nobody's."""

    def by_month(retires):
        upgrades = cm.Upgrades(
            retires=retires, every_months=60, price_step=-0.5, weeks=0, items=0, cold_days=0
        )
        option = cm.Option(cm.Api(FLASH, on=ON), upgrades)
        terms = cm.Terms("2026-11-01", 6, trends=STILL.trends)
        book = cm.ledger(option, BARE, terms=terms, base_case=True)
        paid = book[book["phase"] == "serving"].groupby("month").usd.sum()
        return (paid / paid[1]).round(9).to_list()

    assert by_month("2027-03-01") == [1, 1, 2, 2, 1, 1]
    assert by_month("2026-12-10") == [1, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_a_step_stays_where_part_of_the_load_goes_elsewhere():
    work = replace(WORK, growth_per_year=0.3)
    limit = {"tokens_per_min_max": 500_000.0, "over_limit": "fallback"}
    both = cm.Api(FLASH, on=ON, fallback=cm.Api(FLASH, on=ON), **limit)
    terms = cm.Terms("2026-11-01", 12)
    one, two = (total(cm.Option(api), work, terms=terms) for api in (cm.Api(FLASH, on=ON), both))
    assert one == pytest.approx(two)


def test_a_start_that_was_chosen_stays_when_prices_move():
    chosen, derived = cm.Terms(start="2026-11-01"), cm.Terms(on="2026-01-15")
    starts = [
        cm.finance.cash_flow(cm.Option(cm.Api("o3", on=ON)), BARE, terms=t, on="2026-03-10").date[1]
        for t in (chosen, derived)
    ]
    assert [str(s) for s in starts] == ["2026-11-01", "2026-04-01"]


def test_prices_changed_by_hand_do_not_move_silently():
    option = cm.Option(
        replace(
            cm.Api("gpt-4o", on=ON),
            model=replace(cm.Api("gpt-4o", on=ON).model, usd_per_request=0.01),
        )
    )
    with pytest.raises(ValueError, match="were changed by hand"):
        cm.compare(option, BARE, on="2024-07-01", draws=1)


def test_a_case_sees_the_finished_request():
    ((_, case, answers),) = cases(
        cm.Option(TOY, cm.FewShot(examples=2, tokens_per_example=100)), BARE, STILL
    )
    assert case.request.calls[0].prompt_tokens == 1_200 and answers == 1
