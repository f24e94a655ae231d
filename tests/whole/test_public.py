"""The public names: they resolve, they are explained, and the glossary has all of their fields."""

import dataclasses
import inspect
import pickle
import re

import pytest

import costmodel as cm
from costmodel.choices import mixes, options, workload
from costmodel.choices.servings import api as apis
from costmodel.choices.servings import baselines, capacity, hosted, owned
from costmodel.choices.techniques import (
    agents,
    compliance,
    costs,
    distillation,
    graphs,
    knowledge,
    operations,
    prompting,
    release,
    retries,
    review,
    tuning,
    upgrades,
)
from costmodel.core import words
from costmodel.core.checks import validate
from costmodel.core.glossary import GLOSSARY, unit_of
from costmodel.core.nested import walk
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.studies import business_case

HOMES = (
    workload,
    options,
    apis,
    owned,
    hosted,
    capacity,
    baselines,
    business_case,
    prompting,
    retries,
    knowledge,
    graphs,
    tuning,
    distillation,
    operations,
    upgrades,
    release,
    compliance,
    agents,
    costs,
    review,
)
CLASSES = {
    c
    for m in HOMES
    for c in vars(m).values()
    if inspect.isclass(c) and dataclasses.is_dataclass(c) and c.__module__ == m.__name__
} - {
    options.Case,
    capacity.Capacity,
    capacity.Load,
    words.Currency,
    baselines._Baseline,
}  # handed to a technique, made inside, a parsed text: nothing that a user fills in
UNITS = {entry.unit for entry in GLOSSARY.values()}


TOP = """
    Workload Corpus QuestionMix Terms Range Measured Option Mix Part cascade Api Hosted Provisioned
    Prompt FewShot PromptCache SemanticCache SecondTry Rag GraphRag LongContext FineTune Lora
    Distill Agent CodingAgent Evals Release Monitoring Upgrades Compliance Cost Egress
    SecondRegion Review TokenSizes presets Study
    load compare recommend ledger explain breakeven sweep Infeasible own_api own_gpu own_model
    __version__
""".split()
FACES = {name: getattr(cm, name) for name in cm.FACES}
NAMES = [(cm, name) for name in cm.__all__] + [(f, n) for f in FACES.values() for n in f.__all__]
SECTIONS = ("Parameters", "Returns", "Raises", "Examples", "Columns")


def label(x):
    return x if isinstance(x, str) else x.__name__


def test_the_top_level_is_this_list():
    assert sorted(cm.__all__) == sorted(TOP)
    assert set(dir(cm)) == {*TOP, *FACES}


@pytest.mark.parametrize("name", FACES)
def test_a_face_is_the_table_of_contents_of_its_subject(name):
    face = FACES[name]
    words = set(re.findall(r"\w+", face.__doc__))
    assert set(face.__all__) <= words
    assert set(face.__all__) <= set(dir(face))


@pytest.mark.parametrize(("face", "name"), NAMES, ids=label)
def test_every_public_name_resolves_and_says_what_it_is(face, name):
    thing = getattr(face, name)
    if callable(thing):
        text = inspect.getdoc(thing)
        assert text and not text.startswith(f"{name}("), f"{name} has no docstring of its own"


@pytest.mark.parametrize(("face", "name"), NAMES, ids=label)
def test_every_public_function_documents_what_goes_in_and_comes_out(face, name):
    thing = getattr(face, name)
    if not inspect.isfunction(thing):
        return
    sections = set(re.findall(r"^([A-Z]\w+)\n-{4,}$", inspect.getdoc(thing), re.M))
    if inspect.signature(thing).parameters:
        assert "Parameters" in sections
    assert "Returns" in sections or inspect.signature(thing).return_annotation in ("None", None)


@pytest.mark.parametrize(("face", "name"), NAMES, ids=label)
def test_every_public_function_and_class_shows_an_example(face, name):
    """Pytest runs the examples themselves, with --doctest-modules."""
    thing = getattr(face, name)
    if callable(thing):
        assert re.search(r"^Examples\n-{8}\n(.*\n)*?>>> ", inspect.getdoc(thing), re.M)


@pytest.mark.parametrize(("face", "name"), NAMES, ids=label)
def test_every_public_callable_names_the_nearest_argument(face, name):
    thing = getattr(face, name)
    if not callable(thing) or (isinstance(thing, type) and issubclass(thing, Exception)):
        return
    if thing is cm.report.results:  # any name is a number there
        return
    with pytest.raises(TypeError, match=f"^no argument 'nonsens' in {thing.__name__}"):
        thing(nonsens=1)


def test_names_are_listed_and_others_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'comparee'; did you mean 'compare'"):
        cm.comparee  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no attribute 'gpu'; it is cm\.facts\.gpu"):
        cm.gpu  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'gpuu'; did you mean 'gpu'"):
        cm.facts.gpuu  # noqa: B018


WORK = cm.Workload(1e5, input_tokens=900, output_tokens=250)
ONE = cm.Option(cm.Api("gpt-6-sol", on="2026-11-20"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: cm.Workload(requests_per_mont=1),
            "no argument 'requests_per_mont' in Workload(...); did you mean 'requests_per_month'",
        ),
        (lambda: cm.Rag(topk=3), "no argument 'topk' in Rag(...); did you mean 'top_k'"),
        (lambda: dataclasses.replace(cm.Rag(), topk=3), "did you mean 'top_k'"),
        (lambda: cm.Option(ONE.serving, qualty=0.5), "did you mean 'quality'"),
        (
            lambda: cm.compare(ONE, WORK, drawz=10),
            "no argument 'drawz' in compare(...); did you mean 'draws'",
        ),
        (lambda: cm.ledger(ONE, WORK, month=10), "did you mean 'months'"),
        (lambda: cm.Corpus(), "Corpus: missing a required argument: 'tokens'"),
    ],
    ids=lambda x: x if isinstance(x, str) else None,
)
def test_a_misspelt_argument_is_an_error_with_the_nearest_name(call, said):
    with pytest.raises(TypeError, match=re.escape(said)):
        call()


@pytest.mark.parametrize(
    "run",
    [
        lambda **k: cm.compare(ONE, WORK, **k),
        lambda **k: cm.recommend({"a": ONE}, WORK, **k),
        lambda **k: cm.breakeven({"first": ONE, "second": ONE}, WORK, **k),
        lambda **k: cm.sweep(ONE, WORK, "requests_per_month", **k),
        lambda **k: cm.uncertainty.fan(ONE, WORK, **k),
        lambda **k: cm.uncertainty.p_cheaper({"first": ONE, "second": ONE}, WORK, **k),
    ],
)
@pytest.mark.parametrize(
    ("name", "value"), [("draws", 10**9), ("draws", -1), ("draws", 1.5), ("seed", "a")]
)
def test_wrong_draws_and_seeds_are_one_sentence_everywhere(run, name, value):
    with pytest.raises(
        ValueError, match=f"^{name} is {value!r}, allowed is a whole number between"
    ):
        run(**{"draws": 10, name: value})


def test_a_type_error_inside_a_call_is_left_as_it_is():
    with pytest.raises(TypeError, match="not iterable"):
        public(lambda: list(3))()


def test_public_names_pickle():
    assert (
        pickle.loads(pickle.dumps(cm.compare)) is cm.compare
        and pickle.loads(pickle.dumps(cm.ledger)) is cm.ledger
    )


def test_the_function_hides_the_module_of_its_name():
    import costmodel.ledgers.book  # noqa: F401

    assert callable(cm.ledger)


@pytest.mark.parametrize(
    "kind", sorted(CLASSES, key=lambda c: c.__name__), ids=lambda c: c.__name__
)
def test_every_field_is_in_the_glossary(kind):
    """A field without a unit is a field that nothing checks."""
    missing = [f.name for f in dataclasses.fields(kind) if not unit_of(f"{kind.__name__}.{f.name}")]
    assert missing == []


@pytest.mark.parametrize(
    "kind", sorted(CLASSES, key=lambda c: c.__name__), ids=lambda c: c.__name__
)
def test_every_class_is_frozen_and_explained(kind):
    assert kind.__dataclass_params__.frozen
    assert kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}(")


def test_every_default_range_says_where_it_comes_from():
    work = cm.Workload(1_000, input_tokens=100, corpus=cm.Corpus(tokens=1e6))
    for owner, name, value in walk((cm.presets(work, on="2026-11-01"), work, cm.Terms())):
        if isinstance(value, Doubt) and value.low < value.high:
            assert value.source or value.why, f"{type(owner).__name__}.{name}"


def test_every_number_of_a_technique_is_checked():
    """-7 is no value of any field that counts, lasts or is a share."""
    free = {"log-odds", "text", "date", "flag", "record"}
    for kind in CLASSES - {cm.choices.Trends, tuning.Tune}:
        for f in dataclasses.fields(kind):
            if (
                unit_of(f"{kind.__name__}.{f.name}") in free
                or not hasattr(kind, "__post_init__")
                or f.default is dataclasses.MISSING
            ):
                continue
            made = _example(kind)
            with pytest.raises((ValueError, cm.Infeasible), match=f.name):
                dataclasses.replace(made, **{f.name: -7})


def _example(kind):
    api = cm.Api("gpt-6.1-terra", on="2026-11-01")
    given = {
        workload.Corpus: {"tokens": 1e6},
        workload.Workload: {"requests_per_month": 10, "input_tokens": 5},
        apis.Api: {"model": api.model},
        hosted.Hosted: {"model": "llama-3.1-8b"},
        cm.Distill: {"teacher": api},
        cm.Cost: {"item": "fee", "usd": 1},
        cm.Review: {"checked_share": 0.1},
        mixes.Part: {"option": cm.Option(api)},
        mixes.Signal: {"signal_auc": 0.8},
        baselines.Staff: {"minutes_per_request": 4},
        baselines.Seats: {"seats": 5, "usd_per_seat_month": 20},
        baselines.Today: {"usd_per_month_today": 100},
    }
    return kind(**given.get(kind, {}))


def test_validate_uses_the_limits_of_the_unit():
    @dataclasses.dataclass(frozen=True)
    class Toy:
        hit_rate: object = 0.5
        growth_per_year: object = 0.0
        log_odds: object = -3.0
        ttl_s: object = None

    validate(Toy(), optional=("ttl_s",))
    for changes in (
        {"hit_rate": 1.1},
        {"growth_per_year": -1.1},
        {"ttl_s": -1},
        {"log_odds": "much"},
    ):
        with pytest.raises(ValueError, match=f"Toy.{next(iter(changes))} is"):
            validate(Toy(**changes), optional=("ttl_s",))


def test_units_of_rates_name_their_denominator():
    """A field usd_per_x is in USD/something, and a share is never in percent."""
    for name, entry in GLOSSARY.items():
        if name.startswith("usd_per_"):
            assert entry.unit.startswith("USD/"), name
        assert "%" not in entry.unit
