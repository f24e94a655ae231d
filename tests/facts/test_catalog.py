"""The catalogue: records, errors with the nearest name, dates, published parameter counts."""

import csv
import shutil

import pytest

from costmodel.core.errors import CatalogError
from costmodel.core.ranges import Range
from costmodel.facts import catalog
from costmodel.facts.rows import COLUMNS

GPUS = [
    "T4",
    "L4",
    "A10G",
    "L40S",
    "RTX-4090",
    "A100-40GB",
    "A100-80GB",
    "H100-PCIe",
    "H100-SXM",
    "H200-SXM",
    "B200-SXM",
    "B300-SXM",
    "GB200",
    "GB300",
    "MI300X",
    "MI325X",
    "MI355X",
]
MODELS = [
    "llama-3.1-8b",
    "llama-3.1-70b",
    "llama-3.1-405b",
    "llama-3.2-1b",
    "llama-3.2-3b",
    "llama-3.3-70b",
    "qwen2.5-7b",
    "qwen2.5-32b",
    "qwen2.5-72b",
    "qwen3-32b",
    "qwen3-235b-a22b",
    "qwen3.5-397b-a17b",
    "mistral-7b-v0.3",
    "gemma-3-4b",
    "gemma-3-12b",
    "gemma-3-27b",
    "phi-4",
    "deepseek-v3",
    "deepseek-r1",
    "gpt-oss-20b",
    "gpt-oss-120b",
    "minimax-m2.5",
    "kimi-k2.5",
    "glm-5",
]

# Models whose parameters `count_parameters` cannot give, and why.
HYBRID = "state-space or linear-attention layers take the place of attention"
TOWER = "the published count includes a vision tower"
NOT_STANDARD = {
    "kimi-k3": "experts per token and the parameter count are not published",
    "llama-3_3-nemotron-super-49b-v1": "searched architecture: no two layers are alike",
    "nvidia-nemotron-3-nano-30b-a3b-bf16": HYBRID,
    "nvidia-nemotron-3-ultra-550b-a55b-bf16": HYBRID,
    "nemotron-h-56b-base-8k": HYBRID,
    "qwen3.5-27b": HYBRID,
    "qwen3-vl-2b-instruct": TOWER,
    "qwen3-vl-4b-instruct": TOWER,
    "qwen3-vl-8b-instruct": TOWER,
}
# Models whose total is right but whose active count is not comparable, and why.
ACTIVE_NOT_STANDARD = {
    "qwen3.5-122b-a10b": HYBRID,
    "qwen3.5-35b-a3b": HYBRID,
    "qwen3.5-397b-a17b": HYBRID,
    "deepseek-v4-flash": "compressed sparse attention is smaller than the plain one",
    "deepseek-v4-pro": "compressed sparse attention is smaller than the plain one",
    "gemma-4-26b-a4b": "a dense block runs beside the experts",
    "mimo-v2-flash": "its values are narrower than its keys, and local layers have other heads",
    "minimax-m2.5": "published rounded to 10 B",
    "minimax-m2.7": "published rounded to 10 B",
    "minimax-m3": "sparse attention, published rounded to 23 B",
}


def count_parameters(m):
    """(all, active) parameters of a standard decoder, counted from its architecture.

    Attention: hidden x head_size x (2 heads + 2 kv_heads), or the low-rank products of multi-head
    latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1). Feed-forward: three matrices of
    hidden x ffn, in every layer or, with experts, hidden x expert_ffn for each routed and shared
    expert plus the router. Embeddings: vocab x hidden, twice unless tied. Not in it: norms, biases,
    vision towers, linear attention, multi-token heads.
    """
    used = m.experts_per_token or 0
    known = m.layers and m.head_size and (m.expert_ffn or m.ffn) and bool(m.experts) == bool(used)
    assert known, f"the architecture of {m.id} is not published in full"
    rank, q_rank, rope, nope, v_head = (
        x or 0 for x in (m.kv_lora_rank, m.q_lora_rank, m.rope_head, m.nope_head, m.v_head)
    )
    attention = 2 * m.hidden * m.head_size * (m.heads + m.kv_heads)
    if rank:
        wide = m.heads * (nope + rope)
        query = q_rank * (m.hidden + wide) if q_rank else m.hidden * wide
        values = m.heads * (rank * (nope + v_head) + v_head * m.hidden)
        attention = query + m.hidden * (rank + rope) + values
    dense = (m.dense_layers or 0) if m.experts else m.layers
    routed = m.layers - dense
    expert = 3 * m.hidden * (m.expert_ffn or m.ffn or 0)
    rest = m.layers * attention + dense * 3 * m.hidden * (m.ffn or 0)
    rest += m.vocab * m.hidden * (1 if m.tied else 2)
    rest += routed * (m.hidden * (m.experts or 0) + expert * (m.shared_experts or 0))
    return rest + routed * expert * (m.experts or 0), rest + routed * expert * used


def test_a_counted_architecture_is_the_published_one():
    """DeepSeek-V3: 671 and 37 billion parameters."""
    counted = count_parameters(catalog.model("deepseek-v3"))
    assert [round(n / 1e9, 1) for n in counted] == [671.0, 37.6]


@pytest.mark.parametrize("id", GPUS)
def test_each_promised_gpu_is_there_in_si(id):
    gpu = catalog.gpu(id)
    low = gpu.memory.low if isinstance(gpu.memory, Range) else gpu.memory
    assert 16e9 <= low < 300e9
    assert (
        any(rent.gpu == id for rent in catalog.rents().values()) or id == "MI325X"
    )  # no one was found to rent it


def test_known_gpu_numbers():
    gpu = catalog.gpu("H100-SXM")
    assert (gpu.memory, gpu.bandwidth, gpu.peak_flops_bf16, gpu.power) == (
        80e9,
        3.35e12,
        989e12,
        700,
    )
    assert catalog.gpu("T4").peak_flops_fp8 is None
    assert catalog.gpu("A10G").peak_flops_bf16 == 70e12


@pytest.mark.parametrize("id", MODELS)
def test_each_promised_model_is_there(id):
    assert catalog.model(id).parameters > 0


@pytest.mark.parametrize("id", [id for id in catalog.models() if id not in NOT_STANDARD])
def test_parameters_from_the_architecture_match_the_published_count(id):
    model = catalog.model(id)
    total, active = count_parameters(model)
    assert total == pytest.approx(model.parameters, rel=0.03)
    if id not in ACTIVE_NOT_STANDARD:
        without_input = (
            active - model.vocab * model.hidden
        )  # some makers leave out the input embedding
        assert (
            min(abs(active - model.active_parameters), abs(without_input - model.active_parameters))
            < 0.03 * active
        )


@pytest.mark.parametrize("id", ["kimi-k3", "llama-3_3-nemotron-super-49b-v1"])
def test_unpublished_architecture_is_refused(id):
    with pytest.raises(AssertionError, match="not published in full"):
        count_parameters(catalog.model(id))


@pytest.mark.parametrize(
    "ask, says",
    [
        (
            lambda: catalog.gpu("H100-SMX"),
            r"no GPU 'H100-SMX' in gpus.csv; did you mean 'H100-SXM'",
        ),
        (lambda: catalog.gpu("h100-sxm"), "did you mean 'H100-SXM'"),
        (lambda: catalog.model("lama-3.1-8b"), "did you mean 'llama-3.1-8b'"),
        (
            lambda: catalog.person("enginer"),
            "no role 'enginer' in people.csv; did you mean 'engineer'",
        ),
        (lambda: catalog.tuning("openai.gpt-4.1-minni"), "did you mean 'openai.gpt-4.1-mini'"),
        (
            lambda: catalog.embedder("text-embedding-3-smal"),
            "did you mean 'text-embedding-3-small'",
        ),
        (lambda: catalog.reranker("rerank-v5-pro"), "did you mean 'rerank-v5.0-pro'"),
        (lambda: catalog.store("pincone"), "did you mean 'pinecone'"),
        (lambda: catalog.label("prefrence"), "did you mean 'preference'"),
        (lambda: catalog.practice("rag.built_weeks"), "did you mean 'rag.build_weeks'"),
        (
            lambda: catalog.practice("build_weeks"),
            "could be .*rag.build_weeks.*; write one of them",
        ),
        (lambda: catalog.rent("H100-SXM", "neocluod"), "no channel 'neocluod'.*'neocloud'"),
        (lambda: catalog.rent("H100-SXM", term="ondemand"), "no term 'ondemand'.*'on_demand'"),
        (
            lambda: catalog.rent("A10G"),
            "no rent of A10G from a neocloud, on_demand, .*known: hyperscaler on_demand",
        ),
        (lambda: catalog.rent("MI325X"), "no GPU 'MI325X' in rents.csv"),
        (lambda: catalog.fact("residency", "openai.mars.uplift"), "no fact 'openai.mars.uplift'"),
        (lambda: catalog.source("litelm"), "did you mean 'litellm'"),
        (lambda: catalog.fact("practise", "rag.top_k"), "no file of facts 'practise'.*'practice'"),
    ],
)
def test_a_wrong_name_names_the_nearest(ask, says):
    with pytest.raises(CatalogError, match=says):
        ask()


def test_practice_is_always_a_range_with_its_key_and_source():
    fact = catalog.practice("rag.build_weeks")
    assert (fact.low, fact.mid, fact.high, fact.name, fact.source) == (
        9,
        18,
        33,
        "rag.build_weeks",
        "rag-tco",
    )
    tries = catalog.practice("coding.transfer"), catalog.practice("tinker.usd_per_gb_month")
    assert tries[0].low < tries[0].high and tries[1].low == tries[1].high == 0.1
    assert catalog.practice("tokens_per_page").name == "text.tokens_per_page"
    assert catalog.practice("gpu.gpu_trend").form == "change"  # never below -100 %
    assert catalog.practice("training.mfu").form == "share"


def test_rents_keep_the_channel_apart():
    cloud, neo = catalog.rent("H100-SXM", "hyperscaler"), catalog.rent("H100-SXM")
    assert neo.usd_per_gpu_hour.high < cloud.usd_per_gpu_hour.low
    assert all(isinstance(r.usd_per_gpu_hour, Range) for r in catalog.rents().values())


def test_closed_tuning_says_when():
    offer = catalog.tuning("openai.gpt-4.1-mini")
    assert (offer.closes_new, offer.closes, offer.retires) == (
        "2026-05-07",
        "2027-01-06",
        "2027-01-14",
    )
    assert catalog.tuning("vertex.gemini-3.1-flash-lite").premium == 1.5
    assert catalog.tuning("openai.gpt-4o").usd_per_mtok_train * 3 == 75  # 3 M tokens


def test_the_end_of_a_model_is_one_of_its_seller():
    assert catalog.retirement("gpt-4o").retires == "2027-01-14"
    assert catalog.retirement("gpt-4o", "azure").retires == "2027-04-14"
    assert catalog.retirement("claude-opus-4-1").successor == "claude-opus-4-8"  # its one version
    assert catalog.retirement("codestral") is None  # an alias that outlived dated versions
    assert catalog.retirement("claude-opus-4-8").retires is None
    assert "promised until 2027-05-28" in catalog.retirement("claude-opus-4-8").words("2026-11-20")
    assert catalog.retirement("toy") is None


# -- a folder of one's own -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    shutil.copy(catalog.path_of("sources"), tmp_path)
    return tmp_path


def write(folder, rows, file="people"):
    with (folder / f"{file}.csv").open("w", newline="") as out:
        csv.writer(out).writerows([COLUMNS, *rows])
    return folder


GOOD = ["engineer", "usd_per_hour", "100", "80", "120", "USD/hour", "2026-01-01", "assumption", ""]


def test_a_later_price_is_appended_and_history_stays(folder):
    later = [*GOOD[:2], "130", "110", "150", "USD/hour", "2026-06-01", "assumption", "dearer"]
    write(folder, [GOOD, later])
    mid = lambda on: catalog.person("engineer", folder, on).usd_per_hour.mid  # noqa: E731
    assert mid(None) == 130
    assert mid("2026-06-01") == 130
    assert mid("2026-05-31") == 100
    assert mid("2025-01-01") == 100  # before the first row, the first row
    assert len(catalog.facts(folder)) == 2


def test_a_note_without_a_number_withdraws_it_from_its_day_on(folder):
    analyst = ["analyst", *GOOD[1:]]
    gone = [*GOOD[:2], "", "", "", "USD/hour", "2026-06-01", "assumption", "nobody pays this"]
    write(folder, [GOOD, analyst, gone])
    assert list(catalog.people(folder)) == ["analyst"]
    assert catalog.person("engineer", folder, "2026-05-31").usd_per_hour.mid == 100
    with pytest.raises(CatalogError, match="no role 'engineer'"):
        catalog.person("engineer", folder, "2026-06-01")
    assert len(catalog.facts(folder)) == 3
    write(folder, [GOOD, [*gone[:8], ""]], "labels")
    with pytest.raises(CatalogError, match="a note that says why the number is withdrawn"):
        catalog.labels(folder)


@pytest.mark.parametrize(
    "place, value, says",
    [
        (
            1,
            "usd_per_hours",
            "no field 'usd_per_hours' in the glossary .*did you mean 'usd_per_hour'",
        ),
        (1, "memory", "the unit is 'USD/hour', the glossary says 'byte'"),
        (5, "USD/h", "the unit is 'USD/h', the glossary says 'USD/hour'"),
        (6, "2026-1-1", "as_of is '2026-1-1', write a date such as"),
        (6, "2026", "as_of is '2026', write a date such as"),
        (6, "2099-01-01", "lies in the future"),
        (7, "nobody", "no source 'nobody' in sources.csv"),
        (2, "many", "must be finite numbers"),
        (2, "nan", "must be finite numbers"),
        (2, "90,000", "must be finite numbers"),
        (3, "110", "low must not exceed value"),
        (4, "90", "low must not exceed value, nor value high"),
        (4, "", "low and high, or all three"),
        (0, "", "write an id"),
    ],
)
def test_a_wrong_row_is_one_sentence_with_file_and_line(folder, place, value, says):
    row = [*GOOD]
    row[place] = value
    write(folder, [GOOD, [*row[:6], row[6] if place == 6 else "2026-02-02", *row[7:]]])
    with pytest.raises(CatalogError, match=says) as error:
        catalog.person("engineer", folder)
    assert "people.csv line 3" in str(error.value)
    assert "\n" not in str(error.value)


def test_other_wrong_files(folder):
    write(folder, [GOOD, GOOD])
    with pytest.raises(
        CatalogError, match=r"people.csv line 3: engineer.usd_per_hour has two rows of 2026-01-01"
    ):
        catalog.people(folder)
    with pytest.raises(CatalogError, match="no file 'gpus'"):
        catalog.gpus(folder)


def test_a_wrong_flag_date_and_missing_field(folder):
    row = ["m", "tied", "yes", "", "", "flag", "2026-01-01", "assumption", ""]
    write(folder, [row], "models")
    with pytest.raises(CatalogError, match="'yes' is not a flag, write true or false"):
        catalog.models(folder)
    write(
        folder,
        [["a.b", "retires", "soon", "", "", "date", "2026-01-01", "assumption", ""]],
        "tunings",
    )
    with pytest.raises(CatalogError, match="'soon' is not a date"):
        catalog.tunings(folder)
    write(folder, [["g", "power", "70", "", "", "W", "2026-01-01", "assumption", ""]], "gpus")
    with pytest.raises(CatalogError, match=r"gpus.csv: g has no row for memory, bandwidth"):
        catalog.gpus(folder)
    write(folder, [["s", "power", "70", "", "", "W", "2026-01-01", "assumption", ""]], "stores")
    with pytest.raises(CatalogError, match="no field 'power' in Store"):
        catalog.stores(folder)
    write(
        folder,
        [["e", "usd_per_mtok_in", "1", "", "", "USD/Mtok", "2026-01-01", "assumption"]],
        "embedders",
    )
    with pytest.raises(CatalogError, match=r"embedders.csv line 2: write 9 columns"):
        catalog.embedders(folder)
    (folder / "labels.csv").write_text("id,value\n")
    with pytest.raises(CatalogError, match=r"labels.csv: the columns must be id, field, value"):
        catalog.labels(folder)


def test_what_is_handed_out_can_be_changed_without_harm():
    catalog.gpus().clear()
    assert catalog.gpus()
