#!/bin/sh
# Sets up the probe of one office on Debian 12 or Raspberry Pi OS 12 and newer, unattended: its own environment in
# /opt/tatpar, data in /var/lib/tatpar, a service of the user tatpar that may ping and nothing else. Running it again,
# with or without a file, upgrades; enrolment, settings and what waits for the hub stay.
#
#   install-office.sh [agra.enrolment.toml] [--wheel FILE] [--wheels DIR] [--no-start] [--dry-run] [--root DIR]
#   install-office.sh --uninstall [--purge]   service and program go; with --purge enrolment and data as well
#
#   agra.enrolment.toml   the file that the hub gave out (tatpar enroll agra); good once
#   --wheel FILE          Tatpar's wheel (default: beside this script, or of `make dist`)
#   --wheels DIR          packages from this folder, without a network (default: wheels/ beside this script, if there)
#   --no-start            do not start the service
#   --dry-run             only show what would be done
#   --root DIR            set up below DIR, without touching users and services of this machine
set -eu
ME=install-office
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/lib.sh"

FILE='' START=yes UNINSTALL=no PURGE=no

while [ $# -gt 0 ]; do
  case $1 in
    --wheel) value "$@"; WHEEL=$2; shift ;;
    --wheels) value "$@"; WHEELS=$2; shift ;;
    --root) value "$@"; ROOT=${2%/}; shift ;;
    --no-start) START=no ;;
    --dry-run) DRY=yes ;;
    --uninstall) UNINSTALL=yes ;;
    --purge) PURGE=yes ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    -*) stop "$1 is no option of this script; --help shows them" ;;
    *) [ -z "$FILE" ] || stop "one enrolment file, not two: $FILE and $1"; FILE=$1 ;;
  esac
  shift
done
[ "$PURGE" = no ] || [ "$UNINSTALL" = yes ] || stop "--purge goes with --uninstall"
need_root

if [ "$UNINSTALL" = yes ]; then
  machine systemctl disable --now tatpar-probe.service || true
  run rm -rf "$ROOT$UNITS/tatpar-probe.service" "$ROOT$UNITS/tatpar-probe.service.d"
  [ -e "$ROOT$UNITS/tatpar.target" ] || run rm -rf "$ROOT$UNITS/tatpar-.service.d" "$ROOT$OPT" "$ROOT/usr/local/bin/tatpar"
  if [ "$PURGE" = yes ]; then run rm -rf "$ROOT$ETC" "$ROOT$VAR"; fi
  machine systemctl daemon-reload
  say "gone$([ "$PURGE" = yes ] || printf '; %s and %s stay' "$ETC" "$VAR"); at the hub: tatpar revoke this office if it is given up"
  exit 0
fi

if [ -n "$FILE" ]; then
  [ -f "$FILE" ] || stop "there is no file $FILE; the hub makes it: tatpar enroll SITE --out FILE"
  grep -q '^token = "' "$FILE" || stop "$FILE is no enrolment file: it has no token; the hub makes one: tatpar enroll SITE"
elif [ ! -e "$ROOT$VAR/probe.toml" ] && [ ! -e "$ROOT$ETC/enrolment.toml" ]; then
  stop "this office is not enrolled yet: name the file that the hub gave out, as: $0 agra.enrolment.toml"
fi
packages python3-venv
choose_python
find_wheel
find_lock requirements-office.lock
[ -n "$WHEELS" ] || [ ! -d "$HERE/wheels" ] || WHEELS=$HERE/wheels
make_user
folder 0755 root:root "$OPT"
folder 0750 root:tatpar "$ETC"
folder 0750 tatpar:tatpar "$VAR"
environment "$LOCK"
short_name
if [ -n "$FILE" ]; then
  run cp "$FILE" "$ROOT$ETC/enrolment.toml"
  run chmod 0640 "$ROOT$ETC/enrolment.toml"
  machine chown root:tatpar "$ETC/enrolment.toml"
fi
units tatpar-probe.service
machine systemctl enable --quiet tatpar-probe.service
if [ "$START" = no ] || ! here; then
  say "in place; start it with: systemctl restart tatpar-probe"
  exit 0
fi
# Type=notify: this waits until the probe measures; not enrolled, it never gets that far
if ! run systemctl restart tatpar-probe.service; then
  say "the probe does not start; its last words:"
  journalctl --unit tatpar-probe --lines 5 --no-pager --output cat >&2 || true
  fail "see also: sudo -u tatpar tatpar doctor --data $VAR"
fi
if [ -e "$VAR/probe.toml" ]; then run rm -f "$ETC/enrolment.toml"; fi # its token is spent
say "the probe measures; see: systemctl status tatpar-probe, sudo -u tatpar tatpar doctor --data $VAR"
