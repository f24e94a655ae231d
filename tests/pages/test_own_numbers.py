"""The commands on own numbers: two commands from an export to an answer, and nothing leaks."""

import gzip
import json
import zipfile

import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel import cli
from costmodel.scenarios.scenario import notebooks_folder

NOTEBOOK = notebooks_folder() / "08_my_own_numbers.ipynb"
SECRETS = ("the patient said no", "ada@example.org", "sk-live-123456")


@pytest.fixture
def usage(write):
    """A month of a chat log with prompts, an address and a key in it."""
    rows = []
    for day in range(1, 31):
        for k in range(40):
            rows.append({
                "request_id": f"r{day}-{k}", "call_type": "acompletion", "spend": 0.01,
                "startTime": f"2026-10-{day:02}T{8 + k % 9:02}:{k:02}:00Z", "model": "gpt-4o",
                "custom_llm_provider": "openai", "prompt_tokens": 900 + k, "completion_tokens": 200,
                "total_tokens": 1_100 + k, "messages": [{"content": SECRETS[0]}],
                "team_id": SECRETS[1], "session_id": SECRETS[2], "metadata": "{}",
            })  # fmt: skip
    return write("export.log", rows)


def run(*args):
    result = CliRunner().invoke(cli.main, [str(a) for a in args])
    assert result.exit_code == 0, result.output
    return result.output


def test_from_an_export_to_the_cheapest_option_on_ones_own_traffic(usage, tmp_path):
    mine = tmp_path / "mine.yaml"
    said = run("from", usage, "-o", mine, "--on", "2026-11-20")
    assert "1,200 rows of usage, 1,200 calls" in said
    out, few = tmp_path / "out", ("--format", "html", "-p", "draws", 300)
    answer = " ".join(
        run("report", "01_which_approach", "--scenario", mine, "-o", out, *few).split()
    )
    study = cm.load(mine, draws=300)
    cheapest = cm.recommend(study).headline
    assert cheapest in " ".join(answer.split()) and any(
        label in cheapest for label in study.options
    )
    assert cheapest in (out / "01_which_approach.html").read_text(encoding="utf-8")
    assert study.work.requests_per_month.source == "measured"
    assert study.work.output_tokens == 200
    today = next(iter(study.options))
    assert today == "Today: gpt-4o"
    people = [set(cm.explain(study, x).query("phase == 'evaluation'")["item"])
              for x in (today, "Prompt")]  # fmt: skip
    assert people[0] == people[1] != set(), "all options are kept running by the same work"


def test_evaluations_and_a_bill_join_in(usage, write, tmp_path):
    judged = [[k, "Prompt", k < 150] for k in range(200)] + [[k, "gpt-4o", 1] for k in range(200)]
    evals = write("results.csv", ("item,option,accepted", judged))
    bill = write("invoice.csv", ("start_time,amount_value,amount_currency,line_item",
                                 [[1793318400, 11.0, "usd", ""]]))  # fmt: skip
    mine = tmp_path / "mine.yaml"
    said = run("from", usage, evals, bill, "-o", mine, "--on", "2026-11-20", "--floor", 0.6)
    assert "of USD 11.00 is tracked" in said
    study = cm.load(mine)
    assert study.quality_floor == 0.6
    assert (study.options["Prompt"].quality.accepted, study.options["Prompt"].quality.trials) == (
        150,
        200,
    )
    assert study.options["Today: gpt-4o"].quality.accepted == 200


def test_reconcile_and_reprice(usage, tmp_path):
    said = run("reconcile", usage, "24.00")
    assert "USD 12.00 of USD 24.00 is tracked; USD 12.00 (50 %) is unexplained" in said
    assert "50.0 %" in said and "0%" not in said
    run("from", usage, "-o", tmp_path / "m.yaml", "--on", "2026-11-20")
    said = run("reprice", usage, "--with", tmp_path / "m.yaml", "--csv", tmp_path / "t.csv")
    assert "as it was" in said and "Today: gpt-4o" in said
    assert (tmp_path / "t.csv").read_text().startswith("option,day,class,usd")


def test_no_text_of_the_input_is_in_any_output(usage, tmp_path, write):
    mine = tmp_path / "mine.yaml"
    bad = write("bad.jsonl", [{"request_id": "x", "call_type": "y", "prompt_tokens": SECRETS[0],
                               "messages": SECRETS[1]}, {"sk": SECRETS[2]}])  # fmt: skip
    outputs = [
        run("from", usage, bad, "-o", mine, "--on", "2026-11-20"),
        run("reconcile", usage, "9"),
    ]
    outputs += [run("reprice", usage, "--with", mine, "--csv", tmp_path / "t.csv")]
    read = cm.ingest.read([usage, bad])
    outputs += [json.dumps([read.table.to_csv(), read.set_aside.to_csv(), list(read.notes)])]
    outputs += [cm.history.profile(read).to_csv(), repr(read)]
    outputs += [p.read_text() for p in (mine, tmp_path / "t.csv")]
    for text in SECRETS:
        assert all(text not in output for output in outputs)


def test_errors_are_one_sentence_and_write_nothing(write, tmp_path):
    path = write("x.csv", ("day,engine", [["2026-10-01", "gpt-4o"]]))
    for args, said in {
        ("from", path, "-o", tmp_path / "m.yaml"): "this is no usage that is read here",
        ("from", path, "-o", tmp_path / "m.yaml", "--columns", "time"): "names no column",
        ("reconcile", path, "nowhere.csv"): "this is no usage",
        ("corpus", tmp_path / "none"): "no folder",
    }.items():
        result = CliRunner().invoke(cli.main, [str(a) for a in args])
        assert result.exit_code == 2 and result.stdout == ""
        assert result.stderr.startswith("error: ") and said in result.stderr
    assert not (tmp_path / "m.yaml").exists()


def test_columns_of_ones_own(write, tmp_path):
    rows = [[f"2026-10-{d:02}", "gpt-4o", 100, 9e4, 2e4] for d in range(1, 31)]
    path = write("own.csv", ("Day,Engine,N,Tokens in,Tokens out", rows))
    pairs = "time=Day,model=Engine,calls=N,prompt=Tokens in,completion=Tokens out"
    run("from", path, "-o", tmp_path / "m.yaml", "--columns", pairs, "--on", "2026-11-20")
    assert cm.load(tmp_path / "m.yaml").work.input_tokens == 900


def test_notebook_08_takes_what_from_takes(usage, tmp_path):
    run("from", usage, "-o", tmp_path / "m.yaml", "--on", "2026-11-20")
    study = cm.load(tmp_path / "m.yaml")
    asked = {name: p.default for name, p in cm.report.schema(NOTEBOOK).items()}
    assert (asked["months"], asked["draws"], asked["seed"]) == (
        study.terms.months,
        study.draws,
        study.seed,
    )
    own = cm.history.study(
        cm.ingest.read(usage), on=asked["on"], usd_per_failure=asked["usd_per_failure"]
    )
    assert own.work == study.work


def refused(*args):
    result = CliRunner().invoke(cli.main, [str(a) for a in args])
    assert result.exit_code == 2 and result.stdout == "", result.output
    return " ".join(result.stderr.split())


def test_columns_name_the_tables_that_no_reader_knows_and_known_files_keep_theirs(write, tmp_path):
    rows = [[f"2026-10-{d:02}", "gpt-4o", 100, 9e4, 2e4] for d in range(1, 31)]
    own = write("own.csv", ("Day,Engine,N,Tokens in,Tokens out", rows))
    judged = [[k, "Prompt", k < 150] for k in range(200)]
    evals = write("results.csv", ("item,option,accepted", judged))
    costs = write("costs.csv", ("start_time,amount_value,amount_currency,line_item",
                                [[1790812800 + 86_400 * d, 0.425, "usd", ""]
                                 for d in range(30)]))  # fmt: skip
    bill = write("bill.csv", ("Until,What,Cost", [[row[0], "all of it", 0.85] for row in rows]))
    pairs = "time=Day,model=Engine,calls=N,prompt=Tokens in,completion=Tokens out"
    mine, lines = tmp_path / "m.yaml", "time=Until,item=What,amount=Cost"
    said = run("from", own, costs, evals, "-o", mine, "--columns", pairs, "--on", "2026-11-20")
    assert "USD 12.75 of USD 12.75 is tracked: matched" in said
    assert cm.load(mine).options["Prompt"].quality.accepted == 150
    said = run("reconcile", own, bill, "--columns", pairs, "--columns", lines)
    assert "USD 12.75 of USD 25.50 is tracked" in said
    assert '--columns "time=Day,item=Line' in refused("reconcile", own, bill, "--columns", pairs)
    odd = pairs.replace("Engine", "Motor")
    assert "no file has the column 'Motor'" in refused("reconcile", own, "9", "--columns", odd)
    twice = ("--columns", pairs, "--columns", pairs)
    assert "those of usage twice" in refused("reconcile", own, "9", *twice)


def test_a_file_that_is_there_is_replaced_only_by_force(usage, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("mine")
    assert "add --force" in refused("from", usage, "-o", mine)
    assert mine.read_text() == "mine"
    assert "no folder" in refused("from", usage, "-o", tmp_path / "none" / "m.yaml")
    run("from", usage, "-o", mine, "--on", "2026-11-20", "--force")
    assert cm.load(mine).options


def test_damaged_files_are_one_sentence(usage, tmp_path):
    mine, sheet, log = (tmp_path / name for name in ("m.yaml", "sheet.xlsx", "log.gz"))
    with zipfile.ZipFile(sheet, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "sheet.xlsx: this archive is no inspect-ai log" in refused("from", sheet, "-o", mine)
    sheet.write_bytes(sheet.read_bytes()[:60])
    log.write_bytes(gzip.compress(b"a,b\n1,2\n" * 100)[:10] + b"\xff" * 40)
    for path in (sheet, log):
        assert f"{path.name}: the file is damaged" in refused("from", path, "-o", mine)
    assert "set aside: log.gz: the file is damaged" in run("from", usage, log, "-o", mine)


def test_what_is_set_aside_is_counted_in_words_with_its_rows(write):
    rows = [["2026-10-01", "gpt-4o", 1, n, 10] for n in (5, -1, 7, -1)]
    table = write("u.csv", ("time,model,calls,input,output", rows))
    table.write_text(table.read_text() + "2026-10-01\n")
    said = run("reconcile", table, "9")
    assert "u.csv row 3, u.csv row 5" in said.replace("\n", " ").replace("  ", "")
    assert "the header 5: u.csv row 6" in said
    letter = write("x.csv", ("day,engine", [["2026-10-01", "gpt-4o"]]))
    said = refused("from", letter, "-o", "never.yaml")
    assert "it is like no known format" in said and "nearest" not in said


def test_a_folder_becomes_a_corpus(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    for folder in (new, old):
        folder.mkdir()
        (folder / "a.txt").write_text("one two three four five six seven " * 30)
        (folder / "b.md").write_text("# A title\n" + "alpha beta gamma delta epsilon " * 30)
    (new / "b.md").write_text("# A title\n" + "other words stand here now today " * 30)
    (new / "c.txt").write_text("one two three four five six seven " * 30 + "eight")
    (new / "d.bin").write_bytes(b"\x00")
    said = run("corpus", new, "--older", old, "--months", 2)
    found = cm.ingest.read_documents(new, older=old)
    assert found.table["repeats"].to_dict() == {"a.txt": "", "b.md": "", "c.txt": "a.txt"}
    assert found.table["changed"].to_dict() == {"a.txt": False, "b.md": True, "c.txt": True}
    assert "3 documents" in said and "1 file was not read" in said
    assert "1 nearly repeats another and is left out" in said
    made = cm.history.corpus(found, months=2)
    assert f"churn_per_month: {made.churn_per_month:.4f}" in said
    assert f"tokens: {made.tokens:.0f}" in said


def test_a_damaged_pdf_is_said_once_and_nothing_else_leaks(tmp_path, monkeypatch):
    (tmp_path / "a.pdf").write_text("%PDF-1.4\nbroken")
    (tmp_path / "b.txt").write_text("some words stand here")
    monkeypatch.setattr("logging.root.handlers", [])  # as outside of pytest
    result = CliRunner().invoke(cli.main, ["corpus", str(tmp_path)])
    assert result.stderr == "" and "1 file was not read: damaged" in result.stdout


def test_only_what_is_given_is_used_and_the_example_only_for_nothing(usage):
    given = cm.ingest.given(usage)
    assert (given.bill, given.evaluations, len(given.left_out)) == (None, None, 2)
    held = cm.history.reconcile(given.usage, given.bill)
    assert held.sentence == given.left_out[0] and held.unexplained != held.unexplained
    for ask in (lambda: held.steps, lambda: held.classes):
        assert repr(cm.report.if_possible(ask)).startswith("Left out: ")
    assert cm.ingest.given().bill.usd > 0
    with pytest.raises(ValueError, match="given without usage"):
        cm.ingest.given(invoice=usage)


def test_the_report_runs_with_one_month_of_days_and_nothing_else(write, tmp_path):
    rows = [[f"2026-10-{day:02}", "gpt-4o", 1_000, 9e5, 2e5] for day in range(1, 29)]
    daily = write("daily.csv", ("time,model,calls,input,output", rows))
    made = cm.report.run(NOTEBOOK, tmp_path, formats=("html",), usage=str(daily), draws=100)
    page = made.html.read_text(encoding="utf-8")
    for said in ("No bill is given", "No evaluation is given", "of 1 month, two are needed",
                 "the usage has days, no hours"):  # fmt: skip
        assert said in page
    assert "is the list price for the calls of 2026-10 alone" in page
    numbers = json.loads(made.results_json.read_text(encoding="utf-8"))["numbers"]
    assert numbers["billed"] is None and "Billed" not in page


def test_an_export_without_calls_names_the_option_that_gives_them(write, tmp_path):
    header = (
        "usage_date_utc,model_version,context_window,usage_type,speed,usage_input_tokens_no_cache,"
        "usage_output_tokens"
    )
    rows = [[f"2026-10-{day:02}", "claude-sonnet-4-5", "≤ 200k", "standard", "", 9e5, 2e5]
            for day in range(1, 31)]  # fmt: skip
    console, mine = write("console.csv", (header, rows)), tmp_path / "m.yaml"
    result = CliRunner().invoke(cli.main, ["from", str(console), "-o", str(mine)])
    assert result.exit_code == 2 and "--calls-per-day" in result.stderr
    said = run("from", console, "-o", mine, "--calls-per-day", 1_000, "--on", "2026-11-20")
    assert "30,000 calls" in said and "which you gave" in said
    work = cm.load(mine).work
    assert (work.input_tokens, work.output_tokens) == (900, 200)
