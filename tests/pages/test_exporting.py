"""The commands that carry a study elsewhere: what they print, write and exit with."""

import json
import re

import nbformat
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel import cli
from costmodel.pages.commands import find_notebook

SCENARIO = """title: Mine
terms: {months: 24, on: 2025-06-05, start: 2025-05-01}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
options:
  Large: {serving: {api: o3, accepted: 0.9}, techniques: [prompt, evals]}
  Today | as is: {serving: {today: 900}}
quality_floor: 0.6
draws: 200
"""


def run(*args, code=0):
    result = CliRunner().invoke(cli.main, [str(a) for a in args])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def scenario(write):
    return write("mine.yaml", SCENARIO)


def test_a_scenario_beside_itself_is_empty_and_exits_0(scenario):
    assert run("diff", scenario, scenario) == "no difference\n"
    assert run("diff", scenario, scenario, "--exit-code") == "no difference\n"


def test_one_scenario_at_two_price_dates(scenario):
    said = run("diff", scenario, "--from", "2025-06-05", "--to", "2025-06-20")
    assert "change price" in " ".join(said.split()) and "o3.usd_per_mtok_in: 10 -> 2" in said
    assert said.startswith("before: ") and "\nafter:  " in said
    early = scenario.with_name("early.yaml")  # its first months are those between the two days
    early.write_text(scenario.read_text().replace("start: 2025-05-01", "start: 2025-06-05"))
    said = " ".join(run("diff", early, "--from", "2025-06-05", "--to", "2025-06-20").split())
    assert "o3.usd_per_mtok_in: 10 -> 2" in said and "no expected cost changed" not in said
    later = run("diff", scenario, "--from", "2025-06-20", "--to", "2025-06-21")
    assert later == "no difference\n"
    assert "there is one scenario" in run("diff", scenario, code=2)


def test_a_difference_as_json_and_for_a_pull_request(scenario, write):
    other = write("other.yaml", SCENARIO.replace("1e5", "2e5"))
    found = json.loads(run("diff", scenario, other, "--json"))["data"]
    (row,) = found["options"]
    assert row["volume"] == pytest.approx(row["change"]) and row["price"] == 0
    assert found["inputs"] == [
        {"input": "Workload.requests_per_month", "before": "100,000", "after": "200,000"}
    ]
    said = run("diff", scenario, other, "--markdown", "--exit-code", code=1)
    assert "| option | before | after | change | volume |" in said and "**After:** " in said


TERMS = "on: 2025-06-05, start: 2025-05-01"


@pytest.mark.parametrize(
    ("was", "now", "row"),
    [
        (
            f"{TERMS}, currency: EUR 0.92 2026-11-20",
            f"{TERMS}, currency: EUR 0.80 2026-11-20",
            ["Terms.currency", "1 USD = 0.92 EUR on 2026-11-20", "1 USD = 0.8 EUR on 2026-11-20"],
        ),
        (
            "on: 2025-06-20, start: 2025-07-01",
            "on: 2025-06-20, start: 2025-08-01",
            ["Terms.start", "2025-07-01", "2025-08-01"],
        ),
        (
            "on: 2025-06-20, start: 2025-07-01",
            "on: 2025-06-21, start: 2025-07-01",
            ["Terms.on", "2025-06-20", "2025-06-21"],
        ),
    ],
)
def test_a_changed_currency_start_or_day_alone_is_a_difference(was, now, row, write):
    before, after = (
        write(f"{n}.yaml", SCENARIO.replace(TERMS, terms)) for n, terms in enumerate((was, now))
    )
    found = json.loads(run("diff", before, after, "--json"))["data"]
    assert found["changed"] and found["options"] == []
    assert [[*line.values()] for line in found["inputs"]] == [row]
    assert "a month" in found["verdict"]["before"] and "a month" in found["verdict"]["after"]
    said = run("diff", before, after, "--exit-code", code=1)
    assert said.startswith("before: ") and "\nafter:  " in said
    assert f"no expected cost changed\n{row[0]}: {row[1]} -> {row[2]}\n" in said
    assert run("diff", after, after, "--exit-code") == "no difference\n"


def test_the_dates_that_were_asked_for_are_no_change_of_their_own(write):
    follows = write("follows.yaml", SCENARIO.replace(", start: 2025-05-01", ""))
    days = ("--from", "2025-06-20", "--to", "2025-07-02")
    assert run("diff", follows, *days, "--exit-code") == "no difference\n"
    assert run("diff", follows, follows, "--from", "2025-06-20", "--to", "2025-06-21") == (
        "no difference\n"
    )


def test_a_change_of_cost_without_an_input_of_its_own_name_exits_1_too(write):
    text = SCENARIO.replace("quality_floor", "  Other: {serving: {today: 700}}\nquality_floor")
    before, after = write("a.yaml", text), write("b.yaml", text.replace("700", "800"))
    assert "Other" in run("diff", before, after, "--exit-code", code=1)


def test_two_price_books_name_the_prices_and_discounts_that_changed(write):
    books = {
        "old": "model,usd_per_mtok_out\no3,30\n",
        "new": "model,usd_per_mtok_out\no3,24\n",
        "less": "model,discount\no3,0.1\n",
        "least": "model,discount\no3,0.3\n",
    }
    for name, text in books.items():
        write(f"{name}.csv", text)
        write(f"{name}.yaml", SCENARIO + f"price_book: {name}.csv\n")
    folder = write("plain.yaml", SCENARIO).parent
    said = run("diff", folder / "old.yaml", folder / "new.yaml")
    assert "o3.usd_per_mtok_out: 30 -> 24" in said and "price" in said and "mix" not in said
    said = run("diff", folder / "less.yaml", folder / "least.yaml", "--exit-code", code=1)
    assert "Api.discount of o3 (openai): 0.1 -> 0.3" in said and "mix" not in said


def test_check_exits_1_with_the_reason(scenario):
    said = run("check", scenario, "--option", "Large", "--max-usd-per-month", 1, code=1)
    assert said.startswith("failed: Large is expected to cost USD ")
    dear = scenario.read_text(encoding="utf-8").replace(
        "output_tokens: 250", "output_tokens: 250, usd_per_failure: 9"
    )
    scenario.with_name("dear.yaml").write_text(dear, encoding="utf-8")
    study = cm.load(scenario.with_name("dear.yaml"))
    paid = cm.compare(study).loc["Large", "to_pay"] / study.terms.months
    limit = ("check", scenario.with_name("dear.yaml"), "--option", "Large")
    assert run(*limit, "--max-paid-per-month", paid + 1) == "Mine: all limits hold\n"
    assert " pay USD " in run(*limit, "--max-paid-per-month", paid - 1, code=1)
    assert " cost USD " in run(*limit, "--max-usd-per-month", paid + 1, code=1)
    fine = ("--max-usd-per-month", 1e6, "--min-quality", "70%", "--max-growth", "50%")
    assert run("check", scenario, "--option", "Large", *fine) == "Mine: all limits hold\n"
    for growth in ("high", "10", "nan", "inf%"):
        assert "such as 0.1 or 10%" in run("check", scenario, "--max-growth", growth, code=2)
    assert run("check", scenario, "--option", "large", *fine) == "Mine: all limits hold\n"


def test_an_export_to_a_workbook_says_how_many_lines_are_live(scenario, tmp_path):
    path, said = run("export", scenario, "-o", tmp_path, "--excel", "--draws", 100).splitlines()
    assert path == str(tmp_path / "mine.xlsx")
    shown = openpyxl.load_workbook(path)["Summary"]["B7"].value
    assert re.match(r"\d+ of \d+, \d+% of the dollars", shown)
    assert said == f"lines that are live: {shown}"


def test_a_headline_in_another_currency_states_its_rate_everywhere(write, tmp_path):
    euros = SCENARIO.replace("months: 24", "months: 24, currency: EUR 0.92 2026-11-20")
    mine, other = write("mine.yaml", euros), write("other.yaml", euros.replace("1e5", "2e5"))
    run("export", mine, "-o", tmp_path, "--excel", "--json", "--html")
    headline = cm.recommend(cm.load(mine), flips=False).headline
    assert re.search(r"about EUR [\d,]+ a month \(1 USD = 0.92 EUR on 2026-11-20\) over", headline)
    stored = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))
    assert stored["verdict"]["headline"] == headline
    summary = openpyxl.load_workbook(tmp_path / "mine.xlsx")["Summary"]["A9"].value
    assert summary.endswith(headline)
    assert headline in (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert f"**Before:** {headline}" in run("diff", mine, other, "--markdown")


def test_one_bad_scenario_does_not_stop_an_export(scenario, write, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3):
        (folder / f"team {number}.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "broken.yaml").write_text("title: no workload", encoding="utf-8")
    out = tmp_path / "out"
    said = run("export", folder, "-o", out, "--focus", "--json", "--draws", 100, code=1)
    assert "1 of 4 scenarios failed: broken" in said and "has no workload" in said
    assert sorted(x.name for x in out.iterdir()) == sorted(
        f"team-{number}.{end}" for number in range(3) for end in ("focus.csv", "json")
    )
    stored = out / "team-0.json"
    assert "same to the cent" in run("rerun", stored)
    assert run("diff", stored, folder / "team 0.yaml", "--draws", 100) == "no difference\n"
    found = json.loads(stored.read_text(encoding="utf-8"))
    found["options"][0]["expected"] -= 0.02
    stored.write_text(json.dumps(found), encoding="utf-8")
    assert "expected was " in run("rerun", stored, code=1)
    assert "holds no results" in run("rerun", write("other.json", "{}"), code=2)


def test_the_files_of_a_scenario_are_all_written_or_none(scenario, tmp_path):
    out = tmp_path / "out"
    (out / f"{scenario.stem}.json").mkdir(parents=True)  # where a file cannot be put
    said = run("export", scenario, "-o", out, "--focus", "--json", "--draws", 100, code=2)
    assert f"{scenario.stem}.json' is a folder" in " ".join(said.split())
    assert [x.name for x in out.iterdir()] == [f"{scenario.stem}.json"]


def test_the_results_of_a_report_are_computed_and_compared_like_those_of_an_export(
    scenario, write, tmp_path, monkeypatch
):
    for module in ("runner", "exports.results"):
        monkeypatch.setattr(f"costmodel.pages.report.{module}.is_ours", lambda notebook: True)
    cells = [
        nbformat.v4.new_markdown_cell("# Mine"),
        nbformat.v4.new_code_cell("scenario: str = ''  # file", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "import costmodel as cm\nfrom costmodel import report\n"
            "report.results(cost=cm.compare(cm.load(scenario))['expected'].to_dict())"
        ),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "own.ipynb")
    made = cm.report.run(tmp_path / "own.ipynb", tmp_path, ["html"], scenario=str(scenario))
    scenario.rename(tmp_path / "kept.yaml")  # the results hold the scenario
    assert "same to the cent" in run("rerun", made.results_json)
    assert run("diff", made.results_json, tmp_path / "kept.yaml") == "no difference\n"
    found = json.loads(made.results_json.read_text(encoding="utf-8"))
    was = found["numbers"]["cost"]["Large"]
    found["numbers"]["cost"]["Large"] += 0.02
    found["stamp"]["costmodel"] = "0.1"
    made.results_json.write_text(json.dumps(found), encoding="utf-8")
    said = run("rerun", made.results_json, code=1)
    assert f"cost.Large was {was + 0.02:,.2f}, is {was:,.2f}" in said
    assert "costmodel was 0.1, is " in said


def test_a_report_without_a_scenario_is_computed_again(tmp_path):
    notebook, given = find_notebook("04_rag_graphrag_or_long_context"), {"draws": 100}
    stored = cm.report.run(notebook, tmp_path, ["html"], **given).results_json
    assert "same to the cent" in run("rerun", stored)
    assert "rests on no scenario" in " ".join(run("check", stored, code=2).split())
    found = json.loads(stored.read_text(encoding="utf-8"))
    found["stamp"]["costmodel"] = "0.0"
    found["numbers"]["sentence"] = "another one"
    stored.write_text(json.dumps(found), encoding="utf-8")
    assert "costmodel was 0.0, is " in run("rerun", stored, code=1)


def test_showback_as_table_csv_and_page(write, tmp_path):
    shares = "output_tokens: 250, shares: {=sales: 0.5, legal: 0.3}"
    mine = write("mine.yaml", SCENARIO.replace("output_tokens: 250", shares))
    said = run("showback", mine, "--option", "Large", "-o", tmp_path)
    table = pd.read_csv(tmp_path / "mine.showback.csv", index_col="team")
    assert list(table.index) == ["'=sales", "legal", "unallocated", "total"]
    total = cm.compare(cm.load(mine)).loc["Large", "expected"]
    assert table.loc["total", "usd"] == pytest.approx(total, abs=0.005)
    assert table["usd"].iloc[:-1].sum() == pytest.approx(total, abs=0.005)
    assert table.loc["unallocated", "usd"] == pytest.approx(0.2 * total)
    assert f"{total:,.2f}" in said and said.startswith("Large, expected over")
    page = (tmp_path / "mine.showback.html").read_text(encoding="utf-8")
    assert f"{total:,.2f}" in page and 'class="table wide stack"' in page  # cards on a phone


def test_sixty_scenarios_are_exported_in_one_call(write, tmp_path):
    paths = [
        write(f"case {i}.yaml", SCENARIO.replace("draws: 200", "draws: 20") + f"seed: {i}\n")
        for i in range(60)
    ]
    run("export", *paths, "-o", tmp_path / "out", "--focus", "--json")
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    ends = (".focus.csv", ".json")
    assert made == sorted(f"case-{i}{end}" for i in range(60) for end in ends)
    for i in (0, 59):
        found = json.loads((tmp_path / "out" / f"case-{i}.json").read_text(encoding="utf-8"))
        assert found["stamp"]["seed"] == i


def test_a_batch_of_reports_goes_on_after_a_bad_scenario(write, tmp_path):
    source = "scenario: str = 'own_gpus'  # which one"
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    title = nbformat.v4.new_markdown_cell("# Mine")
    use = nbformat.v4.new_code_cell("import costmodel as cm; cm.load(scenario).title")
    notebook = tmp_path / "own.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[title, cell, use]), notebook)
    good, bad = write("good.yaml", SCENARIO), write("bad.yaml", "title: no workload")
    out = tmp_path / "reports"
    said = run("reports", good, bad, "--notebook", notebook, "-o", out, "--format", "html", code=1)
    assert "1 of 2 reports failed: bad" in said
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "good.html" in index and "has no workload" in index
    assert (out / "good.html").is_file()
