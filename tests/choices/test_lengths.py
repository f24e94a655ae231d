"""Lengths of prompts: each request pays the context tier of its own prompt."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, api

import costmodel as cm
from costmodel.choices.lengths import PromptLengths
from costmodel.choices.requests import by_prompt

TIERED = api("gpt-4o", tiers={100_000: {"in": 4, "out": 20}}, **{"in": 2, "out": 10})
LENGTHS = PromptLengths(
    shares=(0.5, 0.2, 0.3), input=(0.25, 0.5, 2.58333333), output=(1.0, 0.4, 1.4)
)
MONTH = cm.Terms(months=1, on="2026-11-20")
WORK = cm.Workload(1_000, instruction_tokens=1_000, input_tokens=60_000, output_tokens=500,
                   prompt_lengths=LENGTHS)  # fmt: skip


def usd(work, *techniques):
    made = cm.explain(cm.Option(TIERED, *techniques), work, terms=replace(STILL, months=1))
    return made.loc[made["phase"] == "serving", "usd"].sum()


def test_each_group_pays_its_own_tier():
    groups = [(500, 16_000, 500), (200, 31_000, 200), (300, 156_000, 700)]
    low, high = ((2, 10), (4, 20))
    right = sum(
        calls * (sent * rate[0] + written * rate[1]) / 1e6
        for (calls, sent, written), rate in zip(groups, (low, low, high), strict=True)
    )
    assert usd(WORK) == pytest.approx(right, rel=1e-4)
    assert usd(replace(WORK, prompt_lengths=None)) == pytest.approx((61_000 * 2 + 5_000) / 1e3)


def test_groups_keep_all_tokens_and_a_prompt_at_the_threshold_pays_the_low_tier():
    call = WORK.request().main
    parts = list(by_prompt(call, [0.0, 31_001.0, 100_000.0]))
    assert [(start, round(float(share), 9)) for start, share, _ in parts] == [
        (0.0, 0.7), (100_000.0, 0.3)]  # fmt: skip
    for of in ("prompt_tokens", "output_tokens"):
        mean = sum(share * getattr(part, of) for _, share, part in parts)
        assert mean == pytest.approx(getattr(call, of), rel=1e-4)
    drawn = replace(WORK, input_tokens=np.array([[60_000.0], [200_000.0]])).request().main
    shares = {start: share for start, share, _ in by_prompt(drawn, [0.0, 100_000.0])}
    assert shares[100_000.0].ravel().tolist() == [0.3, 0.5]


def test_what_a_technique_adds_moves_a_group_over_the_threshold():
    more = cm.FewShot(examples=100, tokens_per_example=700, build_hours=0)
    assert usd(WORK, more) == pytest.approx(
        (500 * (86_000 * 2 + 5_000) + 200 * (101_000 * 4 + 4_000) + 300 * (226_000 * 4 + 14_000))
        / 1e6, rel=1e-3)  # fmt: skip


def test_the_longest_requests_must_fit_the_window():
    api = cm.Api("gpt-4o", on="2026-11-20", window_tokens=150_000)
    with pytest.raises(cm.Infeasible, match=r"6,700 tokens over the 150,000-token window"):
        cm.explain(cm.Option(api), WORK, terms=MONTH)
    cm.explain(cm.Option(api), replace(WORK, prompt_lengths=None), terms=MONTH)


@pytest.mark.parametrize(("fields", "why"), [
    ({"shares": (0.5, 0.4)}, "their sum is 0.9, it must be 1"),
    ({"shares": (0.5, 0.5), "input": (1.0,)}, "input has 1 numbers, and there are 2 shares"),
    ({"shares": (0.5, 0.5), "output": (1.0, 2.0)}, "their mean by the shares is 1.5"),
    ({"shares": (0.5, 0.5), "reasoning": (0.0, 0.0)}, "their mean by the shares is 0"),
    ({"shares": (0.5, 0.5), "input": (-1.0, 3.0)}, "input is -1"),
])  # fmt: skip
def test_groups_that_are_no_distribution_are_refused(fields, why):
    with pytest.raises(ValueError, match=why):
        PromptLengths(**fields)
