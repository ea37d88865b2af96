#!/usr/bin/env bash
# A real Slurm on this one machine, for tests: `one_machine_cluster.sh up [accounting]`, then `down`. Needs root, and
# Debian's packages slurm-wlm and munge. 8 cores and 2 GPUs are declared, whether they are there or not: the rules ask for
# them. The state folder tells what became of each job (jobs.txt) and which GPUs it was given (gpus.txt).
# With `accounting`, which needs slurmdbd and mariadb-server too, jobs of root and nobody must name the account "default",
# and the GPUs have types: 0 is an a100, 1 a v100.
set -euo pipefail

state=/var/tmp/one-machine-cluster

up() {
    programs="munged slurmctld slurmd"
    packages="slurm-wlm munge"
    storage="AccountingStorageType=accounting_storage/none"
    gpus="gpu:2"
    types=("" "")
    if [ "${1:-}" = accounting ]; then
        programs="$programs mariadbd slurmdbd"
        packages="$packages mariadb-server slurmdbd"
        storage=$'AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=127.0.0.1\nAccountingStorageEnforce=associations\nAccountingStorageTRES=gres/gpu,gres/gpu:a100,gres/gpu:v100'
        gpus="gpu:a100:1,gpu:v100:1"
        types=("Type=a100" "Type=v100")
    fi
    for program in $programs; do
        command -v "$program" > /dev/null || { echo "error: no $program; apt-get install $packages" >&2; exit 1; }
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
$storage
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
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=$memory Gres=$gpus State=UNKNOWN
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    printf 'Name=gpu %s File=%s\n' "${types[0]}" /dev/null "${types[1]}" /dev/zero > /etc/slurm/gres.conf
    printf '#!/bin/sh\n[ -z "$SLURM_JOB_GPUS" ] || echo "$SLURM_JOB_ID $SLURM_JOB_GPUS" >> %s\n' "$state/gpus.txt" > "$state/note_gpus"
    chmod +x "$state/note_gpus"
    install --mode=666 /dev/null "$state/gpus.txt" # users' jobs write there
    runuser -u munge -- /usr/sbin/munged --force
    cp /run/munge/munged.pid "$state/munged.pid"
    if [ "${1:-}" = accounting ]; then up_accounting; fi
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

up_accounting() {
    mariadb-install-db --no-defaults --user=root --datadir="$state/database" --skip-test-db > /dev/null
    mariadbd --no-defaults --user=root --datadir="$state/database" --skip-networking --skip-grant-tables \
        --socket="$state/mariadb.sock" --pid-file="$state/mariadbd.pid" --log-error="$state/mariadbd.log" &
    install --mode=600 /dev/null /etc/slurm/slurmdbd.conf
    cat > /etc/slurm/slurmdbd.conf << CONF
# one-machine-cluster: written by the tests of vocoder-pareto
DbdHost=$host
DbdAddr=127.0.0.1
SlurmUser=root
AuthType=auth/munge
StorageType=accounting_storage/mysql
PidFile=$state/slurmdbd.pid
LogFile=$state/slurmdbd.log
CONF
    wait_for mariadb --no-defaults --socket="$state/mariadb.sock" --execute="select 1"
    MYSQL_UNIX_PORT="$state/mariadb.sock" slurmdbd
    wait_for sacctmgr --immediate add cluster vocoders
    sacctmgr --immediate add account default > /dev/null
    sacctmgr --immediate add user root,nobody account=default > /dev/null
}

wait_for() {
    for _ in $(seq 150); do
        if timeout 5 "$@" > /dev/null 2>&1; then return; fi
        sleep 0.2
    done
    echo "error: no answer of: $*; see the logs in $state" >&2
    tail -n 5 "$state"/*.log >&2
    exit 1
}

down() {
    pids=$(cat "$state"/{slurmd,slurmctld,slurmdbd,mariadbd,munged}.pid 2> /dev/null || true)
    for pid in $pids; do kill "$pid" 2> /dev/null || true; done
    for pid in $pids; do
        for _ in $(seq 50); do
            kill -0 "$pid" 2> /dev/null || break
            sleep 0.2
        done
        kill -KILL "$pid" 2> /dev/null || true
    done
    rm -rf "$state"
    if grep -qs '^# one-machine-cluster' /etc/slurm/slurm.conf; then rm -f /etc/slurm/{slurm,gres,slurmdbd}.conf; fi
}

case "${1:-}" in
    up) up "${2:-}" ;;
    down) down ;;
    *) echo "usage: $0 up [accounting] | down" >&2; exit 2 ;;
esac
