#!/usr/bin/env bash
# A real Slurm on this one machine, for tests: `one_machine_cluster.sh up`, then `down`. Needs root, and Debian's
# packages slurm-wlm and munge. 8 cores and 2 GPUs are declared, whether they are there or not: the rules ask for them.
# The state folder tells what became of each job (jobs.txt) and which GPUs it was given (gpus.txt).
set -euo pipefail

state=/var/tmp/one-machine-cluster

up() {
    for program in munged slurmctld slurmd; do
        command -v "$program" > /dev/null || { echo "error: no $program; apt-get install slurm-wlm munge" >&2; exit 1; }
    done
    if [ -e /etc/slurm/slurm.conf ] && ! grep -q '^# one-machine-cluster' /etc/slurm/slurm.conf; then
        echo "error: /etc/slurm/slurm.conf belongs to another cluster; run this on a machine without one" >&2
        exit 1
    fi
    down 2> /dev/null || true
    mkdir -p /etc/slurm "$state/controller" "$state/node" /run/munge /var/log/munge
    chown munge: /run/munge /var/log/munge
    [ -s /etc/munge/munge.key ] || /usr/sbin/mungekey --create --force
    chown munge: /etc/munge/munge.key
    host=$(hostname -s)
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.95)}' /proc/meminfo)
    cat > /etc/slurm/slurm.conf << CONF
# one-machine-cluster: written by the tests of vocoder-pareto
ClusterName=vocoders
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$state/jobs.txt
TaskProlog=$state/note_gpus
SlurmdParameters=config_overrides
GresTypes=gpu
KillWait=5
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=$memory Gres=gpu:2 State=UNKNOWN
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    printf 'Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n' > /etc/slurm/gres.conf
    printf '#!/bin/sh\n[ -z "$SLURM_JOB_GPUS" ] || echo "$SLURM_JOB_ID $SLURM_JOB_GPUS" >> %s\n' "$state/gpus.txt" > "$state/note_gpus"
    chmod +x "$state/note_gpus"
    runuser -u munge -- /usr/sbin/munged --force
    cp /run/munge/munged.pid "$state/munged.pid"
    slurmctld
    slurmd
    for _ in $(seq 50); do
        if timeout 2 sinfo --noheader --format=%t 2> /dev/null | grep -q '^idle$'; then
            echo "Slurm is up: $(sinfo --noheader --format='%P %N %G %c cores %m MB')"
            return
        fi
        sleep 0.2
    done
    echo "error: the node did not become idle; see $state/slurmctld.log and $state/slurmd.log" >&2
    tail -n 5 "$state"/*.log >&2
    exit 1
}

down() {
    pids=$(cat "$state"/slurmd.pid "$state"/slurmctld.pid "$state"/munged.pid 2> /dev/null || true)
    for pid in $pids; do kill "$pid" 2> /dev/null || true; done
    for pid in $pids; do
        for _ in $(seq 50); do
            kill -0 "$pid" 2> /dev/null || break
            sleep 0.2
        done
        kill -KILL "$pid" 2> /dev/null || true
    done
    rm -rf "$state"
    if grep -qs '^# one-machine-cluster' /etc/slurm/slurm.conf; then rm -f /etc/slurm/slurm.conf /etc/slurm/gres.conf; fi
}

case "${1:-}" in
    up) up ;;
    down) down ;;
    *) echo "usage: $0 up | down" >&2; exit 2 ;;
esac
