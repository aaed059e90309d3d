#!/usr/bin/env bash
# Starts a private Slurm of three nodes on this machine: `up.sh DIR LIFETIME`.
#
# Two nodes are in the partition `all`, whose tasks have to make room for those of `urgent`; the third is
# in `aside`, undisturbed. Memory is enforced by cgroups where they can be had; DIR/enforces-memory is
# there if so.
#
# Keys, logs, state, sockets and settings lie in DIR, a new folder; the daemons listen on this machine
# alone. They end with `down.sh DIR`, or after LIFETIME seconds by themselves, or when the process that
# called this script is gone. Needs root, slurm-wlm and munge (`install.sh`), and no systemd.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath -m "$1")
lifetime=$2
caller=$PPID
host=$(hostname -s)

free_port() { # from this one on
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}
control=$(free_port $((20000 + $$ % 20000)))
first=$(free_port $((control + 1)))
second=$(free_port $((first + 1)))
third=$(free_port $((second + 1)))
# Names that no other private Slurm has: cgroups are named after them.
nodes=("n$control-1" "n$control-2" "n$control-3")

mkdir -p "$dir"/{munge,state,log}
chmod 711 "$dir" "$dir/munge"
(umask 077 && head -c 1024 /dev/urandom >"$dir/munge/key")

# The watch comes first, so that nothing is ever started without it.
(
    until [ "$SECONDS" -ge "$lifetime" ] || ! kill -0 "$caller" 2>/dev/null || [ ! -d "$dir" ]; do
        sleep 0.5
    done
    [ ! -d "$dir" ] || "$here/down.sh" "$dir"
) </dev/null >/dev/null 2>&1 &

# Slurm's own way with cgroups of the second version needs systemd.
task_plugin=task/none swap=
memory=/sys/fs/cgroup/memory
if mkdir "$memory/slurm_${nodes[0]}" 2>/dev/null; then
    task_plugin=task/cgroup
    [ ! -e "$memory/memory.memsw.limit_in_bytes" ] || swap=$'ConstrainSwapSpace=yes\nAllowedSwapSpace=0'
    touch "$dir/enforces-memory"
fi
cat >"$dir/slurm.conf" <<END
ClusterName=ambivox
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
# Tasks of a node that failed begin again once their credentials have lapsed.
AuthInfo=socket=$dir/munge/socket,cred_expire=5
CredType=cred/munge
SlurmctldPort=$control
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=$task_plugin
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=100000
ReturnToService=0
# More processors than there are: the tasks are small and mostly wait.
SlurmdParameters=config_overrides
KillWait=2
NodeName=${nodes[0]} NodeHostname=$host NodeAddr=127.0.0.1 Port=$first CPUs=8 RealMemory=8000
NodeName=${nodes[1]} NodeHostname=$host NodeAddr=127.0.0.1 Port=$second CPUs=8 RealMemory=8000
NodeName=${nodes[2]} NodeHostname=$host NodeAddr=127.0.0.1 Port=$third CPUs=8 RealMemory=8000
PartitionName=all Nodes=${nodes[0]},${nodes[1]} Default=YES PriorityTier=1 PreemptMode=CANCEL
PartitionName=urgent Nodes=${nodes[0]},${nodes[1]} PriorityTier=2 PreemptMode=OFF
PartitionName=aside Nodes=${nodes[2]} PreemptMode=OFF
END
cat >"$dir/cgroup.conf" <<END
CgroupPlugin=cgroup/v1
ConstrainRAMSpace=yes
$swap
END

munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
    --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" \
    2>/dev/null
export SLURM_CONF="$dir/slurm.conf"
slurmctld -f "$SLURM_CONF"
for node in "${nodes[@]}"; do slurmd -N "$node" -f "$SLURM_CONF"; done
for _ in $(seq 100); do
    [ "$(timeout 5 sinfo -h -N -o %T 2>/dev/null | sort -u)" = idle ] && exit 0
    sleep 0.1
done
echo "the nodes did not come up; the last of the logs in $dir/log:" >&2
tail -n 5 "$dir"/log/*.log >&2
"$here/down.sh" "$dir"
exit 1
