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


def test_the_cards_hold_a_tune_against_what_needs_none_and_its_controls_move_them():
    box = cm.widgets.cockpit(cm.load("support_assistant", draws=200), "tuning")
    kinds = {"LoRA": "Lora", "Managed fine-tune": "FineTune", "Distilled": "Distill"}
    for tune, kind in kinds.items():
        box.panel._picked("tune", tune)
        assert box.cards[0][0] == f"{tune}, a month" and box.parameters == {"tune": tune}
        expected = box.verdict.table["expected"].dropna() / box.study.terms.months
        others = expected.drop([*kinds, "RAG + LoRA"])
        usd = (expected[tune], others.min(), abs(others.min() - expected[tune]))
        money = [cm.report.money(x, box.study.terms) for x in usd]
        assert [number for _, number, *_ in box.cards][:3] == money
        before, control = box.verdict.table["expected"], box.controls[f"{kind}.examples"]
        cache = box.controls["PromptCache.burst"]
        assert {control.row, cache.row} <= set(box.panel.sight.children)
        control.box.value = "300"
        moved = box.verdict.table["expected"] != before
        assert moved[tune] and not moved["Prompt"]
        control.back.click()


def test_the_cards_hold_own_gpus_against_an_api():
    box = cm.widgets.cockpit(cm.load("own_gpus", draws=200), "hosting")
    titles = [title for title, *_ in box.cards]
    assert titles[:2] == ["On own GPUs, a month", "Without them, a month"]
    before = box.cards
    box.controls["hosting.maintenance_fte"].box.value = "3"
    assert box.cards[0] != before[0] and box.cards[1] == before[1]
    box.panel.ticks.children[0].value = False  # the API: nothing to hold them against
    assert box.cards[0][0] == "To pay a month"


def test_a_file_of_somebody_else_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.setenv("COSTMODEL_FILES", str(tmp_path))
    mine = tmp_path / "mine.yaml"
    mine.write_text("a year of work")
    for name, text in (("mine_2", b"one"), ("mine_3", b"two"), ("mine_2", b"one")):
        assert f"{name}.yaml" in keep.kept("mine.yaml", text)
    assert mine.read_text() == "a year of work" and len([*tmp_path.iterdir()]) == 3


def test_files_are_chosen_in_the_page_and_their_report_is_that_of_own_numbers(reports):
    box = cm.widgets.cockpit(cm.load("support_assistant"), "own", draws=50)
    invented = {name: cm.ingest.example(name) for name in ("usage", "invoice", "evaluation")}
    for name, path in invented.items():
        box.panel._given(name, chosen(path))
    assert box.verdict.table.index.str.startswith("Today: ").any()
    assert all(box.parameters[name] for name in invented)
    box.foot.buttons["Report"].click()
    notebook, given = reports[-1]
    assert notebook == "08_my_own_numbers" and given["usage"].endswith(invented["usage"].name)
    volume = next(iter(box.controls.values()))
    volume.box.value = "5,000"  # no parameter of that notebook: the scenario says it
    box.foot.buttons["Report"].click()
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
    box.foot.buttons["Report"].click()
    notebook, given = reports[-1]
    kept = cm.load(given.pop("scenario"))
    assert list(kept.options) == list(study.options) and kept.work.requests_per_month == 1e6
    assert notebook == "07_keep_it_alive" and "is not in it" not in box.foot.said.value
    assert given["releases_per_month"] == 6 and given["label"] in study.options


def test_the_case_below_the_cockpit_is_that_of_the_cockpit():
    study = cm.load("support_assistant", draws=50)
    box = cm.widgets.cockpit(study, "case", usd_per_hour=40.0)
    assert box.parameters["baseline"] is None
    box.panel._picked("baseline", "people")
    box.controls["minutes_per_request"].box.value = "7"
    asked = box.parameters
    assert (asked["minutes_per_request"], asked["usd_per_hour"]) == (7, 40.0)
    base = cm.finance.baseline("people", {}, 7, usd_per_hour=40.0)
    policy = cm.finance.Policy(realised=cm.Range(0.5, 0.95))
    row = cm.finance.business_case(box.study.only(box.verdict.named), base, policy).iloc[0]
    assert box.cards[0][1] == cm.report.money(row["npv"], box.study.terms)


def test_what_a_case_is_held_against_has_its_controls_and_its_sentence():
    """The bill of today and the person are in sight; who is not asked is still; every pick has a
    picture of its own; the cockpit says what the report says."""
    study = cm.load("support_assistant", draws=50)
    box = cm.widgets.cockpit(study, "case")
    assert box.controls["minutes_per_request"].slider.disabled
    assert "choose above" in box.controls["tax_rate"].note.value
    box.frame.add_class("cm-waiting")
    box.panel._picked("baseline", "people")
    assert "cm-waiting" not in box.frame._dom_classes
    sight = [x.given.key for x in box.controls.values() if x.row in box.panel.sight.children]
    assert sight[:2] == ["minutes_per_request", "usd_per_hour"]
    assert "support agent" in [w for x in box.panel.front.children for w, _ in x.options]
    base = cm.finance.baseline("people", {}, 5.0, "support_agent")
    policy = cm.finance.Policy(realised=cm.Range(0.5, 0.95))
    memo = cm.finance.memo(study, base, policy, "people")
    assert box.verdict.headline == memo.sentence and "Fund" in box.top.value
    saved = box.cards[1]
    box.controls["usd_per_hour"].box.value = "90"
    assert box.cards[1] != saved and box.parameters["usd_per_hour"] == 90
    box.panel._picked("baseline", "today")
    assert box.panel.sight.children[0] is box.controls["usd_per_month_today"].row
    assert not box.controls["tax_rate"].slider.disabled


def test_nothing_was_judged_until_somebody_says_how_much():
    study = cm.load("support_assistant", draws=100)
    box = cm.widgets.cockpit(study, "measure")
    before = box.verdict.table["quality"].to_dict()
    box.panel._picked("judged", "RAG")
    judged, accepted = (box.controls[x] for x in ("judged_answers", "accepted_answers"))
    assert [x.row for x in (judged, accepted)] == list(box.panel.sight.children[:2])
    assert box.verdict.table["quality"].to_dict() == before and accepted.slider.disabled
    judged.box.value = "200"
    accepted.box.value = "300"
    assert "300 of 200 judged answers are accepted" in box.top.value
    accepted.box.value = "150"
    assert box.verdict.table["quality"]["RAG"] != before["RAG"]


def test_wrong_answers_are_no_tokens():
    study, question = starting("I know my bill")
    box = cm.widgets.cockpit(study, question, draws=100, usd_per_month=1_000.0)
    tokens, life = box.cards[1][1], box.cards[0][1]
    box.panel.price.value = 4.0
    assert box.cards[1][1] == tokens and box.cards[0][1] != life
    assert "wrong answers USD" in box.cards[0][2]


def test_a_saved_quick_answer_is_the_whole_life_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("COSTMODEL_FILES", str(tmp_path))
    study, question = starting("I know my bill")
    box = cm.widgets.cockpit(study, question, draws=50, usd_per_month=1_000.0)
    box.foot.buttons["Save YAML"].click()
    (path,) = tmp_path.iterdir()
    assert list(cm.load(path).options) == ["Whole life"]
    again = cm.widgets.cockpit(cm.load("own_gpus"), "hosting", draws=50)
    again.panel.load(str(path))
    assert again.cards == box.cards


def test_a_report_leaves_what_was_saved_and_the_reports_before_it(reports, tmp_path):
    box = cm.widgets.cockpit(cm.load("support_assistant", draws=50), "case")
    box.panel._picked("baseline", "people")
    box.foot.buttons["Save YAML"].click()
    (saved,) = tmp_path.glob("*.yaml")
    text = saved.read_text()
    for _ in range(2):
        box.foot.buttons["Report"].click()
    assert saved.read_text() == text and '"baseline": "people"' in text
    scenarios = [given["scenario"] for _, given in reports]
    assert len(set(scenarios)) == 2 and len([*tmp_path.glob("report_*/*.yaml")]) == 2


def test_a_policy_that_is_not_ticked_is_no_hindrance_to_saving(tmp_path, monkeypatch):
    monkeypatch.setenv("COSTMODEL_FILES", str(tmp_path))
    box = cm.widgets.cockpit(cm.load("support_assistant", draws=50), "alive")
    box.panel.ticks.children[0].value = False
    box.foot.buttons["Save YAML"].click()
    assert "saved as" in box.foot.said.value


def test_an_agent_that_answers_wrong_is_not_recommended():
    box = cm.widgets.cockpit(cm.load("support_assistant", draws=100), "alive")
    box.panel._picked("ways", "ways of an agent")
    assert "Do not choose yet" in box.verdict.headline
    assert "Kept alive" not in [x.description for x in box.panel.front.children]


def test_only_gpus_and_models_that_can_be_priced_are_offered():
    study = cm.load("own_gpus", draws=50)
    box = cm.widgets.cockpit(study, "hosting")
    for pick in box.state.asked.question.picks(study, {}):
        if pick.name in ("gpu", "own_model", "precision"):
            ways = [way for _, way in pick.ways]
            assert "H20" not in ways and "kimi-k3" not in ways and len(ways) > 4
            for way in ways[1::6]:
                box.panel._picked(pick.name, way)
                assert box.verdict.named, way
                box.panel.undo.click()


def test_the_page_opens_again_at_its_question(tmp_path, monkeypatch):
    monkeypatch.setenv("COSTMODEL_FILES", str(tmp_path))
    box = cm.widgets.cockpit(cm.load("support_assistant", draws=50), "knowledge")
    box.foot.buttons["Save YAML"].click()
    (path,) = tmp_path.iterdir()
    again = cm.widgets.cockpit(cm.load("own_gpus", draws=50), "approach")
    again.panel.load(str(path))
    assert again.state.asked.question.title == box.state.asked.question.title
