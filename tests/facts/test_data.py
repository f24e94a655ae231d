"""Every row of data/ has a unit, a date and a source, and its record carries them."""

import csv
import dataclasses
import re
from datetime import UTC, date, datetime

import pytest

from costmodel.core.glossary import GLOSSARY
from costmodel.core.ranges import Range
from costmodel.facts import catalog
from costmodel.facts.records import Rent

ROWS = [row for _, row in catalog.facts().iterrows()]
FACT_FILES = [file for file in catalog.files() if file not in catalog.RECORDS]
TODAY = datetime.now(UTC).date()


def loaded(file):
    """{id: {field: (value, source)}} of what the catalogue hands out today."""
    found = {}
    if file in FACT_FILES:
        for fact in catalog.facts_of(file).values():
            found.setdefault(fact.id, {})[fact.field] = (fact.value, dict(fact.sources)[fact.field])
        return found
    for id, record in getattr(catalog, file)().items():
        found[id] = {field: (getattr(record, field), source) for field, source in record.sources}
    return found


LOADED = {file: loaded(file) for file in catalog.files()}


def test_there_is_a_row_for_every_promised_kind():
    assert len(ROWS) > 1_500
    assert set(catalog.RECORDS) <= set(catalog.files())
    assert {"practice", "residency", "own", "carbon"} <= set(FACT_FILES)


@pytest.mark.parametrize("file", catalog.files())
def test_every_row_has_the_unit_of_the_glossary_a_date_and_a_source(file):
    known = catalog.sources()
    for row in (r for r in ROWS if r.file == file):
        where = f"{file}: {row.id}.{row.field}"
        assert row.unit == GLOSSARY[row.field].unit, where
        assert date.fromisoformat(row.as_of) <= TODAY, where
        assert row.source in known, where


@pytest.mark.parametrize("file", catalog.files())
def test_every_row_reaches_a_record_that_carries_its_value_and_source(file):
    newest = {}
    for row in (r for r in ROWS if r.file == file):
        key = (row.id, row.field)
        if key not in newest or row.as_of > newest[key].as_of:
            newest[key] = row
    withdrawn = {key for key, row in newest.items() if not row.value and not row.low >= 0}
    for id, field in withdrawn:
        assert newest.pop((id, field)).note and field not in LOADED[file].get(id, {})
    for (id, field), row in newest.items():
        value, source = LOADED[file][id][field]
        assert source == row.source, f"{file}: {id}.{field}"
        if isinstance(value, Range):
            assert value.source == row.source and value.why == row.note
            assert not row.value or value.mid == float(row.value)
            assert not row.low >= 0 or (value.low, value.high) == (row.low, row.high)
        elif row.unit in ("text", "date"):
            assert value == row.value
        elif row.unit == "flag":
            assert value is (row.value == "true")
        else:
            assert value == float(row.value)
    assert sum(map(len, LOADED[file].values())) == len(newest)


def test_a_rent_is_as_old_as_its_newest_offer():
    """The day of a row is that of the fact, not that on which somebody looked at it again."""
    for row in (r for r in ROWS if r.file == "rents" and r.value):
        offers = re.findall(r"20\d\d-\d\d-\d\d", row.note)
        assert not offers or row.as_of == max(offers), f"{row.id}: {row.note}"
        assert "re-read" not in row.note, row.id


CHEAPER_TERMS = ("on_demand", "reserved_12mo", "reserved_36mo")


@pytest.mark.parametrize("offer", sorted({id.rpartition(".")[0] for id in catalog.rents()}))
def test_spot_is_below_on_demand_and_the_longer_commitment_is_the_cheaper(offer):
    usd = {
        r.term: r.usd_per_gpu_hour
        for id, r in catalog.rents().items()
        if id[: -len(r.term) - 1] == offer
    }
    assert all(0 < x.low <= x.mid <= x.high for x in usd.values())
    mids = [usd[term].mid for term in CHEAPER_TERMS if term in usd]
    assert mids == sorted(set(mids), reverse=True)
    if {"spot", "on_demand"} <= usd.keys():
        assert usd["spot"].mid < usd["on_demand"].mid


def test_a_value_at_an_end_of_its_range_says_why():
    newest = {(row.file, row.id, row.field): row for row in sorted(ROWS, key=lambda r: r.as_of)}
    for where, row in newest.items():
        fitted = catalog.path_of(row.file).parent.name != "facts"
        ends = row.low, row.high
        if not fitted and row.low < row.high and row.value and float(row.value) in ends:
            assert "value" in row.note or "median" in row.note, where


IDLE = ("tests", "notebooks", "costmodel", "benchmarks")
BY_NAME = ("graphrag.entities_per_", "graphrag.relations_per_")  # asked for by a name that is made


def test_every_number_of_practice_is_used_by_something():
    """A row that nothing reads is no fact of this package."""
    root = catalog.data_folder().parent
    files = [p for f in IDLE for kind in ("py", "ipynb") for p in (root / f).rglob(f"*.{kind}")]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    for key in catalog.facts_of("practice"):
        field = key.rpartition(".")[2]
        asked = f'"{key}"' in text or (f'"{field}"' in text and f'practice("{field}")' in text)
        assert asked or f'\\"{key}\\"' in text or key.startswith(BY_NAME), key


def test_what_is_assumed_is_called_an_assumption():
    newest = {(row.file, row.id, row.field): row for row in sorted(ROWS, key=lambda r: r.as_of)}
    for where, row in newest.items():
        if re.search(r"middle (and \w+ end )?assumed|^from memory", row.note):
            assert row.source == "assumption", where


def test_most_offers_have_several_terms_to_compare():
    rents = catalog.rents().values()
    for term in ("spot", "reserved_12mo"):
        both = [
            r
            for r in rents
            if r.term == term and f"{r.gpu}.{r.channel}.on_demand" in LOADED["rents"]
        ]
        assert len(both) > 10


def test_an_older_row_is_read_at_its_date():
    older = [r for r in ROWS if r.id == "colo.us" and r.field == "usd_per_kw_month"]
    assert len(older) > 1
    for row in older:
        at = catalog.fact("own", "colo.us.usd_per_kw_month", on=row.as_of).value
        assert at.mid == float(row.value)


def test_no_source_is_an_orphan_and_each_is_complete():
    used = {row.source for row in ROWS} | {"measured"}  # of numbers from files of users
    for path in (catalog.data_folder() / "measured").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            used |= {row["source"] for row in csv.DictReader(file)}
    for id, source in catalog.sources().items():
        assert id in used, f"nothing uses the source {id}"
        assert source.title and source.publisher and source.licence, id
        assert date.fromisoformat(source.accessed) <= TODAY, id
        assert source.url.startswith("https://") or not source.url, id
        assert source.url or id in ("assumption", "derived", "measured", "lightrag-experiment"), (
            f"{id} has no address"
        )


def test_no_note_or_source_names_a_machine_or_registry():
    text = " ".join(f"{r.note} {r.id}" for r in ROWS) + str(catalog.sources())
    for word in ("/work", "/root", "/home", "/tmp", "localhost", "shared/", "artifactory"):
        assert word not in text


@pytest.mark.parametrize("record", [*catalog.RECORDS.values()], ids=lambda r: r.__name__)
def test_every_field_of_a_record_is_in_the_glossary(record):
    parts = ("gpu", "channel", "term") if record is Rent else ()
    for field in dataclasses.fields(record):
        assert field.name in GLOSSARY or field.name in ("id", "sources", *parts)


def test_shares_are_shares():
    for row in ROWS:
        if row.unit == "share" and row.field not in ("list_price_change",):
            assert all(0 < float(x) < 1 for x in (row.value, row.low, row.high) if x and x == x), (
                f"{row.id}.{row.field}"
            )
