#!/bin/bash
# Reloads a service under load by SIGUSR2, as its master executes itself anew, plain and protected by `run`, where
# pids.max of its cgroup leaves room for 0, 1, 2 or 3 processes more than it has, where it leaves any, and where
# the package has been moved away. As root, with curl, after `npm test`:
#
#   bench/reloads.sh haproxy|php-fpm [RELOADS [ROOM...]]     ROOM is 0, 1, 2 ..., max, or moved
#
# Needs haproxy, or php8.2-fpm and cgi-fcgi (libfcgi-bin). "down" is the reload at which the service ended.
# Helpers and zombies are counted after each reload; a helper is the master's.
set -eu
service=${1:?haproxy or php-fpm} reloads=${2:-50}
shift $(($# < 2 ? $# : 2))
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
cgroup=/sys/fs/cgroup/pids/reloads-$$
[ -d /sys/fs/cgroup/pids ] || cgroup=/sys/fs/cgroup/reloads-$$
chmod 755 "$folder"
mkdir "$cgroup"

finish() {
  touch "$folder/stop"
  kill $(cat "$cgroup/cgroup.procs") 2>/dev/null || true
  wait
  for _ in $(seq 50); do rmdir "$cgroup" 2>/dev/null && break; sleep 0.1; done
  rm -rf "$folder"
}
trap finish EXIT

case $service in
haproxy)
  printf 'global\n maxconn 64\n nbthread 1\ndefaults\n mode http\n timeout client 5s\n timeout server 5s
 timeout connect 5s\nfrontend f\n bind %s/socket\n http-request return status 200\n' "$folder" >"$folder/config"
  command=(/usr/sbin/haproxy -W -db -f "$folder/config")
  answers() { [ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' --unix-socket "$folder/socket" http://x/)" = 200 ]; }
  ;;
php-fpm)
  printf '[global]\ndaemonize = no\nerror_log = %s/log\n[www]\nuser = nobody\ngroup = nogroup\nlisten = %s/socket
pm = static\npm.max_children = 2\n' "$folder" "$folder" >"$folder/config"
  echo '<?php echo "hello";' >"$folder/x.php"
  command=(/usr/sbin/php-fpm8.2 -y "$folder/config")
  answers() {
    SCRIPT_FILENAME=$folder/x.php REQUEST_METHOD=GET timeout 10 \
      cgi-fcgi -bind -connect "$folder/socket" 2>/dev/null | grep -q hello
  }
  ;;
*) echo "no such service: $service" >&2; exit 125 ;;
esac

ask_all_the_time() {
  local asked=0 failed=0
  while [ ! -e "$folder/stop" ]; do
    answers || failed=$((failed + 1))
    asked=$((asked + 1))
  done
  echo "$asked asked, $failed failed" >"$folder/load"
}

# Living ones of the master's, and its children that nobody has waited for.
helpers() { pgrep -x "cleanup/$1" | xargs -r ps -o stat= -p | grep -vc Z || true; }
zombies() { ps -o stat= --ppid "$1" | grep -c Z || true; }

round() { # plain|protected ROOM
  local launcher=() master load i down=never most_helpers=0 most_zombies=0 count
  rm -rf "$folder"/{stop,pid,package}
  cp -r "$root/build/$(uname -m)" "$folder/package"
  [ "$1" = plain ] || launcher=("$folder/package/async-teardown" run --mechanism helper --)
  echo max >"$cgroup/pids.max"
  # An init of their own, which reaps orphans at once.
  "$root/build/test/reaper" -q sh -c 'echo $$ >"$1/cgroup.procs"; echo $$ >"$2/pid"; shift 2; exec "$@"' - \
    "$cgroup" "$folder" "${launcher[@]}" "${command[@]}" 2>"$folder/stderr" &
  load=$!
  for _ in $(seq 100); do answers && break; sleep 0.1; done
  answers || { echo "$service does not answer" >&2; exit 125; }
  master=$(cat "$folder/pid")
  sleep 0.5
  case $2 in
  max) ;;
  moved) mv "$folder/package" "$folder/elsewhere" ;;
  *) echo $(($(cat "$cgroup/pids.current") + $2)) >"$cgroup/pids.max" ;;
  esac
  ask_all_the_time &
  for i in $(seq "$reloads"); do
    kill -USR2 "$master" 2>/dev/null || { down=$i; break; }
    sleep 0.25
    kill -0 "$master" 2>/dev/null || { down=$i; break; }
    count=$(helpers "$master")
    [ "$count" -le "$most_helpers" ] || most_helpers=$count
    count=$(zombies "$master")
    [ "$count" -le "$most_zombies" ] || most_zombies=$count
  done
  touch "$folder/stop"
  wait $!
  printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$down" "$(cat "$folder/load")" "$most_helpers" \
    "$most_zombies" "$(grep -c 'runs unprotected\|cannot be preloaded' "$folder/stderr" || true)"
  kill "$master" 2>/dev/null || true
  wait $load || true
  rm -rf "$folder/elsewhere"
}

echo "| $service | room | down at reload | requests | most helpers | most zombies | lines of unprotected images |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
for room in ${*:-0 1 2 3 max moved}; do
  [ "$room" = moved ] || round plain "$room"
  round protected "$room"
done
