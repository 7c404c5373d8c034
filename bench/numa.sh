#!/bin/sh
# A release on a machine with NUMA nodes: a QEMU without KVM, whose CPUs 0 and 1 are the nodes 0 and 1, and whose node 2 has
# memory only, with a small guest in it. It tells whose pages went first, and on which CPU. A minute; as root, on Debian, on
# x86-64, with cpio:
#
#   bench/numa.sh [MEGABYTES]
set -eu
bytes=$((${1:-256} << 20))
here=$(cd "$(dirname "$0")" && pwd)
native=$here/../build/x86_64
work=$(mktemp -d /var/tmp/at-numa-XXXXXX)
trap 'rm -r "$work"' EXIT
trap 'exit 130' INT TERM

"$here/guest.sh" "$work/guest" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# A second archive behind guest.sh's: another init, and what it runs.
mkdir -p "$work/root/lib64" "$work/root/lib"
cc -O2 -o "$work/root/nodes" "$here/nodes.c"
cp "$native/async-teardown" "$native/libasync-teardown.so" "$work/root/"
cp -L /lib64/ld-linux-x86-64.so.2 "$work/root/lib64/"
cp -L /lib/x86_64-linux-gnu/libc.so.6 "$work/root/lib/"
cat >"$work/root/init" <<end
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev && mount -t tracefs trace /sys/kernel/tracing
exec >/dev/ttyS0 2>&1 </dev/ttyS0
watch() { # WORKERS LAYOUT CPUS
  echo "== \$2, --workers \$1, target on CPUs \$3"
  taskset \$3 /nodes watch \$2 $bytes /async-teardown run --workers \$1 -- /nodes fill \$2 $bytes
}
watch 1 halves 1 # masks: CPU 0
watch 1 halves 2 # CPU 1
watch auto halves 3
watch auto stripes 3
watch auto pages 3
watch auto third 3
watch auto huge 3
for node in 0 1; do echo $((bytes >> 22)) >/sys/devices/system/node/node\$node/hugepages/hugepages-2048kB/nr_hugepages; done
watch auto pool 3
echo "== end"
poweroff -f
end
chmod 755 "$work/root/init"
(cd "$work/root" && find . | cpio --quiet -o -H newc | gzip) | cat "$work/guest/initrd" - >"$work/initrd"

half=$((bytes / 2 + (256 << 20)))
timeout 300 qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max -nodefaults -no-reboot -display none \
  -serial stdio -m $((half * 3 >> 20))M -smp 2 \
  -object memory-backend-ram,id=m0,size=$half -object memory-backend-ram,id=m1,size=$half \
  -object memory-backend-ram,id=m2,size=$half -numa node,nodeid=2,memdev=m2 \
  -numa node,nodeid=0,memdev=m0,cpus=0 -numa node,nodeid=1,memdev=m1,cpus=1 \
  -kernel "$work/guest/vmlinuz" -initrd "$work/initrd" -append "console=ttyS0 quiet" </dev/null |
  tr -d '\r' | tee "$work/log" | sed -n '/^==/,$p'
grep -q '^== end' "$work/log"
