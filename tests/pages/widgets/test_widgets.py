"""Sliders without a browser: what a move, an error and a recovery do to the picture and the
headline.
"""

import asyncio
import re

import pytest

import costmodel as cm
from costmodel.pages.widgets import explorer as widgets
from costmodel.pages.widgets import quick_answer

ON = "2026-11-20"
WORK = cm.Workload(
    requests_per_month=300_000,
    instruction_tokens=600,
    input_tokens=900,
    output_tokens=250,
    corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03),
)
OPTIONS = cm.presets(WORK, on=ON, only=["RAG", "LoRA", "Cascade"])
VOLUME = "Workload.requests_per_month"


@pytest.fixture()
def box():
    return widgets.explore(OPTIONS, WORK, draws=200, on=ON)


def greyed(box) -> bool:
    return "costmodel-failed" in box.image._dom_classes


def headline_usd(box) -> float:
    return float(
        re.search(r"USD ([\d,]+\.\d\d) expected over", box.headline.value)[1].replace(",", "")
    )


def test_filled_at_construction(box):
    assert box.image.value[:4] == b"\x89PNG" and len(box.controls) == 6
    usd = cm.compare(OPTIONS, WORK, on=ON, draws=200)["expected"].iloc[0]
    assert headline_usd(box) == round(usd, 2)


def test_a_move_changes_picture_and_number(box):
    image, headline = box.image.value, box.headline.value
    box.controls[VOLUME].slider.value = 2_345_678
    assert box.image.value != image and box.headline.value != headline
    assert box.controls[VOLUME].box.value == "2,350,000"  # the number shown is the number used
    moved = cm.uncertainty.pin(WORK, VOLUME, 2_350_000.0)
    table = cm.compare(OPTIONS, moved, on=ON, draws=200)
    assert (
        headline_usd(box) == round(table["expected"].iloc[0], 2)
        and table.index[0] in box.headline.value
    )
    assert box.verdict.table["p90"].to_dict() == table["p90"].to_dict()


def test_typing_moves_the_slider(box):
    control = box.controls[VOLUME]
    control.box.value = "1_000_000"
    assert (
        control.slider.value == pytest.approx(1_000_000, rel=0.02)
        and control.value == 1_000_000
        and not control.error.value
    )
    control.slider.value *= 1.000_01  # the page's echo of the slider's step is not a move
    assert control.value == 1_000_000 and control.box.value == "1_000_000"
    control.box.value = "90,000,000"  # beyond the slider, and still a workload
    assert (
        control.value == 90_000_000
        and control.slider.value == pytest.approx(control.limits.high)
        and not greyed(box)
    )


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        (VOLUME, "many", "must be a number, such as 300,000"),
        (VOLUME, "-5", "allowed is at least"),
        (VOLUME, "nan", "must be a number"),
        ("Terms.months", "400", "allowed is a whole number between 1 and 120"),
        ("Terms.months", "1.5", "allowed is a whole number between 1 and 120"),
        ("Workload.growth_per_year", "-3", "allowed is at least -1"),
    ],
)
def test_an_error_greys_the_picture_and_speaks_beside_its_control(box, key, typed, said):
    image = box.image.value
    box.controls[key].box.value = typed
    assert greyed(box) and box.image.value == image
    assert said in box.controls[key].error.value and not any(
        c.error.value for c in box.controls.values() if c.key != key
    )
    assert "No answer" in box.headline.value  # never an old number as new
    other = next(k for k in box.controls if k != key)
    box.controls[other].slider.value *= 1.1
    assert (
        greyed(box)
        and said in box.controls[key].error.value
        and not box.controls[other].error.value
    )
    box.reset()
    assert (
        not greyed(box)
        and not box.controls[key].error.value
        and "No answer" not in box.headline.value
    )
    assert box.image.value == image


def test_an_error_of_the_model_is_shown_beside_what_was_moved(box, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr(widgets, "recommend", fail)
        box.controls[VOLUME].slider.value = 1e6
        assert greyed(box) and "ZeroDivisionError: no such luck" in box.controls[VOLUME].error.value
    box.controls[VOLUME].slider.value = 2e6
    assert not greyed(box) and not box.controls[VOLUME].error.value


def test_quality_floor_filters():
    """RAG reaches 45 % in all but one draw of a hundred, the cheaper Cascade in two of three."""
    quality = {"RAG": cm.Range(0.5, 0.7), "Cascade": cm.Range(0.35, 0.6), "LoRA": 0.2}
    options = cm.presets(WORK, on=ON, only=list(OPTIONS), quality=quality)
    box = widgets.explore(options, WORK, draws=200, on=ON, quality_floor=0.45)
    table = box.verdict.table
    assert box.verdict.best == "RAG" and "sure to reach 45 %" in box.headline.value
    assert set(table.index[~table["eligible"]]) == {"Cascade", "LoRA"}
    assert table["expected"].idxmin() == "Cascade"
    box.controls["quality_floor"].slider.value = 0.62
    assert box.verdict.best is None and "Do not choose yet: RAG has" in box.headline.value
    assert re.search(r"judge \d+ answers of RAG first", box.headline.value)
    assert "RAG: USD" in box.headline.value and "Cascade is best while" in box.headline.value
    box.controls["quality_floor"].box.value = "1.2"
    assert greyed(box) and "allowed is between 0 and 1" in box.controls["quality_floor"].error.value
    box.controls["quality_floor"].box.value = "0.99"
    assert not greyed(box) and "no option is likely to reach your 99 %" in box.headline.value
    assert "the nearest, RAG, has 61 %" in box.headline.value  # the best answers, not the cheapest


def test_any_input_can_have_a_slider():
    box = widgets.explore(
        OPTIONS, WORK, sliders=["rag.top_k", "engineer.usd_per_hour"], draws=200, on=ON
    )
    assert list(box.controls) == ["rag.top_k", "engineer.usd_per_hour"]
    box.controls["engineer.usd_per_hour"].box.value = "90"
    terms = cm.Terms(on=ON)
    options, terms = cm.uncertainty.pin(
        (tuple(OPTIONS.values()), terms), "engineer.usd_per_hour", 90.0
    )
    table = cm.compare(dict(zip(OPTIONS, options, strict=True)), WORK, terms=terms, draws=200)
    assert headline_usd(box) == round(table["expected"].iloc[0], 2)
    with pytest.raises(cm.facts.CatalogError, match="did you mean"):
        widgets.explore(OPTIONS, WORK, sliders=["rag.top_kk"], on=ON)
    with pytest.raises(cm.facts.CatalogError, match="did you mean 'lifecycle'"):
        widgets.explore(OPTIONS, WORK, show="life cycle", on=ON)


def test_untouched_inputs_keep_their_doubt(box):
    wide = box.verdict.table.loc["RAG", "p90"]
    box.more.selected_index = 0  # the folded inputs are made when they are first looked at
    assert len(box.controls) > 30 and box.fold.children
    box.controls["engineer.usd_per_hour"].slider.value = 130
    assert box.verdict.table.loc["RAG", "p90"] != wide


@pytest.mark.parametrize("show", widgets.HEIGHTS)
def test_every_view_draws(show):
    box = widgets.explore(OPTIONS, WORK, draws=50, on=ON, show=show)
    before = box.image.value
    box.controls[VOLUME].slider.value = 3e6
    assert box.image.value != before and not greyed(box)


def test_the_last_of_many_moves_wins():
    asked = []

    async def drag() -> None:
        later = widgets.Later(lambda: asked.append(position[0]), delay_s=0.01)
        for position[0] in range(20):
            later()
        await asyncio.sleep(0.05)

    position = [0]
    asyncio.run(drag())
    assert asked == [19]


def test_quick_answer():
    box = quick_answer(draws=200, on=ON)
    mine = cm.compare(
        *cm.choices.quick("Support assistant", box.model.value, on=ON), months=36, draws=200
    )
    assert box.verdict.table["expected"].to_dict() == mine["expected"].to_dict()
    before = box.headline.value
    box.use_case.value = "Document extraction"
    assert box.unit.value == "pages" and box.headline.value != before and not box.error.value
    box.requests.value = -1
    assert "at least" in box.error.value and "costmodel-failed" in box.headline._dom_classes
    box.requests.value = 100
    assert not box.error.value and "costmodel-failed" not in box.headline._dom_classes


def test_quick_answer_from_a_bill():
    box = quick_answer(draws=200, on=ON)
    box.bill.value = 7_750
    box.knows.value = True
    assert box.bill.layout.display == "" and box.requests.layout.display == "none"
    today = box.verdict.table.loc["Tokens alone"]  # with falling prices, less is expected
    assert today["base_case"] / 36 == pytest.approx(7_750) and today["per_month"] < 7_750
    box.bill.value = 0
    assert "usd_per_month is 0" in box.error.value


def test_every_model_on_the_list_has_a_price():
    for model in cm.choices.MODELS:
        assert cm.facts.api_price(model, on=ON).tiers
    with pytest.raises(cm.facts.CatalogError):
        quick_answer(model="gpt-6.1-tera")
