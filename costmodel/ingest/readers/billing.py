"""Bills: exports of costs of providers and clouds, and the open format FOCUS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from costmodel.ingest.reader import Reader, fields
from costmodel.ingest.readers.exports import buckets, holds

UNIT_TOKENS = {"1000_tokens": 1e3, "1K": 1e3, "1M": 1e6, "1000000 Tokens": 1e6}


def _openai(doc: dict, memory: dict) -> Iterator[dict]:
    """Rows of costs; what is counted in thousands becomes tokens."""
    for row in buckets(doc, memory) if "data" in doc else [doc]:
        yield _in_tokens(row, "quantity", str(row.get("quantity_unit")))


def _azure(doc: dict, memory: dict) -> Iterator[dict]:
    """A row of Azure: the date is month/day/year, the quantity in thousands or millions."""
    month, _, rest = doc["Date"].partition("/")
    day, _, year = rest.partition("/")
    row = doc | {"Date": f"{year}-{month}-{day}"} if year else doc
    yield _in_tokens(row, "Quantity", str(doc.get("UnitOfMeasure")))


def _in_tokens(row: dict, name: str, unit: str) -> dict:
    factor = UNIT_TOKENS.get(unit, 1.0)
    return row | {name: float(row[name]) * factor} if row.get(name) and factor != 1 else row


def _google(doc: dict, memory: dict) -> Iterator[dict]:
    """A row of the BigQuery export, with the sum of its credits."""
    credits = doc.get("credits") or []
    credits = json.loads(credits) if isinstance(credits, str) else credits
    yield doc | {"credit": sum(float(c["amount"]) for c in credits)}


def _focus(doc: dict, memory: dict) -> Iterator[dict]:
    """A row of FOCUS; the model stands in the details of its price, "NULL" is nothing."""
    row: dict[str, Any] = {k: None if v == "NULL" else v for k, v in doc.items()}
    details = json.loads(row.get("SkuPriceDetails") or "{}")
    row["model"] = details.get("x_ModelId") or details.get("ModelId")
    start = str(row["ChargePeriodStart"])
    yield row | {"ChargePeriodStart": start.replace(" ", "T")}


OPENAI = """
time      start_time@s
provider  =openai
item      line_item
team      project_id
amount    amount_value
          amount/value
currency  amount_currency
          amount/currency
quantity  quantity
"""
ANTHROPIC = """
time      usage_date_utc
          starting_at
provider  =anthropic
model     model
item      token_type
          cost_type
          description
team      workspace
          workspace_id
amount    cost_usd
          amount@cents
currency  currency
"""
GOOGLE = """
time      usage_start_time
provider  =google
item      sku/description
          sku.description
team      project/id
          project.id
amount    cost
credit    credit
currency  currency
quantity  usage/amount
          usage.amount
"""
AZURE = """
time      Date
provider  =azure
item      MeterName
team      ResourceGroup
amount    Cost
          CostInBillingCurrency
currency  BillingCurrency
quantity  Quantity
"""
AWS = """
time      line_item_usage_start_date
provider  =aws
item      line_item_usage_type
kind      line_item_line_item_type
amount    line_item_unblended_cost
currency  line_item_currency_code
quantity  line_item_usage_amount
"""
FOCUS = """
time      ChargePeriodStart
provider  ProviderName
          ServiceProviderName
model     model
item      SkuMeter
          ChargeDescription
kind      ChargeCategory
team      SubAccountName
amount    BilledCost
currency  BillingCurrency
quantity  ConsumedQuantity
"""
READERS = [
    Reader(name, needs, fields(table), "bill", rows=rows, fits=fits)
    for name, needs, table, rows, fits in (
        ("the OpenAI costs API", "data/0/start_time", OPENAI, _openai, holds("amount")),
        ("the OpenAI cost CSV", "start_time, amount_value, line_item", OPENAI, _openai, None),
        ("the Anthropic console CSV of costs", "usage_date_utc, token_type, cost_usd", ANTHROPIC,
         None, None),
        ("the Anthropic admin API of costs", "data/0/starting_at", ANTHROPIC, buckets,
         holds("amount")),
        ("the Google Cloud billing export", "usage_start_time, cost", GOOGLE, _google, None),
        ("the Azure cost export", "Date, MeterName, Quantity", AZURE, _azure, None),
        ("the AWS cost and usage report", "line_item_usage_type, line_item_unblended_cost", AWS,
         None, None),
        ("a FOCUS export", "ChargePeriodStart, BilledCost, ChargeCategory", FOCUS, _focus, None),
    )
]  # fmt: skip
