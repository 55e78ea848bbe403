#!/usr/bin/env bash
# Writes a box image to an SD card and proves that the card holds it. Run `./flash.sh --help`.
#
# It would rather refuse than guess: a card that was not written costs a minute, a wiped laptop costs the tour.
#   - Nothing is written before the image was read once from end to end.
#   - The first MiB, which makes a card bootable, is written last: a card pulled out half-way does not boot.
#   - What counts is what is read back from the card, not what the write said.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

readonly HEAD_BYTES=$((1024 * 1024))
readonly BLOCK_BYTES=$((4 * 1024 * 1024))
# No card of a box is larger; the backup disk of somebody's laptop may well be.
readonly DEVICE_BYTES_MAX=$((256 * 1024 * 1024 * 1024))

readonly EXIT_USAGE=2 EXIT_IMAGE=3 EXIT_DEVICE=4 EXIT_DECLINED=5 EXIT_WRITE=6 EXIT_VERIFY=7 EXIT_TOOL=8

usage() {
  cat <<'HELP'
Usage: ./flash.sh IMAGE DEVICE [--yes]
       ./flash.sh IMAGE FILE --file [--yes]

Writes IMAGE (.img or .img.xz) to DEVICE, a whole SD card or USB stick such as /dev/sdb or /dev/mmcblk0,
reads it back and compares. If there is an IMAGE.sha256 beside the image, it must fit.

  --yes    do not ask; all other checks stay
  --file   write into a regular file that is already there instead of a card (for a virtual machine)
  --help   this text

It writes and verifies the image, and nothing else: every card comes out the same. The name and the keys of a
box are not put on the card yet; they will come with provisioning.

Refused: anything that is not a whole removable disk, is larger than 256 GiB, is read-only, or is in use
(mounted, swap, part of a RAID, a volume group or an encrypted disk).

Exit codes: 0 written and verified · 2 wrong arguments · 3 image missing, broken or not what its checksum says ·
4 device refused · 5 declined · 6 write failed · 7 read back something else: the card is bad · 8 tool or right missing
Up to and including 5 nothing was written.
HELP
}

say() { printf '%s\n' "$*"; }

# fail CODE MESSAGE...
fail() {
  local code=$1
  shift
  printf 'flash.sh: %s\n' "$*" >&2
  exit "$code"
}

image='' target='' is_file=false is_yes=false

read_arguments() {
  while (($# > 0)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --yes) is_yes=true ;;
      --file) is_file=true ;;
      -*) fail $EXIT_USAGE "does not know $1; see --help" ;;
      *)
        if [[ -z $image ]]; then
          image=$1
        elif [[ -z $target ]]; then
          target=$1
        else
          fail $EXIT_USAGE "takes one image and one device, got also $1"
        fi
        ;;
    esac
    shift
  done
  [[ -n $image && -n $target ]] || fail $EXIT_USAGE "needs an image and a device; see --help"
  [[ $image == *.img || $image == *.img.xz ]] || fail $EXIT_USAGE "takes .img and .img.xz, not $image"
  [[ -f $image ]] || fail $EXIT_IMAGE "finds no image $image"
  [[ -r $image ]] || fail $EXIT_IMAGE "may not read $image"
}

check_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || fail $EXIT_TOOL "needs the program $tool, which is not installed"
  done
}

# The bytes of the image, unpacked.
image_bytes() {
  case $image in
    *.xz) xz --decompress --stdout -- "$image" ;;
    *) cat -- "$image" ;;
  esac
}

image_size=0 image_digest=''

# Reads the image once, whole: it must be what its checksum says, unpack without an error, and be a disk.
check_image() {
  if [[ -f $image.sha256 ]]; then check_checksum; else say "no $image.sha256: the image is checked against itself only"; fi
  say "reading the image"
  image_digest=$(image_bytes | sha256sum) || fail $EXIT_IMAGE "the image is damaged: it cannot be read to its end"
  image_digest=${image_digest%% *}
  case $image in
    *.xz) image_size=$(xz --robot --list -- "$image" | awk '$1 == "totals" { print $5 }') ;;
    *) image_size=$(stat --format=%s -- "$image") ;;
  esac
  ((image_size > 0)) || fail $EXIT_IMAGE "the image is empty"
  ((image_size % 512 == 0)) || fail $EXIT_IMAGE "is no disk image: $image_size bytes is no number of sectors"
}

check_checksum() {
  local wanted='' actual
  read -r wanted _ <"$image.sha256" || true
  say "checking $image against its checksum"
  actual=$(sha256sum <"$image")
  [[ ${wanted,,} == "${actual%% *}" ]] ||
    fail $EXIT_IMAGE "the image is not the one that $image.sha256 speaks of: copy both again"
}

target_size=''

check_file() {
  [[ -f $target ]] || fail $EXIT_DEVICE "with --file takes a regular file that is already there, not $target"
  [[ -w $target ]] || fail $EXIT_TOOL "may not write $target"
  [[ ! $image -ef $target ]] || fail $EXIT_DEVICE "will not write the image over itself"
  target_size=$(stat --format=%s -- "$target")
}

# One column of lsblk for the device itself.
column() { lsblk --nodeps --noheadings --raw --bytes --output "$1" -- "$target"; }

check_device() {
  target=$(readlink --canonicalize-existing -- "$target") || fail $EXIT_DEVICE "finds no such device"
  [[ -b $target ]] || fail $EXIT_DEVICE "$target is no disk; for a regular file say --file"
  local type
  type=$(column TYPE) || fail $EXIT_DEVICE "cannot learn what $target is"
  [[ $type == disk ]] ||
    fail $EXIT_DEVICE "takes whole disks only, and $target is a ${type:-thing without a type}"
  is_removable || fail $EXIT_DEVICE "$target is not removable: it may be the disk of this machine"
  [[ $(column RO) == 0 ]] || fail $EXIT_DEVICE "$target is read-only: look for the switch on the card"
  target_size=$(column SIZE)
  ((target_size > 0)) || fail $EXIT_DEVICE "there is no card in $target"
  ((target_size <= DEVICE_BYTES_MAX)) ||
    fail $EXIT_DEVICE "$target is larger than 256 GiB: that is hardly the card of a box"
  check_unused
  [[ -w $target ]] || fail $EXIT_TOOL "may not write $target: run it with sudo"
}

# A card reader says so itself; one on the SD bus does not, but the card there tells an SD card from soldered eMMC.
is_removable() {
  [[ $(column RM) == 1 ]] && return
  local kind="/sys/block/${target##*/}/device/type"
  [[ ${target##*/} == mmcblk* && -r $kind && $(<"$kind") == SD ]]
}

# Nothing on it is mounted, swapped to, or held by RAID, LVM or encryption, and the kernel itself lets go of it.
check_unused() {
  local mounts holders
  mounts=$(lsblk --noheadings --raw --output MOUNTPOINT -- "$target") || fail $EXIT_DEVICE "cannot learn whether $target is in use"
  holders=$(lsblk --noheadings --raw --output TYPE -- "$target") || fail $EXIT_DEVICE "cannot learn whether $target is in use"
  mounts=$(grep . <<<"$mounts" | paste --serial --delimiters=' ') || true
  [[ -z $mounts ]] || fail $EXIT_DEVICE "$target is in use at $mounts: unmount it first"
  holders=$(grep --invert-match --line-regexp 'disk\|part' <<<"$holders" | paste --serial --delimiters=' ') || true
  [[ -z $holders ]] || fail $EXIT_DEVICE "$target is in use by $holders"
  if [[ -w $target ]]; then
    blockdev --rereadpt "$target" 2>/dev/null || fail $EXIT_DEVICE "$target is in use: the kernel does not let go of it"
  fi
}

# Before the image was read its size is not known, and counts as none.
check_target() {
  if $is_file; then check_file; else check_device; fi
  ((image_size <= target_size)) ||
    fail $EXIT_DEVICE "the image needs $(readable "$image_size"), and $target holds $(readable "$target_size")"
}

readable() { numfmt --to=iec-i --suffix=B --format='%.1f' "$1"; }

ask() {
  say ''
  say "image   $image, $(readable "$image_size")"
  if $is_file; then
    say "target  $target, $(readable "$target_size"), a file"
  else
    say "target  $target, $(readable "$target_size"), $(column MODEL | sed 's/\\x20/ /g;s/^$/no model name/')"
    lsblk --noheadings --output NAME,SIZE,FSTYPE,LABEL -- "$target" | sed 's/^/        /'
  fi
  say ''
  $is_yes && return
  local answer=''
  printf 'Everything on it will be lost. Type %s to go on: ' "${target##*/}"
  read -r answer || true
  [[ $answer == "${target##*/}" ]] || fail $EXIT_DECLINED "nothing was written"
}

# Writes standard input to the target from byte $1 on, to the medium and not only to a cache.
write_at() {
  local flags=seek_bytes
  # Straight to the card: the progress shown is then the card's and not the memory's. Files may not support it.
  $is_file || flags+=,direct
  dd of="$target" bs="$BLOCK_BYTES" seek="$1" iflag=fullblock oflag="$flags" conv=notrunc,nocreat,fsync "${@:2}"
}

write_image() {
  is_writing=true
  say "writing $(readable "$image_size")"
  # The old partition table goes first, so that at no moment an old system boots from half of a new one.
  head --bytes="$((target_size < HEAD_BYTES ? target_size : HEAD_BYTES))" /dev/zero |
    write_at 0 status=none || fail $EXIT_WRITE "cannot write to $target"
  image_bytes | {
    head --bytes="$HEAD_BYTES" >"$work/head" &&
      write_at "$HEAD_BYTES" status=progress
  } || fail $EXIT_WRITE "the write failed: the card does not boot, and may be bad"
  write_at 0 status=none <"$work/head" || fail $EXIT_WRITE "the write failed: the card may be bad"
  sync "$target" || fail $EXIT_WRITE "the write failed: the card may be bad"
}

verify() {
  say "reading it back"
  local flags=count_bytes actual
  if ! $is_file; then
    # Neither from the cache of the kernel nor from that of the file system layer: from the card.
    blockdev --flushbufs "$target" || fail $EXIT_VERIFY "cannot drop the cache of $target"
    flags+=,direct
  fi
  actual=$(dd if="$target" bs="$BLOCK_BYTES" iflag="$flags" count="$image_size" status=progress | sha256sum) ||
    fail $EXIT_VERIFY "the card cannot be read back: it is bad"
  [[ ${actual%% *} == "$image_digest" ]] ||
    fail $EXIT_VERIFY "the card does not hold what was written to it: it is bad, do not use it"
  is_writing=false
}

show_partitions() {
  $is_file && return
  blockdev --rereadpt "$target" 2>/dev/null || say "pull the card out and put it in again to see its partitions"
  if command -v udevadm >/dev/null; then udevadm settle --timeout=5 || true; fi
  lsblk --output NAME,SIZE,FSTYPE,LABEL -- "$target"
}

is_writing=false work=''

leave() {
  local code=$?
  if $is_writing; then printf 'flash.sh: %s is not usable now: write it again\n' "$target" >&2; fi
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
  exit "$code"
}

main() {
  read_arguments "$@"
  check_tools dd head lsblk blockdev sha256sum numfmt readlink stat awk paste
  if [[ $image == *.xz ]]; then check_tools xz; fi
  work=$(mktemp -d)
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # The target first: who named the wrong disk should not wait for a checksum to hear of it.
  check_target
  check_image
  check_target
  ask
  # Cards can be swapped while a question waits.
  check_target
  write_image
  verify
  show_partitions
  say "written and verified: $target may be taken out"
}

main "$@"
