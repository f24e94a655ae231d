"""Inputs that nobody expects: each is read, or refused in one sentence of 300 characters."""

import io
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

import costmodel as cm
from costmodel.cli import main
from costmodel.core.errors import SENTENCE, brief, in_words, unknown
from costmodel.core.files import read_rows, read_text
from costmodel.decisions.simulate import simulate
from costmodel.ledgers.batches import BATCH, batches
from costmodel.ledgers.book import amounts
from costmodel.pages.commands import notebooks
from costmodel.pages.report import runner
from costmodel.pages.report.parameters import check_injected, read_cell, validate

BASE = """title: Small
terms: {on: 2026-11-20, months: 12}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
options: {presets: {only: [Prompt]}}
draws: 40
"""
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
DIGITS = "9" * 400


def refused(text, **changes):
    begun = time.monotonic()
    with pytest.raises(ValueError) as error:
        cm.load(text, **changes)
    said = str(error.value)
    assert 10 < len(said) <= SENTENCE and "\n" not in said and time.monotonic() - begun < 5
    return said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BASE + BOMB, "holds more than 50,000 values, those behind an alias"),
        (BASE + "note: &x [*x]\n", "holds more than 50,000 values"),
        (BASE + "note: " + "[" * 20_000, "is nested more than 30 deep"),
        (BASE + "note: " + "{a: " * 20_000, "is nested more than 30 deep"),
        (BASE + "# " + "x" * 1_000_001, "bytes of YAML, allowed are 1,000,000"),
        (BASE + "note: [1\n", "is not valid YAML"),
        (BASE + "note: \x00\n", "is not valid YAML"),
        (BASE + "draws: 3\n", "'draws' is there twice"),
        (BASE + "? [a]\n: b\n", "a name must be text"),
        (BASE.replace("draws: 40", f"draws: {DIGITS}"), "draws is '9999"),
        (BASE.replace("1e5", DIGITS), "requests_per_month is '9999"),
        (BASE.replace("1e5", "1e31"), "Workload.requests_per_month is 1e+31"),
        (BASE.replace("1e5", "-0x1F"), "requests_per_month is '-0x1F', it must be a number"),
        (BASE.replace("1e5", "1.2.3%"), "requests_per_month is '1.2.3%', it must be a number"),
        (BASE.replace("1e5", "[[[[]]]]"), "requests_per_month"),
        (BASE.replace("[Prompt]", "[{a: 1}]"), "options.presets.only[0] is {'a': '1'}, it must be"),
        (BASE.replace("[Prompt]", "{a: [b]}"), "options.presets.only is {'a': ['b']}, it must be"),
        (BASE.replace("{only: [Prompt]}", "[Prompt]"), "options.presets is ['Prompt']"),
        (BASE.replace("2026-11-20", "9999-12-31"), "on is '9999-12-31', it must be a date like"),
        (BASE.replace("on: 2026-11-20", "on: 2026-11-20, start: 9999-12-01"), "start is"),
        (BASE.replace("months: 12", f"months: {DIGITS}"), "months is '9999"),
        (BASE.replace("900", f"'{'x' * 100_000}'"), "input_tokens is 'xxx"),
        (
            BASE.replace("{presets", "{a: {quality: {accepted: 1, trials: 1e30}}, presets"),
            "options.a.quality: Measured(1, 1e+30): accepted must lie between 0 and trials, trials "
            "above 0, up to 1,000,000,000,000",
        ),
        (BASE + "x" * 900 + ": 1\n", "no field 'xxx"),
        ("title: a\nworkload: " + "x" * 300, "it must be a mapping"),
        ("workload", "workload"),
        ("[workload]\n", "must hold names and values"),
    ],
)
def test_what_no_scenario_can_be_is_refused(text, says):
    assert says in refused(text)


def test_a_part_of_a_mix_may_stand_in_itself_only_as_an_error():
    mixes = "".join(
        f"  m{i}: {{mix: [{{option: m{i - 1}, answers: 0.5}}, {{option: {'pq'[i % 2]}}}]}}\n"
        for i in range(1, 70)
    )
    text = BASE.partition("options")[0] + (
        "options:\n  m0: {serving: {api: gpt-4o}}\n  p: {serving: {api: gpt-4o-mini}}\n"
        "  q: {serving: {api: gpt-6-luna}}\n" + mixes
    )
    assert "it holds 65 options, allowed are 64" in refused(text)


def test_a_long_text_of_one_line_is_no_path(tmp_path):
    for text in ("x" * 300, "y" * 5_000, "a\0b", "/" * 3_000, "workload: {" + "x" * 300):
        assert len(refused(text)) <= SENTENCE
    for args in (["compare", "x", "9" * 5_000], ["prices", "x", "--on", "y" * 5_000]):
        assert len(" ".join(CliRunner().invoke(main, args).output.split())) <= SENTENCE + 10
    said = CliRunner().invoke(main, ["compare", "x" * 300])
    assert said.exit_code == 2 and "no scenario 'xxx" in " ".join(said.output.split())


def test_a_folder_is_no_scenario(tmp_path):
    with pytest.raises(
        ValueError, match=r"mine\.yaml' is a folder; write the path of a file in it"
    ):
        (tmp_path / "mine.yaml").mkdir()
        cm.load(tmp_path / "mine.yaml")


def test_more_draws_than_memory_holds_are_refused_and_others_are_kept_in_half_of_it():
    """A million draws of 15 options take at most 1 GB; beyond 131,072 a number has four bytes."""
    study = cm.load(BASE, draws=1_000_000)
    many = {f"o{i}": study.options["Prompt"] for i in range(16)}
    with pytest.raises(
        ValueError, match=r"^draws is 1,000,000 for 16 options, allowed are 937,500"
    ):
        cm.compare(study.changed(options=many))
    few, more = (simulate(study.changed(draws=draws)) for draws in (50_000, 140_000))
    assert few.usd["Prompt"].nbytes == 8 * 50_000 and more.usd["Prompt"].nbytes == 4 * 140_000
    for name in ("usd", "worth", "wrong", "accepted", "requests"):
        first, second = (getattr(found, name)["Prompt"].mean() for found in (few, more))
        assert second == pytest.approx(first, rel=2e-3)
    rows = [rows for rows, _ in batches(study, amounts, 50_000)]
    assert max(some.stop - some.start for some in rows) == BATCH


def test_values_are_echoed_in_at_most_80_characters():
    for value in (
        10**400,
        10**9_999,
        "x" * 999,
        ["x" * 999],
        {"a": {"b": {"c": [1] * 99}}},
        cm.Rag(),
    ):
        assert len(in_words(value)) <= 80
    assert len(str(unknown("GPU", "x" * 999, ["y" * 999] * 20))) <= 2 * SENTENCE
    assert len(brief("a " + "x" * 9_999 + " b")) <= SENTENCE
    assert brief("short") == "short" and len(brief("word " * 999)) <= SENTENCE


# -- CSV -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_excel(encoding, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("name,usd\nGebühr,1\n".encode(encoding))
    assert read_rows(path) == [{"name": "Gebühr", "usd": "1"}]


def test_a_cell_that_a_row_lacks_is_empty(tmp_path):
    (tmp_path / "x.csv").write_text("name,usd\na\n")
    assert read_rows(tmp_path / "x.csv") == [{"name": "a", "usd": ""}]
    (tmp_path / "book.csv").write_text("note,discount,model\na,0.1\n")
    with pytest.raises(ValueError, match=r"book.csv line 2 has no model; write its id"):
        cm.scenarios.with_price_book(cm.load(BASE), tmp_path / "book.csv")


@pytest.mark.parametrize("doubt", [cm.Range(1, 3), cm.Measured(5, 9)])
def test_media_are_counted_at_the_middle_of_a_doubt(doubt):
    for count, usual in ((cm.facts.scan_tokens, "openai"), (cm.facts.audio_tokens, "google")):
        assert float(count(doubt, usual)) == pytest.approx(doubt.mid * float(count(1, usual)))


def test_latin_1_says_how_to_save(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("name\nGebühr\n".encode("cp1252"))
    with pytest.raises(ValueError, match=r"in Excel: 'CSV UTF-8'"):
        read_text(path)


def test_a_long_cell_is_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("name,why\na," + "x" * 100_000 + "\n")
    assert len(read_rows(path)[0]["why"]) == 100_000


def test_thousands_of_bad_rows_take_seconds(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    rows = "".join(f"r{i},base.yaml,{-i}\n" for i in range(1, 401))
    (tmp_path / "rows.csv").write_text("name,scenario,requests_per_month\n" + rows)
    begun = time.monotonic()
    table = cm.scenarios.compare_portfolio(tmp_path / "rows.csv", workers=1, progress=False)
    assert len(table) == 400 and table["error"].str.contains("requests_per_month is -").all()
    assert time.monotonic() - begun < 20  # a hundred a second or more on a free core


# -- sources and parameters ------------------------------------------------------------------------


def test_a_free_text_is_a_source():
    text = BASE.replace("1e5", "{low: 1e4, high: 2e5, source: our CRM export}")
    study = cm.load(text)
    table = cm.ledgers.register(study)
    row = table[table["source"] == "our CRM export"]
    assert row["input"].to_list() == ["Workload.requests_per_month"]
    assert row["owner"].item() == "you" and row["date"].item() == ""
    told = cm.report.assumptions(study)._repr_html_()
    assert "our CRM export" in told
    assert "our CRM export" in set(cm.ledgers.bibliography(study)["title"])


SCHEMA = read_cell("months: int = 36  # horizon [1, 120]\nmodels: list = []\nprices: dict = {}")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"months": DIGITS}, "months is '9999"),
        ({"months": "1e400"}, "months is '1e400', it must be a whole number"),
        ({"months": [1] * 9_999}, "months is a list, it must be a whole number"),
        ({"models": "[1"}, "models line 2 is not valid YAML"),
        ({"models": "[2026-99-99]"}, "models is not valid YAML: month must be in 1..12"),
        ({"models": BOMB}, "models holds more than 50,000 values"),
        ({"prices": "x" * 999}, "prices is 'xxx"),
        ({"prices": "!!python/name:os.system ''"}, "prices line 1 is not valid YAML"),
    ],
)
def test_a_wrong_parameter_is_refused_before_a_kernel_starts(given, says):
    with pytest.raises(ValueError) as error:
        validate(SCHEMA, given)
    assert says in str(error.value) and len(str(error.value)) <= SENTENCE


def test_parameters_of_the_command_line(tmp_path):
    path = tmp_path / "small.ipynb"
    cell = new_code_cell("months: int = 3  # horizon [1, 120]", metadata={"tags": ["parameters"]})
    path.write_text(json.dumps(new_notebook(cells=[cell])))
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("months: 3 # ü".encode("latin-1"))
    for args, says in (
        (["-y", "months: [2026-99-99]"], "-y is not valid YAML: month must be"),
        (["-y", "[" * 9_999], "-y line 1 is nested more than 30 deep"),
        (["-f", str(latin)], "latin.yaml is not a text file in UTF-8"),
        (["-f", str(tmp_path)], "cannot be read: is a directory"),
        (["-p", "months", "9" * 5_000], "months is '9999"),
    ):
        said = CliRunner().invoke(main, ["report", str(path), "-o", str(tmp_path / "out"), *args])
        told = " ".join(said.output.split())
        assert said.exit_code == 2 and says in told and len(told) <= SENTENCE + 10
    assert not (tmp_path / "out").exists()


def test_the_table_of_a_portfolio_goes_to_standard_output(tmp_path):
    (tmp_path / "a.yaml").write_text(BASE)
    args = ["portfolio", str(tmp_path), "--csv", "-", "--workers", "1"]
    made = CliRunner().invoke(main, args)
    assert made.exit_code == 0
    table = pd.read_csv(io.StringIO(made.stdout))
    assert table["expected"].item() == cm.compare(cm.load(BASE))["expected"].item()
    assert "1 scenario, 0 of them with an error" in made.stderr


# -- notebooks -------------------------------------------------------------------------------------


def kernel_with(monkeypatch, *cells):
    """As in a kernel that has run these cells."""
    shell = SimpleNamespace(user_ns={"In": ["", *cells]})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


@pytest.mark.parametrize(
    ("injected", "says"),
    [
        ("mnths = 24", "no parameter 'mnths' in the notebook; did you mean 'months'?"),
        ("months = 500", "months is 500, allowed is between 1 and 120"),
        ("months = 'x'", "months is 'x', it must be a whole number between 1 and 120"),
        ("months = 24", {"months": 24}),
    ],
)
def test_what_papermill_alone_injects_is_checked_in_the_kernel(injected, says, monkeypatch):
    cell = "months: int = 3  # horizon [1, 120]"
    kernel_with(monkeypatch, cell, f"# Parameters\n{injected}\n", "from costmodel import report")
    try:
        said = check_injected()
    except ValueError as error:
        said = str(error)
    assert said == says


def test_a_cell_of_somebody_else_is_left_alone(monkeypatch):
    given = "# Parameters\nx = 3\n"
    kernel_with(monkeypatch, "x = np.array([1])", given, "%matplotlib inline", given)
    assert check_injected() == {}
    kernel_with(monkeypatch, given)
    with pytest.raises(ValueError, match="no parameter 'x' in the notebook: it has no cell tagged"):
        check_injected()


@pytest.mark.notebook
def test_papermill_alone_fails_on_a_parameter_that_is_not_there(tmp_path):
    import papermill

    cell = new_code_cell("months: int = 3  # horizon [1, 120]", metadata={"tags": ["parameters"]})
    book = new_notebook(cells=[cell, new_code_cell("from costmodel import report")])
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    path = tmp_path / "small.ipynb"
    path.write_text(json.dumps(book))
    with pytest.raises(papermill.PapermillExecutionError, match="no parameter 'typo' in the note"):
        papermill.execute_notebook(
            path, tmp_path / "out.ipynb", {"typo": 1}, cwd=Path(cm.__file__).parents[1]
        )


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        (
            "04_rag_graphrag_or_long_context",
            {"global_share": 0.7, "multi_hop_share": 0.6, "top_k": 5},
            "global_share and multi_hop_share cannot be so together: QuestionMix.fact is -0.",
        ),
        (
            "05_business_case",
            {"realised_high": 0.3, "tax_rate": 0.2},
            "realised_high cannot be so: Range(0.5, 0.3): low must not exceed high",
        ),
    ],
)
def test_parameters_that_fail_together_are_named_before_a_kernel(name, given, says, monkeypatch):
    monkeypatch.setattr(runner, "execute", lambda *_: pytest.fail("a kernel was started"))
    with pytest.raises(ValueError) as error:
        cm.report.run(notebooks()[name], **given)
    assert str(error.value).startswith(says) and len(str(error.value)) <= SENTENCE


# -- records, tables and counts --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cm.TokenSizes(prompt_lengths=3), "TokenSizes.prompt_lengths is 3, it must be Pr"),
        (lambda: cm.Terms(people="x"), "people is 'x', it must be People(...)"),
        (lambda: cm.Terms(spend=1e9), "spend is 1000000000.0, it must be SpendCommitment(...)"),
        (lambda: cm.Prompt(build_weeks={"low": 1}), "build_weeks is {'low': 1}, it must be a num"),
        (lambda: cm.Workload(5e-324), "requests_per_month is 5e-324, allowed is 0 or at least 1e-"),
        (lambda: cm.ledgers.every(cm.Range(1, 2)), "a Range stands for no number yet; use middle"),
        (lambda: cm.report.money(1, 3), "money: terms is 3, it must be Terms"),
        (
            lambda: cm.training.answers_for_share(0.5, 0.1, samples={"low": 1}),
            "answers_for_share: samples is {'low': 1}, it must be 1 or 2",
        ),
        (
            lambda: cm.plots.plot_sobol(pd.DataFrame({"a": [1]}), n=2.5),
            "plot_sobol: n is 2.5, it must be int",
        ),
        (lambda: cm.training.calibration_noise(2, 10), "no finite number comes of accepted=2"),
        (lambda: cm.report.first_answer(cm.load(BASE)), "no option 'Tokens alone'"),
        (lambda: cm.finance.Staff(2, role=cm.Range(1, 2)), "Staff.role is a Range, it must be "),
        (
            lambda: cm.GraphRag(plain=cm.Measured(5, 9)),
            "GraphRag.plain is a Measured, it must be Rag",
        ),
        (
            lambda: cm.plots.plot_quality_bands(pd.DataFrame({"a": [1]})),
            "no column 'mid' in the table of plot_quality_bands; known: a",
        ),
        (
            lambda: cm.plots.plot_information(pd.DataFrame({"a": [1]})),
            "no column 'usd' in the table of plot_information; known: a",
        ),
    ],
)
def test_what_no_call_can_use_is_said(call, says):
    with pytest.raises(ValueError) as error:
        call()
    assert says in str(error.value) and len(str(error.value)) <= SENTENCE


def test_a_staff_without_a_role_is_anybody():
    assert cm.finance.Staff(2, role=None) == cm.finance.Staff(2)


@pytest.mark.parametrize("count", [10**9, 1e9, 0, -1])
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda n: cm.history.load_curve(cm.ingest.read(cm.ingest.example()), n),
            "load_curve: levels is {}, allowed is a whole number between 1 and ",
        ),
        (
            lambda n: cm.serving.duration_curve(2.0, n),
            "duration_curve: levels is {}, allowed is a whole number between 1 and 8784",
        ),
        (
            lambda n: cm.knowledge.index_cost(
                cm.Workload(1, input_tokens=9, corpus=cm.Corpus(1e6)), cm.Api("gpt-4o"), draws=n
            ),
            "draws is {}, allowed is a whole number between 1 and 1000000",
        ),
        (
            lambda n: cm.report.interactive(cm.load(BASE), "x.html", positions=n),
            "interactive: positions is {}, allowed is a whole number between 1 and 2048",
        ),
    ],
)
def test_a_count_beyond_all_bounds_is_refused_before_the_work(call, says, count):
    with pytest.raises(ValueError) as error:
        call(count)
    assert str(error.value).startswith(says.format(count))


def test_counts_and_amounts_beyond_all_bounds_are_left_out(tmp_path):
    text = cm.ingest.example().read_text().splitlines()[:4]
    names = text[0].split(",")
    for row, name in ((1, "calls"), (2, "input")):
        cells = text[row].split(",")
        cells[names.index(name)] = "1e308"
        text[row] = ",".join(cells)
    (tmp_path / "usage.csv").write_text("\n".join(text) + "\n")
    usage = cm.ingest.read(tmp_path / "usage.csv")
    assert len(usage.table) == 1 and set(usage.set_aside["reason"]) == {
        "a count of calls is no number",
        "a count of tokens is no number",
    }
    (tmp_path / "bill.csv").write_text(
        "time,model,item,quantity,amount,currency\n2026-09-01,gpt-5-mini,input,1,1e308,USD\n"
        "2026-09-01,gpt-5-mini,input,1,2,USD\n"
    )
    bill = cm.ingest.read_bill(tmp_path / "bill.csv")
    (tmp_path / "none.csv").write_text("time,model,item,quantity,amount\n2026-09-01,x,input,1,x\n")
    empty = cm.ingest.read_bill(tmp_path / "none.csv")
    with pytest.raises(ValueError, match=r"the bill has no line with an amount; none.csv: 1 row h"):
        cm.history.reconcile(usage, empty)
    assert bill.usd == 2 and bill.notes == (
        "bill.csv: 1 row holds no amount, or not as many fields as the header, and is not used; "
        "the first is row 2",
    )


def test_where_no_option_runs_the_columns_are_numbers_still():
    table = cm.compare(cm.load(BASE, input_tokens=9e8))
    assert table["present_value"].dtype == float and table["expected"].isna().all()
    assert table["why_not"].item().startswith("a request is 898,9")


def test_a_floor_beyond_all_quality_is_refused_by_its_picture():
    table = cm.compare(cm.load(BASE, draws=100))
    with pytest.raises(ValueError, match=r"^plot_quality: floor is 3.0, allowed is between 0"):
        cm.plots.plot_quality(table, floor=3.0)
