"""Training: measured rows are read, the sanity list holds, published runs lie in the band."""

import time
from dataclasses import fields, replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costmodel as cm
from costmodel.core.errors import CatalogError
from costmodel.facts import catalog
from costmodel.laws.training import compute as training
from costmodel.laws.training.calibration import arguments, laws
from costmodel.laws.training.memory import FILLED
from costmodel.laws.training.run import METHODS, PRECISIONS, STACKS

UNITS = {
    "tokens_per_s_per_gpu": "token/s",
    "gpu_hours": "GPU-hour",
    "wall_hours": "hour",
    "peak_memory_gb": "GB",
}
MEASURED = cm.training.measured_training()
COLUMNS = [
    f"{n}_{e}"
    for n in ("tokens_per_s_per_gpu", "gpu_hours", "wall_hours", "mfu", "peak_memory_gb")
    for e in ("low", "mid", "high")
]
LLAMA_2_7B = dict(layers=32, hidden=4_096, vocab=32_000)
LLAMA_2_70B = dict(layers=80, hidden=8_192, vocab=32_000)


def one(*args, **named):
    """The only row of a prediction."""
    table = cm.training.predict_training(*args, **named)
    assert len(table) == 1
    return table.iloc[0]


def at_once(tokens=512):
    """A short sequence alone on the GPU: what remains is the model."""
    return dict(seq_len=tokens, micro_batch=1)


# -- the facts -------------------------------------------------------------------------------------


def test_every_measured_row_is_right():
    sources, today = catalog.sources(), datetime.now(UTC).date()
    assert len(MEASURED) > 600 and MEASURED.id.is_unique
    for row in MEASURED.itertuples():
        assert row.metric in UNITS and row.unit == UNITS[row.metric], row.id
        assert row.source in sources and sources[row.source].url.startswith("https://"), row.id
        assert catalog.gpu(row.gpu).memory, row.id
        assert row.value > 0 and row.params > 0, row.id
        assert not row.active_params > row.params, row.id
        assert date.fromisoformat(row.as_of) <= today, row.id
        assert (
            row.method in METHODS
            and row.precision in PRECISIONS
            and row.stack in STACKS
            and row.job in ("pretrain", "tune")
        ), row.id
        assert row.checkpointing in ("full", "selective", "none", ""), row.id
        assert row.tokens > 0 or row.metric not in ("gpu_hours", "wall_hours"), row.id


def test_calibrated_numbers_are_few_and_shares_are_bounded():
    speed, memory, bands = laws()
    assert len(fields(speed)) + len(fields(memory)) <= 30
    assert all(
        0 < share < 1 for share in (speed.efficiency, speed.attention_efficiency, speed.whole_run)
    )
    assert all(factor > 1 for factor in bands.values())


def test_no_measurement_is_far_from_its_prediction_by_more_than_its_kind_allows():
    rows = MEASURED[MEASURED.metric == "tokens_per_s_per_gpu"]
    found = cm.training.predict_training(**arguments(rows))
    error = np.abs(found.tokens_per_s_per_gpu_mid.to_numpy() / rows.value.to_numpy() - 1)
    for job in ("pretrain", "tune"):
        mine = (rows.job == job).to_numpy()
        assert (
            np.median(
                [
                    np.median(error[mine & (rows.family == f).to_numpy()])
                    for f in rows.family[mine].unique()
                ]
            )
            < 0.25
        )


# -- published runs in the band --------------------------------------------------------------------

# parameters, tokens, GPU, GPUs, GPU-hours, more, where
RUNS = {
    "Llama 2 7B": (
        6.74e9,
        2e12,
        "A100-80GB",
        2_048,
        184_320,
        dict(seq_len=4_096),
        "arXiv:2307.09288, table 2",
    ),
    "Llama 2 13B": (
        13.02e9,
        2e12,
        "A100-80GB",
        2_048,
        368_640,
        dict(seq_len=4_096),
        "arXiv:2307.09288, table 2",
    ),
    "Llama 2 70B": (
        68.98e9,
        2e12,
        "A100-80GB",
        2_048,
        1_720_320,
        dict(seq_len=4_096),
        "arXiv:2307.09288, table 2",
    ),
    "Llama 3.1 405B": (
        405.85e9,
        15.6e12,
        "H100-SXM",
        16_384,
        30_840_000,
        dict(seq_len=8_192),
        "model card; tokens: arXiv:2407.21783, sec. 3",
    ),
    "s1-32B": (
        32.8e9,
        5 * 4.7e6,
        "H100-SXM",
        16,
        26 / 60 * 16,
        dict(seq_len=20_000),
        "arXiv:2501.19393, sec. 4: 26 minutes on 16 H100; 1,000 examples, 5 epochs; length assumed",
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_published_gpu_hours_lie_in_the_band(name):
    params, tokens, gpu, gpus, hours, more, _ = RUNS[name]
    row = one(params, tokens, gpu, gpus=gpus, **more)
    assert row.gpu_hours_low <= hours <= row.gpu_hours_high


def test_vicuna_13b_took_a_day_on_eight_gpus():
    # lmsys.org/blog/2023-03-30-vicuna: 70 thousand conversations, 8 A100, one day; FastChat's
    # recipe: 3 epochs, padded to 2,048 tokens. About 1,000 tokens a conversation is an assumption.
    row = one(13.02e9, 3 * 70_000 * 1_000, "A100-80GB", gpus=8, stack="naive", packed=False)
    assert row.wall_hours_low < 24 < row.wall_hours_high


def test_alpaca_7b_took_three_hours_on_eight_gpus():
    # github.com/tatsu-lab/stanford_alpaca: 52,002 examples, 3 epochs, at most 512 tokens, 3 hours
    # on 8 A100 80 GB. Examples are padded and short: 250 tokens is an assumption, and the time of
    # loading is not in it.
    row = one(
        6.74e9, 3 * 52_002 * 250, "A100-80GB", gpus=8, stack="naive", seq_len=512, packed=False
    )
    assert 0.5 < row.wall_hours_mid < 3.5


def test_a_small_run_that_is_well_written_is_fast():
    """build-nanogpt: 124M parameters, 10B tokens on eight A100 in about 1.5 hours."""
    row = one(
        124e6, 10e9, "A100-80GB", 8, seq_len=1_024, micro_batch=64, stack="tuned",
        checkpointing=False, layers=12, hidden=768, vocab=50_304,
    )  # fmt: skip
    assert row.wall_hours_low < 1.5 < row.wall_hours_high and row.wall_hours_mid < 1.3 * 1.5


def test_a_mixture_of_a_trillion_is_not_refused_on_256_gpus():
    """It ran: pipeline and expert parallelism hold what no GPU can gather."""
    more = dict(active_params=32e9, seq_len=4_096, layers=61, hidden=7_168, vocab=163_840)
    row = one(1.04e12, 1e12, "H100-SXM", 256, stack="tuned", **more)
    assert row.gpus_min <= 256 and row.wall_hours_mid > 0 and row.peak_memory_gb_mid < 80


def test_lora_on_one_l40s_by_a_plain_script():
    """PEFT, 3B in BF16, four examples of up to 768 tokens: 13 to 16 % of the peak at 4 N."""
    row = one(
        3.21e9, 1e7, "L40S", method="lora", stack="naive", seq_len=768, micro_batch=4,
        checkpointing=False, layers=28, hidden=3_072, vocab=128_256,
    )  # fmt: skip
    assert row.mfu_low < 0.145 < row.mfu_high


def test_sharded_qlora_of_a_70b_on_consumer_cards():
    """FSDP-QLoRA hides PCIe: 37 to 42 % of the peak of RTX 4090s at 4 N, 28 to 37 % of A100s."""
    for gpu, low, high in (("RTX-4090", 0.37, 0.42), ("A100-80GB", 0.28, 0.37)):
        row = one(69e9, 1e7, gpu, 2, method="qlora", seq_len=2_048, micro_batch=2, **LLAMA_2_70B)
        assert 0.85 * low < row.mfu_mid < 1.15 * high, gpu


def test_qlora_of_a_70b_whose_weights_stay_on_the_host():
    """Two cards of 24 GB, offload: 1,024 examples of 2,048 tokens, two at once, in 4,399 s.

    AnswerDotAI/fsdp_qlora, benchmarks_03_2024.md; in no fit. A slow link (PCIe 3 x4) shows.
    """
    more = dict(method="qlora", seq_len=2_048, micro_batch=2, rank=64, **LLAMA_2_70B)
    row = one(69e9, 1_024 * 2_048, "RTX-4090", 2, stack="offload", **more)
    assert row.gpus_min <= 2 and row.tokens_per_s_per_gpu_low < 1_024 * 2_048 / 4_399 / 2
    assert 0.85 < row.tokens_per_s_per_gpu_mid / (1_024 * 2_048 / 4_399 / 2) < 1.15
    alone = cm.facts.gpu("RTX-4090")
    slow = one(69e9, 1_024 * 2_048, replace(alone, interconnect=8e9), 2, stack="offload", **more)
    assert slow.tokens_per_s_per_gpu_mid < 0.97 * row.tokens_per_s_per_gpu_mid


def test_a_card_of_24_gb_holds_24_gib():
    """A 70B in 4 bits, one example of 2,048 tokens at once, fits two of them."""
    more = dict(method="qlora", seq_len=2_048, micro_batch=1, **LLAMA_2_70B)
    assert one(69e9, 1e7, "RTX-A5000", 2, **more).gpus_min == 2


def test_qlora_of_a_small_model_on_a_t4():
    """TinyLlama by a plain script on a T4: 12.3M tokens, 4,096 at once, in 1.40 h and 14.5 GB."""
    row = one(
        1.1e9, 12.288e6, "T4", method="qlora", precision="fp16", stack="naive", layers=22,
        hidden=2_048, vocab=32_000, seq_len=2_048, micro_batch=2, packed=True, rank=32,
        checkpointing=False,
    )  # fmt: skip
    assert row.gpus_min == 1 and row.peak_memory_gb_low < 14.5 < row.peak_memory_gb_high
    assert row.wall_hours_low < 1.40 < row.wall_hours_high
    assert 1.40 / 1.35 < row.wall_hours_mid < 1.40  # the middle is a quarter too fast


def test_qlora_65b_took_a_day_on_one_48_gb_card():
    # arXiv:2305.14314, abstract and table 9: Guanaco 65B, one 48 GB GPU, 24 hours; 1,875 steps of
    # 16 sequences, at most 512 tokens. artidoro/qlora, scripts/finetune_guanaco_65b.sh: rank 64, 4
    # sequences at once.
    row = one(
        65.2e9,
        1_875 * 16 * 512,
        "RTX-A6000",
        method="qlora",
        seq_len=512,
        micro_batch=4,
        rank=64,
        **LLAMA_2_70B,
    )
    assert row.wall_hours_low < 24 < row.wall_hours_high
    assert (
        row.peak_memory_gb_low < 48 < row.peak_memory_gb_high
    )  # near its limit: the middle is a tenth over, users report up to 60 GB
    # The paper pages the optimiser states of its 0.8 billion adapter weights (12 GB) to the host
    # when they do not fit; with rank 16 they do.
    small = one(
        65.2e9, 1_875 * 16 * 512, "RTX-A6000", method="qlora", rank=16, **at_once(), **LLAMA_2_70B
    )
    assert 0.8 * 48 < small.peak_memory_gb_mid < 48


# -- the sanity list -------------------------------------------------------------------------------


def test_lora_takes_two_thirds_of_the_flops_and_three_quarters_with_full_recomputation():
    assert training.adapter_flops(8e9, 1e9) / training.training_flops(8e9, 1e9) == pytest.approx(
        2 / 3
    )
    assert training.passes(0) / training.passes(1) == pytest.approx(2 / 3)
    assert training.passes(0, 1) / training.passes(1, 1) == pytest.approx(3 / 4)
    full, lora = (
        one(8e9, 1e9, "H100-SXM", gpus=8, method=m).gpu_hours_mid for m in ("full", "lora")
    )
    assert 0.6 < lora / full < 0.9  # never the 1 to 5 % that some calculators promise


def test_memory_of_a_7b_model():
    states = 6.74e9 * training.BYTES_PER_PARAMETER_FULL / 1e9
    assert (
        107 < states < 121
    )  # AdamW with fp32 states: 16 to 18 bytes a parameter, arXiv:1910.02054, sec. 3.1
    mixed, pure = (
        one(6.74e9, 1e9, "A100-80GB", precision=p, **at_once(), **LLAMA_2_7B).peak_memory_gb_mid
        for p in ("bf16", "pure_bf16")
    )
    assert 108 < mixed < 121 and pure == pytest.approx(55, rel=0.06)


def test_wide_blocks_keep_more_activations():
    """Gemma 7B's feed-forward block is six times its width, Llama's 2.7 times: kept activations
    grow with it, checkpointed ones hardly.
    """
    narrow, wide = (
        dict(layers=28, hidden=h, vocab=32_000, micro_batch=8, seq_len=2_048, gpus=8, method="lora")
        for h in (4_608, 3_072)
    )
    kept = [
        one(8.5e9, 1e9, "H200-SXM", checkpointing=False, **k).peak_memory_gb_mid / k["hidden"]
        for k in (narrow, wide)
    ]
    assert kept[1] > 1.3 * kept[0]


def test_70b_lora_in_bf16_does_not_fit_one_card_of_80_gb():
    row = one(70.55e9, 1e8, "H100-SXM", method="lora", **at_once())
    assert row.peak_memory_gb_mid > 141 and row.gpus_min > 1
    assert one(70.55e9, 1e8, "H100-SXM", method="qlora", **at_once()).gpus_min == 1


def test_qlora_is_slower_than_lora_and_less_so_with_more_tokens_in_a_step():
    # Lightning-AI/litgpt, tutorials/finetune_lora.md: +34 to +105 %; QwenLM/Qwen README: 1.3-3.3x
    # at 256 tokens, 1.05x at 8,192
    slower = []
    for length in (256, 1_024, 8_192):
        lora, qlora = (
            one(7.72e9, 1e8, "A100-80GB", method=m, **at_once(length)).gpu_hours_mid
            for m in ("lora", "qlora")
        )
        slower.append(qlora / lora)
    assert slower[0] > slower[1] > slower[2] > 1 and slower[0] > 1.3 and slower[2] < 1.2


def test_packing_is_worth_two_to_four():
    # pytorch/torchtune README, ladder of options: 2,091 to 7,075 tokens/s
    loose, tight = (one(3.21e9, 1e8, "A100-80GB", packed=p).gpu_hours_mid for p in (False, True))
    assert 2 < loose / tight < 4


def test_a_stack_matters():
    hours = [one(8e9, 1e9, "H100-SXM", gpus=8, stack=s).gpu_hours_mid for s in STACKS]
    assert hours == sorted(hours)


def test_checkpointing_trades_time_for_memory():
    # pytorch/torchtune README: 21 % less speed, 42 % less memory
    kept, redone = (
        one(
            3.21e9,
            1e8,
            "A100-80GB",
            precision="pure_bf16",
            seq_len=4_096,
            micro_batch=2,
            checkpointing=c,
        )
        for c in (False, True)
    )
    assert 1.1 < redone.gpu_hours_mid / kept.gpu_hours_mid < 1.34
    assert 0.4 < redone.peak_memory_gb_mid / kept.peak_memory_gb_mid < 0.8


# -- properties ------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    st.floats(1e8, 5e11),
    st.floats(1e6, 1e13),
    st.sampled_from(METHODS),
    st.sampled_from(("A100-80GB", "H100-SXM", "L40S", "B200-SXM")),
)
def test_hours_grow_with_parameters_and_tokens(params, tokens, method, gpu):
    table = cm.training.predict_training(
        [params, params * 1.5, params, params],
        [tokens, tokens, tokens * 2, tokens * 3],
        gpu,
        method=method,
    )
    hours = table.gpu_hours_mid
    assert hours[0] < hours[1] and hours[3] - hours[2] == pytest.approx(
        hours[2] - hours[0]
    )  # linear after the start
    assert table.gpus_min[1] >= table.gpus_min[0] or np.isnan(table.gpus_min[1])
    for name in ("tokens_per_s_per_gpu", "gpu_hours", "wall_hours", "mfu", "peak_memory_gb"):
        assert (table[f"{name}_low"] <= table[f"{name}_mid"]).all() and (
            table[f"{name}_mid"] <= table[f"{name}_high"]
        ).all()
    assert (table.mfu_high <= 1).all() and (table.mfu_low > 0).all()


@settings(max_examples=40, deadline=None)
@given(
    st.floats(5e8, 4e11),
    st.sampled_from(tuple(cm.facts.gpus())),
    st.sampled_from((1, 8, 64, 512)),
    st.sampled_from(STACKS),
    st.sampled_from((512, 4_096, 32_768)),
)
def test_lora_is_cheaper_than_full_and_qlora_dearer_than_lora_wherever_they_run(
    params, gpu, gpus, stack, length
):
    """The ratio of the parameters' FLOPs is 2/3, and 3/4 with full recomputation; attention is the
    same for all, so long sequences are dearer. The micro-batch is the same: a free one is larger
    where 4-bit weights leave room for it. Weights that stay on the host are read from there in each
    pass, and those of QLoRA are a quarter of the bytes.
    """
    same = {"gpus": gpus, "stack": stack, "seq_len": length, "micro_batch": max(1, 4_096 // length)}
    full, lora, qlora = (
        cm.training.predict_training([params], 1e13, gpu, method=m, **same).gpu_hours_mid[0]
        for m in ("full", "lora", "qlora")
    )
    if not np.isnan(full):
        assert lora / full < (0.77 if length == 512 else 1.0)
    if not np.isnan(lora) and stack != "offload":
        assert qlora > lora


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_no_prediction_is_faster_than_what_was_ever_published(stack, method):
    """llm-foundry has a 3B model at 62 % of an A100 (6 N, attention left out); nothing in our table
    is above it.
    """
    table = cm.training.predict_training(
        np.geomspace(1e8, 1e12, 20)[:, None],
        1e9,
        [list(cm.facts.gpus())],
        gpus=64,
        method=method,
        stack=stack,
        checkpointing=False,
    )
    assert table.mfu_mid.max() < 0.621 and table.mfu_high.max() < 0.701


def test_hours_never_fall_where_nothing_fits():
    table = cm.training.predict_training(np.geomspace(1e8, 1e14, 100), 1e9, "L4")
    lost = table.gpus_min.isna()
    assert (
        lost.any() and (lost == table.gpu_hours_mid.isna()).all() and lost.is_monotonic_increasing
    )
    assert (
        np.diff(table.gpu_hours_mid[~lost]) > 0
    ).all() and table.peak_memory_gb_mid.notna().all()


def test_the_smallest_set_is_not_a_power_of_two():
    counts = cm.training.predict_training(np.linspace(5e9, 80e9, 40), 1e9, "H100-SXM").gpus_min
    assert {3, 5, 6, 7} & set(counts) and counts.is_monotonic_increasing
    least = int(counts.iloc[-1])
    below, at = (one(80e9, 1e9, "H100-SXM", gpus=n).peak_memory_gb_mid for n in (least - 1, least))
    assert at <= FILLED * 80 < below


def test_a_plain_script_does_not_pack_unless_told():
    naive, packed, standard = (
        one(8e9, 1e9, "H100-SXM", gpus=8, **more).gpu_hours_mid
        for more in ({"stack": "naive"}, {"stack": "naive", "packed": True}, {})
    )
    assert 2 < naive / packed < 4 and packed > standard


def test_experts_are_gathered_by_a_plain_script_and_exchanged_by_a_good_one():
    """All of 30 billion parameters cross the link for 3 billion that work: reports have one script
    ten times slower than a vendor's stack.
    """
    hours = [
        one(
            30.5e9, 1e9, "H100-SXM", gpus=8, active_params=3.3e9, packed=True, stack=s, **at_once()
        ).gpu_hours_mid
        for s in ("tuned", "standard", "naive")
    ]
    assert hours[0] < hours[1] and hours[2] > 3 * hours[1]


def test_answers_of_rl_are_priced_by_the_inference_model():
    """More answers at once share each reading of the weights; with few, memory bandwidth rules, so
    it decides the speed.
    """
    few, many = (
        one(8e9, 1e9, "H100-SXM", gpus=8, method="rl", rollouts=n).gpu_hours_mid
        for n in (16, 4_096)
    )
    assert few > 3 * many > 3 * one(8e9, 1e9, "H100-SXM", gpus=8).gpu_hours_mid
    slow, fast = (
        one(8e9, 1e9, g, gpus=8, method="rl", rollouts=16).gpu_hours_mid
        for g in ("H100-SXM", "H200-SXM")
    )
    assert slow / fast == pytest.approx(4.8 / 3.35, rel=0.15)


def test_memory_savers_save():
    full, eight, fused, both = (
        one(
            8.03e9, 1e9, "A100-80GB", precision="pure_bf16", **at_once(), savers=s
        ).peak_memory_gb_mid
        for s in (
            None,
            "chunked_loss+optimizer_8bit",
            "chunked_loss+fused_step",
            "chunked_loss+optimizer_8bit+fused_step",
        )
    )
    assert (
        full - eight == pytest.approx(2 * 8.03, rel=0.1)
        and full - fused == pytest.approx(2 * 8.03, rel=0.1)
        and both < min(eight, fused)
    )
    assert (
        one(8.03e9, 1e9, "A100-80GB", method="lora", rank=64).peak_memory_gb_mid
        > one(8.03e9, 1e9, "A100-80GB", method="lora").peak_memory_gb_mid
    )


@pytest.mark.parametrize("method", ["dpo", "rl"])
def test_preferences_and_rewards_can_train_an_adapter(method):
    """Its frozen base is the reference as well, so memory falls by the states and by the second
    model.
    """
    full, adapter = (
        one(8.03e9, 1e9, "H100-SXM", gpus=8, method=method, rank=r) for r in (None, 16)
    )
    assert (
        0.5 < adapter.gpu_hours_mid / full.gpu_hours_mid < 1
        and adapter.peak_memory_gb_mid < full.peak_memory_gb_mid
    )
    plain = one(8.03e9, 1e9, "H100-SXM", gpus=8, method="lora")
    assert (
        adapter.peak_memory_gb_mid == pytest.approx(plain.peak_memory_gb_mid)
        and adapter.gpu_hours_mid > 1.2 * plain.gpu_hours_mid
    )


def test_a_tiny_run_still_has_to_start():
    row = one(8.03e9, 1_000, "H100-SXM", method="qlora")
    assert 2 < row.wall_hours_mid * 60 < 5
    start = row.wall_hours_low / row.wall_hours_high
    assert start == pytest.approx(1, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e9, 5e11), st.sampled_from((1, 8, 64)))
def test_adapters_need_less_memory_than_full_training(params, gpus):
    full, lora, qlora = (
        one(params, 1e9, "H200-SXM", gpus=gpus, method=m, checkpointing=True).peak_memory_gb_mid
        for m in ("full", "lora", "qlora")
    )
    assert lora <= full * 1.001
    assert (
        gpus > 1 or qlora <= lora * 1.001
    )  # sharded far enough, only the inputs that 4-bit layers keep remain


def test_gpu_hours_do_not_depend_on_the_count_where_efficiency_does_not():
    table = cm.training.predict_training(1e9, 1e11, "H100-SXM", gpus=[4, 8])
    assert table.gpu_hours_mid[0] == pytest.approx(table.gpu_hours_mid[1], rel=0.02)
    many = cm.training.predict_training(1e9, 1e12, "H100-SXM", gpus=[8, 1_024])
    assert many.gpu_hours_mid[1] > 1.05 * many.gpu_hours_mid[0]
    assert (many.wall_hours_mid * [8, 1_024]).tolist() == pytest.approx(many.gpu_hours_mid.tolist())


def test_an_unknown_architecture_or_gpu_widens_the_band():
    known = one(6.74e9, 1e9, "A100-80GB", **LLAMA_2_7B)
    guessed = one(6.74e9, 1e9, "A100-80GB")
    unseen = one(6.74e9, 1e9, "MI300X", **LLAMA_2_7B)
    width = [r.gpu_hours_high / r.gpu_hours_low for r in (known, guessed, unseen)]
    assert width[0] < width[1] < width[2]
    assert (
        guessed.peak_memory_gb_high / guessed.peak_memory_gb_low
        > known.peak_memory_gb_high / known.peak_memory_gb_low
    )
    assert guessed.gpu_hours_mid == pytest.approx(known.gpu_hours_mid, rel=0.05)


def test_arrays_give_rows_that_equal_the_runs_one_by_one():
    params, gpu, method = [1e9, 8e9, 70e9], ["L4", "H100-SXM", "GB200"], ["full", "lora", "rl"]
    table = cm.training.predict_training(
        params, 1e9, gpu, gpus=[1, 8, 64], method=method, active_params=[1e9, 8e9, 30e9]
    )
    assert list(table) == [*COLUMNS, "gpus_min", "fits", "why_not"]
    for i in range(3):
        alone = one(
            params[i],
            1e9,
            gpu[i],
            gpus=[1, 8, 64][i],
            method=method[i],
            active_params=[1e9, 8e9, 30e9][i],
        )
        assert alone.tolist() == pytest.approx(table.iloc[i].tolist(), nan_ok=True)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (dict(params=8e9, tokens=0, gpu="L4"), ValueError, "tokens is .*nothing to train"),
        (dict(params=-1, tokens=1, gpu="L4"), ValueError, "params is"),
        (dict(params=8e9, tokens=1, gpu="L44"), CatalogError, "did you mean 'L4'"),
        (dict(params=8e9, tokens=1, gpu="L4", method="lorra"), CatalogError, "did you mean 'lora'"),
        (dict(params=8e9, tokens=1, gpu="L4", stack="fast"), CatalogError, "no stack 'fast'"),
        (
            dict(params=8e9, tokens=1, gpu="A100-80GB", precision="fp8"),
            ValueError,
            "A100-80GB has no peak in fp8",
        ),
        (
            dict(params=8e9, tokens=1, gpu="L4", active_params=9e9),
            ValueError,
            "active_params is 9e.09, allowed is at most params",
        ),
        (dict(params=cm.Range(7e9, 9e9), tokens=1, gpu="L4"), ValueError, "one row per draw"),
        (
            dict(params=8e9, tokens=1, gpu="L4", gpus=1.5),
            ValueError,
            "gpus is 1.5, allowed is a whole number",
        ),
        (dict(params=np.inf, tokens=1, gpu="L4"), ValueError, "params is .*finite"),
        (dict(params=8, tokens=1, gpu="L4"), ValueError, "params is .*give the count, such as 8e9"),
        (dict(params="8B", tokens=1, gpu="L4"), ValueError, "params is '8B', it must be a number"),
        (dict(params=[], tokens=1, gpu="L4"), ValueError, "params is empty"),
        (dict(params=[8e9, 9e9], tokens=[1, 2, 3], gpu="L4"), ValueError, r"lengths \[2, 3\]"),
        (dict(params=8e9, tokens=1, gpu="L4", gpus=1e9), ValueError, "gpus is .*at most 1,000,000"),
        (dict(params=8e9, tokens=1, gpu="L4", seq_len=0.5), ValueError, "seq_len is .*at least 1"),
        (
            dict(params=8e9, tokens=1, gpu="L4", micro_batch=0.5),
            ValueError,
            "micro_batch is .*at least 1",
        ),
        (
            dict(params=8e9, tokens=1, gpu="L4", method="lora", rank=1e9),
            ValueError,
            "rank is .*width of the model",
        ),
        (dict(params=8e9, tokens=1, gpu="L4", savers="8bit"), CatalogError, "no saver '8bit'"),
        (
            dict(params=1e14, tokens=1, gpu="L4"),
            cm.Infeasible,
            "fits no number of GPUs: each of 16,384 would lack [0-9,.]+ GB",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments, error, words):
    with pytest.raises(error, match=words):
        cm.training.predict_training(**arguments)


def test_a_hundred_thousand_configurations_are_quick():
    draws = np.random.default_rng(0)
    start = time.perf_counter()
    table = cm.training.predict_training(
        10 ** draws.uniform(8, 12, 100_000),
        1e9,
        draws.choice(["H100-SXM", "L4"], 100_000),
        gpus=draws.integers(1, 512, 100_000),
    )
    assert time.perf_counter() - start < 5  # a benchmark of its own asks for one second
    assert len(table) == 100_000
    assert (
        table[COLUMNS].notna().all(axis=1) == table.gpus_min.notna()
    ).all() and table.gpus_min.notna().mean() > 0.9


def test_a_run_on_too_few_gpus_says_that_it_does_not_fit():
    """A trillion parameters on 8 GPUs answered hours and GB, and only `gpus_min` told otherwise."""
    gpus = [8, 4_096]
    table = cm.training.predict_training(1e12, 1e12, "H100-SXM", gpus=gpus, active_params=32e9)
    assert table["fits"].to_list() == [False, True]
    assert table["fits"].equals(table["gpus_min"] <= gpus)
    least = f"it needs {table.gpus_min[0]:,.0f} GPUs or more"
    assert least in table.why_not[0] and table.why_not[1] == ""
    nowhere = cm.training.predict_training([7e10, 1e8], 1e9, "T4", seq_len=[1_000_000, 512])
    assert nowhere["fits"].to_list() == [False, True]
    assert "any number of GPUs" in nowhere.why_not[0]
