"""The face `cm.operations`: releases, evaluation, ageing, agents and mistakes.

Experiments samples_per_arm days_to_collect chance_to_detect runs_to_see through_judge
            exposed_days expected_loss
Releases    release_policies best_policy
Ageing      gain_of_waiting overpaid_share per_survivor putting_off
Agents      step_tokens attempts per_resolved tail agent_runs steps_and_success coding_ways
            schema_options user_margins
A year      inference_share oneoffs duties
Mistakes    unpriced lint PITFALLS
"""

from costmodel.core import absent
from costmodel.laws.ageing import gain_of_waiting, overpaid_share, per_survivor
from costmodel.laws.agents import attempts, per_resolved, step_tokens, tail
from costmodel.laws.experiments import (
    chance_to_detect,
    days_to_collect,
    expected_loss,
    exposed_days,
    runs_to_see,
    samples_per_arm,
    through_judge,
)
from costmodel.studies.agents import coding_ways, schema_options, steps_and_success
from costmodel.studies.operations import best_policy, release_policies, unpriced
from costmodel.studies.outcomes import user_margins
from costmodel.studies.pitfalls import PITFALLS, lint
from costmodel.studies.year import duties, inference_share, oneoffs, putting_off
from costmodel.validation.agents import agent_runs

__all__ = [
    "PITFALLS",
    "agent_runs",
    "attempts",
    "best_policy",
    "chance_to_detect",
    "coding_ways",
    "days_to_collect",
    "duties",
    "expected_loss",
    "exposed_days",
    "gain_of_waiting",
    "inference_share",
    "lint",
    "oneoffs",
    "overpaid_share",
    "per_resolved",
    "per_survivor",
    "putting_off",
    "release_policies",
    "runs_to_see",
    "samples_per_arm",
    "schema_options",
    "step_tokens",
    "steps_and_success",
    "tail",
    "through_judge",
    "unpriced",
    "user_margins",
]
__getattr__ = absent(__name__, __all__)
