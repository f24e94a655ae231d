"""Constants of definition, to cancel the denominators of prices; what each name measures is in the glossary."""

KILO = 1e3
MTOK = 1e6  # tokens in "per million tokens"
GB = 1e9  # bytes
KB = 1e3  # bytes
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_MINUTE = 60.0
HOURS_PER_MONTH = 730.0  # 8,760 h / 12
MONTHS_PER_YEAR = 12
WORKING_HOURS_PER_MONTH = 2080 / 12  # paid hours of a full-time person
MILLION = 1e6
MINUTES_PER_HOUR = 60.0
HOURS_PER_DAY = 24.0
DAYS_PER_WEEK = 7.0
HOURS_PER_WEEK = 40.0  # one engineer-week
MONTHS_PER_QUARTER = 3.0
DAYS_PER_MONTH = HOURS_PER_MONTH / HOURS_PER_DAY
WEEKS_PER_MONTH = DAYS_PER_MONTH / 7
ROUNDING = 1e-9  # an event due at the end of a month is in it, whatever the last bit says
