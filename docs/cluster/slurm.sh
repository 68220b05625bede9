#!/bin/sh
# One shard for each task of a job array, and then all of them put together:
#
#   mkdir -p shards
#   job=$(sbatch --parsable --array=1-8 --export=ALL,SHARDS=8 slurm.sh run scenario.yaml --replications 400)
#   sbatch --dependency=afterok:"$job" --wrap='eventflow merge shards/*.shard-* --out reports'
#
# What follows slurm.sh is what one machine would be told. A task that was killed or requeued goes on from what its
# file holds; one that is lost for good is run again alone: sbatch --array=3 --export=ALL,SHARDS=8 slurm.sh ...
#
#SBATCH --job-name=eventflow
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=shards/%A-%a.log

# Not the number of tasks of this array: a lost shard is run in an array of its own.
: "${SHARDS:?into how many shards the work is cut, the same for all of them}"

exec "${EVENTFLOW:-eventflow}" "$@" --shard "$SLURM_ARRAY_TASK_ID/$SHARDS" \
  --threads "${SLURM_CPUS_PER_TASK:-1}" --quiet --out shards
