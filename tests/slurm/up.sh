#!/usr/bin/env bash
# Starts a private Slurm of one node on this machine: `up.sh DIR LIFETIME`.
#
# Keys, logs, state, sockets and settings lie in DIR, a new folder; the daemons listen on this machine
# alone. They end with `down.sh DIR`, or after LIFETIME seconds by themselves, or when the process that
# called this script is gone. Needs root, slurm-wlm and munge (`install.sh`), and no systemd.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath -m "$1")
lifetime=$2
caller=$PPID
node=$(hostname -s)

free_port() { # from this one on
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}
control=$(free_port $((20000 + $$ % 20000)))
daemon=$(free_port $((control + 1)))

mkdir -p "$dir"/{munge,state,spool,log}
chmod 711 "$dir" "$dir/munge"
(umask 077 && head -c 1024 /dev/urandom >"$dir/munge/key")

# The watch comes first, so that nothing is ever started without it.
(
    until [ "$SECONDS" -ge "$lifetime" ] || ! kill -0 "$caller" 2>/dev/null || [ ! -d "$dir" ]; do
        sleep 0.5
    done
    [ ! -d "$dir" ] || "$here/down.sh" "$dir"
) </dev/null >/dev/null 2>&1 &

cat >"$dir/slurm.conf" <<END
ClusterName=ambivox
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
# Tasks of a node that failed begin again once their credentials have lapsed.
AuthInfo=socket=$dir/munge/socket,cred_expire=5
CredType=cred/munge
SlurmctldPort=$control
SlurmdPort=$daemon
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=100000
ReturnToService=0
# More processors than there are: the tasks are small and mostly wait.
SlurmdParameters=config_overrides
KillWait=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
END

munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
    --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" \
    2>/dev/null
export SLURM_CONF="$dir/slurm.conf"
slurmctld -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF"
for _ in $(seq 100); do
    [ "$(timeout 5 sinfo -h -o %T 2>/dev/null)" = idle ] && exit 0
    sleep 0.1
done
echo "the node did not come up; the last of the logs in $dir/log:" >&2
tail -n 5 "$dir"/log/*.log >&2
"$here/down.sh" "$dir"
exit 1
