#!/bin/bash
# What `virsh destroy` of a big guest costs, and whether every end of a real guest leaves nothing behind, with a
# libvirtd of its own. As root, with libvirt-daemon, libvirt-clients and qemu-system-x86 installed, on a machine where
# nothing else runs:
#
#   bench/libvirt.sh destroy [ROUNDS [MEBIBYTES]]      empty, plain, QEMU's own option, ours by emulator and by hook
#   bench/libvirt.sh ends plain|feature|commandline|emulator|hook|by-hand KERNEL INITRD       see bench/guest.sh
#
# by-hand is -async-teardown in <qemu:commandline>, and our emulator. With LIBVIRT_CGROUPS='"cpu","memory"', libvirt makes
# cgroups, which have to go as well. The exit code is 1 where something was left.
set -eu
[ "${1:-}" ] || { sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 125; }
# Here a QEMU is reaped as soon as by systemd (PR_SET_CHILD_SUBREAPER): libvirt waits for that as well, and the init of
# a container may need a second. PR_SET_THP_DISABLE is inherited: a huge page is freed in no time.
[ "${INSIDE:-}" ] || INSIDE=1 exec unshare --mount python3 -c '
import ctypes, os, sys
prctl = ctypes.CDLL(None).prctl
prctl(36, 1, 0, 0, 0)
prctl(41, 1, 0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])' "$0" "$@"

here=$(cd "$(dirname "$0")/.." && pwd)
tool=$here/build/$(uname -m)/async-teardown
option="<qemu:commandline><qemu:arg value='-async-teardown'/></qemu:commandline>"
cd /

start_daemon() {
  "$here/test/support/libvirt/daemon.sh" &
  daemon=$!
  await virsh uri
}

stop_daemon() {
  for name in $(virsh list --name); do virsh --quiet destroy "$name"; done
  kill "$daemon"
  wait "$daemon" || true
}

fail() {
  echo "$1" >&2
  exit 1
}

await() { # COMMAND...: until it works
  local end=$(($(date +%s) + 60))
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || fail "waited in vain for: $*"
    sleep 0.1
  done
}

define() { # NAME MEBIBYTES [IN-OS [IN-DOMAIN]]
  virsh --quiet define /dev/stdin <<end
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>$1</name><memory unit='MiB'>$2</memory>
<memoryBacking><allocation mode='${allocation:-immediate}'/></memoryBacking>
<os><type arch='x86_64' machine='pc'>hvm</type>${3:-}</os><features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/>
<serial type='file'><source path='/run/libvirt/$1.serial'/></serial>
<video><model type='none'/></video><memballoon model='none'/></devices>${4:-}</domain>
end
}

pid_of() { cat "/run/libvirt/qemu/$1.pid"; }
protectors() { ps -e -o comm= | grep -cx "cleanup/$1" || true; }
is_protected() { [ "$(protectors "$1")" -gt 0 ]; }
is_free() { [ "$(protectors "$1")" = 0 ] && [ ! -e "/proc/$1" ]; }

milliseconds() { # COMMAND...: how long it needs
  local start=$(date +%s%N)
  "$@" >/dev/null
  echo $((($(date +%s%N) - start) / 1000000))
}

hook() { "$tool" libvirt hook "$1" >/dev/null; }

# ---- destroy ---------------------------------------------------------------------------------------------------

round() { # MODE: starts, destroys, and waits for the memory; in milliseconds, resident MiB
  local pid resident took back
  [ "$1" != hook ] || hook install
  virsh --quiet start "$1"
  pid=$(pid_of "$1")
  case $1 in own | emulator | hook) await is_protected "$pid" ;; esac
  [ "$1" != hook ] || hook remove
  resident=$(awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status")
  local start=$(date +%s%N)
  took=$(milliseconds virsh --quiet destroy "$1")
  await is_free "$pid"
  back=$((($(date +%s%N) - start) / 1000000))
  printf '%s\t%s\t%s\t%s\n' "$1" "$took" "$back" "$resident"
}

destroy() { # ROUNDS MEBIBYTES
  allocation=ondemand define empty 64
  for mode in plain own emulator hook; do define "$mode" "$2"; done
  "$tool" libvirt enable --via commandline own
  "$tool" libvirt enable --via emulator emulator
  hook install
  kill -HUP "$daemon" # it looks for hooks then
  sleep 2
  hook remove
  printf 'mode\tdestroy ms\tmemory back ms (in steps of 100)\tresident MiB\n'
  for i in $(seq "$1"); do
    for mode in empty plain own emulator hook; do round "$mode"; done
  done
}

# ---- ends ------------------------------------------------------------------------------------------------------

is_up() { grep -qa 'guest is up' /run/libvirt/vm.serial; }
is_off() { [ "$(virsh domstate vm)" = 'shut off' ]; }
is_running() { [ "$(virsh domstate vm)" = running ]; }

has_protector() { [ "$(protectors "$pid")" = "$expected" ]; }

look() { # a domain that has just been started
  pid=$(pid_of vm)
  await has_protector
}

start() {
  virsh --quiet start vm
  look
}

begin() { # the same, and it boots
  : >/run/libvirt/vm.serial
  start
  await is_up
}

left() { # its cgroups, PID file, state, directory of sockets
  find /sys/fs/cgroup /run/libvirt/qemu /var/lib/libvirt/qemu -depth \
    \( -name '*-vm.libvirt-qemu' -o -name vm.pid -o -name vm.xml -o -name 'domain-*-vm' \)
}

ended() { # WHAT: nothing is left of it
  await is_off
  await is_free "$pid"
  local each left=$(left)
  if [ "$left" ]; then
    echo "$1: ended, left: "$left
    anything_left=1
    for each in $left; do # the next end is looked at by itself
      case $each in /sys/fs/cgroup/*) find "$each" -depth -type d -exec rmdir {} + || true ;; esac
    done
  else
    echo "$1: ended, nothing left"
  fi
}

ends() { # VIA KERNEL INITRD
  local more= expected=1 anything_left=
  [ "$1" != by-hand ] || more=$option
  [ "$1" != plain ] || expected=0
  [ -z "$(left)" ] || fail "left from before: $(left)"
  allocation=ondemand define vm 512 "<kernel>$2</kernel><initrd>$3</initrd><cmdline>console=ttyS0 quiet</cmdline>" "$more"
  case $1 in
  plain) ;;
  hook) hook install && kill -HUP "$daemon" && sleep 2 ;;
  by-hand) virsh dumpxml --inactive vm | sed 's|<emulator>.*<|<emulator>'"$(dirname "$tool")/qemu-async-teardown<|" | virsh --quiet define /dev/stdin ;;
  *) "$tool" libvirt enable --via "$1" vm ;;
  esac

  begin
  virsh --quiet shutdown vm
  ended 'virsh shutdown'

  begin
  virsh --quiet destroy vm
  ended 'virsh destroy'

  begin
  : >/run/libvirt/vm.serial
  virsh --quiet reboot vm
  await is_up
  [ "$(pid_of vm)" = "$pid" ] && has_protector || fail 'virsh reboot: another QEMU, or unprotected'
  echo 'virsh reboot: the same QEMU, protected'
  virsh --quiet destroy vm
  ended 'then destroy'

  begin
  virsh qemu-monitor-command vm '{"execute":"quit"}' >/dev/null 2>&1 || true # it may end before it has answered
  ended 'QMP quit'

  begin
  kill -KILL "$pid"
  ended 'SIGKILL of QEMU'

  begin
  virsh --quiet managedsave vm
  ended 'virsh managedsave'
  start
  virsh --quiet destroy vm
  ended 'start from it, then destroy'

  begin
  virsh --quiet save vm /run/libvirt/saved
  ended 'virsh save'
  virsh --quiet restore /run/libvirt/saved
  look
  virsh --quiet destroy vm
  ended 'virsh restore, then destroy'

  begin
  kill "$daemon"
  wait "$daemon" || true
  restart
  await is_running
  virsh --quiet shutdown vm
  ended 'libvirtd anew, then shutdown'

  for i in $(seq 20); do
    virsh --quiet start vm
    pid=$(pid_of vm)
    virsh --quiet destroy vm
  done
  ended 'twenty starts in a row'
  [ -z "$anything_left" ]
}

restart() { # libvirtd alone: its files stay
  libvirtd --pid-file /run/libvirt/libvirtd.pid &
  daemon=$!
  await virsh uri
}

start_daemon
trap stop_daemon EXIT
case $1 in
destroy) destroy "${2:-10}" "${3:-4096}" ;;
ends) ends "$2" "$3" "$4" ;;
esac
