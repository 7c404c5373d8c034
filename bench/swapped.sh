#!/bin/sh
# How memory comes back of which half is swapped out, by a plain exit and by a helper: in a memory cgroup (version 1) with
# half of it as the limit, and swap in a zram. As root, on a machine where nobody else needs the swap:
#
#   bench/swapped.sh [MEGABYTES [ROUNDS]]
set -eu
megabytes=${1:-1024} rounds=${2:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
native=$root/build/$(uname -m)
work=$(mktemp -d /var/tmp/at-swapped-XXXXXX)
group=/sys/fs/cgroup/memory/at-swapped-$$
device=/dev/zram$(cat /sys/class/zram-control/hot_add)

cleanup() {
  swapoff "$device" 2>/dev/null || true
  echo "${device#/dev/zram}" >/sys/class/zram-control/hot_remove || true
  rmdir "$group" || true
  rm -r "$work"
}
trap cleanup EXIT
cc -O2 -o "$work/stopwatch" "$root/bench/stopwatch.c"
cc -O2 -pthread -o "$work/hog" "$root/test/targets/hog.c"
echo "${megabytes}M" >"/sys/block/${device#/dev/}/disksize"
mkswap "$device" >/dev/null
swapon "$device"
mkdir "$group"
echo "$((megabytes / 2))M" >"$group/memory.limit_in_bytes"

swapped() { awk -v device="$device" '$1 == device {print int($4 / 1024)}' /proc/swaps; }
measure() { # NAME WORD...
  local name=$1 times
  shift
  times=$(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "$work/stopwatch" 9 "$@" "$work/hog" $((megabytes << 20)) stay)
  echo "$name: $times, in swap afterwards $(swapped) MiB"
}
for round in $(seq "$rounds"); do
  measure plain
  measure one "$native/async-teardown" run --workers 1 --
  measure auto "$native/async-teardown" run --
  # What is swapped out while it lives.
  if [ "$round" = 1 ]; then
    sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "$work/hog" $((megabytes << 20)) stay >"$work/ready" &
    until [ -s "$work/ready" ]; do sleep 0.1; done
    echo "in swap while it lives: $(swapped) MiB"
    kill -9 $!
    wait $! 2>/dev/null || true
  fi
done
