"""The face `cm.plots`: figures, one file a subject; `style` holds the colours and the form that
they share.

Costs       plot_lifecycle plot_cumulative plot_tornado
Options     plot_bands plot_sweep plot_quality plot_quality_bands
Decisions   plot_fan plot_waterfall plot_case plot_regions plot_sobol plot_information plot_pilot
plot_wrong_answers
Tuning      plot_paybacks plot_tunes
Serving     plot_utilisation plot_day plot_breakeven_map plot_buy_or_rent colours
Knowledge   plot_region plot_question_mix plot_budget
plot_index_cost plot_latency plot_cache_map INDEXES
Operations  plot_year plot_policies plot_best_policy plot_shares plot_tasks plot_agent_runs
Validation  plot_fidelity plot_errors
History     plot_steps plot_repriced
Colours     palette
"""

from costmodel.core import absent
from costmodel.pages.plots.costs import plot_cumulative, plot_lifecycle, plot_tornado
from costmodel.pages.plots.decisions import (
    plot_case,
    plot_fan,
    plot_information,
    plot_pilot,
    plot_regions,
    plot_sobol,
    plot_waterfall,
    plot_wrong_answers,
)
from costmodel.pages.plots.history import plot_repriced, plot_steps
from costmodel.pages.plots.knowledge import (
    INDEXES,
    plot_budget,
    plot_cache_map,
    plot_index_cost,
    plot_latency,
    plot_question_mix,
    plot_region,
)
from costmodel.pages.plots.operations import (
    plot_agent_runs,
    plot_best_policy,
    plot_policies,
    plot_shares,
    plot_tasks,
    plot_year,
)
from costmodel.pages.plots.options import plot_bands, plot_quality, plot_quality_bands, plot_sweep
from costmodel.pages.plots.serving import (
    colours,
    plot_breakeven_map,
    plot_buy_or_rent,
    plot_day,
    plot_utilisation,
)
from costmodel.pages.plots.style import palette
from costmodel.pages.plots.tuning import plot_paybacks, plot_tunes
from costmodel.pages.plots.validation import plot_errors, plot_fidelity

__all__ = """
    INDEXES colours palette plot_agent_runs plot_bands plot_best_policy plot_breakeven_map
    plot_budget plot_buy_or_rent plot_cache_map plot_case plot_cumulative plot_day plot_errors
    plot_fan plot_fidelity plot_index_cost plot_information plot_latency plot_lifecycle
    plot_paybacks plot_pilot plot_policies plot_quality plot_quality_bands plot_question_mix
    plot_region plot_regions plot_repriced plot_shares plot_sobol plot_steps
    plot_sweep plot_tasks plot_tornado plot_tunes plot_utilisation plot_waterfall
    plot_wrong_answers plot_year
""".split()
__getattr__ = absent(__name__, __all__)
