"""The face `cm.training`: what a training run takes, and when it pays back.

A run       predict_training measured_training training_flops adapter_flops gpu_hours
Its worth   required_gain allowed_loss
Paying back paybacks tenants underestimates
Published   published_break_evens published_first_year published_underestimates
"""

from costmodel.core import absent
from costmodel.laws.quality import allowed_loss, required_gain
from costmodel.laws.training.calibration import measured_training
from costmodel.laws.training.compute import adapter_flops, gpu_hours, training_flops
from costmodel.laws.training.predict import predict_training
from costmodel.studies.tuning import paybacks, tenants, underestimates
from costmodel.validation.cases import (
    published_break_evens,
    published_first_year,
    published_underestimates,
)

__all__ = [
    "adapter_flops",
    "allowed_loss",
    "gpu_hours",
    "measured_training",
    "paybacks",
    "predict_training",
    "published_break_evens",
    "published_first_year",
    "published_underestimates",
    "required_gain",
    "tenants",
    "training_flops",
    "underestimates",
]
__getattr__ = absent(__name__, __all__)
