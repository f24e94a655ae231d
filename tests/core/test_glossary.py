"""The glossary: units, meanings and bounds of names, read from data/glossary.csv."""

import csv
from dataclasses import make_dataclass

import pytest

from costmodel.core.checks import validate
from costmodel.core.glossary import GLOSSARY, data_folder, entry, limits, meaning_of, unit_of


def test_every_name_has_a_unit_a_meaning_and_bounds():
    for name, line in GLOSSARY.items():
        assert name.rpartition(".")[-1].islower() and line.unit and line.meaning, name
        assert line.least < line.most, name


def test_no_name_stands_there_twice():
    with (data_folder() / "glossary.csv").open(encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    fields = [name for name in names if not name.startswith("#") and not name.endswith(".*")]
    assert sorted(GLOSSARY) == sorted(fields)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("hit_rate", (0, 1)),
        ("growth_per_year", (-1, 1000)),
        ("log_odds", (-50, 50)),
        ("usd_per_hour", (0, float("inf"))),
        ("overlap", (0, 0.9)),  # bounds of its own
        ("mfu", (1e-6, 1)),  # it divides something, and its unit has the upper bound
        ("a_name_of_your_own", (0, float("inf"))),
    ],
)
def test_bounds_are_those_of_the_name_or_of_its_unit(name, bounds):
    assert limits(name) == bounds


def test_a_class_can_have_a_meaning_of_its_own():
    assert unit_of("Trends.gpu") == "share/year" and unit_of("Hosted.gpu") == "record"
    assert meaning_of("Rag.hit_rate") == meaning_of("hit_rate") == entry("hit_rate").meaning
    assert unit_of("Rag.no_such_field") == meaning_of("no_such_field") == ""


def test_what_lies_outside_the_bounds_is_refused_with_the_bounds():
    chunks = make_dataclass("Chunks", ["overlap"], frozen=True)
    validate(chunks(0.9))
    with pytest.raises(ValueError, match=r"Chunks.overlap is 0.95, allowed is between 0 and 0.9"):
        validate(chunks(0.95))
