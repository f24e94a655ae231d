"""The cockpit without a browser: what a move, an error and a recovery do to picture and answer."""

import html
import threading
import time
import types
from dataclasses import replace
from datetime import datetime

import pandas as pd
import pytest

import costmodel as cm
from costmodel.pages.widgets import pictures, screen
from costmodel.pages.widgets.pictures import BILL, TABS
from costmodel.pages.widgets.runs import Runs
from costmodel.scenarios.writing import as_yaml

ON = "2026-11-20"
VOLUME, WRONG = "Workload.requests_per_month", "Workload.usd_per_failure"
STUDY = cm.load("support_assistant", draws=200).only("RAG", "LoRA", "Cascade")


@pytest.fixture()
def box(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return cm.widgets.cockpit(STUDY, draws=200)


def greyed(box) -> bool:
    return "cm-failed" in box.frame._dom_classes


def volume(number):
    things = cm.uncertainty.pin((dict(STUDY.options), STUDY.work, STUDY.terms), VOLUME, number)
    return cm.compare(*things[:2], terms=things[2], draws=200, seed=STUDY.seed, quality_floor=0.6)


def test_it_opens_with_an_answer(box):
    assert box.png[:4] == b"\x89PNG" and 'alt="Expected cost' in box.image.value
    assert 5 <= len(box.controls) <= 6
    assert box.verdict.headline == cm.recommend(STUDY, flips=False).headline
    assert box.top.value.count("cm-one") == 4 and box.study is STUDY


def test_a_move_changes_picture_and_number(box):
    image, top = box.image.value, box.top.value
    box.controls[VOLUME].slider.value = 2_345_678
    assert box.image.value != image and box.top.value != top
    assert box.controls[VOLUME].box.value == "2,350,000"  # the number shown is the number used
    shown = box.verdict.table["expected"]
    assert shown.to_dict() == volume(2_350_000.0)["expected"].to_dict()


def test_typing_moves_the_slider_and_a_range_stays_a_range(box):
    control = box.controls[VOLUME]
    control.box.value = "1M"
    assert control.slider.value == pytest.approx(1e6, rel=0.02) and control.value == 1e6
    control.slider.value *= 1.000_01  # the page's echo of the slider's step is no move
    assert control.value == 1e6 and "cm-off" not in control.head.value
    control.box.value = "90,000,000"  # beyond the slider, and still a workload
    assert control.value == 9e7 and control.slider.value == pytest.approx(control.given.high)
    assert "beyond the slider" in control.note.value
    control.box.value = "20k-60k"
    assert isinstance(box.study.work.requests_per_month, cm.Range)
    assert "20k to 60k, 90 % sure" in control.note.value and "#7FB3BF" in control.note.value
    control.back.click()
    assert box.study.work.requests_per_month == 3e5 and "cm-off" in control.head.value


def test_an_error_greys_the_picture_and_speaks_beside_its_control(box):
    image = box.image.value
    control, other = box.controls[VOLUME], box.controls[WRONG]
    other.box.value = "6"
    image, cards = box.image.value, box.top.value.partition("cm-four")[2]
    for typed, said in (("many", "is no number"), ("1e12", "not possible: allowed is between")):
        control.box.value = typed
        assert greyed(box) and box.image.value == image and "No answer" in box.top.value
        assert said in control.note.value and said not in other.note.value
        for _, number, _ in box.verdict.cards:  # the last answer stays, greyed
            assert number in cards and number in box.top.value
    box.foot.buttons["CSV"].click()
    assert "what you typed for requests per month is not in it" in box.foot.said.value
    box.panel.undo.click()  # takes back what was refused, and not the good change before it
    assert not greyed(box) and control.box.value == "300,000" and other.value == 6.0
    control.box.value = "1e12"
    other.slider.value *= 1.3
    assert greyed(box) and said in control.note.value and "not possible" not in other.note.value
    assert box.study.work.usd_per_failure == other.value
    control.box.value = "300000"
    assert not greyed(box) and "not possible" not in control.note.value
    box.panel.reset.click()
    assert box.study is STUDY


def test_an_input_that_must_be_one_number_refuses_a_range_in_a_sentence(box):
    floor, before = box.controls["quality_floor"], box.study
    floor.box.value = "0.2 to 0.8"
    assert "must be one number; a range is not possible" in floor.note.value
    assert box.study is before and floor.value is None
    box.foot.buttons["Save YAML"].click()
    assert "saved as" in box.foot.said.value


def test_what_has_no_answer_is_neither_pinned_nor_written(box):
    for tick in box.panel.ticks.children:
        tick.value = False
    for name in ("Pin", "CSV"):
        box.foot.buttons[name].click()
        assert "has no answer yet" in box.foot.said.value and not box.pinned


def test_while_it_is_computed_an_estimate_stands_there_and_says_so(monkeypatch):
    box = cm.widgets.cockpit(cm.load("support_assistant", draws=1_500).only("RAG", "LoRA"))
    assert box.answer.study.draws == 1_500  # those of the study, as in the reports
    shown, show = [], box._show

    def watch(number, asked, study, full):
        show(number, asked, study, full)
        shown.append((study.draws, full))
        if not full:
            assert ("First estimate" if study.draws < 1_500 else "still weighed") in box.top.value

    monkeypatch.setattr(box, "_show", watch)
    monkeypatch.setattr(box.runs, "threaded", True)
    monkeypatch.setattr(box.runs, "ask", lambda: None)
    box.controls[VOLUME].box.value = "1M"
    box.took_s = 2.0  # the last answer was slow
    for full in (False, True):
        box._run(box.runs.number, full)
    assert shown == [(300, False), (1_000, False), (1_500, False), (1_500, True)]
    assert 0 < box.took_s < 2
    assert "estimate" not in box.top.value and box.answer.full
    judged = cm.decisions.verdict.pilot

    def moved(study):  # while it is weighed what to judge, the hand moves on
        box.runs.number += 1
        return judged(study)

    monkeypatch.setattr(cm.decisions.verdict, "pilot", moved)
    box.controls[VOLUME].box.value = "2M"
    box._run(box.runs.number, True)
    assert shown[4:] == [(1_500, False)] and not box.answer.full
    assert not greyed(box)


def test_an_error_of_the_model_is_shown_beside_what_was_moved(box, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr(screen.pictures, "first_lines", fail)
        box.controls[VOLUME].slider.value = 1e6
        assert greyed(box) and "ZeroDivisionError: no such luck" in box.controls[VOLUME].note.value
    box.controls[VOLUME].slider.value = 2e6
    assert not greyed(box) and "no such luck" not in box.controls[VOLUME].note.value


def test_undo_and_options(box):
    box.controls[VOLUME].box.value = "1M"
    box.controls[WRONG].box.value = "40"
    box.panel.undo.click()
    assert box.controls[WRONG].value is None and box.controls[VOLUME].value == 1e6
    box.panel.ticks.children[1].value = False
    assert set(box.verdict.table.index) == {"RAG", "Cascade"}
    assert "these two options" in box.verdict.headline


def test_every_tab_draws(box):
    seen = set()
    for tab in TABS:
        box.tabs.value = tab
        assert not greyed(box), tab
        seen.add(box.paper.value if tab == BILL else box.image.value)
    assert len(seen) == len(TABS)
    assert box.which.value == box.verdict.named and "<i>0 %" not in box.paper.value
    box.which.value = "RAG"
    assert box.paper.value.count("<details") == len(cm.explain(box.answer.study, "RAG"))
    assert "Formula" in box.paper.value and "Sources" in box.paper.value


def test_an_example_of_a_wrong_answer_sets_its_price(box):
    box.panel.price.value = 40.0
    assert box.study.work.usd_per_failure == 40.0 and box.controls[WRONG].box.value == "40"


def test_the_pin_shows_the_difference(box):
    box.foot.buttons["Pin"].click()
    assert "as the pin" in box.top.value
    before = box.verdict.table.loc[box.verdict.named, "expected"]
    box.controls[WRONG].box.value = "6"
    after = box.verdict.table.loc[box.verdict.named, "expected"]
    change = f"{100 * (after / before - 1):+.0f} %"
    assert f"({change}) against the pin" in box.top.value
    box.foot.buttons["Pin"].click()
    assert "against the pin" not in box.top.value


def test_what_is_saved_answers_the_same_to_the_cent(box, tmp_path):
    box.controls[VOLUME].box.value = "123,456"
    box.controls[WRONG].box.value = "0.2 to 0.8"
    box.foot.buttons["Save YAML"].click()
    assert "saved as" in box.foot.said.value and "download=" in box.foot.said.value
    (path,) = tmp_path.glob("*.yaml")
    again = cm.widgets.cockpit(cm.load(path), draws=200)
    shown, held = (x.verdict.table["expected"].round(2).to_dict() for x in (again, box))
    assert shown == held
    box.foot.buttons["CSV"].click()
    box.foot.buttons["PNG"].click()
    assert {p.suffix for p in tmp_path.iterdir()} == {".yaml", ".csv", ".png"}
    box.foot.buttons["FOCUS"].click()
    rows = pd.read_csv(next(tmp_path.glob("*.focus.csv")))
    added = rows.groupby("x_Option")["EffectiveCost"].sum().round(2).to_dict()
    assert added == {label: usd for label, usd in held.items() if usd == usd}
    other = cm.widgets.cockpit(cm.load("own_gpus"), "hosting", draws=50)
    file = {"name": "x.yaml", "type": "", "size": 1, "content": memoryview(path.read_bytes())}
    other.panel.upload.value = ({**file, "last_modified": datetime.now()},)
    assert other.study.work.requests_per_month == 123_456


def test_any_input_is_found_and_turned(box):
    box.panel.folds.selected_index = 2
    box.panel.search.value = "engineer.usd_per_hour"
    (row,) = box.panel.found.children
    control = box.controls["engineer.usd_per_hour"]
    assert row is control.row and "hourly cost (engineer)" in control.head.value
    wide = box.verdict.table.loc["RAG", "p90"]
    control.slider.value = 130
    assert box.verdict.table.loc["RAG", "p90"] != wide
    box.panel.search.value, box.panel.group.value = "", "People"
    first = list(box.panel.found.children)
    box.panel.further.click()
    assert first != list(box.panel.found.children) and "page 2 of" in box.panel.count.value
    box.panel.search.value = "nonsense"
    assert "no input has these words" in box.panel.count.value


def test_in_a_report_there_is_no_dead_cockpit(monkeypatch):
    monkeypatch.setenv("COSTMODEL_REPORT", "1")
    box = cm.widgets.cockpit(STUDY)
    assert box._repr_mimebundle_() == {"text/plain": ""} and box.study is STUDY


def test_an_unknown_question_names_the_nearest():
    with pytest.raises(cm.facts.CatalogError, match="did you mean 'hosting'"):
        cm.widgets.cockpit(STUDY, "hostin")


def test_answers_come_one_at_a_time_and_the_last_question_counts():
    asked, running, most = [], [0], [0]

    def answer(number, full):
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.002)
        asked.append((number, full))
        running[0] -= 1

    runs = Runs(answer, threaded=True)
    hands = [
        threading.Thread(target=lambda: [(runs.ask(), time.sleep(0.001)) for _ in range(30)])
        for _ in range(4)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert runs.settle(10)
    numbers = [number for number, _ in asked]
    assert most[0] == 1 and numbers == sorted(numbers) and asked[-1] == (120, True)
    assert not all(full for _, full in asked) and len(asked) < 120


def test_an_answer_that_nobody_waits_for_stops_unless_the_picture_is_old(monkeypatch):
    """A newer question is there: a fresh picture stays, an old one is drawn once more; what to
    judge is weighed for the last question alone."""
    box = cm.widgets.cockpit(STUDY, draws=300)
    monkeypatch.setattr(box.runs, "threaded", True)
    monkeypatch.setattr("costmodel.pages.widgets.runs.REST_S", 0.0)
    box.state.set("Workload.requests_per_month", 77_000.0)
    before, box.runs.number = box.answer, 6
    box.runs.shown_s = time.perf_counter()
    box._run(5, True)
    assert box.answer is before
    box.runs.shown_s = 0.0
    box._run(5, True)
    assert box.answer is not before and not box.answer.full
    box._run(6, True)
    assert box.answer.full and box.study.work.requests_per_month == 77_000


def test_every_model_on_the_list_has_a_price():
    for model in cm.choices.MODELS:
        assert cm.facts.api_price(model, on=ON).tiers


def test_the_two_lines_are_short_and_one_eligible_option_does_not_stand_alone():
    """A list of options to judge that fills a phone is counted; the verdict in full names them."""
    study = cm.load("support_assistant", draws=1_000)
    verdict = cm.recommend(study, flips=False)
    plan = max(verdict.pilot.attrs["judged"], key=len)
    first = f"Do not choose yet: judge 200 or more answers each of {plan} first, for some USD 1. x"
    first, second = pictures.first_lines(replace(verdict, headline=first), study)
    assert plan not in first and " options first" in first
    assert len(first) <= pictures.LONG and len(second) <= 120
    one = study.only("Prompt", "RAG", "Cascade").changed(confidence=0.7)
    said = cm.recommend(one, flips=False, pilots=False)
    table = said.table.assign(eligible=said.table.index == said.table.index[0])
    alone = replace(said, table=table, best=table.index[0], named=table.index[0])
    assert len(alone.leaders) == 1
    assert list(pictures.leading(alone, one).options) == list(alone.contest)
    assert pictures.first_lines(alone, one)[1].startswith("The lowest expected cost of those")


def test_a_range_that_cannot_be_says_what_to_write(box):
    control = box.controls[WRONG]
    control.box.value = "0 to 4"
    assert "write 0.2 to 4, or one number" in control.note.value and control.value is None
    control.box.value = "0.2 to 4"
    assert isinstance(control.value, cm.Range) and control.value.high == 4


@pytest.mark.parametrize(
    ("question", "picks", "changes"),
    [
        ("quick", {}, {"usd_per_month": "5000", "months": "12"}),
        ("case", {"baseline": "people"}, {"tax_rate": "0.2", "Terms.months": "24"}),
        ("alive", {}, {"releases_per_month": "4"}),
        ("approach", {}, {"Workload.requests_per_month": "20k-60k"}),
    ],
)
def test_a_saved_scenario_gives_the_same_cards_in_the_page_again(
    question, picks, changes, tmp_path, monkeypatch
):
    """Loaded by hand, also where another question is open; every other page reads it too."""
    monkeypatch.chdir(tmp_path)
    study = cm.load("support_assistant")
    box = cm.widgets.cockpit(study, question, draws=100)
    for name, value in picks.items():
        box.panel._picked(name, value)
    for key, typed in changes.items():
        key = next(x for x in box.controls if x.endswith(key.rpartition(".")[2]))
        box.controls[key].box.value = typed
    before = box.cards
    box.foot.buttons["Save YAML"].click()
    (file,) = tmp_path.glob("*.yaml")
    text = file.read_text(encoding="utf-8")
    for opened in (question, "approach"):
        again = cm.widgets.cockpit(study, opened, draws=100)
        again.panel.load(text)
        assert again.cards == before and again.verdict.headline == box.verdict.headline
    assert cm.load(text).options.keys() == box.state.asked.scenario.options.keys()


def test_a_file_that_cannot_be_loaded_says_why_and_changes_nothing(box):
    before = box.cards
    box.panel._uploaded({"new": [{"name": "mine.yaml", "content": b"a: 1"}]})
    assert "mine.yaml was not loaded: " in box.foot.said.value and box.cards == before


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"question": "none"}', '{"question": "quick", "picks": 1}']
)
def test_a_line_of_a_cockpit_that_was_spoilt_is_refused_in_a_sentence(line, box):
    text = as_yaml(STUDY) + f"# cockpit: {line}"
    box.panel._uploaded({"new": [{"name": "mine.yaml", "content": text.encode()}]})
    assert "its line '# cockpit:' is not as a cockpit writes it" in html.unescape(
        box.foot.said.value
    )


def test_undo_takes_back_the_price_that_was_picked(box):
    box.panel.price.value = 4.0
    assert box.state.asked.values[WRONG] == 4.0
    box.panel.undo.click()
    assert box.panel.price.value == "" and WRONG not in box.state.asked.values


def test_the_kind_of_graph_is_asked_where_there_is_a_graph(box):
    study = cm.load("support_assistant")
    with_graph = cm.widgets.cockpit(study, "knowledge", draws=50)
    without = cm.widgets.cockpit(STUDY.only("RAG"), "knowledge", draws=50)
    kinds = [[x.description for x in one.panel.front.children] for one in (with_graph, without)]
    assert "Kind of graph" in kinds[0] and "Kind of graph" not in kinds[1]


@pytest.mark.parametrize(
    ("question", "picks", "values", "told"),
    [
        ("quick", {}, {"usd_per_month": 5e3}, {"usd_per_month": 5e3, "months": 36}),
        ("case", {"baseline": "people"}, {"tax_rate": 0.2},
         {"baseline": "people", "tax_rate": 0.2, "role": "support_agent",
          "minutes_per_request": 5.0, "realised_low": 0.5}),
    ],
)  # fmt: skip
def test_a_report_is_asked_with_what_the_cockpit_shows(
    question, picks, values, told, tmp_path, monkeypatch
):
    monkeypatch.setenv("COSTMODEL_FILES", str(tmp_path))
    box = cm.widgets.cockpit(cm.load("support_assistant"), question, draws=100)
    for name, value in picks.items():
        box.panel._picked(name, value)
    for key, value in values.items():
        box.state.set(key, value)
    asked = []

    def run(notebook, out, **given):
        known = cm.report.schema(notebook)
        assert set(given) <= set(known)
        asked.append(given)
        return types.SimpleNamespace(files={})

    monkeypatch.setattr("costmodel.pages.report.runner.run", run)
    box.foot.buttons["Report"].click()
    assert told.items() <= asked[0].items(), box.foot.said.value


@pytest.mark.parametrize("question", ["hosting", "tuning"])
def test_an_example_brings_the_options_that_the_page_is_about(question):
    """Startup chatbot has no GPUs of its own; a study without a tune gets the usual ones."""
    box = cm.widgets.cockpit(cm.load("support_assistant"), question, draws=50)
    box.panel.scenario.value = "startup_chatbot"
    labels = set(box.state.asked.study.options)
    assert {"hosting": {"Own GPUs"}, "tuning": {"LoRA", "Distilled"}}[question] <= labels
    assert len(box.panel.sight.children) >= 5


def test_each_tab_shows_its_own_list(box):
    """What a flip is looked for over, and whose bill it is."""
    shown = {}
    for tab in TABS:
        box.tabs.value = tab
        shown[tab] = [one.layout.display != "none" for one in (box.over, box.which)]
    assert shown[pictures.FLIPS] == [True, False] and shown[BILL] == [False, True]
    assert [shown[tab] for tab in TABS if tab not in (pictures.FLIPS, BILL)] == [[False, False]] * 4
    box.tabs.value = pictures.FLIPS
    before = box.image.value
    box.over.value = "usd_per_failure"
    assert box.image.value != before


def test_the_list_of_scenarios_says_what_is_asked(box):
    box.panel.scenario.value = "own_gpus"
    assert "Own GPUs" in box.study.options
    box.panel.undo.click()
    assert box.panel.scenario.value == "" and box.study is STUDY
    box.panel.scenario.value = "own_gpus"
    assert "Own GPUs" in box.study.options
    box.panel._uploaded({"new": [{"name": "mine.yaml", "content": as_yaml(STUDY).encode()}]})
    assert box.panel.scenario.value == "mine.yaml" and "RAG" in box.study.options
    answered = box.runs.number
    box.panel._uploaded({"new": [{"name": "other.yaml", "content": as_yaml(STUDY).encode()}]})
    assert box.runs.number == answered + 1  # once: the list grows without asking anything
    box.panel._uploaded({"new": [{"name": "bad.yaml", "content": "x".encode("utf-16")}]})
    assert "bad.yaml was not loaded: it is not UTF-8 text" in box.foot.said.value
    box.panel._uploaded({"new": [{"name": "bad.yaml", "content": b""}]})
    assert "bad.yaml was not loaded: it is empty" in box.foot.said.value
    box.panel.scenario.value = "own_gpus"
    assert "not loaded" not in box.foot.said.value


def test_no_picture_is_kept_of_an_answer_that_is_not_there(box, tmp_path):
    box.controls[VOLUME].box.value = "1M"
    for tick in box.panel.ticks.children:
        tick.value = False
    box.foot.buttons["PNG"].click()
    assert "has no answer yet" in box.foot.said.value and not [*tmp_path.iterdir()]
