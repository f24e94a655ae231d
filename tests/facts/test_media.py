"""Images, audio and pages: the tokens that a provider counts, and what they cost."""

import pytest
from toys import STILL, api, total

import costmodel as cm

MEASURED = {  # JOHNISKING/image-token-cost: (width, height) -> tokens of OpenAI, Anthropic, Google
    (256, 256): (77, 177, 1_090),
    (512, 512): (308, 438, 1_090),
    (1_024, 1_024): (1_229, 1_446, 1_090),
    (1_280, 720): (1_104, 1_273, 1_101),
    (1_920, 1_080): (2_448, 2_768, 1_101),
    (4_032, 3_024): (14_364, None, 1_065),
}


@pytest.mark.parametrize("size", MEASURED)
def test_tokens_of_images_are_those_that_were_counted(size):
    for provider, counted in zip(("openai", "anthropic", "google"), MEASURED[size], strict=True):
        found = float(cm.facts.image_tokens(*size, provider))
        if counted is None:
            assert 3_069 <= found <= 4_005
        else:
            near = 0.03 if provider == "google" else 1e-3
            assert found == pytest.approx(counted, rel=near, abs=1)


def test_what_nobody_knows_is_an_error():
    with pytest.raises(
        cm.facts.CatalogError, match=r"no provider 'gogle' .* did you mean 'google'"
    ):
        cm.facts.image_tokens(10, 10, "gogle")
    with pytest.raises(cm.facts.CatalogError, match="no audio_tokens_per_s of 'anthropic'"):
        cm.facts.audio_tokens(10, "anthropic")
    with pytest.raises(ValueError, match="width is 0, allowed is at least 1"):
        cm.facts.image_tokens(0, 10, "google")


def test_images_and_audio_have_their_own_price():
    work = cm.Workload(
        1_000,
        input_tokens=500,
        images=2,
        image_tokens=1_000,
        audio_seconds=60,
        audio_tokens_per_s=10,
    )
    sees = cm.Option(api(**{"in": 1.0, "out": 1.0, "image": 3.0, "audio": 10.0}))
    # 0.5 Mtok x 1 + 2 Mtok x 3 + 0.6 Mtok x 10
    assert total(sees, work, months=1) == pytest.approx(0.5 + 6 + 6)
    book = cm.ledger(sees, work, terms=STILL, months=1).set_index("item")
    assert book.quantity["production: images"] == pytest.approx(2)
    deaf = cm.Option(api(**{"in": 1.0, "out": 1.0}))
    assert "audio of 'toy' is not priced" in cm.compare(deaf, work, draws=1).why_not.item()
    seen = cm.Workload(1_000, input_tokens=500, images=2, image_tokens=1_000)
    assert total(deaf, seen, months=1) == pytest.approx(2.5)  # at the price of input


def test_images_fill_the_window_and_need_their_tokens():
    work = cm.Workload(10, input_tokens=10, images=4, image_tokens=1_000)
    small = cm.Option(api(window=3_000, **{"in": 1.0, "out": 1.0}))
    assert "over the 3,000-token window" in cm.compare(small, work, draws=1).why_not.item()
    with pytest.raises(ValueError, match="image needs its amount and its tokens"):
        cm.Workload(10, input_tokens=10, images=4)


def test_a_file_says_the_same():
    study = cm.load(
        "title: Test\nterms: {on: 2026-11-20}\noptions: {A: {serving: gpt-6-sol}}\n"
        "workload: {requests_per_month: 1e5, input_tokens: 9, images: 2, image_tokens: 1229, "
        "audio_seconds: 60, audio_tokens_per_s: 10}\n"
    )
    assert study.work.request().main.prompt_tokens == 9 + 2_458 + 600
