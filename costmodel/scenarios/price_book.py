"""A book of prices of your own: a CSV with what a contract gives off the list, model by model."""

from __future__ import annotations

from dataclasses import replace
from os.path import isfile
from pathlib import Path
from typing import Any

from costmodel.choices.options import each_priced
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study
from costmodel.core import CatalogError, check, check_known, in_words, public, read_rows, require
from costmodel.facts.cards import DISCOUNT_MAX
from costmodel.facts.pricelist import find
from costmodel.facts.prices import CLASSES, Rates, said_why

PRICES = tuple(field for field, _ in CLASSES.values())
TEXTS = ("model", "provider", "note")
COLUMNS = (*TEXTS, "discount", "window", *PRICES)
Row = dict[str, Any]  # what a line of the book says: its numbers by column, and its note


@public
def with_price_book(study: Study, book: str | Path) -> Study:
    """The study with every API at the prices of a contract: also judges, teachers and fallbacks.

    Parameters
    ----------
    study : Study
        Models that the book does not have stay at the list price.
    book : str or Path
        A CSV with the columns `model`, and `provider` where several sell it. A row gives `discount`
        off every class [share], or prices such as `usd_per_mtok_in` [USD/Mtok] of the base tier;
        what it leaves open is scaled as its input price is, in every context tier. `window` is the
        context window [token], and `note` why a price lies outside 0.001 to 1,000 USD/Mtok.

    Returns
    -------
    Study

    Raises
    ------
    CatalogError
        When the file, a column or a model is not known; the message names the nearest.
    ValueError
        When a number is outside its range, or a row says nothing, or a discount and prices.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import costmodel as cm
    >>> with TemporaryDirectory() as folder:
    ...     book = Path(folder) / "contract.csv"
    ...     _ = book.write_text("model,discount\\ngpt-6.1-terra,0.2\\n", encoding="utf-8")
    ...     ours = with_price_book(cm.load("support_assistant"), book)
    >>> ours.options["Prompt"].serving.discount
    0.2
    """
    rows = _read(Path(book))

    def at_contract(serving: Any) -> Any:
        if not isinstance(serving, Api):  # provisioned units, whose overflow is paid by the token
            return replace(serving, api=at_contract(serving.api))
        if serving.fallback is not None:
            serving = replace(serving, fallback=at_contract(serving.fallback))
        row = rows.get((serving.provider, serving.model.id))
        return _priced(serving, row) if row else serving

    options = {label: each_priced(o, at_contract) for label, o in study.options.items()}
    return replace(study, options=options)


def _priced(api: Api, row: Row) -> Api:
    """The API at the prices of its row."""
    if "window" in row:
        api = replace(api, window_tokens=row["window"])
    if "discount" in row:
        return replace(api, discount=row["discount"])
    if given := {field: row[field] for field in PRICES if field in row}:
        base = api.model.tiers[0]
        tiers = tuple(_scaled(tier, base, given) for tier in api.model.tiers)
        notes = (*api.model.notes, *said_why(row["note"]))
        return replace(api, model=replace(api.model, tiers=tiers, notes=notes))
    return api


def _scaled(tier: Rates, base: Rates, given: Row) -> Rates:
    """A tier with each class over its list price as in the base tier; others as the input price."""
    usual = _ratio(given, base, "usd_per_mtok_in") or 1.0
    prices = {}
    for field in PRICES:
        listed, ratio = getattr(tier, field), _ratio(given, base, field)
        if listed is not None:
            prices[field] = listed * (usual if ratio is None else ratio)
        elif field in given:
            prices[field] = given[field]
    return replace(tier, **prices)


def _ratio(given: Row, base: Rates, field: str) -> float | None:
    listed = getattr(base, field)
    return given[field] / listed if field in given and listed else None


def _read(path: Path) -> dict[tuple[str, str], Row]:
    """The rows by provider and model, as the price list names them."""
    if not isfile(path):
        raise CatalogError(f"no price book {in_words(str(path))}; write the path of a CSV file")
    lines = read_rows(path)
    check(lines, f"{path.name} has no rows; write a line of names, and one for each model")
    for column in lines[0]:
        check_known("column", column, COLUMNS, path.name)
    check("model" in lines[0], f"{path.name} has no column model; write the id of each model in it")
    found: dict[tuple[str, str], Row] = {}
    for number, line in enumerate(lines, start=2):
        where = f"{path.name} line {number}"
        check(line["model"], f"{where} has no model; write its id")
        seller, entry = find(line["model"], line.get("provider") or None)
        row = {}
        for name, text in line.items():
            if name in TEXTS or not text:
                continue
            try:
                row[name] = float(text)
            except ValueError:
                raise ValueError(
                    f"{where}: {name} is {in_words(text)}, it must be a number"
                ) from None
            most = {"discount": DISCOUNT_MAX}.get(name, float("inf"))
            require(f"{where}: {name}", row[name], int(name == "window"), most)
        prices = [name for name in row if name in PRICES]
        check(row, f"{where} says nothing of {entry.id}; give a discount, a price or a window")
        check(
            not (prices and "discount" in row),
            f"{where}: give the discount of {entry.id} or its prices, not both",
        )
        key = seller.id, entry.id
        check(key not in found, f"{where}: {entry.id} is there twice; leave one out")
        found[key] = row | {"note": line.get("note")}
    return found
