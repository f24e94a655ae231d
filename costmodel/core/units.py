"""Constants of definition: they cancel the denominators of prices and rates.

`tokens / MTOK * usd_per_mtok_in` is in USD. What each name measures stands in data/glossary.csv.
"""

from __future__ import annotations

# -- amounts
KILO = 1e3
MILLION = 1e6
MTOK = 1e6  # tokens in "per million tokens"
KB = 1e3  # bytes
GB = 1e9  # bytes

# -- time of the calendar
SECONDS_PER_MINUTE = 60.0
MINUTES_PER_HOUR = 60.0
SECONDS_PER_HOUR = 3600.0
HOURS_PER_DAY = 24.0
HOURS_PER_MONTH = 730.0  # 8,760 hours / 12
DAYS_PER_WEEK = 7.0
INDEX_END = 70.0  # of the published index of capability: its log-odds are taken of index / 70
DAYS_PER_MONTH = HOURS_PER_MONTH / HOURS_PER_DAY
WEEKS_PER_MONTH = DAYS_PER_MONTH / DAYS_PER_WEEK
MONTHS_PER_YEAR = 12

# -- time of a full-time person
WORKING_HOURS_PER_WEEK = 40.0
WORKING_HOURS_PER_MONTH = 2080 / 12  # paid hours

LARGEST = 1e30  # no input lies beyond it, so that products of inputs stay finite
ROUNDING = 1e-9  # an event due at the end of a month is in it, whatever the last bit says
