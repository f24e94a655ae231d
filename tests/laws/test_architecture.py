"""A model that is not in the catalogue: given by as much of its architecture as is known."""

import pytest

import costmodel as cm
from costmodel.core.errors import CatalogError

WORK = cm.Workload(100_000, input_tokens=1_000, output_tokens=200)


@pytest.mark.parametrize(
    "name",
    ["llama-2-7b", "llama-3.1-8b", "llama-3.1-70b", "qwen2.5-7b", "qwen2.5-32b", "mistral-7b-v0.3"],
)
def test_the_rule_is_near_the_models_that_are_known(name):
    known = cm.facts.model(name)
    guess = cm.own_model("guess", known.parameters)
    assert guess.layers == pytest.approx(known.layers, rel=0.25) and guess.hidden == pytest.approx(
        known.hidden, rel=0.4
    )  # Qwen's blocks are wide for their width
    assert guess.heads * guess.head_size == pytest.approx(
        guess.hidden, rel=0.02
    ) and guess.heads % guess.kv_heads in range(guess.kv_heads)


def test_a_tune_of_an_own_model_costs_what_its_parameters_say_and_ends_with_it():
    def book(model):
        return cm.ledger(
            cm.Option(cm.Hosted(model, gpu="H100-SXM"), cm.Lora()),
            WORK,
            base_case=True,
            terms=cm.Terms(start="2026-11-25", months=24),
        )

    small, large = (book(cm.own_model("house", n)) for n in (3e9, 14e9))
    item = "the run that passes"
    assert small[small["item"] == item].usd.sum() < large[large["item"] == item].usd.sum()
    ends = book(cm.own_model("house", 9e9, retired="2027-03-01"))
    assert ends[ends["phase"] == "migration"]["month"].unique().tolist() == [5]


def test_the_register_tells_what_you_gave_from_what_is_guessed():
    option = cm.Option(cm.Hosted(cm.own_model("house", 9e9, layers=40), gpu="H100-SXM"), cm.Lora())
    rows = cm.ledgers.register(option, WORK).set_index("input")
    assert {n: rows.source[f"house.{n}"] for n in ("parameters", "layers", "hidden")} == {
        "parameters": "yours",
        "layers": "yours",
        "hidden": "assumption",
    }
    assert not rows.default["house.layers"] and rows.default["house.hidden"]


def test_what_is_known_is_kept():
    mine = cm.own_model(
        "house",
        30.5e9,
        active_parameters=3.3e9,
        experts=128,
        experts_per_token=8,
        expert_ffn=768,
        layers=48,
        hidden=2_048,
        vocab=151_936,
    )
    assert (mine.active_parameters, mine.layers, mine.hidden, mine.vocab, mine.experts) == (
        3.3e9,
        48,
        2_048,
        151_936,
        128,
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (dict(id="house", parameters=9), ValueError, "parameters is 9, allowed is at least"),
        (dict(id="house", parameters="9B"), ValueError, "must be a number"),
        (dict(id="", parameters=9e9), ValueError, "the id is ''"),
        (dict(id="house", parameters=9e9, layer=3), CatalogError, "did you mean 'layers'"),
        (
            dict(id="house", parameters=9e9, layers=2.5),
            ValueError,
            "layers is 2.5, it must be whole",
        ),
        (
            dict(id="house", parameters=9e9, active_parameters=10e9),
            ValueError,
            "active_parameters is",
        ),
        (
            dict(id="house", parameters=30e9, active_parameters=3e9),
            CatalogError,
            "give its experts",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments, error, words):
    with pytest.raises(error, match=words):
        cm.own_model(**arguments)
