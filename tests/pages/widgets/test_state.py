"""What a cockpit asks, without any widget: typing, changes, undo, groups and search."""

import pytest

import costmodel as cm
from costmodel.core import leaves
from costmodel.pages.widgets.inputs import GROUPS, Input, describe, found_by, numbers_in, shown_text
from costmodel.pages.widgets.notebooks import QUESTIONS
from costmodel.pages.widgets.starts import starting
from costmodel.pages.widgets.state import Asked, State

VOLUME, WRONG = "Workload.requests_per_month", "Workload.usd_per_failure"


def asked(name="support_assistant", question="approach", **given):
    study, found = cm.load(name, draws=100), QUESTIONS[question]
    return Asked(study, found, picks=found.start(study, **given))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("25", [25]), ("20-60", [20, 60]), ("0.2 to 0.8", [0.2, 0.8]), ("1.2M", [1.2e6]),
        ("20k – 60k", [20e3, 60e3]), ("20-60k", [20e3, 60e3]), ("$4", [4]), ("5 %", [0.05]),
        ("-0.1 to 0.3", [-0.1, 0.3]), ("1,000,000", [1e6]), ("1_000", [1000]), ("1e-4", [1e-4]),
        ("1.5 (0.5 to 4)", [1.5, 0.5, 4]), ("many", []), ("", []), ("0,5", []), ("nan", []),
        ("1 2", []), ("-", []), ("2 to", []),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text, numbers):
    assert numbers_in(text) == pytest.approx(numbers)


@pytest.mark.parametrize("value", [300_000.0, 0.25, 36, 4.125, 1e-5, cm.Range(0.5, 4, mid=1.5)])
def test_what_a_box_shows_is_read_again(value):
    read = describe("Rag.some_price", value).read(shown_text(value))
    assert getattr(read, "mid", read) == pytest.approx(getattr(value, "mid", value), rel=0.01)


@pytest.mark.parametrize(
    ("key", "value", "typed", "said"),
    [
        (VOLUME, 3e5, "1e12", "1e12 is not possible: allowed is between 1 and 10,000,000,000"),
        (VOLUME, 3e5, "-5", "allowed is between 1 and"),
        (VOLUME, 3e5, "0.2 to 0.8", "allowed is between 1 and"),
        (VOLUME, 3e5, "300.000", "can be read in two ways; write 300 or 300,000"),
        (VOLUME, 3e5, "1.155 to 2M", "can be read in two ways; write 1.1550 or 1,155"),
        ("Judge.agreement", 0.8, "120%", r"120% is not possible: allowed is between 0.501 and 1$"),
        ("Judge.agreement", 0.8, "85", "is not possible: .* 1; write 85 %"),
        ("Judge.agreement", 0.8, "x", "write 0.8, 80 %, or a range such as 0.5 to 0.9"),
        ("quality_floor", 0.6, "x", "write 0.6 or 60 %$"),
        ("Terms.months", 36, "x", "'x' is no number; write 36$"),
        (VOLUME, 3e5, "25 %", "25 % is a share, and requests per month is in request/month"),
        (WRONG, 4.0, "1,5", "has a comma; write 1.5, with a point"),
        (WRONG, 4.0, "0,125 to 2", "has a comma; write 0.125, with a point"),
        (VOLUME, 3e5, "many", "is no number; write 300,000, 1.2M, or a range such as"),
        (VOLUME, 3e5, "60-20 ", "must begin with its low end"),
        ("Terms.months", 36, "400", "allowed is between 1 and 120"),
        ("Workload.growth_per_year", 0.2, "-3", "allowed is between -0.99 and 20"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_allowed(key, value, typed, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        describe(key, value).read(typed)


@pytest.mark.parametrize(
    ("key", "value", "typed", "number"),
    [
        (VOLUME, 3e5, "1.155M", 1.155e6), (VOLUME, 3e5, "1.155e6", 1.155e6),
        (VOLUME, 3e5, "1.155 million", 1.155e6), (VOLUME, 3e5, "1.200.000", 1.2e6),
        (VOLUME, 3e5, "155.125k", 155_125), (WRONG, 4.0, "1.575", 1.575),
        (WRONG, 0.4, "1.125", 1.125), ("Judge.agreement", 0.8, "82.125 %", 0.82125),
        ("Terms.months", 36, "12", 12), ("GPU.usd_per_gpu_hour", 12.0, "2.125", 2.125),
    ],
)  # fmt: skip
def test_a_point_before_three_digits_is_read_where_one_reading_alone_can_be_meant(
    key, value, typed, number
):
    assert describe(key, value).read(typed) == pytest.approx(number)
    assert Input("", 2e3, "", "", "", "", 500, 5e3, 500, 1e4).read("1.200") == 1_200


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("fine_tune.retrain_months", cm.Range(2, 12), "between 0.1 and 120"),
        ("Hosted.load_max", 0.85, "between 0.001 and 1"),
        ("Hosted.batch_max", 64, "between 1 and 600,000"),
        ("Person.usd_per_hour", 80.0, "between 0 and 10,000"),
        ("gpt-6-luna.usd_per_mtok_in", 0.1, "between 0 and 1,000"),
        ("Trends.api", 0.0, "between -0.99 and 20"),
        ("fine_tune.retrain_months", 1_000.0, "between 0.1 and 1,000"),  # what it is, is meant
    ],
)
def test_what_is_allowed_reads_as_a_person_wrote_it(key, value, allowed):
    assert describe(key, value).allowed == f"allowed is {allowed}"


@pytest.mark.parametrize("name", cm.scenarios.examples())
def test_no_limit_is_a_power_of_ten_below_one_and_no_two_inputs_share_a_label(name):
    for question in ("approach", "quick"):
        inputs = asked(name, question).inputs()
        labels = [one.label for one in inputs.values()]
        assert len(set(labels)) == len(labels), {x for x in labels if labels.count(x) > 1}
        assert not [one.key for one in inputs.values() if "e-" in one.allowed]


def test_a_range_that_is_typed_stays_a_range_under_its_key():
    state = State(asked())
    for key, text in ((VOLUME, "100k-900k"), ("rag.top_k", "4 to 12"), (WRONG, "0.2 to 0.8")):
        given = state.asked.inputs()[key]
        state.set(key, given.read(text))
        held = leaves(state.asked.now().inputs)[key]
        assert isinstance(held, cm.Range) and (held.low, held.high) == tuple(numbers_in(
            text.replace("100k-900k", "100000-900000")
        ))  # fmt: skip
    verdict = cm.recommend(state.asked.now(), flips=False)
    before = cm.recommend(state.first.now(), flips=False)
    assert verdict.table["p90"]["RAG"] != before.table["p90"]["RAG"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("quality_floor", cm.Range(0.2, 0.8), "least share of accepted answers must be one number"),
        ("confidence", cm.Range(0.2, 0.8), "must be one number; a range is not possible"),
        ("Terms.months", cm.Range(12, 24), "horizon must be one number; a range is not possible"),
        ("Terms.months", 12.5, "months"),
        ("Fleet.cover", 0.9, "a fleet below its peak needs overflow"),
    ],
)
def test_what_cannot_be_asked_never_enters_the_question(key, value, said):
    state = State(asked())
    state.set(VOLUME, 1e5)
    with pytest.raises(ValueError, match=said) as refused:
        state.set(key, value)
    assert "Range(" not in str(refused.value)
    assert dict(state.asked.values) == {VOLUME: 1e5} and len(state.before) == 1


def test_scales_fit_what_they_hold():
    chance = describe("Lora.pass_chance", cm.Range(0.1, 0.34))
    assert not chance.log and chance.high == 1
    tenants = describe("Lora.tenants", 1)
    assert (tenants.whole, tenants.low, tenants.high) == (True, 1, 10)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("salary", "hourly cost (engineer)"), ("hallucination", "cost of a wrong answer"),
        ("requests a day", "requests per month"), ("price of a GPU hour", "rent of a GPU"),
        ("interest", "discount rate"), ("wage of a person", "hourly cost (engineer)"),
        ("support agent", "hourly cost (engineer)"), ("latency", "peak"),
        ("the length of an answer", "tokens of the answer"),
    ],
)  # fmt: skip
def test_ordinary_words_find_inputs(text, label):
    inputs = asked("own_gpus").inputs().values()
    assert any(label in one.label for one in found_by(inputs, text)), found_by(inputs, text)
    assert not any("different" in one.meaning for one in found_by(inputs, "rent"))


def test_retraining_finds_the_months_between_trainings():
    inputs = asked("code_assistant").inputs().values()
    assert any("months between trainings" in one.label for one in found_by(inputs, "retraining"))


def test_nothing_changed_is_the_study_itself():
    first = asked()
    assert first.now() is first.study


def test_undo_reset_and_a_drag_is_one_step():
    state = State(asked())
    for value in (1e5, 2e5, 3e5):
        state.set(VOLUME, value)
    state.set(WRONG, 4.0)
    state.undo()
    assert dict(state.asked.values) == {VOLUME: 3e5}
    state.undo()
    assert not state.asked.values
    state.set(VOLUME, 1e4)
    state.show(["RAG", "Prompt"])
    assert list(state.asked.now().options) == ["Prompt", "RAG"]
    state.reset()
    assert state.asked.now() is state.first.study


@pytest.mark.parametrize("name", cm.scenarios.examples())
def test_every_input_of_the_register_is_found_by_search_and_can_be_changed(name):
    question = asked(name)
    inputs = question.inputs()
    register = cm.ledgers.register(question.study)
    for key, low, high in register[["input", "low", "high"]].itertuples(index=False):
        if key not in inputs:  # an evaluation of one's own is no number to turn
            assert key.endswith((".quality", ".accepted")), key
            continue
        one = inputs[key]
        assert one.group in GROUPS and found_by(inputs.values(), key)[0] is one
        assert one in found_by(inputs.values(), one.label)
        assert one.least <= low <= high <= one.most and one.low <= one.mid <= one.high, key
    changed = leaves(Asked(
        question.study, question.question,
        values={VOLUME: 123.0, "engineer.usd_per_hour": 77.0, "Trends.api": -0.5},
    ).now().inputs)  # fmt: skip
    assert (changed[VOLUME], changed["Trends.api"]) == (123.0, -0.5)


def test_another_model_gpu_task_and_mix_of_questions_change_the_study():
    other = asked(**{"api gpt-6.1-terra": "gpt-6-sol", "task": "extract", "difficulty": "harder"})
    study = other.now()
    assert study.option("RAG").serving.model.id == "gpt-6-sol"
    assert study.option("Small model").serving.model.id == "gpt-6-luna"
    assert study.work.task.id == "extract" and study.option("Cascade") != other.study.options
    gpus = asked("own_gpus", "hosting", gpu="H200-SXM", precision="fp8").now()
    assert gpus.option("Own GPUs").serving.gpu.id == "H200-SXM"
    assert gpus.option("Own GPUs").serving.precision == "fp8"
    graph = asked("support_assistant", "knowledge", variant="lazy", mix="some about the whole")
    assert graph.now().option("GraphRAG").techniques[0].variant.id == "lazy"
    assert graph.now().work.question_mix.whole == 0.3


def test_the_case_is_held_against_what_is_done_today():
    case = asked("document_questions", "case", baseline="people", role="clerk")
    verdict, amounts = case.question.answer(case.now(), case.given())
    titles = [card[0] for card in verdict.cards]
    assert titles == ["Present value", "Saved", "Budget", "Money back"] and len(amounts) == 4
    people = cm.Option(cm.finance.Staff(5.0, role="clerk"))
    policy = cm.finance.Policy(realised=cm.Range(0.5, 0.95))
    script = cm.finance.business_case(case.study.only(verdict.named), people, policy)
    assert amounts[0][0] == pytest.approx(script["npv"].iloc[0])


def test_what_was_judged_narrows_the_others():
    before = asked("document_questions", "measure")
    after = asked("document_questions", "measure", judged="RAG")
    bands = [cm.decisions.quality_bands(x.now()).loc["Prompt"] for x in (before, after)]
    assert bands[1]["high"] - bands[1]["low"] <= bands[0]["high"] - bands[0]["low"]


@pytest.mark.parametrize("ways", ["release policies", "ways of an agent", "schemas of a database"])
def test_what_keeps_it_alive_is_compared(ways):
    alive = asked("document_questions", "alive", label="RAG", ways=ways)
    table = cm.compare(alive.now())
    assert len(table) >= 2 and table["expected"].notna().all()


def test_the_quick_question_is_that_of_the_notebook():
    study, question = starting("I know my bill", on="2026-11-20")
    quick = QUESTIONS[question]
    first = Asked(study, quick, picks=quick.start(study))
    bill = Asked(study, quick, {"usd_per_month": 5_000.0}, first.picks).now()
    tokens = cm.compare(bill, draws=100).loc["Tokens alone"]
    assert tokens["base_case"] / 36 == pytest.approx(5_000)
    state = State(first)
    state.set("words_in", 100.0)
    state.pick("use_case", "Document extraction")
    assert state.asked.given()["pages_in"] == 4 and "words_in" not in state.asked.values


@pytest.mark.parametrize("name", ["Answer from documents", "Extract fields", "Help with code"])
def test_each_start_of_the_app_answers(name):
    study, question = starting(name, on="2026-11-20")
    assert question in QUESTIONS
    assert cm.recommend(study, draws=50, flips=False).named


@pytest.mark.parametrize("name", ["own_gpus", "coding_team", "consumer_app"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_answers_for_unlike_examples(question, name):
    study, found = cm.load(name, draws=20), QUESTIONS[question]
    one = Asked(study, found, picks=found.start(study))
    verdict, amounts = found.answer(one.now(), one.given(), full=False)
    assert verdict.named and len(amounts) == len(verdict.cards) == 4
    assert all(pick.label for pick in found.picks(study, one.picks))


def test_a_commitment_gets_its_price():
    state = State(asked("own_gpus", "hosting"))
    state.set("Fleet.committed_replicas", 2)
    bill = cm.explain(state.asked.now(), "Own GPUs")
    assert (bill["item"] == "GPU hours under the commitment").any()


@pytest.mark.parametrize(
    ("name", "key", "label"),
    [
        ("support_assistant", "rag.maintenance_fte", "RAG"),
        ("document_extraction", "fine_tune.retrain_months", "LoRA"),
        ("own_gpus", "hosting.maintenance_fte", "Own GPUs"),
    ],
)
def test_typing_what_stands_in_the_box_changes_nothing(name, key, label):
    """A usual number that the tier scales is shown as it counts; another one counts as typed."""
    state = State(asked(name))
    given = state.asked.inputs()[key]

    def total():
        table = cm.compare(state.asked.now(), draws=50)
        return table["base_case"][label]

    before = total()
    state.set(key, given.mid)
    assert total() == pytest.approx(before, rel=0.005)
    state.set(key, given.mid * 2)
    assert total() != pytest.approx(before, rel=0.001)
