"""What the questions of the notebooks do with their picks, their files, and their reports."""

import types
from datetime import datetime

import pytest

import costmodel as cm
from costmodel.pages.widgets import keep
from costmodel.pages.widgets.starts import starting


@pytest.fixture()
def reports(tmp_path, monkeypatch):
    """The reports that were asked for: (name of the notebook, parameters)."""
    monkeypatch.setenv("COSTMODEL_FILES", str(tmp_path))
    asked = []

    def run(notebook, out, **given):
        assert set(given) <= set(cm.report.schema(notebook))
        asked.append((notebook.stem, given))
        return types.SimpleNamespace(files={})

    monkeypatch.setattr("costmodel.pages.report.runner.run", run)
    return asked


def chosen(*paths):
    """What a page gives of files that were chosen in it."""
    return tuple(
        {
            "name": path.name,
            "type": "",
            "size": path.stat().st_size,
            "content": memoryview(path.read_bytes()),
            "last_modified": datetime.now(),
        }
        for path in paths
    )


def test_a_control_that_changes_nothing_is_still_and_says_why():
    study, question = starting("I know my bill")
    box = cm.widgets.cockpit(study, question, draws=50, usd_per_month=1_000.0)
    requests, bill = box.controls["requests_per_day"], box.controls["usd_per_month"]
    words, pages = box.controls["words_in"], box.controls["pages_in"]
    assert requests.slider.disabled and "not used: the bill says how many" in requests.note.value
    assert not words.slider.disabled
    bill.box.value = "0"
    assert not requests.slider.disabled and "allowed" in requests.note.value
    pages.box.value = "3"
    assert words.slider.disabled and "pages are read" in words.note.value
    before = box.cards
    requests.box.value = "5,000"
    assert box.cards != before


def test_tokens_of_documents_follow_their_pages():
    """A number of tokens becomes a Range of them where the pages are one; a Range keeps its
    spread."""
    study = cm.load("support_assistant", draws=50)
    box = cm.widgets.cockpit(study, "knowledge")
    pages, tokens = study.work.corpus.page_count, study.work.corpus.tokens
    assert box.study is study
    box.controls["Corpus.pages"].box.value = f"{pages * 2:.0f}"
    assert box.study.work.corpus.tokens == pytest.approx(tokens * 2, rel=1e-4)
    box.controls["Corpus.pages"].box.value = f"{pages:.0f} to {pages * 3:.0f}"
    wide = box.study.work.corpus.tokens
    assert (wide.low, wide.high) == pytest.approx((tokens, tokens * 3), rel=1e-4)
    box.panel.reset.click()
    assert box.study is study
    other = cm.load("document_questions", draws=50)
    box, spread = cm.widgets.cockpit(other, "knowledge"), other.work.corpus.tokens
    box.controls["Corpus.pages"].box.value = f"{2 * other.work.corpus.pages:.0f}"
    wide = box.study.work.corpus.tokens
    assert (wide.low, wide.high) == pytest.approx((2 * spread.low, 2 * spread.high))


def test_the_cards_hold_a_tune_against_what_needs_none():
    box = cm.widgets.cockpit(cm.load("support_assistant"), "tuning", draws=200)
    titles = [title for title, *_ in box.cards]
    assert titles[:2] == ["With a tune, a month", "Without one, a month"]
    expected = box.verdict.table["expected"].dropna() / box.study.terms.months
    tunes = [
        label for label in expected.index if label in ("LoRA", "Managed fine-tune", "Distilled")
    ]
    tune, other = expected[tunes].min(), expected.drop(tunes).min()
    money = [cm.report.money(usd, box.study.terms) for usd in (tune, other, abs(other - tune))]
    assert [number for _, number, *_ in box.cards][:3] == money
    before = box.cards
    for key in ("Lora.examples", "expert_example.usd_per_item", "fine_tune.retrain_months"):
        box.controls[key].slider.value *= 0.5
    assert box.cards[0] != before[0]


def test_a_file_of_somebody_else_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.setenv("COSTMODEL_FILES", str(tmp_path))
    mine = tmp_path / "mine.yaml"
    mine.write_text("a year of work")
    for text in (b"one", b"two"):
        assert "mine_2.yaml" in keep.kept("mine.yaml", text)
    assert mine.read_text() == "a year of work"
    assert (tmp_path / "mine_2.yaml").read_bytes() == b"two"


def test_files_are_chosen_in_the_page_and_their_report_is_that_of_own_numbers(reports):
    box = cm.widgets.cockpit(cm.load("support_assistant"), "own", draws=50)
    invented = {name: cm.ingest.example(name) for name in ("usage", "invoice", "evaluation")}
    for name, path in invented.items():
        box.panel._given(name, chosen(path))
    assert box.verdict.table.index.str.startswith("Today: ").any()
    assert all(box.parameters[name] for name in invented)
    box._act(box._report)
    notebook, given = reports[-1]
    assert notebook == "08_my_own_numbers" and given["usage"].endswith(invented["usage"].name)
    volume = next(iter(box.controls.values()))
    volume.box.value = "5,000"  # no parameter of that notebook: the scenario says it
    box._act(box._report)
    notebook, given = reports[-1]
    assert notebook == "01_which_approach"
    assert cm.load(given["scenario"]).work.requests_per_month == 5_000


def test_several_files_of_one_kind_are_read_together(tmp_path):
    box = cm.widgets.cockpit(cm.load("support_assistant"), "own", draws=50)
    usage = cm.ingest.example("usage")
    head, *rows = usage.read_text().splitlines()
    half = len(rows) // 2
    for name, part in (("a.csv", rows[:half]), ("b.csv", rows[half:])):
        (tmp_path / name).write_text("\n".join([head, *part]) + "\n")
    box.panel._given("usage", chosen(tmp_path / "a.csv", tmp_path / "b.csv"))
    both = box.study.work.requests_per_month
    box.panel._given("usage", chosen(usage))
    assert both == box.study.work.requests_per_month


def test_what_keeps_an_option_alive_is_saved_and_reported_as_the_scenario(reports, tmp_path):
    study = cm.load("support_assistant", draws=50)
    box = cm.widgets.cockpit(study, "alive", draws=50)
    key = next(key for key in box.controls if key.endswith("releases_per_month"))
    box.controls[key].box.value = "6"
    box.controls["Workload.requests_per_month"].box.value = "1M"
    box._act(box._report)
    notebook, given = reports[-1]
    kept = cm.load(given.pop("scenario"))
    assert list(kept.options) == list(study.options) and kept.work.requests_per_month == 1e6
    assert notebook == "07_keep_it_alive" and "is not in it" not in box.said.value
    assert given["releases_per_month"] == 6 and given["label"] in study.options


def test_the_case_below_the_cockpit_is_that_of_the_cockpit():
    study = cm.load("support_assistant", draws=50)
    box = cm.widgets.cockpit(study, "case", usd_per_hour=40.0)
    assert box.parameters["baseline"] is None
    box.panel._picked("baseline", "people")
    box.controls["minutes_per_request"].box.value = "7"
    asked = box.parameters
    assert (asked["minutes_per_request"], asked["usd_per_hour"]) == (7, 40.0)
    assert "role" not in asked  # the price of the hour is given
    base = cm.finance.baseline("people", {}, 7, usd_per_hour=40.0)
    policy = cm.finance.Policy(realised=cm.Range(0.5, 0.95))
    row = cm.finance.business_case(box.study.only(box.verdict.named), base, policy).iloc[0]
    assert box.cards[0][1] == cm.report.money(row["npv"], box.study.terms)
