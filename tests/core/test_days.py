"""The day that counts as today."""

from datetime import date

import pytest

import costmodel as cm
from costmodel.core import today


def test_a_day_that_is_named_counts_as_today(monkeypatch):
    monkeypatch.setenv("COSTMODEL_TODAY", "2026-11-05")
    assert today() == date(2026, 11, 5)
    assert cm.Terms().start == "2026-12-01" and cm.Api("gpt-4o").on == "2026-11-05"


@pytest.mark.parametrize("given", ["", "tomorrow", "2026-13-01", "20261201"])
def test_what_is_no_day_is_refused(monkeypatch, given):
    monkeypatch.setenv("COSTMODEL_TODAY", given)
    with pytest.raises(ValueError, match=r"COSTMODEL_TODAY is '.*', it must be a day such as"):
        cm.Terms()
