"""Equations of floor 2: arrays equal numbers, directions are right, ratios are published ones."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costmodel.laws import (
    ageing,
    caching,
    escalation,
    experiments,
    money,
    quality,
    retrieval,
    task_quality,
)
from costmodel.laws import agents as agent_loop
from costmodel.laws import queueing as fleet
from costmodel.laws.serving import batching, instance, roofline
from costmodel.laws.training import compute as training

# equation -> arguments inside its domain
ARGUMENTS = {
    training.training_flops: (8e9, 3e6),
    training.adapter_flops: (8e9, 3e6),
    training.passes: (1.0, 0.5, 1.0),
    training.attention_flops: (32.0, 4_096.0, 8_192.0, 0.5),
    training.usual_layers: (8e9,),
    training.usual_hidden: (8e9, 32.0),
    training.gpu_hours: (1e20, 989e12, 0.4),
    instance.gpus_that_fit: (141e9, 80e9, 0.9),
    roofline.part_s: (16e9, 2.7e12, 1.6e10, 5e14),
    roofline.shared_cache_s: (5.6e-3, 5.5e-3, 8.0),
    roofline.experts_touched: (256.0, 8.0, 64.0),
    roofline.imbalance: (8.0, 512.0),
    batching.accepted_per_step: (5.0, 0.8),
    batching.waits_s: (0.2, 0.5),
    fleet.load_at: (0.3, 2.5),
    fleet.share_above: (0.5, 2.5),
    fleet.wait_chance: (40.0, 30.0),
    fleet.wait_at_limit: (30.0, 40.0),
    fleet.staffing_margin: (0.05,),
    fleet.replicas_needed: (1.8, 64.0, 0.85, 1.74, 2.0, 1.0),
    fleet.with_losses: (730.0, 0.05),
    money.annuity: (1_000.0, 0.1, 36.0),
    money.present_months: (0.01, 36.0),
    money.resale_share: (0.3, 24.0),
    caching.hit_rate: (0.003, 300.0),
    caching.break_even_hit_rate: (1.25, 0.1),
    caching.cached_price: (0.4, 1.25, 0.1),
    caching.prefix_hit_rate: (0.003, 300.0, 3.0, 2.0, 5.0, 4.0),
    retrieval.chunks: (4e6, 500.0, 0.1),
    retrieval.index_bytes: (8_000, 1_536, 1.5, 4.0, 2.0),
    money.usd_per_mtok: (0.5, 62_100.0, 0.5),
    retrieval.recall_at_k: (8.0, 0.5, 0.86),
    retrieval.corpus_shift: (20_000.0, -0.2, 10_000.0),
    retrieval.all_found: (3.0, 0.5),
    retrieval.part_found: (2.5, 0.64),
    retrieval.found_in_part: (0.7, 0.5),
    retrieval.graph_index_ratio: (1_200.0, 8_400.0, 40.0, 1.0),
    retrieval.index_hours: (1e8, 260_000.0),
    retrieval.from_sample: (0.3, 0.02, 1.03),
    retrieval.first_token_s: (2e5, 0.7, 90.0),
    quality.shift: (0.6, 0.9),
    quality.at_odds: (0.6, 2.0),
    quality.logit: (0.4,),
    quality.expit: (0.4,),
    quality.shift_to: (0.4, 0.7),
    quality.context_shift: (60_000.0, 1.0, 0.5, 131_072.0),
    quality.position_shift: (0.4, 0.7, 0.6),
    quality.student_shift: (0.6, 0.8, 0.95),
    quality.required_gain: (16_000.0, 1e6, 2.0),
    task_quality.capability: (30.0,),
    task_quality.capability_by_size: (70e9, 1.5, -3.61, 0.81, 0.87),
    task_quality.capability_by_price: (6.0, -0.54, 0.91),
    task_quality.log_odds_right: (1.2, 0.65, -0.3, -0.9),
    task_quality.composed: (0.8, 0.85, 0.05, 0.42),
    task_quality.examples_shift: (2_000.0, 0.5, 10_000.0),
    task_quality.few_shot_shift: (-2.2, 0.05, -1.84, 0.5, 0.8),
    escalation.signal_auc: (0.5, 0.6),
    escalation.signal_loading: (0.9, 0.6),
    escalation.cascade_right: (0.62, 0.78, 0.3, 0.9, 0.75),
    experiments.samples_per_arm: (0.80, 0.50, 0.8, 0.05, 2.0),
    experiments.chance_to_detect: (100.0, 0.80, 0.50, 0.05, 1.0),
    experiments.through_judge: (0.80, 0.85),
    experiments.chance_to_cross: (0.1, 0.05, 0.8, 500.0),
    experiments.answers_for_share: (0.30, 0.05, 0.90, 2.0),
    experiments.calibration_noise: (0.80, 500.0, 10.0),
    experiments.answers_for_calibration: (0.80, 0.05, 10.0),
    experiments.runs_to_see: (0.05, 0.15, 0.8, 0.05, 0.95),
    experiments.days_to_collect: (1_094.0, 10_000.0, 0.5, 0.02),
    experiments.expected_loss: (0.05, 28.0, 10_000.0, 0.10, 0.40),
    ageing.overpaid_share: (0.35, 12.0),
    ageing.after_moves: (0.37, 2.0),
    ageing.gain_of_waiting: (60_000.0, 4_000.0, 6_000.0, 6.0, 0.10, 0.30),
    ageing.per_survivor: (1.0, 0.30),
    agent_loop.step_tokens: (3_000.0, 1_000.0, 8.0),
    agent_loop.attempts: (0.05, 9.0),
    agent_loop.within: (10.0, 0.8, 40.0),
    agent_loop.tail: (8.0, 1.05, 0.95),
    agent_loop.per_resolved: (2.80, 0.68, 5.0),
}
ON_ANOTHER_AXIS = {experiments.exposed_days, agent_loop.task_lengths}  # of stages, or of tasks
SEVERAL = {  # other shapes
    *(retrieval.graph_size, fleet.duration_curve, agent_loop.resolve, agent_loop.calls_below),
    agent_loop.history,
    *(money.npv, money.irr, money.written_off, money.gain_of_sale, money.certainty_equivalent),
    money.compounded,
}
positive = st.floats(1e-3, 1e9)
share = st.floats(0.01, 0.99)


def test_every_public_equation_is_in_the_table():
    modules = (training, fleet, money, caching, retrieval, quality, experiments, ageing, agent_loop)
    modules += (task_quality, escalation)
    public = {
        inspect.unwrap(f)
        for m in modules
        for name, f in inspect.getmembers(m, inspect.isfunction)
        if f.__module__ == m.__name__ and name[0] != "_"
    }
    assert public <= set(map(inspect.unwrap, [*ARGUMENTS, *ON_ANOTHER_AXIS, *SEVERAL]))


@pytest.mark.parametrize("equation", ARGUMENTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(7,), (7, 1)])
def test_an_array_gives_what_its_numbers_give(equation, shape):
    """Any argument, and all of them at once, may be an array of draws; the shape is kept."""
    factors = np.linspace(0.8, 1.0, 7)
    numbers = ARGUMENTS[equation]
    every = [equation(*(f * x for x in numbers)) for f in factors]
    together = equation(*(factors.reshape(shape) * x for x in numbers))
    assert together.shape == shape and together.ravel() == pytest.approx(every)
    for i in range(len(numbers)):
        one = [numbers[:i] + (f * numbers[i],) + numbers[i + 1 :] for f in factors]
        mixed = equation(*numbers[:i], factors.reshape(shape) * numbers[i], *numbers[i + 1 :])
        assert mixed.shape == shape and mixed.ravel() == pytest.approx([equation(*a) for a in one])


@pytest.mark.parametrize("equation", ARGUMENTS, ids=lambda f: f.__name__)
def test_every_equation_states_what_it_computes_with_an_example(equation):
    text = inspect.getdoc(equation)
    assert ">>>" in text
    assert len(text.splitlines()[0]) > 30


# -- published ratios ------------------------------------------------------------------------------


@given(positive, positive)
def test_an_adapter_takes_two_thirds_of_a_full_tune(parameters, tokens):
    """4 N D against 6 N D: frozen weights need no weight gradient (Hu et al. 2021,
    arXiv:2106.09685, section 4.2).
    """
    assert training.adapter_flops(parameters, tokens) / training.training_flops(
        parameters, tokens
    ) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("write", "read", "reads"), [(1.25, 0.1, 0.28), (2.0, 0.1, 1.11)])
def test_reads_that_recover_a_write_premium(write, read, reads):
    hits = caching.break_even_hit_rate(write, read)
    assert hits / (1 - hits) == pytest.approx(reads, abs=0.005)


@given(st.floats(1.01, 3), st.floats(0, 0.9))
def test_at_the_break_even_hit_rate_a_cache_costs_what_it_saves(write, read):
    hits = caching.break_even_hit_rate(write, read)
    assert hits * read + (1 - hits) * write == pytest.approx(1)


# -- directions ------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(positive, positive, st.floats(1, 10))
def test_more_arrivals_or_a_longer_life_never_lower_the_hit_rate(arrivals, ttl_s, more):
    base = caching.hit_rate(arrivals / 1e6, ttl_s / 1e3)
    assert 0 <= base <= caching.hit_rate(more * arrivals / 1e6, ttl_s / 1e3) <= 1
    assert base <= caching.hit_rate(arrivals / 1e6, more * ttl_s / 1e3)


@settings(max_examples=60)
@given(share, st.floats(-3, 3), st.floats(0, 2))
def test_a_better_technique_never_lowers_the_share_accepted(accepted, log_odds, more):
    base = quality.shift(accepted, log_odds)
    assert (
        0 < base <= quality.shift(accepted, log_odds + more) * (1 + 1e-12)
        and quality.shift(accepted, log_odds + more) < 1
    )  # but for the last bit


@given(share, st.floats(-3, 3))
def test_a_shift_can_be_undone(accepted, log_odds):
    assert quality.shift(quality.shift(accepted, log_odds), -log_odds) == pytest.approx(accepted)


@pytest.mark.parametrize("accepted", [0.0, 1.0])
def test_a_share_of_none_or_all_stays(accepted):
    assert quality.shift(accepted, 1.5) == accepted


@settings(max_examples=60)
@given(st.floats(1e8, 2e12), st.floats(8e9, 3e11), st.floats(0.5, 0.95))
def test_gpus_hold_the_weights_and_are_not_twice_too_many(weight_bytes, memory, usable):
    gpus = instance.gpus_that_fit(weight_bytes, memory, usable)
    room = memory * usable * (1 - instance.CACHE_SHARE)
    assert np.log2(gpus) == int(np.log2(gpus))
    assert gpus * room >= weight_bytes * (1 - 1e-9) and (
        gpus == 1 or gpus / 2 * room < weight_bytes * (1 + 1e-9)
    )


@settings(max_examples=60)
@given(st.floats(1e3, 1e9), st.floats(100, 2_000), st.floats(0, 0.8), st.floats(0, 0.1))
def test_more_overlap_makes_more_chunks(tokens, chunk_tokens, overlap, more):
    assert retrieval.chunks(tokens, chunk_tokens, overlap) <= retrieval.chunks(
        tokens, chunk_tokens, overlap + more
    )


@settings(max_examples=60)
@given(st.floats(0.05, 0.9), st.floats(1, 1.1))
def test_a_better_utilisation_takes_fewer_gpu_hours(mfu, more):
    assert training.gpu_hours(1e20, 1e15, mfu * more) <= training.gpu_hours(1e20, 1e15, mfu)
