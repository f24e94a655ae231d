"""Two months of a bill: each part is what it is called, and the parts add up."""

import pandas as pd
import pytest

import costmodel as cm


def usage(*rows):
    columns = ["time", "model", "calls", "input", "session", "cache_read"]
    return cm.ingest.Usage.of(pd.DataFrame(rows, columns=columns).assign(output=0))


def parts(log):
    table = cm.history.between_months(log).set_index("step")["usd"]
    first, *middle, last = table
    assert first + sum(middle) == pytest.approx(last)
    return table.iloc[1:-1].round(9).to_dict()


def test_price_alone():
    log = usage(["2025-05-31", "o3", 10, 1e6, "", 0], ["2025-06-20", "o3", 10, 1e6, "", 0])
    assert parts(log) == {"volume": 0, "mix": 0, "size": 0, "price": -8}


def test_volume_mix_and_size():
    large, small = "gpt-4o", "gpt-4o-mini"
    before = [["2026-09-01", large, 10, 1e6, "", 0], ["2026-09-01", small, 10, 1e6, "", 0]]
    after = [["2026-10-01", large, 30, 6e6, "", 0], ["2026-10-01", small, 10, 1e6, "", 0]]
    log = usage(*before, *after)
    found = parts(log)
    assert found["volume"] == pytest.approx(2.65)  # twice the calls at 2.65 dollars for 20
    assert found["mix"] == pytest.approx(40 * (0.25 * 0.25 - 0.25 * 0.015))
    assert found["size"] == pytest.approx(6 * 2.5 - 30 * 0.25)


def test_waste_is_what_broken_caches_cost():
    calm = [
        ["2026-09-01T10:00:00Z", "gpt-4o", 1, 1e5, "a", 0],
        ["2026-09-01T10:01:00Z", "gpt-4o", 1, 0, "a", 1e5],
    ]
    broken = [
        ["2026-10-01T10:00:00Z", "gpt-4o", 1, 0, "b", 1e5],
        ["2026-10-01T10:30:00Z", "gpt-4o", 1, 1e5, "b", 0],
    ]
    found = parts(usage(*calm, *broken))
    assert found["waste"] == pytest.approx(1e5 * 1.25e-6)
    with pytest.raises(ValueError, match="of 1 month, two are needed"):
        cm.history.between_months(usage(*calm))
