"""Families of tasks by their names, and the capability of every model that is offered."""

import pytest

import costmodel as cm
from costmodel.choices.presets import MODELS
from costmodel.choices.quality import tasks
from costmodel.facts import catalog


def test_plain_words_and_names_of_the_tables_mean_the_same():
    for plain, name in tasks.PLAIN_WORDS.items():
        assert tasks.family(plain.upper()) == tasks.family(name)
        assert tasks.family(f"mine (like {plain})") == tasks.family(name)


@pytest.mark.parametrize("model", [*MODELS, "gpt-6-sol", "meta.llama3-3-70b-instruct-v1:0"])
def test_every_model_that_is_offered_has_a_capability(model):
    index = cm.knowledge.capability_of(model)
    assert 0 < index.low <= index.mid <= index.high < 70


def test_a_misspelt_model_names_the_nearest():
    with pytest.raises(ValueError, match=r"gpt-6-lunar.*did you mean 'gpt-6-luna'"):
        cm.knowledge.capability_of("gpt-6-lunar")


def test_every_open_model_with_size_and_date_has_a_row_and_an_estimate_says_so():
    rows = catalog.facts_of("capability")
    for id, model in catalog.models().items():
        assert f"{id}.capability" in rows or not (model.parameters and model.released), id
    for key, fact in rows.items():
        if fact.field != "capability":
            continue
        estimated = dict(fact.sources)["capability"] == "capability-estimate"
        assert estimated == fact.value.why.startswith("no index published"), key
        assert not estimated or fact.value.high > 2 * fact.value.low or fact.value.mid > 25, key
