"""Tokens of what is no text: images by their pixels, audio by its seconds, pages that are scanned.

    tokens = base + tokens_per_patch x ceil(width / patch) x ceil(height / patch), at most a limit

The numbers are those of each provider's newest models at their default resolution
(data/facts/media.csv). Not in it: other resolutions, older models, video, and the text that some
providers read out of a page beside its image.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core import CatalogError, Number, check_known, middle, public, require
from costmodel.facts.catalog import facts_of

PAGE_INCHES = (8.27, 11.69)  # A4
USUAL_DPI = 150.0


@public
def image_tokens(width: Number, height: Number, provider: str) -> Any:
    """Tokens of one image.

    Parameters
    ----------
    width, height : float or array, at least 1 [pixel]
    provider : {"openai", "anthropic", "google"}
        Whose newest models read it.

    Returns
    -------
    float or array [token]

    Raises
    ------
    CatalogError
        For a provider whose rule is not known; the message names the nearest.
    ValueError
        For an image without pixels.

    Examples
    --------
    >>> [float(image_tokens(1_024, 1_024, p)) for p in ("openai", "anthropic", "google")]
    [1228.8, 1446.0, 1090.0]
    """
    require("image_tokens: width", width, low=1)
    require("image_tokens: height", height, low=1)
    patch = _fact(provider, "patch_px")
    patches = np.ceil(np.divide(width, patch)) * np.ceil(np.divide(height, patch))
    tokens = _fact(provider, "image_base_tokens") + patches * _fact(provider, "tokens_per_patch")
    most = facts_of("media").get(f"{provider}.image_tokens_max")
    return tokens if most is None else np.minimum(tokens, most.value.mid)


@public
def scan_tokens(pages: Number, provider: str, dpi: float = USUAL_DPI) -> Any:
    """Tokens of scanned pages (A4), each sent as one image.

    Parameters
    ----------
    pages : float, Range or array, at least 0 [count]
    provider : str
        As in `image_tokens`.
    dpi : float
        Resolution of the scan [pixel/inch].

    Returns
    -------
    float or array [token]

    Examples
    --------
    >>> [round(float(scan_tokens(10, p))) for p in ("openai", "anthropic", "google")]
    [25740, 29120, 10900]
    """
    require("scan_tokens: pages", pages)
    width, height = (np.round(inches * dpi) for inches in PAGE_INCHES)
    return middle(pages) * image_tokens(width, height, provider)


@public
def audio_tokens(seconds: Number, provider: str) -> Any:
    """Tokens of audio that is sent to a model.

    Parameters
    ----------
    seconds : float, Range or array, at least 0 [s]
    provider : {"openai", "google"}

    Returns
    -------
    float or array [token]

    Raises
    ------
    CatalogError
        For a provider whose rule is not known.

    Examples
    --------
    >>> float(audio_tokens(60, "google"))
    1920.0
    """
    require("audio_tokens: seconds", seconds)
    return middle(seconds) * _fact(provider, "audio_tokens_per_s")


def _fact(provider: str, field: str) -> float:
    known = facts_of("media")
    check_known("provider", provider, {f.id for f in known.values()}, "media.csv")
    if f"{provider}.{field}" not in known:
        raise CatalogError(f"no {field} of {provider!r} in media.csv; write the tokens yourself")
    return known[f"{provider}.{field}"].value.mid
