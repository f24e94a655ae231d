"""The command line: the numbers of the functions, and errors of one sentence that write nothing."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel import cli
from costmodel.pages.commands import find_notebook, in_its_case
from costmodel.scenarios.scenario import load, notebooks_folder

SCENARIO = """
title: Test
prepared_for: Finance
workload:
  {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250, corpus: {tokens: 1_000_000}}
terms: {on: 2026-11-20, months: 24}
options:
  presets: {only: [Prompt, RAG, LoRA]}
  Unknown: {serving: {seats: 5, usd_per_seat_month: 20}}
draws: 300
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(SCENARIO)
    return path


def wrappable(text):
    """The lines of a text that hold a space: a long path alone cannot be wrapped."""
    return [line for line in text.splitlines() if " " in line.strip()]


def run(*args):
    return CliRunner().invoke(cli.main, [str(a) for a in args])


def refused(*args):
    """The one sentence of an error: exit code 2, nothing on stdout, no traceback."""
    result = run(*args)
    assert result.exit_code == 2 and result.stdout == "", result.output
    assert result.stderr.startswith("error: ") and "Traceback" not in result.stderr
    assert max(map(len, result.stderr.splitlines())) <= 80
    return " ".join(result.stderr.split())


# -- compare and explain ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra, changes",
    [
        ((), {}),
        (("--months", 12, "--draws", 200, "--seed", 5), {"months": 12, "draws": 200, "seed": 5}),
    ],
)
def test_csv_equals_compare_exactly(scenario, tmp_path, extra, changes):
    s = load(scenario, **changes)
    wanted = cm.compare(s.options, s.work, draws=s.draws, seed=s.seed, terms=s.terms)
    printed = run("compare", scenario, "--csv", "-", *extra).stdout
    assert run("compare", scenario, "--csv", tmp_path / "t.csv", *extra).exit_code == 0
    for text in (printed, (tmp_path / "t.csv").read_text()):
        found = pd.read_csv(
            io.StringIO(text), index_col="option", dtype=str, keep_default_na=False
        ).replace("", "nan")
        words = ["why_not", "currency", "eligible", "as_good"]
        pd.testing.assert_frame_equal(
            found.drop(columns=words).astype(float), wanted.drop(columns=words), check_exact=True
        )
        for word in words:
            said = wanted[word].astype(str).replace("", "nan").to_list()
            assert found[word].to_list() == said


def test_the_table_shows_totals_the_answer_and_why_not(scenario):
    s = load(scenario)
    text = run("compare", scenario).stdout
    said = cm.recommend(s.options, s.work, draws=s.draws, seed=s.seed, terms=s.terms)
    for usd in said.table["expected"]:
        assert f"{usd:,.0f}" in text
    assert "Unknown: quality unknown" in text and "for Finance" in text
    words = " ".join(text.split())
    assert " - ".join([said.headline, *said.points]) in words
    assert max(map(len, wrappable(text))) <= 80


def test_amounts_in_another_currency(scenario):
    scenario.write_text(SCENARIO.replace("months: 24", "months: 24, currency: EUR 0.5 2026-11-20"))
    s = load(scenario)
    usd = cm.compare(s.options, s.work, draws=300, terms=s.terms).loc["RAG", "expected"]
    text = run("compare", scenario).stdout
    assert "EUR over 24 months" in text and f"{usd / 2:,.0f}" in text
    assert repr(float(usd)) in run("compare", scenario, "--csv", "-").stdout  # the file is in USD


@pytest.mark.parametrize("name", ["support_assistant", "document_extraction", "code_assistant"])
def test_examples_by_name(name):
    result = run("compare", name, "--draws", 200)
    assert result.exit_code == 0 and "the lowest expected cost" in " ".join(result.stdout.split())


def test_explain_shows_formula_source_and_the_whole(scenario):
    s = load(scenario)
    text = run("explain", scenario, "RAG", "--lines", 3).stdout
    lines = cm.explain(s, "RAG")
    assert f"USD {lines['usd'].sum():,.2f}" in text and f"{len(lines) - 3} smaller lines" in text
    for row in lines.head(3).itertuples():
        words = " ".join(text.split())
        assert f"{row.usd:,.2f}" in text and row.item in words
        assert row.basis in words and row.sources in words
    assert run("explain", scenario, "rag", "--lines", 3).stdout == text  # case does not matter
    assert "did you mean 'RAG'" in refused("explain", scenario, "RAGS")


# -- prices ----------------------------------------------------------------------------------------


def test_prices_show_every_tier_class_and_note():
    text = run("prices", "gemini-2.5-pro", "--on", "2026-11-01").stdout
    assert "up to 200,000" in text and "above 200,000" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line}
    assert rows["input"] == ["1.25", "2.5"] and rows["output"] == ["10", "15"]
    assert (
        "note: a cache write is not priced" in text
        and cm.facts.PRICES_VERSION in text
        and "2026-11-01" in text
    )


def test_prices_say_how_old_the_list_is_and_what_is_disputed():
    text = run("prices", "openai.gpt-5.5", "--provider", "aws", "--on", "2026-11-20").stdout
    assert re.search(r"genai-prices .* of 2026-11-09, \d+ days old", text)
    assert "disputed: litellm-1.110 of 2026-11-01 has usd_per_mtok_in 11 above 272,000" in text


def test_data_says_its_age_and_checks_prices_against_a_second_source():
    assert re.search(r"rents +\d+ +2026-05-24 +2026-11-28", run("data").stdout)
    checked = run("data", "--check").stdout
    assert "openai.gpt-5.5" in checked and "prices differ by more than 1 %" in checked
    assert "gpt-4o " not in checked


def test_a_discount_scales_every_class():
    plain, half = (
        run("prices", "gpt-4o", "--on", "2026-11-01", *extra).stdout
        for extra in ((), ("--discount", "0.5"))
    )
    values = [
        {
            line.split()[0]: float(line.split()[-1])
            for line in t.splitlines()
            if line.split()[0] in ("input", "cache_read", "output")
        }
        for t in (plain, half)
    ]
    assert len(values[0]) == 3 and all(
        values[1][name] == pytest.approx(value / 2) for name, value in values[0].items()
    )


@pytest.mark.parametrize(
    "args, message",
    [
        (["gpt-6-soll"], "did you mean 'gpt-6-sol'"),
        (["gpt-4o", "--mode", "batc"], "did you mean 'batch'"),
        (["gpt-4o", "--on", "yesterday"], "on is 'yesterday'"),
        (["gpt-4o", "--provider", "opnai"], "did you mean 'openai'"),
        (["gpt-4o", "--discount", "2"], "--discount is '2'"),
    ],
)
def test_prices_refuse(args, message):
    assert message in refused("prices", *args)


# -- report ----------------------------------------------------------------------------------------

CELL = """use_cache: bool = True  # cache the prompt
months: int = 36  # horizon [1, 120]
name: str = "x"  # any text
on: str = "2026-11-20"  # day of the prices
levels: list = [1, 2]  # some numbers
note: str | None = "n"  # or nothing
"""


@pytest.fixture
def notebook(tmp_path):
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(CELL, metadata={"tags": ["parameters"]})]
    path = tmp_path / "small.ipynb"
    nbformat.write(book, path)
    return path


@pytest.fixture
def ran(monkeypatch):
    """What `report.run` was asked for; no kernel starts."""
    calls = {}

    def instead(notebook, out, formats, show_code, progress, **parameters):
        calls.update(out=out, formats=formats, show_code=show_code, parameters=parameters)
        html = notebook.with_suffix(".html")
        return cm.report.Report("Title", "The answer.", parameters, html=html)

    monkeypatch.setattr(cm.report, "run", instead)
    return calls


@pytest.mark.parametrize("word", ["false", "False", "FALSE", "no", "Off", "0"])
def test_use_cache_false_is_false_in_every_way_of_saying_it(notebook, ran, tmp_path, word):
    (tmp_path / "p.yaml").write_text(f"use_cache: {word}\n")
    for args in (
        ["-p", "use_cache", word],
        ["-y", f"use_cache: {word}"],
        ["-f", tmp_path / "p.yaml"],
    ):
        assert run("report", notebook, *args).exit_code == 0
        assert ran["parameters"] == {"use_cache": False}


def test_types_of_parameters_and_which_one_counts(notebook, ran, tmp_path):
    (tmp_path / "p.yaml").write_text(
        "months: 12\nname: 007\non: 2026-10-01\nlevels: [3, 4.5]\nnote: null\n"
    )
    result = run(
        "report",
        notebook,
        "-f",
        tmp_path / "p.yaml",
        "-y",
        "months: 18",
        "-p",
        "months",
        "2_4",
        "-o",
        "there",
        "--format",
        "html",
        "--show-code",
    )
    assert result.exit_code == 0, result.output
    assert ran["parameters"] == {
        "months": 24,
        "name": "007",
        "on": "2026-10-01",
        "levels": [3, 4.5],
        "note": None,
    }
    assert (ran["out"], ran["formats"], ran["show_code"]) == ("there", ("html",), True)
    assert result.stdout.splitlines() == [str(notebook.with_suffix(".html")), "The answer."]


@pytest.mark.parametrize(
    "args, message",
    [
        (
            ["-p", "use_cahce", "no"],
            "no parameter 'use_cahce' in small.ipynb; did you mean 'use_cache'",
        ),
        (["-p", "use_cache", "maybe"], "use_cache is 'maybe', allowed are true and false"),
        (["-p", "months", "121"], "months is '121', allowed is between 1 and 120"),
        (["-p", "out", "x"], "no parameter 'out'"),
        (["--scenario", "own_gpus"], "small.ipynb takes no --scenario: its numbers are parameters"),
        (["-y", "months: [1"], "-y line 2 is not valid YAML"),
        (["-y", "months: 1\nmonths: 2"], "'months' is there twice"),
        (["-f", "none.yaml"], "no file 'none.yaml'"),
        (["--format", "docx"], "'docx' is not one of 'html', 'pdf'"),
    ],
)
def test_a_wrong_parameter_stops_before_anything_starts(notebook, ran, tmp_path, args, message):
    before = sorted(tmp_path.iterdir())
    assert message in refused("report", notebook, *args)
    assert not ran and sorted(tmp_path.iterdir()) == before


def test_a_notebook_is_found_by_name():
    assert (
        find_notebook("01_which_approach").name
        == find_notebook("01_which_approach.ipynb").name
        == "01_which_approach.ipynb"
    )
    assert "did you mean '01_which_approach'" in refused("report", "01_wich_approach")
    assert "no notebook" in refused("report", "elsewhere/01_which_approach")


def test_a_report_that_stops_is_one_sentence(notebook, monkeypatch):
    def stops(*args, **parameters):
        raise cm.report.ReportError("small.ipynb stopped:\n  no GPU 'H100'")

    monkeypatch.setattr(cm.report, "run", stops)
    assert refused("report", notebook) == "error: small.ipynb stopped: no GPU 'H100'"


# -- for a terminal and for a script ---------------------------------------------------------------


def keys_of(command):
    """The keys of `data` that docs/command_line.md names for a command, those in code."""
    text = (notebooks_folder().parent / "docs" / "command_line.md").read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{command}` |"))
    return set(re.findall(r"(?<![(\w])`(\w+)`(?! where)", row.split("|")[2]))


@pytest.mark.parametrize(
    "args",
    [
        ("list",),
        ("init", "new.yaml", "--force", "--for", "code", "--amount", 5, "--size", 9, "--wrong", 1),
        ("compare", "SCENARIO", "--draws", 100),
        ("lint", "SCENARIO"),
        ("explain", "SCENARIO", "rag"),
        ("prices", "gpt-4o", "--on", "2026-11-01"),
        ("data",),
        ("corpus", "docs"),
        ("diff", "support_assistant", "startup_chatbot", "--draws", 100),
    ],
    ids=lambda args: args[0],
)
def test_text_fits_80_columns_and_json_has_the_keys_of_the_docs(
    scenario, tmp_path, monkeypatch, args
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "one.md").write_text("A word. " * 50)
    args = [scenario if a == "SCENARIO" else a for a in args]
    text = run(*args)
    assert text.exit_code == 0 and max(map(len, wrappable(text.stdout))) <= 80, text.output
    found = json.loads(run(*args, "--json").stdout)
    assert found["schema"] == "costmodel/1" and found["command"] == args[0]
    data = found["data"]
    if set(data) == {"text"}:
        assert data["text"] == text.stdout  # a command without keys of its own
        return
    assert set(data) <= keys_of(args[0]) and data


def test_json_has_the_numbers_of_the_functions(scenario):
    found = json.loads(run("compare", scenario, "--json").stdout)["data"]
    wanted = cm.recommend(load(scenario))
    assert found["best"] == wanted.best and found["headline"] == wanted.headline
    got = {row["option"]: row["expected"] for row in found["options"]}
    assert got == pytest.approx(wanted.table["expected"].to_dict(), rel=0, nan_ok=True)


@pytest.mark.parametrize("use", cm.scenarios.first.USES)
def test_four_answers_make_a_scenario_that_is_answered(tmp_path, monkeypatch, use):
    monkeypatch.chdir(tmp_path)
    typed = CliRunner().invoke(cli.main, ["init"], input=f"{use}\n\n\n1.5\n")
    assert typed.exit_code == 0, typed.output
    study = load("scenario.yaml")
    assert study.work.usd_per_failure == 1.5 and (study.work.corpus is None) == (use != "documents")
    assert cm.recommend(study, draws=50).headline
    assert "is there already" in refused("init")


def test_init_without_a_terminal_names_the_option_that_is_missing(tmp_path):
    result = run("init", tmp_path / "m.yaml", "--for", "fields", "--amount", 100)
    assert result.exit_code == 2 and "give --size" in result.stderr
    assert not (tmp_path / "m.yaml").exists()


def test_a_portfolio_with_a_failed_row_ends_with_1(scenario, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("name,requests_per_month\ngood,1000\nbad,-5\n")
    args = ("portfolio", rows, "--base", scenario, "--csv", tmp_path / "t.csv", "--draws", 100)
    result = run(*args)
    assert result.exit_code == 1 and "bad: " in result.stderr and "1 of them" in result.stdout
    found = json.loads(run(*args, "--json").stdout)["data"]
    assert found["failed"] == 1 and list(found["errors"]) == ["bad"]
    assert set(found) == keys_of("portfolio")
    rows.write_text("name,requests_per_month\ngood,1000\n")
    assert run(*args).exit_code == 0
    assert "130" in run("--help").stdout


def test_errors_of_several_are_wrapped_and_name_the_input(scenario, tmp_path):
    folder = tmp_path / "several"
    folder.mkdir()
    (folder / "good.yaml").write_text(SCENARIO)
    (folder / "bad.yaml").write_text(SCENARIO.replace("1e5", "-5"))
    rows = tmp_path / "rows.csv"
    rows.write_text("name,requests_per_month\ngood,1000\nbad,-5\n")
    args = ("--csv", tmp_path / "t.csv", "--draws", 100)
    for result in (
        run("portfolio", rows, "--base", scenario, *args),
        run("export", folder, "--json", "--draws", 100, "-o", tmp_path / "out"),
    ):
        said = result.stderr
        assert result.exit_code == 1 and max(map(len, said.splitlines())) <= 80
        assert "requests per month (Workload.requests_per_month) is -5" in " ".join(said.split())


def test_upper_and_lower_case_are_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = run("compare", "startup_chatbot", "--draws", 100).stdout
    typed = run("compare", "Startup_Chatbot", "--draws", 100)
    assert typed.exit_code == 0 and typed.stdout == shown
    made = run("init", "a.yaml", "--for", "DOCUMENTS", "--amount", 9, "--size", 9, "--wrong", 1)
    assert made.exit_code == 0, made.output
    asked = CliRunner().invoke(cli.main, ["init", "b.yaml"], input="Documents\n9\n9\n1\n")
    assert asked.exit_code == 0 and (tmp_path / "b.yaml").exists()
    (tmp_path / "SUPPORT_ASSISTANT").write_text(SCENARIO)  # a file of that name is meant
    assert in_its_case("SUPPORT_ASSISTANT") == "SUPPORT_ASSISTANT"
    assert in_its_case("Own_Gpus") == "own_gpus" and in_its_case("nowhere") == "nowhere"


def test_what_goes_to_standard_output_names_no_file():
    made = run("init", "-", "--for", "documents", "--amount", 9, "--size", 9, "--wrong", 1)
    assert "then costmodel compare FILE" in made.stderr and "compare -" not in made.stderr


def test_the_schema_as_json_is_an_object():
    found = json.loads(run("schema", "--json").stdout)["data"]["schema"]
    assert found == json.loads(run("schema").stdout)


def test_one_document_is_no_documents(tmp_path):
    (tmp_path / "one.md").write_text("A word. " * 50)
    assert run("corpus", tmp_path).stdout.startswith("1 document, ")


def test_a_report_replaces_its_own_files_and_no_others(notebook, ran, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = Path("reports")
    out.mkdir()
    page, args = out / "small.html", ("report", notebook)
    page.write_text("<html><head><title>Mine</title></head>")
    assert "small.html is there, and no report of costmodel" in refused(*args)
    assert run(*args, "--force").exit_code == 0
    page.write_text('<head><meta name="generator" content="costmodel 1"></head>')
    assert run(*args).exit_code == 0
    (out / "small.pdf").write_text("mine")
    assert "small.pdf is there" in refused(*args)
    results = {"facts": {}, "given": [], "command": "", "numbers": {}}
    (out / "small.results.json").write_text(json.dumps(results))
    assert run(*args).exit_code == 0


def test_the_help_of_a_portfolio_names_its_columns():
    words = " ".join(run("portfolio", "--help").stdout.split())
    assert "Columns of a CSV: `name`; `scenario`, a file or an example" in words


def test_names_complete():
    from click.shell_completion import ShellComplete

    shell = ShellComplete(cli.main, {}, "costmodel", "_COSTMODEL_COMPLETE")

    def ends(args, begun):
        return [found.value for found in shell.get_completions(args, begun)]

    assert "support_assistant" in ends(["compare"], "supp")
    assert "01_which_approach" in ends(["report"], "01")
    assert ends(["explain", "support_assistant"], "graph") == ["GraphRAG"]


# -- the rest --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args, message",
    [
        (["compre"], "compare"),
        (["compare"], "SCENARIO"),
        (["compare", "nowhere.yaml"], "no scenario 'nowhere.yaml'"),
        (["compare", "support_assistant", "--month", "3"], "--months"),
        (
            ["compare", "support_assistant", "--months", "0"],
            "--months is '0', it must be a whole number between 1 and 120",
        ),
        (
            ["compare", "support_assistant", "--draws", "5"],
            "--draws is '5', it must be a whole number between 100 and 1,000,000",
        ),
        (["prices", "gpt-9"], "no API model 'gpt-9' in genai-prices"),
    ],
)
def test_mistakes_are_one_sentence(args, message):
    assert message in refused(*args)


def test_what_nobody_said_is_named_with_the_way_to_say_it(scenario):
    """No floor: `reaches` is the share of cases that run; no price: how to give one."""
    words = " ".join(run("compare", scenario).stdout.split())
    assert "so that reaches is the share of cases that run" in words and "is empty" not in words
    way = f"write usd_per_failure under the workload of {scenario}, or make the scenario by"
    assert "To give wrong answers a price, " in words and way in words
    priced = SCENARIO.replace("output_tokens: 250,", "output_tokens: 250, usd_per_failure: 1,")
    scenario.write_text(priced)
    assert "To give wrong answers a price" not in run("compare", scenario).stdout


def test_nothing_is_written_where_a_scenario_is_wrong(scenario, tmp_path):
    scenario.write_text(SCENARIO + "sead: 7\n")
    assert "no field 'sead' in mine.yaml; did you mean 'seed'" in refused(
        "compare", scenario, "--csv", tmp_path / "t.csv"
    )
    assert not (tmp_path / "t.csv").exists()


def test_help_and_version_need_nothing_heavy():
    for args in (["--help"], ["compare", "--help"], ["--version"]):
        assert run(*args).exit_code == 0
    heavy = "papermill nbconvert matplotlib scipy.stats IPython yaml genai_prices.data".split()
    code = f"import sys\nfrom costmodel import cli\nprint(sorted({set(heavy)} & set(sys.modules)))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
