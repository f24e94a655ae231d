"""Bills: each export in its own units, signs and currency."""

import json

import pytest

import costmodel as cm
from costmodel.core import CatalogError


def test_cents_as_texts_are_dollars(write):
    result = {"amount": "123.45", "currency": "USD", "description": "x", "cost_type": "tokens",
              "token_type": "output_tokens", "model": "claude-opus-5"}  # fmt: skip
    page = {"data": [{"starting_at": "2026-10-01T00:00:00Z", "results": [result]}]}
    assert cm.ingest.read_bill(write("b.json", page)).usd == pytest.approx(1.2345, abs=1e-12)


def test_the_console_names_models_and_classes(write):
    header = "usage_date_utc,model,workspace,api_key,usage_type,token_type,cost_usd,list_price_usd"
    rows = [
        ["2026-10-03", "Claude Haiku 4.5", "D", "k", "message", "input_no_cache", 0.05, 1],
        ["2026-10-03", "Claude Haiku 4.5", "D", "k", "message", "input_cache_write_1h", 0.02, 1],
        ["2026-10-03", "", "D", "k", "message", "web_search", 0.01, 1],
    ]
    table = cm.ingest.read_bill(write("b.csv", (header, rows))).table
    assert table["kind"].tolist() == ["input", "cache_write_1h", "fee"]
    assert set(table["model"]) == {"claude-haiku-4-5", ""}


def test_clouds(write):
    azure = "Date,MeterName,Quantity,Cost,BillingCurrency,UnitOfMeasure,ResourceGroup"
    aws = (
        "line_item_usage_type,line_item_unblended_cost,line_item_usage_amount,"
        "line_item_usage_start_date,line_item_line_item_type,line_item_currency_code"
    )
    google = [{"usage_start_time": "2026-10-01T00:00:00Z", "cost": 9.0, "currency": "USD",
               "sku": {"description": "Gemini 2.5 Flash Text Output - Predictions"},
               "credits": [{"amount": -2.0}]}]  # fmt: skip
    day, item = "2026-10-01T00:00:00Z", "gpt 4o cached Inp glbl Tokens"
    nova = ["USE1-NovaPro-output-token-count", 2, 5, day, "Usage", "USD"]
    paths = [
        write("a", (azure, [["10/02/2026", item, 3, 1.5, "USD", "1K", "g"]])),
        write("b", (aws, [nova, ["", 0.4, 1, day, "Tax", "USD"]])),
        write("c", google),
    ]
    table = cm.ingest.read_bill(paths).table
    assert table["kind"].tolist() == ["cache_read", "output", "tax", "output", "discount"]
    assert table["usd"].sum() == pytest.approx(10.9)
    assert table["day"].tolist()[0] == "2026-10-02"
    assert table["quantity"].tolist()[0] == 3_000


def test_focus_with_nulls(write):
    header = "ChargePeriodStart,BilledCost,ChargeCategory,BillingCurrency,SkuMeter,SkuPriceDetails"
    details = json.dumps({"ModelId": "solora-pro"})
    rows = [["2025-01-01 00:00:00", 7.5, "Usage", "USD", "Cache Write Input Tokens", details],
            ["2025-01-01 00:00:00", 1.0, "Tax", "USD", "NULL", "NULL"]]  # fmt: skip
    table = cm.ingest.read_bill(write("f.csv", (header, rows))).table
    assert table[["model", "kind"]].values.tolist() == [
        ["solora-pro", "cache_write_5m"],
        ["", "tax"],
    ]


def test_another_currency_needs_its_rate(write):
    path = write(
        "b.csv", ("start_time,amount_value,amount_currency,line_item", [[1.79e9, 2, "eur", ""]])
    )
    with pytest.raises(ValueError, match="the bill is in EUR; give usd_per_unit="):
        cm.ingest.read_bill(path)
    assert cm.ingest.read_bill(path, usd_per_unit=1.1).usd == pytest.approx(2.2)
    with pytest.raises(CatalogError, match=r"b\.csv: this is no usage"):
        cm.ingest.read(path)
    own = cm.ingest.read_bill(path, columns={"amount": "amount_value"})
    assert own.usd == 2
