"""What no list knows: an API with prices of your own, and a GPU of your own, each in one line."""

from __future__ import annotations

from typing import Any

from costmodel.choices.servings.api import Api
from costmodel.core import Number, check, check_known, public, require, today
from costmodel.facts.catalog import Gpu, Rent
from costmodel.facts.prices import OWN, ApiPrice, Rates, said_why

YOURS, GUESSED = "yours", "assumption"
FP8_OVER_BF16 = 2.0  # every GPU of the catalogue that multiplies in FP8 does so twice as fast
GUESSES = {  # of a GPU of which nobody says more: a card in a PCIe 4 slot, and the power of an H100
    "interconnect": 6.4e10,
    "power": 700.0,
}


@public
def own_api(
    id: str,
    usd_per_mtok_in: Number,
    usd_per_mtok_out: Number,
    window: Number | None = None,
    usd_per_mtok_cache_read: Number | None = None,
    usd_per_mtok_cache_write: Number | None = None,
    usd_per_mtok_reasoning: Number | None = None,
    usd_per_request: float = 0.0,
    residency: str | None = None,
    on: str | None = None,
    note: str | None = None,
    **api: Any,
) -> Api:
    """An API that no price list knows, from its prices.

    Its prices hold on every day; `Trends.api` moves them, as those of any API.

    Parameters
    ----------
    id : str
        A word such as "acme-1".
    usd_per_mtok_in, usd_per_mtok_out : number or Range, at least 0
        Price of a million tokens that are sent and answered [USD/Mtok].
    window : number, at least 1, or None
        Context window [token]; None is unknown, and nothing is checked.
    usd_per_mtok_cache_read, usd_per_mtok_cache_write, usd_per_mtok_reasoning : number or None
        Prices of these classes [USD/Mtok]. None: a cache read is refused, a write is paid as
        input, reasoning as output.
    usd_per_request : number, at least 0
        Price of a request on top of its tokens [USD/request].
    residency : str or None
        Region in which it keeps data, such as "eu".
    on : str or None
        The day on which you read the prices; today by default.
    note : str or None
        Why a price lies outside 0.001 to 1,000 USD per million tokens, such as "free in house".
    **api
        Other fields of `Api`: `accepted`, `discount`, `failed`, limits per minute.

    Returns
    -------
    Api

    Raises
    ------
    ValueError
        When the id is no word, a number is outside its range, or a price is unusual without a note.

    Examples
    --------
    >>> acme = own_api("acme-1", usd_per_mtok_in=0.4, usd_per_mtok_out=1.6, window=128_000)
    >>> acme.window, acme.model.tiers[0].usd_per_mtok_out
    (128000, 1.6)
    >>> own_api("house-1", usd_per_mtok_in=0, usd_per_mtok_out=0, note="free in house").provider
    'own'
    """
    check(isinstance(id, str) and id, f"own_api: the id is {id!r}, it must be a word like 'acme-1'")
    usd = {
        "usd_per_mtok_in": usd_per_mtok_in,
        "usd_per_mtok_out": usd_per_mtok_out,
        "usd_per_mtok_cache_read": usd_per_mtok_cache_read,
        "usd_per_mtok_cache_write": usd_per_mtok_cache_write,
        "usd_per_mtok_reasoning": usd_per_mtok_reasoning,
    }
    usd = {name: value for name, value in usd.items() if value is not None}
    for name, value in {**usd, "usd_per_request": usd_per_request}.items():
        require(f"own_api.{name}", value)
    if window is not None:
        require("own_api.window", window, low=1)
    card = ApiPrice(
        id=id,
        provider=OWN,
        on=on or today().isoformat(),
        mode="standard",
        residency=residency,
        residency_uplift=1.0,
        discount=0.0,
        window=window,
        usd_per_request=usd_per_request,
        tiers=(Rates(id, 0.0, **usd),),
        notes=("prices of your own", *said_why(note)),
        sources=tuple((name, YOURS) for name in (*usd, "window", "usd_per_request")),
    )
    return Api(card, **api)


@public
def own_gpu(
    id: str,
    memory: Number,
    bandwidth: Number,
    peak_flops_bf16: Number,
    usd_per_gpu_hour: Number,
    **known: Number,
) -> dict[str, Any]:
    """A GPU that the catalogue does not know, from four numbers, as fields of `Hosted`.

    What you leave open is an assumption: FP8 twice as fast as BF16, a link of 64 GB/s, 700 W.

    Parameters
    ----------
    id : str
        A word such as "b500".
    memory : number or Range, above 0
        Memory [byte].
    bandwidth : number or Range, above 0
        Of the memory [byte/s].
    peak_flops_bf16 : number or Range, above 0
        Dense peak in BF16 [FLOP/s].
    usd_per_gpu_hour : number or Range, at least 0
        Rent [USD/GPU-hour].
    **known
        `peak_flops_fp8`, `peak_flops_fp4`, `peak_ops_int8`, `interconnect` [byte/s], `power` [W].

    Returns
    -------
    dict
        `gpu` and `rent`, for `Hosted(model, **own_gpu(...))`.

    Raises
    ------
    CatalogError
        For an unknown field; the message names the nearest.
    ValueError
        When the id is no word, or a number is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> new = own_gpu("b500", 288e9, 8e12, 2.5e15, usd_per_gpu_hour=4.5)
    >>> own = cm.Hosted("llama-3.1-70b", **new)
    >>> own.gpu.id, own.rent.usd_per_gpu_hour, int(own.gpus)
    ('b500', 4.5, 1)
    """
    check(isinstance(id, str) and id, f"own_gpu: the id is {id!r}, it must be a word like 'b500'")
    given = {"memory": memory, "bandwidth": bandwidth, "peak_flops_bf16": peak_flops_bf16, **known}
    for name, value in given.items():
        check_known("field", name, NUMBERS_OF_A_GPU, where="own_gpu")
        require(f"own_gpu.{name}", value, low=1)
    require("own_gpu.usd_per_gpu_hour", usd_per_gpu_hour)
    middle: Any = getattr(peak_flops_bf16, "mid", peak_flops_bf16)
    guessed = {**GUESSES, "peak_flops_fp8": FP8_OVER_BF16 * middle} | {"released": "unknown"}
    sources = [(name, YOURS) for name in given]
    sources += [(name, GUESSED) for name in guessed if name not in given]
    gpu = Gpu(id=id, sources=tuple(sources), **{**guessed, **given})
    price = (("usd_per_gpu_hour", YOURS),)
    rent = Rent(f"{id}.own", id, OWN, "on_demand", usd_per_gpu_hour, sources=price)
    return {"gpu": gpu, "rent": rent}


NUMBERS_OF_A_GPU = tuple(
    name for name in Gpu.__dataclass_fields__ if name not in ("id", "sources", "released", "maker")
)
