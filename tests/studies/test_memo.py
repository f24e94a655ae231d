"""The board pack: a memo in plain words, and every figure traced to rows of the register."""

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel.cli import main
from costmodel.pages.report import runner as report
from costmodel.pages.report.pack import stitched


@pytest.fixture(scope="module")
def case():
    return cm.load("support_assistant", confidence=0.5)


@pytest.fixture(scope="module")
def memo(case):
    base = cm.finance.baseline("people", case.options, minutes_per_request=4, role="support_agent")
    return cm.finance.memo(case, base, called="people", draws=400)


def test_the_memo_has_four_numbers_three_assumptions_and_what_would_flip_it(memo):
    assert memo.sentence.startswith(f"Fund {memo.best}: over 36 months") and len(memo.cards) == 4
    assert len(memo.assumptions) == 3 and memo.assumptions["spread"].is_monotonic_decreasing
    assert 1 <= len(memo.flips) <= 3
    assert all(memo.best in verdict for verdict in memo.flips["verdict"])
    assert memo.table["npv"].is_monotonic_decreasing and set(memo.table.index) <= set(
        memo.verdict.leaders
    )


def test_a_case_that_loses_is_not_funded(case):
    memo = cm.finance.memo(case, cm.finance.baseline("today", {}, usd_per_month_today=0), draws=200)
    assert memo.sentence.startswith("Do not fund")


def test_without_a_baseline_nothing_is_said_to_be_saved(case):
    memo = cm.finance.memo(case, draws=200)
    text = " ".join([memo.sentence, *memo.words["in_plain_words"]])
    assert memo.sentence.startswith(memo.verdict.headline)
    assert "No baseline was given, so this page cannot say what is saved" in memo.sentence
    assert "fund" not in text.lower() and " saves USD" not in text
    assert memo.cards == memo.verdict.cards and len(memo.cards) == 4


def test_no_eligible_option_asks_for_a_measurement_and_not_for_money(case):
    today = cm.finance.baseline("today", {}, usd_per_month_today=1e6)
    memo = cm.finance.memo(case, today, quality_floor=0.75, confidence=0.8, draws=200)
    assert memo.verdict.best is None and memo.sentence.startswith("Do not choose yet: ")
    asked = r"; judge \d+ (or more )?answers( each)? of .* first, for some USD [\d,]+\. "
    assert re.search(asked + r"Should [^:]+ reach the floor: over 36 months", memo.sentence)


def test_the_memo_says_what_counts_and_when_it_begins(memo):
    text = " ".join(memo.words["in_plain_words"])
    assert "(people, 4 minutes a request)" in memo.sentence
    assert "; this frees" in memo.sentence and " full-time people. Before the " in memo.sentence
    assert "count in full, time of people as far as it is removed or redeployed: " in text
    assert re.search(r"The benefit starts after \d+\.\d months of building", text)


def test_where_nothing_runs_there_is_no_memo(case):
    narrow = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    long = replace(case.work, input_tokens=1e9)
    with pytest.raises(ValueError, match="No option can run"):
        cm.finance.memo({"it": narrow}, long, cm.finance.baseline(None, {}), draws=50)


def test_an_unknown_baseline_is_refused(case):
    with pytest.raises(ValueError, match=r"no baseline 'peopel'.*did you mean 'people'"):
        cm.finance.baseline("peopel", case.options)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("people",), "people needs minutes_per_request"),
        (("people", {}, 4), "and a role, such as .support_agent., or usd_per_hour"),
        (("today",), "today needs usd_per_month_today"),
    ],
)
def test_nothing_makes_a_baseline_up(given, says):
    kind, options, *minutes = (*given, {})[:2] + given[2:]
    with pytest.raises(ValueError, match=says):
        cm.finance.baseline(kind, options, *minutes)


def test_every_line_of_every_option_traces_to_rows_of_the_register(case):
    base = cm.finance.baseline("people", case.options, minutes_per_request=4, role="support_agent")
    study = replace(case, options={**case.options, "people": base})
    register = cm.finance.numbered(study, {"policy": cm.finance.Policy()})
    rows = set(register["row"])
    for label in study.options:
        table = cm.finance.traced(study, register, label)
        assert (table["rows"] != "").all(), (label, table[table["rows"] == ""]["item"].to_list())
        assert all(set(cell.split(", ")) <= rows for cell in table["rows"])
        assert table["usd"].sum() == pytest.approx(cm.ledger(study.only(label))["usd"].sum())


def test_the_wrong_answers_trace_to_what_moves_the_quality(case):
    """The dearest line of most options: its share accepted follows the task, the model, the
    retrieval, the tune; or one evaluation of your own."""

    def behind(study):
        register = cm.finance.numbered(study)
        table = cm.finance.traced(study, register).set_index("item")
        inputs = register.set_index("row")["input"]
        return set(inputs[table.loc["answers that fail", "rows"].split(", ")])

    rag = behind(case.only("RAG"))
    assert {
        "Workload.usd_per_failure",
        "task.difficulty",
        "gpt-6.1-terra.capability",
        "gpt-6.1-terra.log_odds_model",
        "own_documents.closed_book",
        "retrieval.recall_at_one",
        "rag.top_k",
        "frontier.context_decay",
    } <= rag
    assert not {"engineer.usd_per_hour", "pinecone.usd_per_gb_month", "judge.agreement"} & rag
    read = behind(case.only("RAG + LoRA"))
    assert {"knowledge_tune.log_odds_tuned_read"} <= read and "task.tuned_level" not in read
    unread = behind(case.only("LoRA"))  # from memory: the form that it has learned helps nobody
    assert {"knowledge_tune.log_odds", "own_documents.closed_book"} <= unread
    assert not {"Lora.log_odds_adapter", "task.tuned_level", "task.difficulty"} & unread
    evaluated = replace(case.option("RAG"), quality=cm.Measured(160, 200))
    measured = behind(replace(case, options=evaluated))
    assert not {"task.difficulty", "gpt-6.1-terra.capability", "retrieval.recall_at_one"} & measured
    assert any(key.endswith("160/200.quality") for key in measured)


def test_the_register_lists_what_nobody_touched_and_the_policy(case):
    policy = cm.finance.Policy(tax_rate=0.25)
    register = cm.finance.numbered(case, {"policy": policy}).set_index("input")
    assert (
        not register.loc["Policy.tax_rate", "default"]
        and register.loc["Policy.life_months", "default"]
    )
    assert register["default"].is_monotonic_increasing and register["default"].sum() > 50


def test_only_what_somebody_has_set_counts_as_touched(case):
    """Also a Range whose form its unit decides, and one that the data fills in; a driver with a
    loading of 0 touches nothing."""
    idle = cm.uncertainty.drive(case, "economy", {"Trends.api": 0.0, "gpu.gpu_trend": 0.0})
    for study in (case, idle):
        register = cm.finance.numbered(study)
        assert set(register[~register["default"]]["input"].str.split(".").str[0]) == {
            "Workload",
            "Corpus",
        }


def test_the_pack_is_one_notebook_with_one_register():
    import nbformat

    with stitched() as path:
        cells = nbformat.read(path, as_version=4).cells
        assert {"scenario", "baseline", "tax_rate", "pair", "draws"} <= set(report.schema(path))
    sources = [c.source for c in cells]
    assert sum("numbered(" in s and "report.show(register" in s for s in sources) == 1
    assert (
        sum("cm.operations.lint(" in s for s in sources) == 1 and "report.results(" in sources[-1]
    )
    assert [s for s in sources if s.startswith("# ")] == ["# The board pack"]


def test_the_board_pack_is_a_report(case, tmp_path, one_kernel):
    scenario = cm.scenarios.save(case, tmp_path / "case.yaml")
    said = CliRunner().invoke(
        main,
        [
            "report",
            "board",
            "--scenario",
            str(scenario),
            "-o",
            str(tmp_path),
            "-p",
            "draws",
            "200",
            "-p",
            "baseline",
            "people",
            "-p",
            "minutes_per_request",
            "4",
            "-p",
            "usd_per_hour",
            "31",
            "--format",
            "html",
        ],
    )
    assert said.exit_code == 0, said.output
    html = (tmp_path / "board.html").read_text(encoding="utf-8")
    order = [
        "cm-answer",
        "What it rests on",
        "What would flip it:",
        "When does the money come back",
        "Which doubt moves the choice",
        "rows behind it",
        "untouched defaults",
    ]
    below = html.index("</nav>")  # the contents name the headings before
    places = [html.index(text, below if i > 1 else 0) for i, text in enumerate(order)]
    assert places == sorted(places)
    assert (
        "<script" not in html
        and "Traceback" not in html
        and html.index("The memo") < html.index("Should we fund it")
    )
    facts = json.loads((tmp_path / "board.results.json").read_text(encoding="utf-8"))
    assert facts["command"].startswith("costmodel report board") and facts["answer"].startswith(
        "Fund "
    )
