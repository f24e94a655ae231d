"""Types of fields that are filled in when the object is made, which types cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costmodel.core import Number
from costmodel.facts import catalog
from costmodel.facts.prices import ApiPrice

if TYPE_CHECKING:
    Id = Any
    Card = Any
    Model = Any
    Gpu = Any
    Rent = Any
    OpenNumber = Any
else:
    Id = str
    Card = ApiPrice | str  # a str is an id of the price list or the catalogue
    Model = catalog.Model | str
    Gpu = catalog.Gpu | str
    Rent = catalog.Rent | None  # None is filled in from the catalogue
    OpenNumber = Number | None
