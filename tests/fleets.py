"""Fleets of the tests: one GPU a replica at $2 an hour, and a load counted in replicas."""

from dataclasses import replace

from toys import STILL

import costmodel as cm

MONTH = replace(STILL, months=1)
RENT = replace(cm.facts.rent("H100-SXM"), id="ours", usd_per_gpu_hour=2.0)
CALM = {"burstiness": 0}
HOURS = 730
NOBODY = {"build_weeks": 0, "upkeep_fte": 0, "on_call_hours_per_month": 0}
OWN = cm.serving.Owned(
    capex_usd=30_000,
    server_overhead=1.25,
    residual=0.2,
    it_watts=1_000,
    usd_per_kwh=0.1,
    pue=1.5,
    usd_per_kw_month=219,
    operations_fte_per_server=0,
    setup_weeks=0,
    life_months=36,
)


def option(requests_per_s=1.0, techniques=(), load_max=1.0, **fields):
    """One GPU a replica at $2 an hour, no people; fields of Fleet and of Hosted."""
    names = cm.serving.Fleet.__dataclass_fields__
    follows = CALM | {k: v for k, v in fields.items() if k in names and k != "commitment"}
    given = (
        NOBODY
        | {"gpus_per_replica": 1, "rent": RENT}
        | {k: v for k, v in fields.items() if k not in follows}
    )
    return cm.Option(
        cm.Hosted(
            "llama-3.1-8b",
            requests_per_s=requests_per_s,
            load_max=load_max,
            fleet=cm.serving.Fleet(**follows),
            **given,
        ),
        *techniques,
    )


def work(load, peak=1.0, hours=HOURS, **more):
    """A load in replicas that answer one request a second, in the mean of the active hours."""
    return cm.Workload(
        load * hours * 3_600,
        input_tokens=1_000,
        output_tokens=100,
        active_hours_per_month=hours,
        peak_to_average=peak,
        **more,
    )
