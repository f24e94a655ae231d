"""The command line: each refusal names the option, what is allowed and the fix."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel.cli import main
from costmodel.core.errors import SENTENCE

SMALL = """title: Small
terms: {on: 2026-11-20, months: 3}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250, usd_per_failure: 1}
options: {presets: {only: [Prompt]}}
draws: 100
"""
USAGE = str(cm.ingest.example())
INIT = ["init", "new.yaml", "--for", "documents", "--size", "9", "--wrong", "1", "--amount"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SMALL)
    return tmp_path


def spoken(*given):
    """Exit code and words of a command."""
    said = CliRunner().invoke(main, [*map(str, given)])
    assert said.exception is None or isinstance(said.exception, SystemExit), said.exception
    return said.exit_code, " ".join(said.output.split())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["compare", "mine.yaml", "--months", "1e400"], "--months is '1e400', it must be a whole"),
        (["compare", "mine.yaml", "--months", 0], "a whole number between 1 and 120"),
        (["compare", "mine.yaml", "--seed", -1], "--seed is '-1', it must be a whole number betw"),
        (["compare", "mine.yaml", "--draws", 5], "--draws is '5', it must be a whole number betw"),
        (["compare", "mine.yaml", "--draws", "9" * 5_000], "it must be a whole number between 100"),
        (["compare", "mine.yaml", "--own-api", "x", 1, "nan", 9], "--own-api is 'nan', it must be"),
        (["explain", "mine.yaml", "Prompt", "--lines", -5], "--lines is '-5', it must be a whole"),
        (["prices", "gpt-4o", "--discount", 2], "it must be a number between 0 and 0.999"),
        (["prices", "gpt-4o", "--on", "x"], "--on is 'x', write it as 'YYYY-MM-DD'"),
        ([*INIT, "1e400"], "--amount is '1e400', it must be a number between 0.01 and 1e+12"),
        (["from", USAGE, "-o", "new.yaml", "--floor", 7], "--floor is '7', it must be a number"),
        (["reconcile", USAGE, "bill.csv"], "is in EUR; give --rate, the dollars for one unit of"),
        (["reconcile", USAGE, "bill.csv", "--rate", 0], "between 1e-06 and 1,000"),
        (["check", "mine.yaml", "--max-usd-per-month", "nan"], "--max-usd-per-month is 'nan', it"),
        (["check", "mine.yaml", "--max-growth", "10%"], "--max-growth needs two whole years, or"),
        (
            ["check", "mine.yaml"],
            "write --max-usd-per-month, --max-paid-per-month, --min-quality or --max-growth",
        ),
        (["diff", "mine.yaml", "--from", "x", "--to", "y"], "--from is 'x', it must be a day such"),
        (["diff", "mine.yaml", "--from", "2026-11-20", "--to", "2026-11-02"], "no later than --to"),
        (["corpus", ".", "--since", "x"], "--since is 'x', it must be a day such as 2026-12-01"),
        (["corpus", ".", "--since", "2030-01-01"], "it must be a day before today, 2026-12-01"),
        (["corpus", ".", "--since", "2026-01-01"], "no history of '.'; give --older instead"),
        (["corpus", ".", "--months", 3], "write --older and --months together, or --since alone"),
        (["app", "--port", 99_999], "--port is '99999', it must be a whole number between 1 and"),
        (["portfolio", "mine.yaml", "--csv", "-"], "mine.yaml is one scenario; write a folder of"),
        (["portfolio", "head.csv", "--csv", "-"], "has a column 'Name'; write it as 'name'"),
        (["portfolio", "far.csv", "--csv", "-"], "requests_per_month) is '1e400', it must be a"),
        (["portfolio", "none.csv", "--csv", "-"], "names no scenario that it changes; give --base"),
    ],
)
def test_a_refusal_names_the_option_as_it_was_typed(given, says, home):
    (home / "bill.csv").write_text("time,item,amount,currency\n2026-10-01,x,5,EUR\n")
    (home / "head.csv").write_text("Name,scenario\na,mine.yaml\n")
    (home / "far.csv").write_text("name,scenario,requests_per_month\na,mine.yaml,1e400\n")
    (home / "none.csv").write_text("name,months\na,3\n")
    code, said = spoken(*given)
    assert code == 2 and says in said and len(said) <= SENTENCE + 10
    assert not (home / "new.yaml").exists()


# -- where it is written ---------------------------------------------------------------------------


def test_a_minus_is_standard_output_everywhere(home):
    made = CliRunner().invoke(main, ["from", USAGE, "-o", "-"])
    assert made.exit_code == 0 and len(cm.load(made.stdout).options) > 1
    assert "rows of usage" in made.stderr
    made = CliRunner().invoke(main, [*INIT[:1], "-", *INIT[2:], "100"])
    assert made.exit_code == 0 and cm.load(made.stdout).work.requests_per_month == 100
    assert json.loads(CliRunner().invoke(main, ["schema", "-o", "-"]).stdout)["type"] == "object"
    for given in (["export", "mine.yaml"], ["showback", "mine.yaml"], ["report", "board"]):
        code, said = spoken(*given, "-o", "-")
        assert (
            code == 2
            and "-o is '-', it must be a folder: what has several files"
            in said.replace("--out", "-o")
        )
    assert [path.name for path in home.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize(
    "given",
    [
        ["compare", "mine.yaml", "--csv", "-"],
        ["portfolio", ".", "--csv", "-"],
        ["from", USAGE, "-o", "-"],
        ["schema", "-o", "-"],
    ],
)
def test_json_and_a_table_are_not_printed_together(given):
    assert spoken(*given, "--json") == (
        2, "error: --json and - both print alone; write the other one to a path",
    )  # fmt: skip


def test_a_schema_replaces_no_file_without_force(home):
    (home / "there.json").write_text("kept")
    code, said = spoken("schema", "-o", "there.json")
    assert code == 2 and "there.json is there already; write another path, or add --force" in said
    assert (home / "there.json").read_text() == "kept"
    assert spoken("schema", "-o", "there.json", "--force")[0] == 0
    assert json.loads((home / "there.json").read_text())["type"] == "object"


def test_a_table_replaces_a_table_alone(home):
    """Also where an option has several values, one of which is no path."""
    beside = ["--own-api", "x", 1, 2, 9_000]
    for _ in "ab":
        assert spoken("compare", "mine.yaml", *beside, "--csv", "new.csv")[0] == 0
    assert {*pd.read_csv("new.csv")["option"]} == {"Prompt", "x"}
    (home / "rows.csv").write_text("name,scenario\na,mine.yaml\n")
    (home / "link").symlink_to("mine.yaml")
    for source in (".", "rows.csv"):
        for place in ("mine.yaml", "link"):
            code, said = spoken("portfolio", source, "--csv", place)
            assert code == 2 and f"{place} is" in said and "write " in said
    (home / "logs").mkdir()
    (home / "logs" / "old.yaml").write_text("kept")
    code, said = spoken("from", "logs", "-o", "logs/old.yaml", "--force")
    assert code == 2 and "logs/old.yaml is read by this command; write to another path" in said
    assert (home / "mine.yaml").read_text() == SMALL
    assert (home / "logs" / "old.yaml").read_text() == "kept"


# -- rows that cannot be read ----------------------------------------------------------------------


def test_rows_that_cannot_be_read_are_counted_and_the_first_is_named(home):
    (home / "calls.csv").write_text(
        "time,model,input,output,calls,billed_usd\n2026-10-01,gpt-4o,100,10,1,0.5\n"
        "x,gpt-4o,100,10,1,0.5\n2026-10-01,gpt-4o,100,10,1,abc\n2026-10-01,gpt-4o,,,,\n"
    )
    usage = cm.ingest.read("calls.csv")
    assert usage.set_aside.to_dict("records") == [
        {"file": "calls.csv", "row": 4, "reason": "an amount is no number"}
    ]
    assert usage.notes[:2] == (
        "1 row or line holds no usage; the first is calls.csv row 5",
        "1 row has no time; the first is calls.csv row 3",
    )
    (home / "judged.csv").write_text(
        "item,option,accepted,score,trials\n1,A,yes,,\n2,A,maybe,,\n3,A,no,,x\n4,A,no,,-5\n"
    )
    judged = cm.ingest.read_evaluations("judged.csv")
    assert judged.table["item"].tolist() == ["1"] and judged.notes == (
        "judged.csv: 3 rows hold no verdict that can be read; the first is row 3",
    )
    (home / "scores.csv").write_text("item,option,accepted,score\n1,A,,0.9\n2,A,,abc\n")
    scored = cm.ingest.read_evaluations("scores.csv", threshold=0.5)
    assert scored.table["item"].tolist() == ["1"] and "the first is row 3" in scored.notes[0]
    known = cm.ingest.example("evaluation").read_text("utf-8").splitlines(keepends=True)
    bad = known[1].replace(known[1].split(",")[known[0].strip().split(",").index("accepted")], "?")
    (home / "known.csv").write_text("".join([known[0], bad, *known[2:]]))
    code, said = spoken("from", USAGE, "known.csv", "-o", "new.yaml")
    assert code == 0 and "known.csv: 1 row holds no verdict that can be read; the first" in said


# -- notebooks -------------------------------------------------------------------------------------

CELL = {"cell_type": "code", "metadata": {"tags": ["parameters"]}}


@pytest.mark.parametrize(
    ("notebook", "says"),
    [
        ("hello", "own.ipynb is not a notebook; write the path of an .ipynb file"),
        ('{"cells": []}', "own.ipynb is not a notebook"),
        (
            {"nbformat": 3, "worksheets": []},
            "is a notebook of format 3, 4 is read; open it in Jupy",
        ),
        ({"nbformat": 99, "cells": []}, "is a notebook of format 99, 4 is read"),
        ({"nbformat": 4, "cells": [CELL]}, "own.ipynb is not a notebook"),
        (
            {"nbformat": 4, "cells": [CELL | {"source": "x = ("}]},
            "its cell of parameters is no Pyt",
        ),
        ({"nbformat": 4, "cells": [CELL | {"source": "x = 3  # [a, b]"}]}, "limits of 'x' must be"),
    ],
)
def test_what_is_no_notebook_is_said(notebook, says, home):
    text = notebook if isinstance(notebook, str) else json.dumps(notebook)
    (home / "own.ipynb").write_text(text)
    for given in (["report"], ["reports", "mine.yaml", "--notebook"]):
        code, said = spoken(*given, "./own.ipynb")
        assert code == 2 and says in said and len(said) < SENTENCE


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("costmodel report ./own.ipynb", "its notebook './own.ipynb' is none of the package; run"),
        ("costmodel", "its command is no `costmodel report`; write the report again"),
        ("costmodel report 'x", "its command is no `costmodel report`"),
        (5, "its command is no `costmodel report`"),
    ],
)
def test_results_never_say_which_notebook_runs(command, says, home):
    cell = {"cell_type": "code", "metadata": {}, "source": "open('ran', 'w')", "outputs": []}
    (home / "own.ipynb").write_text(json.dumps({"nbformat": 4, "cells": [cell]}))
    assert spoken("export", "mine.yaml", "--json", "-o", ".")[0] == 0
    found = json.loads((home / "mine.json").read_text())
    (home / "mine.json").write_text(json.dumps(found | {"command": command, "numbers": {}}))
    code, said = spoken("rerun", "mine.json")
    assert code == 2 and says in said and not (home / "ran").exists()


# -- a cluster -------------------------------------------------------------------------------------


@pytest.fixture
def silent():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_scheduler_that_does_not_answer_is_said_in_seconds(silent, home):
    pytest.importorskip("distributed")
    begun = time.monotonic()
    for address in (f"tcp://127.0.0.1:{silent}", "x", "foo://x:1"):
        code, said = spoken("portfolio", ".", "--csv", "t.csv", "--scheduler", address)
        assert code == 2 and f"no Dask scheduler answers at '{address}' within 5 s; write" in said
    assert time.monotonic() - begun < 30 and not (home / "t.csv").exists()
    told = " ".join(CliRunner().invoke(main, ["portfolio", "--help"]).output.split())
    assert "Whoever reaches an open one can run code on its workers" in told


def test_a_portfolio_on_dask_that_is_stopped_ends_at_once(home):
    distributed = pytest.importorskip("distributed")
    (home / "many").mkdir()
    text = SMALL.replace("draws: 100", "draws: 100000")
    for k in range(100):
        (home / "many" / f"{k}.yaml").write_text(text)
    with distributed.LocalCluster(
        1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = ["--scheduler", cluster.scheduler_address]
        run = subprocess.Popen(
            [sys.executable, "-m", "costmodel", "portfolio", "many", "--csv", "out.csv", *address],
            env={**os.environ, "PYTHONPATH": str(Path(cm.__file__).parents[1])},
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until = time.monotonic() + 60
        while not cluster.scheduler.tasks and time.monotonic() < until:
            time.sleep(0.2)
        assert run.poll() is None
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=30)[1]
        assert run.returncode == 130 and "Traceback" not in said and "error: stopped" in said
    assert not (home / "out.csv").exists()
