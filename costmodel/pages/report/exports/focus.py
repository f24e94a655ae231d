"""A study as a FOCUS 1.2 table: the forecast in the form in which FinOps reads bills."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from costmodel.choices.purchases import Line
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.core import MTOK, middle, objects, plain_cell, write
from costmodel.facts.pricelist import dated_list
from costmodel.facts.prices import ApiPrice
from costmodel.ledgers.book import lines_booked

COLUMNS = """
    AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType
    BillingCurrency BillingPeriodEnd BillingPeriodStart CapacityReservationId
    CapacityReservationStatus ChargeCategory ChargeClass ChargeDescription ChargeFrequency
    ChargePeriodEnd ChargePeriodStart CommitmentDiscountCategory CommitmentDiscountId
    CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus
    CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedCost
    ContractedUnitPrice EffectiveCost InvoiceId InvoiceIssuerName ListCost ListUnitPrice
    PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost
    PricingCurrencyListUnitPrice PricingQuantity PricingUnit ProviderName PublisherName RegionId
    RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName ServiceSubcategory
    SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName SubAccountType Tags
    x_Forecast x_Option x_Phase x_Item x_TokenType x_ModelId x_ModelProvider x_Treatment
    x_PriceList
""".split()
TOKENS = {  # the class of tokens of a line, as the draft of FOCUS calls it
    "fresh input": "Input",
    "cache read": "CacheRead",
    "cache write": "CacheWrite",
    "output": "Output",
    "reasoning": "Reasoning",
    "images": "ImageInput",
    "audio": "AudioInput",
}
SERVICES = {  # trend of the price: (ServiceCategory, ServiceSubcategory)
    "api": ("AI and Machine Learning", "Generative AI"),
    "gpu": ("Compute", "Virtual Machines"),
    "labour": ("Other", "Other (Other)"),
}
BOUGHT = {"api": "models", "gpu": "GPUs", "labour": "people", "service": "services"}  # by trend
OTHER = ("Management and Governance", "Other (Management and Governance)")
OURS = "costmodel forecast"


@analysis
def focus_table(study: Study) -> pd.DataFrame:
    """A study as FOCUS 1.2 rows: one for each option, month, line and class of tokens.

    Parameters
    ----------
    study : Study, or options with a workload
        What is written.

    Returns
    -------
    DataFrame
        The columns of FOCUS 1.2, as texts, and the keys of its draft for AI and others of ours in
        `x_` columns. Every row is a forecast: `x_Forecast` is "true", and there is no invoice. The
        option is the sub-account. `EffectiveCost` sums to the `expected` of `compare`.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> table = focus_table({"API": option}, work, months=2, draws=50)
    >>> table[["SubAccountName", "x_TokenType", "PricingUnit"]].drop_duplicates().values.tolist()
    [['API', 'Input', '1000000 Tokens'], ['API', 'Output', '1000000 Tokens']]
    """
    rows = []
    for label, booked in lines_booked(study).items():
        cards = [x for x in objects(study.options[label]) if isinstance(x, ApiPrice)]
        sellers = {tier.id: card for card in cards for tier in card.tiers}
        servings = [x for x in objects(study.options[label]) if isinstance(x, Api)]
        taken_off = {x.model.id: x.discount for x in servings}
        for each in booked.values():
            card = _seller(each.line, sellers)
            shared = _shared(label, each.line, card, study)
            off = float(middle(taken_off.get(card.id, 0.0))) if card else 0.0
            for month in np.flatnonzero(each.quantity).tolist():
                quantity, usd = float(each.quantity[month]), float(each.usd[month])
                amounts = _amounts(each.line, quantity, usd, off)
                rows.append(shared | amounts | _period(study, month))
    return pd.DataFrame([dict.fromkeys(COLUMNS, "") | row for row in rows], columns=COLUMNS)


@analysis
def focus(study: Study, path: str | Path) -> Path:
    """Write a study as a FOCUS 1.2 CSV.

    Parameters
    ----------
    study : Study, or options with a workload
        What is written.
    path : str or Path
        The file.

    Returns
    -------
    Path
        The file, with the rows of `focus_table`.

    Examples
    --------
    >>> import tempfile
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> path = Path(tempfile.mkdtemp()) / "focus.csv"
    >>> len(focus({"API": option}, work, path=path, months=2, draws=50).read_text().splitlines())
    5
    """
    return write(path, focus_table(study).to_csv(index=False, lineterminator="\n"))


def _seller(line: Line, sellers: dict[str, ApiPrice]) -> ApiPrice | None:
    """The price list by which a line is paid."""
    cited = (cite.rpartition(".")[0] for cite in line.cites)
    return next((sellers[x] for x in cited if x in sellers), None)


def _shared(label: str, line: Line, card: ApiPrice | None, study: Study) -> dict[str, str]:
    """What all months of a line have."""
    token = next((TOKENS[x] for x in TOKENS if line.item.endswith(f": {x}")), "")
    model, seller = (card.id, str(card.provider)) if card else ("", "")
    category, subcategory = SERVICES.get(line.trend, OTHER)
    sku = f"{line.phase}/{line.item}"
    details = {"x_TokenType": token, "x_ModelId": model, "x_ModelProvider": seller}
    provider = seller if token else OURS
    texts = {
        "BillingAccountId": OURS,
        "BillingAccountName": OURS,
        "BillingAccountType": "Forecast",
        "BillingCurrency": "USD",
        "PricingCurrency": "USD",
        "ChargeCategory": _category(line),
        "ChargeDescription": f"{label}: {line.item} ({line.phase}), forecast",
        "ChargeFrequency": _frequency(line),
        "InvoiceIssuerName": provider,
        "ProviderName": provider,
        "PublisherName": provider,
        "PricingCategory": "Standard",
        "ResourceId": f"{label}/{sku}",
        "ResourceName": line.item,
        "ResourceType": line.phase,
        "ServiceCategory": category,
        "ServiceSubcategory": subcategory,
        "ServiceName": model or _service(line),
        "SkuId": sku,
        "SkuMeter": line.item,
        "SkuPriceId": f"{sku}/{model or line.unit}",
        "SkuPriceDetails": json.dumps({k: v for k, v in details.items() if v}),
        "SubAccountId": label,
        "SubAccountName": label,
        "SubAccountType": "Option",
        "Tags": json.dumps({"phase": line.phase, "forecast": "true"}),
        "x_Forecast": "true",
        "x_Option": label,
        "x_Phase": line.phase,
        "x_Item": line.item,
        "x_TokenType": token,
        "x_ModelId": model,
        "x_ModelProvider": seller,
        "x_Treatment": line.treatment,
        "x_PriceList": f"{dated_list()}; on {study.terms.on or 'the day of each option'}",
    }
    return {name: plain_cell(text) for name, text in texts.items()}


def _service(line: Line) -> str:
    """What is bought for a phase: "build: people"."""
    return f"{line.phase}: {BOUGHT[line.trend]}" if line.trend in BOUGHT else line.phase


def _category(line: Line) -> str:
    if line.item == "value added tax":
        return "Tax"
    if line.item.startswith("discount of "):
        return "Credit"
    if line.phase in ("failures", "retirement"):  # nobody sends an invoice for them
        return "Adjustment"
    return "Usage"  # a Purchase would cover charges to come, and cost nothing itself


def _frequency(line: Line) -> str:
    once = {"once": "One-Time", "monthly": "Recurring", "every": "Recurring"}
    return once.get(line.schedule.kind, "Usage-Based")


def _unit(unit: str) -> str:
    """Hours, GPU-Hours, GB-Months: as FOCUS writes time."""
    return re.sub(r"(^|-)(hour|month|week)$", lambda x: x[1] + x[2].title() + "s", unit)


def _amounts(line: Line, quantity: float, usd: float, off: float) -> dict[str, str]:
    """Quantity, price and cost; `off` is the share that a contract takes off the list price.

    A credit is nothing at list prices. A tax has no quantity and no price.
    """
    tokens, category = line.unit == "Mtok", _category(line)
    cost, count = _text(usd), _text(quantity)
    listed = 0.0 if category == "Credit" else usd / (1 - off)
    found = {
        "BilledCost": cost,
        "EffectiveCost": cost,
        "ListCost": _text(listed),
        "ContractedCost": cost,
        "PricingCurrencyEffectiveCost": cost,
    }
    if category == "Tax":
        return found
    price, list_price = _text(usd / quantity), _text(listed / quantity)
    found |= {
        "ContractedUnitPrice": price,
        "ListUnitPrice": list_price,
        "PricingCurrencyContractedUnitPrice": price,
        "PricingCurrencyListUnitPrice": list_price,
        "PricingQuantity": count,
        "PricingUnit": "1000000 Tokens" if tokens else _unit(line.unit),
    }
    if category == "Usage":
        found["ConsumedQuantity"] = _text(quantity * MTOK) if tokens else count
        found["ConsumedUnit"] = "Tokens" if tokens else _unit(line.unit)
    return found


def _period(study: Study, month: int) -> dict[str, str]:
    names = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
    ends: Iterator[date] = (study.terms.date_of(month + k) for k in (0, 1, 0, 1))
    return {name: f"{day}T00:00:00Z" for name, day in zip(names, ends, strict=True)}


def _text(number: float) -> str:
    """A number in full precision, without an exponent."""
    return np.format_float_positional(number, trim="-")
