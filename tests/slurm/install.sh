#!/usr/bin/env bash
# Installs Slurm and its keys' daemon where they are missing and can be had: as root, from Debian's
# packages. Where not, says so; the tests that need them then say that they skip.
set -euo pipefail

missing() { ! command -v "$1" >/dev/null; }

missing slurmctld || missing slurmd || missing munged || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "slurm-wlm and munge are not installed, and cannot be: the tests on Slurm will skip" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
packages="slurm-wlm munge"
# shellcheck disable=SC2086
timeout 300 apt-get install -y --no-install-recommends $packages >/dev/null 2>&1 || {
    timeout 120 apt-get update >/dev/null
    # shellcheck disable=SC2086
    timeout 300 apt-get install -y --no-install-recommends $packages >/dev/null
}
