"""Floor 7, and the face `cm.validation`: predictions beside published measurements.

It imports `studies` and everything below, never `pages`.

Training    fidelity error_by misses literature standing Standing beside_peers reality
Serving     serving_reality serving_held_out serving_errors
Distance    by_distance
Bills       bills bill_errors
Quality     measured_quality quality_fidelity task_quality_fidelity index_fidelity
"""

from costmodel.core import absent
from costmodel.validation.bills import bill_errors, bills
from costmodel.validation.distance import by_distance
from costmodel.validation.indexing import index_fidelity
from costmodel.validation.published import reality
from costmodel.validation.quality import measured_quality, quality_fidelity, task_quality_fidelity
from costmodel.validation.serving import serving_errors, serving_held_out, serving_reality
from costmodel.validation.training import (
    Standing,
    beside_peers,
    error_by,
    fidelity,
    literature,
    misses,
    standing,
)

__all__ = """
    Standing beside_peers bill_errors bills by_distance error_by fidelity index_fidelity literature
    measured_quality misses quality_fidelity reality serving_errors serving_held_out
    serving_reality standing task_quality_fidelity
""".split()
__getattr__ = absent(__name__, __all__)
