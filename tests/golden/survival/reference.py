"""Writes durations.csv and kaplan_meier.csv: curves of data sets that come with lifelines 0.30.3.

Run in this folder: pip install lifelines==0.30.3; python reference.py
Tolerance: relative 1e-12 for every column.
"""

import csv

import lifelines
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_g3, load_leukemia, load_rossi, load_waltons
from lifelines.utils import restricted_mean_survival_time

assert lifelines.__version__ == "0.30.3"

DATA = {
    "waltons": (load_waltons(), "T", "E"),
    "rossi": (load_rossi(), "week", "arrest"),
    "leukemia": (load_leukemia(), "t", "status"),
    "g3": (load_g3(), "time", "event"),
}

with open("durations.csv", "w", newline="") as durations, open(
    "kaplan_meier.csv", "w", newline=""
) as curves:
    durations, curves = csv.writer(durations), csv.writer(curves)
    durations.writerow(["data", "duration", "is_ended"])
    curves.writerow(
        "data time at_risk ended survival ci_low ci_high restricted_mean".split()
    )
    for name, (table, duration, ended) in DATA.items():
        fitter = KaplanMeierFitter(alpha=0.05).fit(table[duration], table[ended])
        durations.writerows(
            (name, float(row[0]), str(bool(row[1])).lower())
            for row in table[[duration, ended]].itertuples(index=False)
        )
        steps = fitter.event_table.join(fitter.survival_function_).join(
            fitter.confidence_interval_
        )
        for time, step in steps.iterrows():
            if step.removed == 0:
                continue  # the row that lifelines adds for time 0
            curves.writerow(
                [
                    name,
                    repr(float(time)),
                    int(step.at_risk),
                    int(step.observed),
                    *(repr(float(value)) for value in step.iloc[-3:]),
                    repr(float(restricted_mean_survival_time(fitter, t=time))),
                ]
            )
