#!/usr/bin/env bash
# A real Slurm on this one machine, for tests: `one_machine_cluster.sh up`, then `down`. Needs root, and Debian's
# packages slurm-wlm and munge. A GPU is declared as a generic resource, whether there is one or not.
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
JobCompType=jobcomp/none
GresTypes=gpu
KillWait=5
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory Gres=gpu:1 State=UNKNOWN
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    printf 'Name=gpu File=/dev/null\n' > /etc/slurm/gres.conf
    runuser -u munge -- /usr/sbin/munged --force
    slurmctld
    slurmd
    for _ in $(seq 50); do
        if sinfo --noheader --format=%t 2> /dev/null | grep -q '^idle$'; then
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
    for program in slurmd slurmctld munged; do pkill -x "$program" || true; done
    for _ in $(seq 25); do
        pidof slurmd slurmctld munged > /dev/null || break
        sleep 0.2
    done
    rm -rf "$state"
    if grep -qs '^# one-machine-cluster' /etc/slurm/slurm.conf; then rm -f /etc/slurm/slurm.conf /etc/slurm/gres.conf; fi
}

case "${1:-}" in
    up) up ;;
    down) down ;;
    *) echo "usage: $0 up | down" >&2; exit 2 ;;
esac
