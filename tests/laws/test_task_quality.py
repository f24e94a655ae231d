"""Laws of quality by task: cascades and composition beside what is published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costmodel.laws import escalation, task_quality

share = st.floats(0.05, 0.95)


@pytest.mark.parametrize(
    ("escalated", "auc", "published"),
    [
        (0.3, 0.50, 0.669),
        (0.3, 0.75, 0.701),
        (0.3, 0.85, 0.717),
        (0.3, 0.90, 0.728),
        (0.5, 0.75, 0.739),
        (0.5, 0.90, 0.770),
    ],
)
def test_a_cascade_meets_the_published_ones(escalated, auc, published):
    assert escalation.cascade_right(0.62, 0.78, escalated, auc, 0.75) == pytest.approx(
        published, abs=0.015
    )


@given(share, share, st.floats(0, 1))
def test_a_signal_without_knowledge_mixes_both(small, large, escalated):
    mixed = escalated * large + (1 - escalated) * small
    assert escalation.cascade_right(small, large, escalated, 0.5, 0.7) == pytest.approx(
        mixed, abs=1e-3
    )


@given(share, st.floats(0.55, 0.95))
def test_a_loading_gives_its_auc_back(right, auc):
    loading = escalation.signal_loading(auc, right)
    assert escalation.signal_auc(loading, right) == pytest.approx(auc, abs=5e-3)


@given(share, share, share, share)
def test_what_is_composed_lies_between_reading_and_what_survives(found, read, closed, survives):
    right = task_quality.composed(found, read, closed, survives)
    assert min(read, closed * survives) - 1e-9 <= right <= max(read, closed * survives) + 1e-9
