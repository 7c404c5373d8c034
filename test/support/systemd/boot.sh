#!/bin/sh
# Becomes a real systemd, PID 1 of its own namespaces, on a copy-on-write view of this machine's files.
#
#   unshare --pid --fork --mount --uts --ipc --cgroup --net boot.sh PLACE TARGET [FOLDER...]
#   PLACE   an empty directory; all that is written inside goes to a tmpfs there, and is gone with systemd
#   TARGET  the unit that it boots
#   FOLDER  to be seen inside too, where it is a mount of its own outside
set -eu
place=$1 target=$2
shift 2

mount -t tmpfs -o size=50% tmpfs "$place"
mkdir "$place/changes" "$place/work" "$place/root"
mount -t overlay -o "lowerdir=/,upperdir=$place/changes,workdir=$place/work" overlay "$place/root"
cd "$place/root"
for folder; do
  if ! [ -e ".$folder" ]; then
    mkdir -p ".$folder"
    mount --rbind "$folder" ".$folder"
  fi
done

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
  : > "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

# What a container has no use for, and no other unit that this machine happens to start.
mkdir -p etc/systemd/system run/systemd/system
for unit in systemd-udevd systemd-udev-trigger systemd-modules-load systemd-timesyncd systemd-networkd \
  systemd-resolved systemd-sysctl apparmor networking ifupdown-pre keyboard-setup console-setup; do
  ln -sfn /dev/null "run/systemd/system/$unit.service"
done
: > etc/fstab

mkdir run/outside
pivot_root . run/outside
umount -l /run/outside
rmdir /run/outside
export container=async-teardown-test
exec /lib/systemd/systemd --system --unit="$target" --log-target=console --show-status=false </dev/null
