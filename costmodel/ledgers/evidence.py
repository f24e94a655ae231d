"""Where a number comes from: the formula of a line with its numbers, and the source of each."""

from __future__ import annotations

from typing import Any

from costmodel.choices.purchases import Line
from costmodel.choices.quality.accepted import readers_together
from costmodel.choices.servings.api import catalogue_card
from costmodel.core import key_of, meaning_of, number_text, objects, owner_of, unit_of, walk
from costmodel.facts import catalog
from costmodel.facts.prices import ApiPrice

YOURS = ("Workload", "Corpus", "QuestionMix", "Seasons")  # what only the user can know


def meanings(*things: Any) -> dict[str, str]:
    """What each input of these means, by its key."""
    return {
        key_of(owner, name, value): meaning_of(f"{type(owner).__name__}.{name}")
        for owner, name, value in walk(things)
    }


class Evidence:
    """Looks up what lines cite: the value of "owner.field" in some things, and its source."""

    def __init__(self, *things: Any) -> None:
        self.values: dict[str, list[Any]] = {}  # parts of a mix may have different ones
        self.sources: dict[str, str] = {}
        self.changed: set[str] = set()  # fields of records that are not what the data says
        for owner, name, value in walk(things):
            key = f"{owner_of(owner)}.{name}"
            known = self.values.setdefault(key, [])
            if value not in known:
                known.append(value)
            if getattr(value, "source", ""):
                self.sources.setdefault(key, value.source)
        for record in (x for x in objects(things) if hasattr(x, "sources") and hasattr(x, "id")):
            changed = _differences(record, published_as(record))
            parts = (record, *getattr(record, "tiers", ()))  # a price card cites by its tiers
            cited = {f"{part.id}.{name}": s for part in parts for name, s in record.sources}
            self.sources = cited | dict.fromkeys(changed, "yours") | self.sources
            self.changed |= changed

    def basis(self, line: Line) -> str:
        """The formula of a line with the numbers of its cited fields: "USD 123 [93 to 173]"."""
        shown = {
            key.rsplit(".", 1)[-1]: " or ".join(_shown(key, value) for value in self.values[key])
            for key in line.cites
            if key in self.values
        }
        return line.basis.format_map(shown).replace(" x ", " × ")

    def of(self, key: str) -> str:
        """The source of one input: an id of data/facts/sources.csv, "yours" or "assumption"."""
        return self.sources.get(key) or ("yours" if key.split(".")[0] in YOURS else "assumption")

    def cited(self, line: Line) -> list[str]:
        """The sources of a line, each once."""
        return list(dict.fromkeys(self.of(key) for key in line.cites))


def published_as(record: Any) -> Any:
    """A record as the data has it, or None when the data does not know it."""
    if isinstance(record, ApiPrice):
        return catalogue_card(record)
    if isinstance(record, catalog.Reader):  # with the driver that all of them follow
        return {reader.id: reader for reader in readers_together()}.get(record.id)
    files = {kind: file for file, kind in catalog.RECORDS.items()}
    file = files.get(type(record))
    return getattr(catalog, file)().get(record.id) if file else None


def _differences(record: Any, published: Any) -> set[str]:
    """The numbers of a record that differ from the published ones, as "owner.field".

    A record that the data does not know is the user's own, unless it brings its sources (data of
    another folder).
    """
    if published is None and record.sources:
        return {f"{record.id}.{name}" for name, source in record.sources if source == "yours"}
    return {key for key, _ in _numbers(record) - _numbers(published)}


def _shown(key: str, value: Any) -> str:
    """A number in a formula: money says so, and a range stands in brackets of its own."""
    text = number_text(value).replace("(", "[").replace(")", "]")
    return f"USD {text}" if unit_of(key).startswith("USD") else text


def _numbers(x: Any) -> set[tuple[str, Any]]:
    return {(f"{owner_of(owner)}.{name}", value) for owner, name, value in walk(x)}


def describe(source: str) -> str:
    """A source for a reader: its publisher, title and day, or that it is the user's or an
    assumption."""
    if source == "yours":
        return "your workload"
    if source in ("assumption", "measured"):
        return source
    found = catalog.cited(source)
    return f"{found.publisher}: {found.title}" + (f" ({found.accessed})" if found.accessed else "")
