"""No silent nonsense: what cannot be computed is refused by name; what is computed is finite."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from toys import ON, STILL, Buy, api

import costmodel as cm
from costmodel.choices.schedule import monthly
from costmodel.choices.servings.baselines import Today
from costmodel.cli import main
from costmodel.core import Currency, limits, money, percent, read_rows, require
from costmodel.decisions.simulate import totals
from costmodel.decisions.verdict import recommend
from costmodel.decisions.wording import cards

BASE = """title: Small
terms: {on: 2026-11-20, months: 12%s}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250%s}
options: {presets: {only: [Prompt]}%s}
draws: 60
"""
WORK = cm.Workload(1e5, input_tokens=900, output_tokens=250, usd_per_failure=0.5)


def text(terms="", work="", more=""):
    inside = (f", {x}" if x else "" for x in (terms, work, more))
    return BASE % tuple(inside)


def run(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


# -- 1: a form that can leave the limits of its field ----------------------------------------------


@pytest.mark.parametrize(
    ("terms", "work", "says"),
    [
        (
            "",
            "usd_per_failure: {low: 0, high: 4, mid: 1, level: 0.5, form: signed}",
            "Workload.usd_per_failure is a Range of the form 'signed', whose draws leave what is "
            "allowed, 0 to inf; write form: amount",
        ),
        ("", "usd_per_failure: {low: 1, high: 4, form: change}", "write form: amount"),
        ("", "growth_per_year: {low: -0.5, high: 0.5, form: signed}", "write form: change"),
        ("", "growth_per_year: {low: -1, high: 0.5}", "a change must be above -1"),
        ("trends: {api: {low: -1, high: 0}}", "", "terms.trends: Range(-1, 0): a change must be"),
        ("trends: {gpu: {low: -0.5, high: 0, form: signed}}", "", "write form: change"),
        ("vat: {low: 0.1, high: 0.3, form: amount}", "", "vat is a Range of the form 'amount'"),
    ],
)
def test_a_form_that_can_leave_the_limits_is_refused(terms, work, says):
    with pytest.raises(ValueError, match="the scenario") as error:
        cm.load(text(terms, work))
    assert says in str(error.value) and len(str(error.value)) <= 300


@pytest.mark.parametrize("form", ["amount", "change", "signed"])
def test_a_share_has_the_form_of_a_share(form):
    doubt = cm.Range(0.5, 0.9, form=form)
    option = cm.Option(api(accepted=0.5, **{"in": 1, "out": 1}))
    for make in (
        lambda: require("share", doubt, 0, 1),
        lambda: cm.Option(option.serving, quality=doubt),
        lambda: replace(option.serving, accepted=doubt),
    ):
        with pytest.raises(ValueError, match="write form: share"):
            make()


def test_no_draw_of_any_form_leaves_the_limits_of_its_unit():
    """Whatever form is accepted: its farthest draws lie within the limits of sign and share."""
    ends = {"amount": (0.2, 0.9), "share": (0.2, 0.9), "change": (-0.5, 0.9), "signed": (-2, 3)}
    u, accepted = np.array([1e-12, 1 - 1e-12]), 0
    for field in ("usd_per_failure", "hit_rate", "growth_per_year", "log_odds"):
        least, most = limits(field)
        for form, (low, high) in ends.items():
            doubt = cm.Range(low, high, level=0.5, form=form)
            try:
                require(field, doubt, least, most)
            except ValueError:
                continue
            accepted += 1
            farthest = doubt.quantile(u)
            assert farthest[0] >= min(least, 0) and (most > 1 or farthest[1] <= most)
    assert accepted == 10  # 2 of an amount, 1 of a share, 3 of a change, all of log-odds


# -- 2 and 5: NaN and infinity ---------------------------------------------------------------------


def test_a_speed_error_of_zero_is_refused_by_name():
    with pytest.raises(ValueError, match=r"Lora.speed_error is 0, allowed is at least 1e-06"):
        cm.Lora(speed_error=0)


@pytest.mark.parametrize(
    ("terms", "work", "says"),
    [
        ("", "growth_per_year: 1e308", "Workload.growth_per_year is 1e+308, it must be a finite"),
        ("", "growth_per_year: 2000", "growth_per_year is 2000, allowed is between -1 and 1000"),
        ("", "usd_per_failure: 1e300", "Workload.usd_per_failure is 1e+300, it must be a finite"),
        ("", f"usd_per_failure: 1{'0' * 400}", "is '1000"),
        ("trends: {labour: 1e9}", "", "Trends.labour is 1000000000.0, allowed is between -1"),
    ],
)
def test_what_would_overflow_is_refused_by_name(terms, work, says):
    with pytest.raises(ValueError) as error:
        cm.load(text(terms, work))
    assert says in str(error.value) and len(str(error.value)) <= 300


def test_log_odds_end_where_a_share_is_certain():
    with pytest.raises(ValueError, match=r"FewShot.log_odds is 800, allowed is between -50 and 50"):
        cm.FewShot(log_odds=800)


@pytest.mark.parametrize("amount", [np.nan, np.inf, 1e308])
def test_a_total_that_is_no_number_names_its_line(amount):
    """Not "does not fit": an error with the line, and how many of the draws it is in."""
    usd = amount if amount != 1e308 else np.array([[1.0], [1e308]])
    option = cm.Option(api(accepted=0.5, **{"in": 1, "out": 1}), Buy(usd, monthly()))
    work, terms = replace(WORK, peak_to_average=2.0, usd_per_failure=0), replace(STILL, months=12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if amount == 1e308:
            from costmodel.ledgers.calendar import Calendar
            from costmodel.ledgers.engine import evaluate

            bill = evaluate(*cm.uncertainty.middle((option, work, terms)))
            with np.errstate(all="ignore"), pytest.raises(ValueError, match="in 50 % of the draws"):
                bill.total(Calendar(work, terms))
            return
        with pytest.raises(ValueError, match="the cost of 'a purchase' is no finite number"):
            cm.compare(option, work, terms=terms, draws=20)


def test_no_warning_of_numpy_reaches_a_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = cm.compare(cm.load(text(work="growth_per_year: -1, usd_per_failure: 1")))
    assert np.isfinite(table["expected"]).all() and table["why_not"].eq("").all()


# -- 3: currencies ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "says"),
    [
        ("USD 2 2026-11-20", "the rate of USD is 2.0, allowed is 1"),
        ("EUR 1e-320 2026-11-20", "the rate of EUR is 1e-320, allowed is 0.001 to 1e+06"),
        ("EUR nan 2026-11-20", "the rate of EUR is nan"),
        ("ßßß 1 2026-11-20", "currency is 'ßßß 1 2026-11-20'; write the code"),
        ("EU1 1 2026-11-20", "currency is 'EU1 1 2026-11-20'; write the code"),
    ],
)
def test_a_currency_is_three_letters_with_a_rate(currency, says):
    with pytest.raises(ValueError, match="currency is") as error:
        cm.load(text(f"currency: {currency}"))
    assert says in str(error.value)


def test_a_currency_made_in_python_is_held_to_the_same():
    assert Currency("EUR", 0.9, "2026-11-20").per_usd == 0.9
    for code, rate, says in (("USD", 2, "the rate of USD is 2"), ("ßßß", 1, "three letters")):
        with pytest.raises(ValueError, match=says):
            Currency(code, rate)


# -- 4: the CSV of a portfolio ---------------------------------------------------------------------


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "base.yaml").write_text(text())

    def write(content):
        path = tmp_path / "rows.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_the_column_draws_counts_on_the_command_line(rows, tmp_path):
    path = rows("name,scenario,draws\na,base.yaml,20\nb,base.yaml,60\n")
    said = run("portfolio", path, "--csv", tmp_path / "t.csv", "--workers", 1)
    assert said.exit_code == 0
    table = pd.read_csv(tmp_path / "t.csv").set_index("scenario")
    for name, draws in (("a", 20), ("b", 60)):
        alone = cm.compare(cm.load(text(), draws=draws))
        assert table.loc[name, "p90"] == alone["p90"].item()
    assert table.loc["a", "p90"] != table.loc["b", "p90"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name,scenario,months,months\na,base.yaml,3,4\n", "rows.csv has two columns 'months'"),
        ('name,scenario\n"a,base.yaml\nb,base.yaml\n', "rows.csv line 3 is not valid CSV: a quote"),
        ("name;scenario\na;base.yaml\n", "rows.csv is separated by semicolons"),
        ("name\tscenario\na\tbase.yaml\n", "rows.csv is separated by tabs"),
        ("name,scenario\nä,base.yaml\n".encode("latin-1"), "rows.csv is not a text file in UTF-8"),
        ("name,scenario\na,base.yaml,1,2\n", "rows.csv line 2 has 4 cells and the first line 2"),
        ("name,scenario,\na,base.yaml,1\n", "no parameter ''"),
    ],
)
def test_a_wrong_csv_is_refused_in_one_sentence(rows, tmp_path, content, says):
    said = run("portfolio", rows(content), "--csv", tmp_path / "t.csv", "--workers", 1)
    assert said.exit_code == 2 and says in " ".join(said.output.split())
    assert not (tmp_path / "t.csv").exists()


def test_one_bad_row_leaves_the_others(rows, tmp_path):
    """Too many cells, a base that is not there, and what is no number: each is said, none stops."""
    path = rows(
        "name,scenario,months\na,base.yaml,3\nb,base.yaml,3,4\nc,no.yaml,3\nd,base.yaml,x\n"
    )
    said = run("portfolio", path, "--csv", tmp_path / "t.csv", "--workers", 1)
    assert said.exit_code == 1 and "4 scenarios, 3 of them with an error" in said.output
    table = pd.read_csv(tmp_path / "t.csv").set_index("scenario")
    assert table.loc["a", "expected"] == cm.compare(cm.load(text(), months=3))["expected"].item()
    assert "line 3 has 4 cells" in table.loc["b", "error"]
    assert "no scenario 'no.yaml'" in table.loc["c", "error"]
    assert "months is 'x'" in table.loc["d", "error"]


def test_utf_16_as_excel_writes_it_is_read(rows):
    path = rows("name,scenario\nGebühr,base.yaml\n".encode("utf-16"))
    table = cm.scenarios.compare_portfolio(path, workers=1, progress=False)
    assert table["scenario"].to_list() == ["Gebühr"] and table["error"].to_list() == [""]


# -- 6: equal parts of a mix -----------------------------------------------------------------------

KEPT = (cm.Evals(), cm.Monitoring(), cm.Upgrades(), cm.Release())


@pytest.mark.parametrize("techniques", [*((t,) for t in KEPT), KEPT])
def test_equal_halves_of_a_mix_are_the_option(techniques):
    def option():
        return cm.Option(cm.Api("gpt-4o", on=ON, accepted=0.7), *techniques)

    half = cm.Mix(cm.Part(option(), answers=0.5), cm.Part(option()))
    nested = cm.Mix(cm.Part(half, answers=0.3), cm.Part(option()))
    table = cm.compare(
        {"one": option(), "half": half, "nested": nested}, WORK, months=12, draws=40
    ).sort_index()
    for column in ("expected", "present_value", "quality", "p90"):
        assert table[column].to_list() == pytest.approx([table.loc["one", column]] * 3, rel=1e-12)


def test_a_mix_that_doubles_at_every_step_is_refused():
    mix = cm.Option(cm.Api("gpt-4o", on=ON, accepted=0.7))
    with pytest.raises(ValueError, match="it holds 128 options, allowed are 64"):
        for _ in range(30):
            mix = cm.Mix(cm.Part(mix, answers=0.5), cm.Part(mix))


# -- 7: volume -------------------------------------------------------------------------------------

RELEASES = {
    "canary": (cm.Release(policy="canary"),),
    "all": (cm.Release(policy="replay + shadow + canary + A/B"), cm.Monitoring()),
    "signals": (cm.Release(policy="canary", latency_threshold=0.3, refusal_threshold=0.05),),
    "none": (cm.Release(policy=""),),
}


@pytest.mark.parametrize("techniques", RELEASES.values(), ids=RELEASES)
def test_more_traffic_never_costs_less_under_a_release(techniques):
    option = cm.Option(cm.Api("gpt-4o", on=ON, accepted=0.7), *techniques)
    volumes = np.array([1e-6, 1e-2, 1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7])
    study = cm.Study(option, WORK, cm.Terms(on=ON, months=12), draws=20)
    usd = totals(study, grid={"requests_per_month": volumes})["option"]
    assert (np.diff(usd) > 0).all()
    almost_nothing = cm.compare(study.changed(work=replace(WORK, requests_per_month=1e-6)))
    assert almost_nothing["wrong_answers"].item() < 1e-3


def test_no_server_is_sold_for_more_than_it_cost():
    """Bought month by month while prices fall: each fetches a share of what it cost itself."""
    study = cm.load("own_gpus", growth_per_year=1000.0, draws=100).only("Bought GPUs")
    assert (totals(study, 100)["Bought GPUs"] > 0).all()
    book = cm.ledger(study).groupby("item")["usd"].sum()
    assert 0 < -book["servers sold"] < book["servers"]


# -- 8: nothing accepted, and nothing paid ---------------------------------------------------------


def test_where_nothing_is_accepted_no_answer_has_a_price():
    option = cm.Option(cm.Api("gpt-4o", on=ON), quality=0.0)
    study = cm.Study({"a": option}, WORK, cm.Terms(on=ON, months=12), draws=20)
    table = recommend(study).table
    assert np.isnan(table["per_accepted"]["a"]) and table["quality"]["a"] == 0
    told = " ".join(map(str, cards(study, table.loc["a"])))
    assert "no answer is accepted" in told and "nan" not in told and "inf" not in told


def test_what_is_no_number_is_a_question_mark():
    assert (percent(np.nan), money(np.inf), money(np.nan)) == ("?", "USD ?", "USD ?")


def test_a_discount_never_makes_an_api_free():
    with pytest.raises(ValueError, match=r"Api.discount is 1, allowed is between 0 and 0.999"):
        cm.Api("gpt-4o", on=ON, discount=1)


def test_an_option_that_costs_nothing_says_so():
    options = {
        "free": cm.Option(Today(0, accepted=0.5)),
        "of unknown quality": cm.Option(Today(0)),
        "paid": cm.Option(api(accepted=0.5, **{"in": 1, "out": 1})),
    }
    table = cm.compare(options, replace(WORK, usd_per_failure=0), terms=STILL, draws=20)
    for label in ("free", "of unknown quality"):
        assert table["why_not"][label].startswith("costs nothing in any draw")
    assert table["why_not"]["paid"] == ""


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\x0c", "\x1e"])
def test_only_line_ends_end_a_row(tmp_path, mark):
    path = tmp_path / "rows.csv"
    path.write_text(f"name,months\nTeam{mark}North,2\n", encoding="utf-8")
    assert read_rows(path) == [{"name": f"Team{mark}North", "months": "2"}]


def test_a_huge_trend_is_judged_in_silence(recwarn):
    trends = cm.choices.Trends(api=cm.Range(-0.999, 999, form="change"))
    study = cm.load("support_assistant", draws=200).only("RAG", "Prompt")
    table = cm.recommend(replace(study, terms=replace(study.terms, months=120, trends=trends)))
    assert np.isfinite(table.table["expected"]).all() and not recwarn.list


def test_a_study_has_at_most_300_options():
    study = cm.load("support_assistant")
    with pytest.raises(ValueError, match="options has 301 options, allowed are 300"):
        replace(study, options={f"o{i}": study.option("RAG") for i in range(301)})


def test_an_option_whose_model_ends_before_the_first_month_is_set_aside(tmp_path):
    """gpt-5-mini ends on 2026-12-11: the others are compared, and the notes are theirs."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: S\nterms: {on: 2026-11-20, start: 2027-01-01, months: 3}\ndraws: 200\n"
        "workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 200}\n"
        "options: {old: {serving: {api: gpt-5-mini}, techniques: [Upgrades]}, "
        "b: {serving: {api: gpt-4o}}}\n"
    )
    said = CliRunner().invoke(main, ["compare", str(path)])
    assert said.exit_code == 0 and "gpt-5-mini is retired on 2026-12-11" in " ".join(
        said.output.split()
    )
    notes = cm.operations.lint(cm.load(path))
    assert "old" in set(notes.loc[notes["code"] == "P25", "options"])


def test_an_api_of_your_own_takes_no_name_that_is_there():
    given = ["compare", "own_gpus", "--own-api", "API", "1", "1", "100000", "--draws", "100"]
    said = CliRunner().invoke(main, given)
    assert said.exit_code == 2 and "there is an option 'API' already" in " ".join(
        said.output.split()
    )


def test_a_file_of_usage_counts_once():
    file = cm.ingest.example()
    with pytest.raises(ValueError, match="is given twice; name each file once"):
        cm.ingest.read([file, file])


@pytest.mark.parametrize("rate", ["inf", "nan", "-1", "0", "1e300"])
def test_a_rate_of_a_bill_is_one(tmp_path, rate):
    bill = tmp_path / "eur.csv"
    bill.write_text(
        "start_time,amount_value,amount_currency,line_item,quantity\n"
        '1790553600,0.5,eur,"gpt-5-nano, input_tokens",1000\n'
    )
    said = CliRunner().invoke(
        main, ["reconcile", str(cm.ingest.example()), str(bill), "--rate", rate]
    )
    assert said.exit_code == 2 and "--rate is " in " ".join(said.output.split())


@pytest.mark.parametrize("options", [None, "x", [1], [{}], {}])
def test_results_that_are_not_whole_are_refused(tmp_path, options):
    path = cm.report.as_json(cm.load("own_gpus", draws=100).only("API"), tmp_path / "a.json")
    found = json.loads(path.read_text(encoding="utf-8")) | {"options": options}
    path.write_text(json.dumps(found), encoding="utf-8")
    said = CliRunner().invoke(main, ["rerun", str(path)])
    assert said.exit_code == 2 and "is not whole; write a file that" in " ".join(
        said.output.split()
    )


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5_000])
def test_json_that_no_reader_takes_is_named(tmp_path, text):
    path = tmp_path / "deep.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"deep\.json"):
        cm.ingest.read(path)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("reprice", "USAGE", "--with", "own_gpus", "--context", "nan"), "--context is 'nan'"),
        (("reprice", "USAGE", "--with", "own_gpus", "--context", "0"), "--context is '0', it must"),
        (("check", "own_gpus", "--min-quality", "0.7%%"), "it must be a share, such as 0.1 or 10%"),
        (("check", "own_gpus", "--min-quality", "1_0%"), "it must be a share, such as 0.1 or 10%"),
        (("reports", "own_gpus", "--workers", "0"), "--workers is '0', it must be a whole number"),
        (("reconcile", "USAGE", "0"), "the total of the bill is 0, allowed is at least 0.01"),
    ],
)
def test_a_number_of_the_command_line_that_cannot_be_meant_is_refused(given, says):
    usage = str(cm.ingest.example())
    said = CliRunner().invoke(main, [usage if word == "USAGE" else word for word in given])
    assert said.exit_code == 2 and says in " ".join(said.output.split())
