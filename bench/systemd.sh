#!/bin/bash
# What `systemctl restart` and `stop` of a Redis and a PostgreSQL with 2 GiB cost, empty, plain and protected; and
# fifty restarts in a row of a small Redis. As root, where systemd runs, with redis-server and postgresql installed:
#
#   bench/systemd.sh redis|postgresql|fifty [ROUNDS]
set -eu
what=$1 rounds=${2:-5}
tool=$(cd "$(dirname "$0")/.." && pwd)/build/$(uname -m)/async-teardown
cd /
unit=at-bench-$what
data=$(mktemp -d /var/tmp/at-bench-XXXXXX)
megabytes=2048

cleanup() {
  systemctl stop "$unit" || true
  "$tool" systemd disable --runtime "$unit" >/dev/null || true
  rm -rf "/run/systemd/system/$unit.service" "$data"
  systemctl daemon-reload
}
trap cleanup EXIT

milliseconds() { # COMMAND...: how long it takes
  local start=$(date +%s%N)
  "$@" >&2
  echo $((($(date +%s%N) - start) / 10000)) | sed 's/..$/.&/'
}

service() { # TEXT
  printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\n%s\n' "$1" >"/run/systemd/system/$unit.service"
  systemctl daemon-reload
}

is_held() { [ -n "$("$tool" ps --json | tr -d ' \n' | grep -F "\"target\":$(systemctl show --value -p MainPID "$unit"),")" ]; }
is_quiet() { ! "$tool" ps --json | grep -q '"state": "\(releasing\|target gone\)"'; }
await() { until "$@"; do sleep 0.2; done; }

redis() { redis-cli -s "$data/socket" "$@"; }
database() { runuser -u postgres -- psql -qAt -h "$data" postgres -c "$1"; }

prepare() {
  local bin folder
  case $what in
  redis | fifty)
    local save='--save ""'
    [ "$what" = redis ] || save='--save "3600 1"'
    service "Type=notify
ExecStart=/usr/bin/redis-server --port 0 --unixsocket $data/socket --dir $data --supervised systemd --enable-debug-command yes $save"
    ;;
  postgresql)
    bin=$(echo /usr/lib/postgresql/*/bin)
    chown postgres "$data"
    runuser -u postgres -- "$bin/initdb" -D "$data/db" >/dev/null
    service "Type=notify
User=postgres
KillMode=mixed
KillSignal=SIGINT
ExecStart=$bin/postgres -D $data/db -k $data -c listen_addresses= -c shared_buffers=$((megabytes + 100))MB -c huge_pages=off"
    systemctl start "$unit"
    database "create extension pg_prewarm"
    database "create unlogged table filler as select repeat('x', 1900) from generate_series(1, $((megabytes * 512)))"
    database checkpoint
    ;;
  esac
}

fill() {
  case $what in
  redis) redis debug populate $((megabytes * 1024)) key 960 >/dev/null ;;
  postgresql) database "select pg_prewarm('filler')" >/dev/null ;;
  esac
}

resident() { # MiB of the main process
  awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$(systemctl show --value -p MainPID "$unit")/status"
}

round() { # empty|plain|protected
  local size restart stop
  for command in restart stop; do
    systemctl restart "$unit"
    [ "$1" != protected ] || await is_held
    [ "$1" = empty ] || fill
    size=$(resident)
    sleep 0.5
    printf '%-10s %-8s %8s ms  %s\n' "$1" "$command" "$(milliseconds systemctl "$command" "$unit")" "main process $size MiB"
    if [ "$command" = stop ]; then
      [ "$(systemctl is-active "$unit")" = inactive ] || echo "not inactive after stop"
      [ "$1" != protected ] || "$tool" ps
    fi
    await is_quiet
  done
}

fifty() {
  "$tool" systemd enable --runtime "$unit" >/dev/null
  systemctl start "$unit"
  for count in $(seq 50); do
    redis set count "$count" >/dev/null
    systemctl restart "$unit"
    [ "$(systemctl is-active "$unit")" = active ] || echo "not active after restart $count"
    [ "$(redis get count)" = "$count" ] || echo "data lost at restart $count"
  done
  await is_held
  await is_quiet
  echo "holders: $(pgrep -fc '^[^ ]*async-teardown-holder')  scopes: $(systemctl list-units --plain --no-legend 'async-teardown-*.scope' | wc -l)"
  systemctl stop "$unit"
  await is_quiet
  sleep 1
  echo "after stop: holders: $(pgrep -fc '^[^ ]*async-teardown-holder' || true)  scopes: $(systemctl list-units --plain --no-legend 'async-teardown-*.scope' | wc -l)"
}

prepare
if [ "$what" = fifty ]; then
  milliseconds fifty
  exit
fi
for _ in $(seq "$rounds"); do
  "$tool" systemd disable --runtime "$unit" >/dev/null
  round empty
  round plain
  "$tool" systemd enable --runtime "$unit" >/dev/null
  round protected
done
