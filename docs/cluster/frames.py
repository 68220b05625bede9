"""Reads the data frames of a sweep, and says what the report says.

    eventflow sweep shop.yaml --over rate=20/s,60/s --data data
    python frames.py data/shop.sweep.parquet reports/shop.sweep.json
"""

import json
import sys

import polars

frame = polars.read_parquet(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    report = json.load(file)

# Both formats hold the same rows.
same = polars.read_csv(sys.argv[1].replace(".parquet", ".csv"))
assert same["value"].to_list() == frame["value"].to_list() and same.columns == frame.columns

# The mean of each measure at each point is that of the report.
means = frame.group_by("point", "measure").agg(polars.col("value").mean())
told = {(row["point"], row["measure"]): row["value"] for row in means.iter_rows(named=True)}
for point in report["points"]:
    for measure, estimate in zip(report["measures"], point["estimates"]):
        mean = told.get((point["number"], measure["name"]))
        if estimate["mean"] is None:
            assert mean is None, (point["number"], measure["name"])
        else:
            assert abs(mean - estimate["mean"]) <= 1e-9 * max(1.0, abs(mean)), (point["number"], measure["name"])

# Replications of the same number drew the same random numbers: two points are compared pair by pair.
measure = next(measure["name"] for measure in report["measures"] if measure["charted"])
pairs = frame.filter(polars.col("measure") == measure).pivot(on="point", index="replication", values="value")
difference = pairs["1"] - pairs["0"]
print(f"{measure}: {frame.height} rows; from point 0 to point 1 it changes by {difference.mean():.6g}")
print(f"standard deviation of the difference {difference.std():.3g}, of point 1 alone {pairs['1'].std():.3g}")
