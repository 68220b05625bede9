"""Runs the shards of an experiment on the workers of a Dask cluster, and puts them together.

    python dask_shards.py --scheduler tcp://head:8786 --shards 64 -- sweep scenario.yaml --over rate=100/s..1000/s:10

Without --scheduler it starts workers on this machine. What follows `--` is what one machine would be told. Workers and
this process share a folder, in which the scenario is and the shards are written. Dask gives a shard that was lost with
its worker to another one, which goes on from what the file holds.
"""

import argparse
import os
import pathlib
import subprocess
import sys

from distributed import Client, LocalCluster, as_completed


def run_shard(eventflow: str, words: list[str], number: int, of: int, folder: str, out: str) -> str:
    """One shard, on whichever worker; its last line says what was written."""
    command = [eventflow, *words, "--shard", f"{number}/{of}", "--threads", "1", "--out", out]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"shard {number}/{of} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scheduler", help="address of a running cluster; workers on this machine if not given")
    parser.add_argument("--shards", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--eventflow", default="eventflow", help="the program, as workers find it")
    parser.add_argument("--folder", default=os.getcwd(), help="where the scenario is, on all workers")
    parser.add_argument("--work", default="shards", help="where the shards go, in that folder")
    parser.add_argument("--out", default="reports", help="where the report goes, in that folder")
    parser.add_argument("words", nargs="+", metavar="WORD", help="run or sweep, and all that belongs to it")
    arguments = parser.parse_args()

    if arguments.scheduler:
        client = Client(arguments.scheduler)
    else:
        # A shard is a process of its own: threads of one worker are enough to wait for it.
        client = Client(LocalCluster(processes=True, threads_per_worker=1, dashboard_address=None))
    with client:
        futures = [
            client.submit(
                run_shard,
                arguments.eventflow,
                arguments.words,
                number,
                arguments.shards,
                arguments.folder,
                arguments.work,
                pure=False,
                retries=2,
            )
            for number in range(1, arguments.shards + 1)
        ]
        for future in as_completed(futures):
            print(future.result(), flush=True)
    work = pathlib.Path(arguments.folder, arguments.work)
    files = sorted(work.glob(f"*.shard-*-of-{arguments.shards}"))
    merge = [arguments.eventflow, "merge", *map(str, files), "--out", arguments.out]
    return subprocess.run(merge, cwd=arguments.folder).returncode


if __name__ == "__main__":
    sys.exit(main())
