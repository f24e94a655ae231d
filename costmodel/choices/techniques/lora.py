"""LoRA and QLoRA: a small adapter on a base that many tenants share, hosted or behind an API."""

from __future__ import annotations

from dataclasses import dataclass

from costmodel.choices.options import Case
from costmodel.choices.quality.accepted import tuned
from costmodel.choices.techniques.tuning import Tune
from costmodel.core import Number, assumed, public
from costmodel.laws.quality import Effect


@public
@dataclass(frozen=True, kw_only=True)
class Lora(Tune):
    """Train a small adapter: a third fewer FLOPs, many adapters on one base.

    You give up a little quality on large sets. `adapters` tenants share the fleet; the workload is
    then that of all of them.

    Parameters
    ----------
    quantised : bool
        True is QLoRA: a base in 4 bits needs a quarter of the memory and runs slower.
    tuning : id or record, or None
        A provider's offer: it trains at that price. One for a size class of open models answers on
        a Hosted serving; one for a model, or with a price of the adapter, behind an Api. None
        trains on own GPUs.
    customer : bool
        As of `FineTune`.
    examples, tokens_per_example, epochs, runs, mfu, speed, usd_per_run
        As of `FineTune`.
    labels, minutes_per_label, label_role, minutes_per_check, build_weeks
        The labels and the first work, as of `FineTune`.
    pass_chance, luck, failed_share, sweep_runs, sweep_share, debug_hours, candidate_items
        The runs until one passes, as of `FineTune`.
    speed_error, seq_len, packed, stack, hours_per_run, checkpoints, usd_per_gb_month
        One run and what is kept of it, as of `FineTune`.
    retrain_months, retrain_labels, retrain_hours
        Retraining, as of `FineTune`.
    base_life_months, provider_life_months, labels_kept, rebuild_share
        The end of the base model, as of `FineTune`.
    upkeep_fte, adapters, further_share
        Upkeep, and tenants, as of `FineTune`.
    log_odds_adapter : number or Range
        What an adapter adds to that in place of all weights, mostly below 0 [log-odds].

    Raises
    ------
    ValueError
        When a field is outside its range, or an example is longer than `seq_len`.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.Lora().method, cm.Lora(quantised=True).method
    ('lora', 'qlora')
    """

    examples: Number = 2_000
    quantised: bool = False
    log_odds_adapter: Number = assumed(
        -0.25,
        -0.05,
        0.1,
        "about as good as a full tune on small sets, less on large ones (arXiv:2405.09673)",
        form="signed",
    )

    def quality(self, case: Case) -> Effect:
        return tuned(case, self.examples, self.log_odds_adapter)
