"""A study as files for others: one total everywhere, and each form holds what it promises."""

import csv
import json
import re
from dataclasses import replace

import formulas
import numpy as np
import openpyxl
import pytest
from toys import STAFFED, api

import costmodel as cm
from costmodel.core import key_of, middle, pin, plain_cell, walk
from costmodel.facts import pricelist
from costmodel.ledgers.engine import evaluate_all
from costmodel.ledgers.expressions import Expressions
from costmodel.ledgers.live import formulas_of
from costmodel.ledgers.tracing import Trace, Traced, computed
from costmodel.pages.report.exports.excel import excel
from costmodel.pages.report.exports.focus import focus, focus_table
from costmodel.pages.report.exports.interactive import interactive
from costmodel.pages.report.exports.results import as_json, made_again
from costmodel.pages.report.exports.workbook import Workbook

CHANGED = {"Workload.requests_per_month": 1.7, "Workload.output_tokens": 0.6,
           "engineer.usd_per_hour": 1.3, "Terms.discount_rate": 2.0}  # fmt: skip
LIVE = cm.load("support_assistant", draws=50).only("RAG", "RAG + LoRA", "Cascade")
EXAMPLES = ("own_gpus", "bank_on_premises", "coding_team", "document_questions",
            "support_assistant")  # fmt: skip
HOSTILE = "=cmd|' /C calc'!A0"
QUOTED = f"'{HOSTILE}"  # as a cell has it


def small(**more):
    """Two options, one of which is labelled like a formula, two months."""
    work = cm.Workload(
        cm.Range(5e4, 2e5), instruction_tokens=2_000, input_tokens=cm.Range(700, 1_200),
        output_tokens=250, usd_per_failure=0.1, growth_per_year=0.3,
    )  # fmt: skip
    prices = {"in": 3, "out": 12, "cache_read": 0.3, "cache_write": 3.75}
    options = {
        HOSTILE: cm.Option(api(accepted=0.8, **prices), cm.PromptCache()),
        "plain": cm.Option(api(accepted=0.7, **{"in": 2, "out": 8}), cm.Prompt()),
    }
    terms = replace(STAFFED, months=2, discount_rate=0.1)
    return cm.Study(options, work, terms, draws=200, accept_zero=None, **more)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("excel") / "book.xlsx"
    return excel(small(), path)


@pytest.fixture(scope="module")
def model(book):
    return formulas.ExcelModel().loads(str(book)).finish()


def cells(book, sheet):
    """{(row, column): value} of a sheet, as previews show it."""
    found = openpyxl.load_workbook(book, data_only=True)[sheet]
    return {(c.row, c.column): c.value for row in found.iter_rows() for c in row}


def there(solution, sheet, cell):
    return solution[f"'[book.xlsx]{sheet.upper()}'!{cell}"].value[0, 0]


def test_a_workbook_recalculates_to_what_previews_show(book, model):
    solution = model.calculate()
    checked = 0
    for sheet in openpyxl.load_workbook(book, data_only=True):
        for row in sheet.iter_rows():
            for cell in row:
                key = f"'[book.xlsx]{sheet.title.upper()}'!{cell.coordinate}"
                if isinstance(cell.value, (int, float)) and key in solution:
                    again = float(solution[key].value[0, 0])
                    assert again == pytest.approx(cell.value, rel=1e-9), key
                    checked += 1
    assert checked > 500


def test_what_is_checked_is_shown_as_it_is_computed(book, model):
    shown, solution, asked = cells(book, "Checks"), model.calculate(), 0
    for (row, column), now in shown.items():
        if column == 2 and isinstance(now, (int, float)):
            assert float(there(solution, "Checks", f"B{row}")) == pytest.approx(now, rel=1e-9)
            asked += shown[row, 3] in (0, 1)
    assert asked > 10


def test_what_is_checked_is_said_in_words_over_inputs(book):
    said = [text for (_, column), text in cells(book, "Checks").items() if column == 1]
    names = {text for (_, column), text in cells(book, "Inputs").items() if column == 1}
    roads = [x for x in said if x.startswith("the model takes the same road: ")]
    assert len(roads) > 10 and all(any(name in x for name in names) for x in roads)
    assert not any("Workings" in x or "IF(" in x for x in said)
    assert "the model takes the same road: Workload.reasoning_tokens stays 0" in said


def test_changed_inputs_move_totals_and_the_winner_as_in_python(book, model):
    study = small()
    shown = cells(book, "Inputs")
    rows = {shown[row, 1]: row for row, column in shown if column == 1}
    moved = {key: shown[rows[key], 2] * by for key, by in CHANGED.items()}
    solution = model.calculate(
        inputs={f"'[book.xlsx]INPUTS'!B{rows[key]}": value for key, value in moved.items()}
    )
    things = (study.options, study.work, study.terms)
    for key, value in moved.items():
        things = pin(things, key, value)
    made = evaluate_all(*middle(things))
    worth = {}
    for row, label in enumerate(list(cm.compare(study).index), 2):
        usd = made.bills[label].total(made.calendar)
        worth[label] = made.bills[label].total(made.calendar, discounted=True)
        assert float(there(solution, "Comparison", f"B{row}")) == pytest.approx(usd, abs=0.01)
        assert float(there(solution, "Comparison", f"C{row}")) == pytest.approx(
            worth[label], abs=0.01
        )
    assert there(solution, "Summary", "B5") == plain_cell(min(worth, key=worth.get))
    assert "all checks hold" in there(solution, "Summary", "B6")


def test_the_summary_shows_the_winner_whole_and_only_inputs_are_unlocked(book):
    found = openpyxl.load_workbook(book)
    assert "B5:H5" in map(str, found["Summary"].merged_cells.ranges)
    unlocked = {(s.title, c.column) for s in found for row in s.iter_rows() for c in row
                if not c.protection.locked}  # fmt: skip
    assert unlocked == {("Inputs", 2)}


def test_an_option_that_is_not_in_the_choice_is_said_to_be_left_out(tmp_path):
    path = excel(small(quality_floor=0.75), tmp_path / "book.xlsx")
    shown = cells(path, "Comparison")
    worth = {shown[row, 1]: shown[row, 7] for row in (2, 3)}
    assert worth["plain"] == "left out" and worth[QUOTED] > 0
    found = formulas.ExcelModel().loads(str(path)).finish()
    row = next(r for (r, c), x in cells(path, "Inputs").items() if c == 1 and "instruction_to" in x)
    solution = found.calculate(inputs={f"'[book.xlsx]INPUTS'!B{row}": 0.0})
    assert there(found.calculate(), "Summary", "B5") == QUOTED
    assert there(solution, "Summary", "B5") == "none"


def test_a_check_fails_where_the_formulas_leave_the_road_of_the_model(book, model):
    shown = cells(book, "Inputs")
    row = next(
        r for (r, c), text in shown.items() if c == 1 and text == "Workload.instruction_tokens"
    )
    solution = model.calculate(inputs={f"'[book.xlsx]INPUTS'!B{row}": 0.0})
    assert there(solution, "Summary", "B6").startswith("NO: see Checks")
    fails = {
        label
        for (r, c), label in cells(book, "Checks").items()
        if c == 5 and r > 1 and there(solution, "Checks", f"D{r}") == 0
    }
    assert fails == {QUOTED}  # that with a cache, which then has nothing to keep
    stays = {r: there(solution, "Comparison", f"H{r}") for r in (2, 3)}
    shown = cells(book, "Comparison")
    assert {shown[r, 1]: stays[r] for r in stays} == {QUOTED: 0, "plain": 1}
    assert there(solution, "Summary", "B5") == "plain" and there(solution, "Summary", "B8") == 1


def test_texts_are_never_formulas_and_there_are_no_links(book):
    found = openpyxl.load_workbook(book)
    for sheet in found:
        for row in sheet.iter_rows():
            for cell in row:
                if HOSTILE in str(cell.value):
                    assert cell.data_type == "s" and not str(cell.value).startswith(HOSTILE)
        assert sheet.protection.sheet
        assert not sheet._hyperlinks
    assert found._external_links == []
    assert not found["Inputs"]["B2"].protection.locked
    assert found["Ledger"]["G2"].protection.locked


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_formula_is_longer_or_has_more_arguments_than_excel_takes(name, tmp_path, monkeypatch):
    long, many = [], []
    plain = Workbook.formula

    def formula(self, sheet, row, column, text, value, look):
        long.append(len(text))
        many.append(max((x.count(",") for x in re.findall(r"OR\(([^()]*)\)", text)), default=0))
        plain(self, sheet, row, column, text, value, look)

    monkeypatch.setattr(Workbook, "formula", formula)
    excel(cm.load(name, draws=20, months=120), tmp_path / "long.xlsx")
    assert max(long) < 8_191 and max(many) < 255 and len(long) > 1_000


def test_the_parts_of_a_long_formula_stand_in_cells():
    cells = []

    def place(texts, values):
        cells.append((texts, [*values]))
        return [f"Workings!$A${len(cells)}.{i}" for i in range(len(texts))]

    trace = Trace()
    one = Traced(trace, "input", ("one",), 1.0, None)
    whole = bool(np.any(one * np.arange(450.0) > 448))
    ((text,),) = Expressions(str, place, None).write([*trace.conditions.values()])
    parts, groups = cells
    assert whole and len(parts[0]) == 450 and groups[1] == [False, False, True]
    assert text.count("Workings!$A$2.") == 3


def test_lines_are_live_and_say_what_they_do_not_follow():
    table = cm.ledgers.formulas(LIVE)
    assert table["live"].all()
    holds = table[table["holds"] != ""].set_index(["option", "item"])["holds"]
    assert holds["RAG + LoRA", "GPU hours idle"] == "Rag.rounds"
    assert "Signal.signal_auc" in holds["Cascade", "answers that fail"]
    assert len(holds) == 2
    line = table.query("option == 'RAG' and item == 'keep the prompt working'").iloc[0]
    assert "engineer.usd_per_hour" in line["formula"]
    moved = table.query("option == 'RAG' and item == 'production: output'").iloc[0]
    assert "api.model_life_months" in moved["inputs"]  # which months a successor has


def test_the_words_of_a_line_name_numbers_that_its_formula_follows():
    study = LIVE.after_evidence()
    keys = {}
    for owner, field, value in walk(study.inputs):
        keys.setdefault(field, set()).add(key_of(owner, field, value))
    for option in formulas_of(study)[1].values():
        for each in option.lines.values():
            follows = {name.split(" (")[0] for name in each.inputs}
            fields = {name.rpartition(".")[2] for name in follows}
            for named in set(re.findall(r"{(\w+)}", each.line.basis)) - {"traces_in_full"}:
                assert named in fields or keys[named] & follows, (each.line.item, named)


def test_twice_the_requests_leave_the_model_on_its_road():
    inputs, options = formulas_of(LIVE.only("RAG").after_evidence())
    moved = {name: np.full((1, 1), value) for name, value in inputs.middles.items()}
    moved["Workload.requests_per_month"] *= 2  # beyond the traces that are kept in full
    asked, was = zip(*options["RAG"].conditions, strict=True)
    assert [bool(np.any(now)) for now in computed(list(asked), moved)] == [*was]


def test_a_formula_that_does_not_follow_the_engine_is_a_value(monkeypatch):
    study = small()
    monkeypatch.setattr("costmodel.ledgers.live._path", lambda line, demand, terms: 1.01)
    _, made = formulas_of(study)
    moved = [x for x in made["plain"].lines.values() if x.inputs]
    assert moved and not any(x.live for x in moved)


def test_focus_has_a_row_for_each_class_of_tokens_and_sums_to_the_report(tmp_path):
    study = small()
    path = focus(study, tmp_path / "focus.csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    expected = cm.compare(study)["expected"]
    for label, usd in expected.items():
        mine = [x for x in rows if x["SubAccountName"].removeprefix("'") == label]
        assert sum(float(x["BilledCost"]) for x in mine) == pytest.approx(usd, abs=0.005)
    tokens = {x["x_TokenType"] for x in rows if x["SubAccountName"].startswith("'=")}
    assert {"Input", "CacheRead", "CacheWrite", "Output"} <= tokens
    assert {x["x_Forecast"] for x in rows} == {"true"}
    assert {x["BillingCurrency"] for x in rows} == {"USD"}
    assert not any(x[name].startswith(("=", "+", "@")) for x in rows for name in x)
    one = next(x for x in rows if x["x_TokenType"] == "Output")
    assert float(one["PricingQuantity"]) * 1e6 == pytest.approx(float(one["ConsumedQuantity"]))
    assert one["x_ModelId"] == "toy"
    cost = float(one["PricingQuantity"]) * float(one["ContractedUnitPrice"])
    assert cost == pytest.approx(float(one["ContractedCost"]))


def test_focus_has_list_prices_beside_a_contract_and_no_price_of_a_tax():
    """20 % off a model, 8 % off the spend with its provider, and value added tax on all."""
    text = """title: With a contract
workload: {requests_per_month: 2e5, input_tokens: 900, output_tokens: 250}
terms:
  months: 2
  on: 2026-11-20
  vat: 0.19
  spend: {provider: openai, usd_per_year: 100, discount: 0.08}
options: {Sol: {serving: {api: gpt-6-sol, discount: 0.2}}}
draws: 50"""
    study = cm.load(text)
    table = focus_table(study)
    of = {name: part for name, part in table.groupby("ChargeCategory")}
    assert {*of} == {"Usage", "Credit", "Tax"}
    usage, credit, tax = (of[x] for x in ("Usage", "Credit", "Tax"))
    tokens = usage[usage["x_TokenType"] != ""].astype({"ListCost": float, "ContractedCost": float})
    assert len(tokens) and (tokens["ListCost"] * 0.8).to_numpy() == pytest.approx(
        tokens["ContractedCost"].to_numpy()
    )
    price = tokens["ListUnitPrice"].astype(float) * tokens["PricingQuantity"].astype(float)
    assert price.to_numpy() == pytest.approx(tokens["ListCost"].to_numpy())
    assert (credit["ListCost"].astype(float) == 0).all()
    assert (credit["EffectiveCost"].astype(float) < 0).all()
    empty = ["PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice"]
    assert (tax[empty] == "").all(axis=None) and (tax["EffectiveCost"].astype(float) > 0).all()
    total = table["EffectiveCost"].astype(float).sum()
    assert total == pytest.approx(cm.compare(study)["expected"]["Sol"], abs=0.005)


def test_no_text_of_focus_is_a_formula_and_services_read_well():
    mine = api("=x", window=10_000, **{"in": 1.0, "out": 2.0})
    options = {"API": cm.Option(mine, cm.Prompt(), cm.Upgrades(every_months=12))}
    work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    table = focus_table(options, work, terms=STAFFED, draws=50)
    texts = table.drop(columns=[x for x in table if x.endswith(("Cost", "Price", "Quantity"))])
    assert "'=x" in {*table["ServiceName"]} and "'=x" in {*table["x_ModelId"]}
    assert not texts.map(lambda x: x.startswith(("=", "+", "-", "@"))).any(axis=None)
    services = {*table["ServiceName"]}
    assert "build: people" in services and not any("none" in x for x in services)


def test_what_is_stored_is_the_same_on_another_day(tmp_path, monkeypatch):
    def stored():
        study = cm.load("own_gpus", draws=100).only("API")
        book = openpyxl.load_workbook(excel(study, tmp_path / "book.xlsx"))
        files = [as_json(study, tmp_path / "a.json"), focus(study, tmp_path / "a.csv")]
        files.append(interactive(study, tmp_path / "a.html", positions=64))
        texts = [[*sheet.iter_rows(values_only=True)] for sheet in book]
        return texts, *(path.read_text(encoding="utf-8") for path in files)

    here, told = stored(), pricelist.snapshot()
    monkeypatch.setenv("COSTMODEL_TODAY", "2027-06-19")
    assert pricelist.snapshot() != told and stored() == here


def test_focus_units_are_those_of_its_format():
    study = cm.load("own_gpus", months=2, draws=50).only("Own GPUs")
    assert "GPU-Hours" in set(focus_table(study)["PricingUnit"])


def test_results_are_computed_again_to_the_cent_or_say_what_changed(tmp_path):
    study = cm.load("own_gpus", draws=100).only("API")
    path = as_json(study, tmp_path / "mine.json")
    assert made_again(path) == []
    found = json.loads(path.read_text(encoding="utf-8"))
    found["options"][0]["expected"] += 1
    found["stamp"]["prices"] = "genai-prices 0.0.1"
    price = next(x for x in found["inputs"] if x["input"].endswith("usd_per_mtok_out"))
    price.update(low=1.0, mid=1.0, high=1.0)
    path.write_text(json.dumps(found), encoding="utf-8")
    total, prices, moved = made_again(path)
    assert total.startswith("API: expected was ")
    assert prices.startswith("prices was genai-prices 0.0.1, is genai-prices ")
    assert moved == "meta.llama3-3-70b-instruct-v1:0.usd_per_mtok_out was 1/1/1, is 0.72/0.72/0.72"


def test_json_says_why_a_file_cannot_hold_the_study(tmp_path):
    found = json.loads(as_json(small(), tmp_path / "toy.json").read_text(encoding="utf-8"))
    assert found["scenario"] is None and "not in the catalogue" in found["note"]
    usd = {row["option"]: row["expected"] for row in found["options"]}
    booked = {
        label: sum(x["usd"] for x in found["ledger"] if x["option"] == label) for label in usd
    }
    assert booked == pytest.approx(usd) and np.isfinite(list(usd.values())).all()
