"""The day of the tests: prices and lives of models go on, and what they hold is of one day."""

import os

os.environ.setdefault("COSTMODEL_TODAY", "2026-12-01")
