"""The face `cm.training`: what a training run takes, and when it pays back.

A run       predict_training measured_training training_flops adapter_flops gpu_hours
Its worth   required_gain
Paying back paybacks methods tune_costs tenants underestimates
A student   readiness calibration_noise answers_for_share answers_for_calibration
Published   published_break_evens published_first_year published_underestimates
"""

from costmodel.core import absent
from costmodel.laws.experiments import answers_for_calibration, answers_for_share, calibration_noise
from costmodel.laws.quality import required_gain
from costmodel.laws.training.calibration import measured_training
from costmodel.laws.training.compute import adapter_flops, gpu_hours, training_flops
from costmodel.laws.training.predict import predict_training
from costmodel.studies.readiness import readiness
from costmodel.studies.tuning import methods, paybacks, tenants, tune_costs, underestimates
from costmodel.validation.cases import (
    published_break_evens,
    published_first_year,
    published_underestimates,
)

__all__ = [
    "adapter_flops",
    "answers_for_calibration",
    "answers_for_share",
    "calibration_noise",
    "gpu_hours",
    "measured_training",
    "methods",
    "paybacks",
    "predict_training",
    "published_break_evens",
    "published_first_year",
    "published_underestimates",
    "readiness",
    "required_gain",
    "tenants",
    "training_flops",
    "tune_costs",
    "underestimates",
]
__getattr__ = absent(__name__, __all__)
