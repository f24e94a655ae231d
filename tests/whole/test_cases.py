"""Cases from public reports and by hand whose right value is known to the cent or the kilobyte."""

from dataclasses import replace

import pytest

import costmodel as cm
from costmodel.facts.records import Embedder

SONNET = cm.Api("claude-sonnet-4-6", on="2026-11-20")
ALONE = cm.Terms(on="2026-11-20", months=1)


def usd(option, work, item="", terms=ALONE):
    """What is paid in the first month for the items of this name, without people."""
    book = cm.ledger(option, work, terms=terms, base_case=True).query("month == 1")
    return book["usd"][book["item"].str.contains(item, regex=False)].sum()


def plain():
    """540,000 calls of 9,000 tokens in and 2,000 out."""
    return usd(cm.Option(SONNET), cm.Workload(540_000, input_tokens=9_000, output_tokens=2_000))


def cached_and_mostly_in_batch():
    """540,000 calls, 3,000 fresh and 7,500 cached tokens in; three in four at half the price."""
    now, later = (
        cm.Option(replace(SONNET, mode=mode), cm.PromptCache()) for mode in ("standard", "batch")
    )
    mix = cm.Mix(cm.Part(now, answers=0.25), cm.Part(later, answers=0.75))
    work = cm.Workload(540_000, instruction_tokens=7_500, input_tokens=3_000, output_tokens=2_000)
    return usd(mix, work)


def images_alone():
    """1,000 images of 1,415 tokens each, and no text."""
    work = cm.Workload(1_000, input_tokens=0, images=1, image_tokens=1_415)
    option = cm.Option(cm.Api("gpt-4o-2024-05-13", on="2026-05-01"))
    return usd(option, work, "images", cm.Terms(on="2026-05-01", months=1))  # it ended since


def gigabytes(vectors, dimensions, metadata_bytes):
    """What a serverless store keeps: raw bytes, and no factor of a graph."""
    store = replace(
        cm.facts.store("pinecone"),
        usd_per_gb_month=1.0,
        usd_per_million_reads=0.0,
        usd_per_million_writes=0.0,
        usd_per_month_minimum=0.0,
    )
    rag = cm.Rag(
        store=store,
        embedder=Embedder("embedder", 0.02, dimensions),
        chunk_tokens=500,
        overlap=0.0,
        metadata_bytes=metadata_bytes,
    )
    work = cm.Workload(1_000, input_tokens=500, corpus=cm.Corpus(tokens=500 * vectors))
    return usd(cm.Option(SONNET, rag), work, "store the index")


CASES = {
    "30,780": (plain, 30_780, 1e-9),
    "13,921.88": (cached_and_mostly_in_batch, 13_921.88, 1e-6),
    "7.075": (images_alone, 7.075, 1e-9),
    "71.4 GB": (lambda: gigabytes(1e7, 1_536, 1_000), 71.44, 1e-4),
    "95.5 GB": (lambda: gigabytes(5e6, 1_024, 15_000), 95.48, 1e-4),
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_has_its_right_value(case):
    found, right, within = CASES[case]
    assert found() == pytest.approx(right, rel=within)
