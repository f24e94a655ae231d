"""The face `cm.serving`: how fast a model answers, how many GPUs a load takes, their cost.

A machine   predict_serving plan_serving
A fleet     Fleet Owned Site with_fleet with_own_gpus profile duration_curve replicas_needed
            wait_chance
Its use     capacity day by_utilisation own_over_api footprint buy_or_rent
"""

from costmodel.choices.profiles import profile, with_fleet, with_own_gpus
from costmodel.choices.servings.capacity import Fleet
from costmodel.choices.servings.owned import Owned
from costmodel.core import absent
from costmodel.laws.queueing import duration_curve, replicas_needed, wait_chance
from costmodel.laws.serving.plan import plan_serving
from costmodel.laws.serving.predict import predict_serving
from costmodel.studies.buying import buy_or_rent, by_utilisation, own_over_api
from costmodel.studies.serving import Site, capacity, day, footprint

__all__ = [
    "Fleet",
    "Owned",
    "Site",
    "buy_or_rent",
    "by_utilisation",
    "capacity",
    "day",
    "duration_curve",
    "footprint",
    "own_over_api",
    "plan_serving",
    "predict_serving",
    "profile",
    "replicas_needed",
    "wait_chance",
    "with_fleet",
    "with_own_gpus",
]
__getattr__ = absent(__name__, __all__)
