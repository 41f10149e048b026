#!/bin/bash
# One worker of a run, for train.sbatch and workers.sbatch. It finds the coordinator by the run folder, which all nodes see, and
# follows it when it moves to another node. Ends with 0 when the run is finished, or at SIGTERM when its tasks are done.
#
# Environment: RUN, MZSR_HOME, WORKER (its name), and if need be BACKEND (simd by default).
set -uo pipefail

name=$WORKER-${SLURM_PROCID:-0}
worker=
leaving=
trap 'leaving=yes; [ -z "$worker" ] || kill -TERM "$worker" 2>/dev/null' TERM

# host:port; nothing while no coordinator works on the run.
address() { sed -n 's/.*"grpc": *"\([^"]*\)".*/\1/p' "$RUN/coordinator.json" 2>/dev/null | head -n 1; }

# The exit status of a child; a trap ends `wait` early, so that it is asked again.
ended() {
  while kill -0 "$1" 2>/dev/null; do wait "$1"; done
  wait "$1"
}

# Another node has taken the run over: a worker would look for the old one for ever.
moved() {
  local now
  now=$(address)
  [ -n "$now" ] && [ "$now" != "$coordinator" ]
}
watch() { while sleep 5; do if moved; then kill -TERM "$1"; break; fi; done; }

said=
while [ -z "$leaving" ] && [ ! -s "$RUN/model.safetensors" ]; do
  coordinator=$(address)
  if [ -z "$coordinator" ] || [ ! -s "$RUN.token" ]; then
    [ -n "$said" ] || echo "$name: waiting for a coordinator of $RUN"
    said=yes
    sleep 1
    continue
  fi
  node "$MZSR_HOME/packages/cli/bin/mzsr.js" worker --coordinator "$coordinator" --token-file "$RUN.token" --name "$name" \
    --backend "${BACKEND:-simd}" --slots "${SLURM_CPUS_PER_TASK:-1}" --connect-timeout 30 &
  worker=$!
  [ -z "$leaving" ] || kill -TERM "$worker" 2>/dev/null
  watch "$worker" &
  watcher=$!
  ended "$worker"
  code=$?
  worker=
  kill "$watcher" 2>/dev/null
  # 0: the run is finished, or the worker was told to leave. 2: it does not fit the run. 1: nobody was there; perhaps elsewhere.
  [ "$code" -eq 1 ] || { [ "$code" -eq 0 ] && moved; } || exit "$code"
  [ -n "$leaving" ] || sleep 1
done
