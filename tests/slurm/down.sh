#!/usr/bin/env bash
# Ends what `up.sh DIR` started, jobs first, and removes DIR.
set -uo pipefail

dir=$(realpath -m "$1")
export SLURM_CONF="$dir/slurm.conf"

ended() { # waits for up to five seconds
    for _ in $(seq 50); do
        "$@" || return 0
        sleep 0.1
    done
    return 1
}
jobs_left() { [ -n "$(timeout 2 squeue -h 2>/dev/null)" ]; }
alive() { kill -0 "$1" 2>/dev/null; }

timeout 5 scancel --user="$(id -un)" 2>/dev/null && ended jobs_left

pids=()
for file in "$dir"/slurmctld.pid "$dir"/slurmd-*.pid "$dir"/munge/pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    # A number that was given away again is not ours to end.
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$dir" || continue
    kill "$pid" 2>/dev/null && pids+=("$pid")
done
for pid in "${pids[@]}"; do
    ended alive "$pid" || kill -KILL "$pid" 2>/dev/null
done
nodes=$(sed -n 's/^NodeName=\([^ ]*\) .*/\1/p' "$SLURM_CONF" 2>/dev/null)
for node in $nodes; do
    find /sys/fs/cgroup/*/"slurm_$node" -depth -type d -exec rmdir {} + 2>/dev/null
done
rm -rf "$dir"
