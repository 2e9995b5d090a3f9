#!/bin/sh
# Makes a Vagrant box for libvirt from Debian's packages alone: Debian 12 with the kernel for virtual machines, sshd, and
# the user that Vagrant logs in as. Needs root, neither KVM nor loop devices.
#
#   box.sh BOX [MIRROR]        MIRROR: as mmdebstrap takes it; Debian's own, with security updates, if not given
#   vagrant box add --name detach-mta BOX
#
# Vagrant's user has the key that is known to everybody; Vagrant puts another one in its place at the first start.
set -eu

fail() {
    echo "box.sh: $1" >&2
    exit "${2:-1}"
}

case ${1:-} in '' | -*) fail 'usage: box.sh BOX [MIRROR]' 64 ;; esac
[ $# -le 2 ] || fail 'usage: box.sh BOX [MIRROR]' 64
box=$1
missing=
for program in mmdebstrap:mmdebstrap sfdisk:fdisk mke2fs:e2fsprogs grub-mkimage:grub-common qemu-img:qemu-utils; do
    command -v "${program%:*}" > /dev/null || missing="$missing ${program#*:}"
done
[ -e /usr/lib/grub/i386-pc/boot.img ] || missing="$missing grub-pc-bin"
[ -z "$missing" ] || fail "missing programs; install them: apt-get install$missing"
[ "$(id -u)" = 0 ] || fail 'must be run as root: the files of the box belong to root'

# Vagrant's own: https://github.com/hashicorp/vagrant/tree/main/keys
key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y vagrant insecure public key'
old_key='ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ== vagrant insecure public key'
packages=linux-image-cloud-amd64,systemd-sysv,dbus,udev,openssh-server,sudo,rsync,ifupdown,isc-dhcp-client,iproute2,adduser,init-system-helpers,ca-certificates
gigabytes=8

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root

mmdebstrap --quiet --variant=minbase --include="$packages" --dpkgopt=force-unsafe-io bookworm "$root" ${2:+"$2"}

echo node > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 node\n' > "$root/etc/hosts"
# The names that Vagrant expects of its interfaces: with `net.ifnames=0` below.
mkdir -p "$root/etc/network/interfaces.d"
printf 'source /etc/network/interfaces.d/*\nauto lo eth0\niface lo inet loopback\niface eth0 inet dhcp\n' \
    > "$root/etc/network/interfaces"
echo 'LABEL=detach-root / ext4 errors=remount-ro 0 1' > "$root/etc/fstab"
chroot "$root" adduser --quiet --disabled-password --gecos Vagrant --shell /bin/bash vagrant
install -d -m 0700 "$root/home/vagrant/.ssh"
printf '%s\n' "$key" "$old_key" > "$root/home/vagrant/.ssh/authorized_keys"
chmod 0600 "$root/home/vagrant/.ssh/authorized_keys"
chroot "$root" chown -R vagrant:vagrant /home/vagrant/.ssh
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/vagrant"
chmod 0440 "$root/etc/sudoers.d/vagrant"
printf 'UseDNS no\nPasswordAuthentication no\n' > "$root/etc/ssh/sshd_config.d/vagrant.conf"
# Each machine makes its own: what is in the box is known to everybody.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/etc/resolv.conf"
: > "$root/etc/machine-id"
cat > "$root/etc/systemd/system/host-keys.service" << 'END'
[Unit]
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
[Install]
WantedBy=multi-user.target
END
chroot "$root" systemctl enable --quiet host-keys.service
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin

mkdir -p "$root/boot/grub"
cat > "$root/boot/grub/grub.cfg" << 'END'
linux /vmlinuz root=LABEL=detach-root ro net.ifnames=0 console=ttyS0 quiet
initrd /initrd.img
boot
END

# One partition from the first MiB on; GRUB lies before it: its first sector, and from the second on the rest.
disk=$work/disk
truncate -s "${gigabytes}G" "$disk"
echo '2048,,L,*' | sfdisk --quiet "$disk"
mke2fs -q -F -t ext4 -L detach-root -d "$root" -E offset=1048576 "$disk" "$((gigabytes * 1024 - 1))M"
grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$work/core.img" biosdisk part_msdos ext2 normal linux
dd if=/usr/lib/grub/i386-pc/boot.img of="$disk" bs=440 count=1 conv=notrunc status=none
dd if="$work/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none

qemu-img convert -c -O qcow2 "$disk" "$work/box.img"
printf '{"provider":"libvirt","format":"qcow2","virtual_size":%d}\n' "$gigabytes" > "$work/metadata.json"
echo 'Vagrant.configure("2") { |config| config.vm.synced_folder ".", "/vagrant", disabled: true }' > "$work/Vagrantfile"
tar -C "$work" -czf "$work/box" metadata.json Vagrantfile box.img
mv "$work/box" "$box"
echo "$box is ready"
