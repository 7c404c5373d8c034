#!/bin/sh
# A small real guest that obeys its power button: Debian's kernel for clouds and a busybox. As root, on Debian, with cpio:
#
#   bench/guest.sh DIRECTORY        writes vmlinuz and initrd there
set -eu
mkdir -p "$1"
cd "$1"
kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" && !done++ {print $2}')
apt-get download "$kernel" busybox-static
for package in *.deb; do dpkg -x "$package" unpacked; done
cp unpacked/boot/vmlinuz-* vmlinuz
mkdir -p root/bin root/proc root/sys root/dev root/etc/acpi/PWRF
cp unpacked/bin/busybox root/bin/
find unpacked -name evdev.ko\* -o -name button.ko\* | xargs -I{} cp {} root/
cat >root/init <<end
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev
insmod /evdev.ko && insmod /button.ko
exec >/dev/ttyS0 2>&1 </dev/ttyS0
acpid -d &
sleep 1 # it opens its devices
echo guest is up
while :; do sleep 1000; done
end
# virsh reboot is the power button, too, and libvirt resets the machine instead of letting QEMU end.
printf '#!/bin/sh\npoweroff -f\n' >root/etc/acpi/PWRF/00000080
chmod 755 root/init root/etc/acpi/PWRF/00000080
(cd root && find . | cpio --quiet -o -H newc | gzip) >initrd
rm -r root unpacked ./*.deb
