"""Floor 0: doubt, units, draws and plain words.

What every other floor speaks in, imported from here in one line. It imports nothing of the
package, and its own files import each other by name.
"""

from __future__ import annotations

from costmodel.core.checks import (
    LEAST_DIVISOR,
    checked,
    floats,
    is_day,
    number_list,
    of_kind,
    one_number,
    require,
    shares_of_one,
    today,
    validate,
    whole_number,
)
from costmodel.core.draws import (
    DRAWS_MAX,
    ENOUGH,
    SEED_MAX,
    WHOLE,
    check_draws,
    doubts,
    draw_rows,
    draw_values,
    drive,
    driver_key,
    given_or_drawn,
    middle,
    probabilities,
    sample,
    uniforms,
)
from costmodel.core.errors import (
    CatalogError,
    Infeasible,
    Unpriced,
    check,
    check_known,
    in_words,
    unknown,
)
from costmodel.core.files import (
    as_csv,
    check_writable,
    is_named,
    make_folder,
    plain_cell,
    read_rows,
    read_text,
    temporary_folder,
    write,
    write_all,
)
from costmodel.core.glossary import (
    GLOSSARY,
    UNSEEN,
    called,
    data_folder,
    label_of,
    limits,
    meaning_of,
    named,
    owner_label,
    unit_of,
)
from costmodel.core.nested import (
    field_names,
    find_key,
    find_keys,
    has_key,
    held_at,
    is_nest,
    kept,
    key_of,
    leaves,
    not_none,
    objects,
    outermost,
    owner_of,
    pin,
    rewrite,
    same,
    unchecked,
    walk,
)
from costmodel.core.public import absent, frozen, misspelt, public
from costmodel.core.ranges import (
    FORMS,
    TRIALS_MAX,
    Z90,
    Doubt,
    Measured,
    Number,
    Range,
    Usual,
    assumed,
    is_number,
    is_one_number,
    unmarked,
)
from costmodel.core.recording import NotRecordable, OtherBranch, Plan, StandIn, one_step, recorded
from costmodel.core.stopping import Stopped, go_on, while_wanted
from costmodel.core.threads import one_blas_thread
from costmodel.core.units import (
    DAYS_PER_MONTH,
    DAYS_PER_WEEK,
    GB,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    INDEX_END,
    KB,
    KILO,
    LARGEST,
    MILLION,
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    MTOK,
    ROUNDING,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
    WEEKS_PER_MONTH,
    WORKING_HOURS_PER_MONTH,
    WORKING_HOURS_PER_WEEK,
)
from costmodel.core.words import (
    USD,
    Currency,
    chance_of,
    dollars,
    listed,
    money,
    number_text,
    percent,
    short,
    signed,
)

__all__ = """
    CatalogError Currency DAYS_PER_MONTH DAYS_PER_WEEK DRAWS_MAX Doubt ENOUGH FORMS GB GLOSSARY
    HOURS_PER_DAY HOURS_PER_MONTH INDEX_END Infeasible KB KILO LARGEST LEAST_DIVISOR MILLION
    MINUTES_PER_HOUR MONTHS_PER_YEAR MTOK Measured NotRecordable Number OtherBranch Plan
    ROUNDING Range SECONDS_PER_HOUR SECONDS_PER_MINUTE SEED_MAX StandIn Stopped TRIALS_MAX
    UNSEEN USD Unpriced Usual WEEKS_PER_MONTH WHOLE WORKING_HOURS_PER_MONTH
    WORKING_HOURS_PER_WEEK Z90 absent as_csv assumed called chance_of check check_draws
    check_known check_writable checked data_folder dollars doubts draw_rows draw_values drive
    driver_key field_names find_key find_keys frozen given_or_drawn go_on has_key held_at
    in_words is_day is_named is_nest is_number kept key_of label_of leaves limits listed make_folder
    meaning_of middle misspelt money named not_none number_list number_text objects of_kind
    one_blas_thread one_number one_step outermost owner_label owner_of percent pin plain_cell
    probabilities public read_rows read_text recorded require rewrite same sample short
    signed temporary_folder unchecked uniforms unit_of unknown today unmarked validate walk
    while_wanted whole_number write write_all
""".split()
