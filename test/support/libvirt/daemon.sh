#!/bin/sh
# Becomes a libvirtd with files of its own, in a mount namespace: what the machine has of libvirt is not touched.
# Its QEMUs run as root, without cgroups unless LIBVIRT_CGROUPS has some: "cpu","memory"
set -eu

own="/run/libvirt /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt"
mkdir -p $own
mount --make-rprivate /
for directory in $own; do mount -t tmpfs async-teardown "$directory"; done

# libvirt's look at a QEMU hangs where /dev/kvm is there and does not work. It must not be writable, either:
# libvirt would take that for a KVM that came later, and look at QEMU again for whatever it does.
if [ -e /dev/kvm ]; then
  : >/run/libvirt/kvm
  mount --bind /run/libvirt/kvm /dev/kvm
  mount -o remount,bind,ro /dev/kvm
fi

# libvirt's QEMU driver wants to know this user, even where it does not use it.
for kind in passwd group; do
  cp "/etc/$kind" "/run/libvirt/$kind"
  mount --bind "/run/libvirt/$kind" "/etc/$kind"
done
getent passwd libvirt-qemu >/dev/null || echo libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin >>/etc/passwd
getent group libvirt-qemu >/dev/null || echo libvirt-qemu:x:64055: >>/etc/group
getent group kvm >/dev/null || echo kvm:x:64054: >>/etc/group

cat >/etc/libvirt/qemu.conf <<end
user = "root"
group = "root"
remember_owner = 0
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = [${LIBVIRT_CGROUPS-}]
end
cat >/etc/libvirt/libvirtd.conf <<end
auth_unix_rw = "none"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
end
exec libvirtd --pid-file /run/libvirt/libvirtd.pid
