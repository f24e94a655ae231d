"""Cascades: a small model answers first, and a signal says which questions a large one gets.

Every question has a latent ability of the small model, normal; the signal is that ability and
noise; the large model is correlated with it. Every argument is a number or an array of draws.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from costmodel.core import one_step, public

POINTS = (np.arange(32) + 0.5) / 32  # of an even grid between 0 and 1
AUCS = np.linspace(0.5, 0.99, 50)  # at which loadings are tabled
ABLE = np.linspace(-2.5, 2.5, 26)  # standard normal quantiles of the share right
LEAST = 1e-12  # none and all escalated lie this far inside
TINY = 1e-300  # in place of a quantile of 0, by which nothing can be divided
HALVINGS = 14  # of an interval of one: to 0.0001


def _parts(*values: Any) -> tuple[np.ndarray, ...]:
    """The values broadcast against each other, with an axis of grid points at the end."""
    return tuple(x[..., None] for x in np.broadcast_arrays(*(np.asarray(v, float) for v in values)))


def _right(ability: Any, share: Any, loading: Any) -> Any:
    """Chance to be right of those whose signal is `ability`."""
    from scipy.special import ndtr, ndtri

    return ndtr((ndtri(share) + loading * ability) / np.sqrt(1 - loading**2))


def signal_auc(loading: Any, right: Any) -> Any:
    """AUC of a signal: chance that a right answer has more of it than a wrong one [share].

    `loading` is its correlation with the latent ability, 0 to below 1. Not in it: signals that know
    the answer but not the ability.

    >>> [round(float(signal_auc(x, 0.62)), 2) for x in (0.0, 0.55, 0.92)]
    [0.5, 0.76, 0.95]
    """
    from scipy.special import ndtri

    loading, right = _parts(loading, right)
    hit = _right(ndtri(POINTS), right, loading)
    miss = 1 - hit
    below = np.cumsum(miss, axis=-1) - miss / 2
    return (hit * below).sum(-1) / (hit.sum(-1) * miss.sum(-1))


@public
@one_step
def signal_loading(auc: Any, right: Any) -> Any:
    """Correlation of a signal with the latent ability, from its published AUC.

    Assume .60 to .65 of a router before the answer, .51 to .63 of a model that is asked for its
    confidence (Xiong et al. 2024, arXiv:2306.13063), .76 to .88 of a judge of typed answers, .50 of
    long free text without a reference. Not in it: an AUC measured on other questions.

    Parameters
    ----------
    auc : share or array, 0.5 to below 1
        Area under the curve of the signal; less than 0.5 is taken for 0.5.
    right : share or array above 0 and below 1
        Share of the small model's answers that are right.

    Returns
    -------
    number or array, 0 to below 1

    Examples
    --------
    >>> [round(float(signal_loading(auc, 0.62)), 2) for auc in (0.5, 0.75, 0.9)]
    [0.0, 0.54, 0.83]
    """
    from scipy.ndimage import map_coordinates
    from scipy.special import ndtri

    shape = np.broadcast_shapes(np.shape(auc), np.shape(right))
    auc, right = np.broadcast_arrays(*np.atleast_1d(auc, right))
    place = (auc - AUCS[0]) / np.diff(AUCS)[0], (ndtri(right) - ABLE[0]) / np.diff(ABLE)[0]
    found = map_coordinates(_loadings(), np.stack(place), order=1, mode="nearest")
    return np.where(auc > 0.5, found, 0.0).reshape(shape)[()]


@cache
def _loadings() -> np.ndarray:
    """Loadings on the grid of AUCS and ABLE, found by halving."""
    from scipy.special import ndtr

    auc, right = np.meshgrid(AUCS, ndtr(ABLE), indexing="ij")
    low, high = np.zeros(auc.shape), np.full(auc.shape, 0.999)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        more = signal_auc(middle, right) < auc
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return (low + high) / 2


@public
def cascade_right(
    small: Any, large: Any, escalated: Any, auc: Any = 0.75, correlation: Any = 0.85
) -> Any:
    """Share right of a cascade that sends the questions with the least signal to a large model.

    Kept and right, and escalated and right, of a latent normal ability. Met within 0.6 points by
    published cascades (FrugalGPT, Chen et al. 2023, arXiv:2305.05176; Gupta et al. 2024,
    arXiv:2404.10136). On the same questions small and large are right together with a correlation
    of 0.85 (0.57 to 0.93). At an AUC of 0.5 it is a mixture, and never better than the large model.
    Not in it: a threshold that was tuned on these questions.

    Parameters
    ----------
    small, large : share or array above 0 and below 1
        Right alone.
    escalated : share or array
        Of the questions.
    auc : share or array, 0.5 to below 1
        Of the signal, for the small model's answers.
    correlation : number or array, 0 to below 1
        Tetrachoric, of small and large on the same questions.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> aucs = (0.5, 0.75, 0.85, 0.9)  # published law: .669 .701 .717 .728
    >>> [round(float(cascade_right(0.62, 0.78, 0.3, auc, 0.75)), 3) for auc in aucs]
    [0.668, 0.7, 0.716, 0.726]
    """
    loading = signal_loading(auc, small)
    sent = np.clip(escalated, LEAST, 1 - LEAST)
    return small - _both(sent, small, loading) + _both(sent, large, correlation * loading)


def _both(sent: Any, right: Any, loading: Any) -> Any:
    """Share of questions whose signal is among the lowest, and whose answer is right.

    Of two normals with the correlation -loading, by Owen's T.
    """
    from scipy.special import ndtri, owens_t

    h, k = (np.where(z == 0, TINY, z) for z in (ndtri(sent), ndtri(right)))
    root = np.sqrt(1 - loading**2)
    first = owens_t(h, (k / h + loading) / root)
    second = owens_t(k, (h / k + loading) / root)
    return ((sent + right) / 2 - first - second - np.where(h * k < 0, 0.5, 0.0))[()]
