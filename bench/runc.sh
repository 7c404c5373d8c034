#!/bin/bash
# How long after `runc kill NAME KILL` a container is stopped, and how long its `runc delete` takes, for one whose init
# holds nothing, for one of 2 GiB, and for one of 2 GiB that is held. As root, with runc, after `npm test`:
#
#   [RUNTIME=crun] bench/runc.sh [ROUNDS [BYTES]]
set -eu
runtime=${RUNTIME:-runc}
rounds=${1:-5} bytes=${2:-2147483648}
root=$(cd "$(dirname "$0")/.." && pwd)
tool=$root/build/$(uname -m)/async-teardown
bundle=$(mktemp -d)
name=at-bench-$$
trap '$runtime delete --force $name 2>/dev/null || true; rm -rf "$bundle"' EXIT

mkdir -p "$bundle/rootfs/usr"
for link in bin lib lib64; do ln -s usr/$link "$bundle/rootfs/$link"; done

config() { # BYTES HOOK
  local hooks='{}'
  [ -z "$2" ] || hooks="{\"$2\": [{\"path\": \"$tool\", \"args\": [\"async-teardown\", \"oci-hook\", \"--required\"],
    \"env\": [\"PATH=$PATH\"]}]}"
  cat >"$bundle/config.json" <<END
{ "ociVersion": "1.0.2", "root": { "path": "rootfs" }, "hooks": $hooks,
  "process": { "user": { "uid": 0, "gid": 0 }, "cwd": "/", "env": ["PATH=/usr/bin"],
               "args": ["$root/build/test/hog", "$1", "stay"] },
  "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" },
              { "destination": "/dev", "type": "tmpfs", "source": "tmpfs" },
              { "destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"] },
              { "destination": "$root/build", "type": "bind", "source": "$root/build", "options": ["rbind", "ro"] } ],
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }] } }
END
}

round() { # NAME BYTES HOOK
  local start stopped deleted
  config "$2" "$3"
  : >"$bundle/log"
  $runtime run --detach --bundle "$bundle" "$name" </dev/null >"$bundle/log" 2>&1 || cat "$bundle/log"
  until grep -q ready "$bundle/log"; do sleep 0.1; done
  sleep 0.5
  start=$(date +%s%N)
  $runtime kill "$name" KILL
  until $runtime state "$name" | grep -q '"status": "stopped"'; do :; done
  stopped=$(date +%s%N)
  $runtime delete "$name"
  deleted=$(date +%s%N)
  printf '%-8s stopped %6d ms  deleted %6d ms\n' "$1" $(((stopped - start) / 1000000)) $(((deleted - stopped) / 1000000))
  while "$tool" ps --json | grep -q "\"$name\""; do sleep 0.1; done
}

for _ in $(seq "$rounds"); do
  round empty 0 ""
  round plain "$bytes" ""
  round held "$bytes" poststart
done
round created 4096 createRuntime
