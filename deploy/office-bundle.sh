#!/bin/sh
# Puts together what goes to an office on a stick or over scp: the installer, its units, the wheel and the lock; with
# --wheels also the packages, so that the office needs no network but its line to the hub, if its machine has Debian's
# python3-venv already (the installer asks apt for it where it is missing).
#
#   office-bundle.sh DIR [--wheel FILE] [--wheels PLATFORM]… [--python VERSION]
#
#   --wheels PLATFORM   x86_64 or aarch64 (Raspberry Pi OS with 64 bits); may be repeated
#   --python VERSION    of the offices' Python, for --wheels (default 3.11, that of Debian 12; Debian 13 has 3.13)
set -eu
ME=office-bundle
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/lib.sh"

OUT='' PLATFORMS='' VERSION=3.11
while [ $# -gt 0 ]; do
  case $1 in
    --wheel) value "$@"; WHEEL=$2; shift ;;
    --wheels) value "$@"; PLATFORMS="$PLATFORMS $2"; shift ;;
    --python) value "$@"; VERSION=$2; shift ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    -*) stop "$1 is no option of this script; --help shows them" ;;
    *) [ -z "$OUT" ] || stop "one folder, not two: $OUT and $1"; OUT=$1 ;;
  esac
  shift
done
[ -n "$OUT" ] || stop "write the folder to make, as: $0 tatpar-office"
find_wheel
find_lock requirements-office.lock
mkdir -p "$OUT/systemd"
cp "$HERE/install-office.sh" "$HERE/install-office.ps1" "$HERE/lib.sh" "$LOCK" "$WHEEL" "$OUT/"
cp -r "$HERE/systemd/tatpar-.service.d" "$HERE/systemd/tatpar-probe.service" "$HERE/systemd/tatpar-probe.service.d" "$OUT/systemd/"
for platform in $PLATFORMS; do
  choose_python
  say "fetching the packages for $platform"
  "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --platform "manylinux_2_28_$platform" --platform "manylinux_2_17_$platform" --platform "manylinux2014_$platform" \
    --platform any --python-version "$VERSION" --implementation cp -r "$LOCK" -d "$OUT/wheels"
done
say "$OUT is ready; at the office: sudo sh install-office.sh SITE.enrolment.toml"
