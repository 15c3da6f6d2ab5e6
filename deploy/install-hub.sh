#!/bin/sh
# Sets up a headquarters on Debian 12 or newer: Tatpar's environment in /opt/tatpar, settings in /etc/tatpar, data in
# /var/lib/tatpar, and its parts as systemd services of the user tatpar. Running it again upgrades; it changes no settings.
#
#   install-hub.sh [--wheel FILE] [--wheels DIR] [--reflector] [--start] [--dry-run] [--root DIR]
#   install-hub.sh --uninstall          services and program go; settings and data stay
#
#   --wheel FILE    Tatpar's wheel (default: beside this script, or of `make dist`)
#   --wheels DIR    packages from this folder, without a network
#   --reflector     also the STAMP reflector of this headquarters (UDP port 862)
#   --start         start the services when all is in place
#   --dry-run       only show what would be done
#   --root DIR      set up below DIR, without touching users and services of this machine
set -eu
ME=install-hub
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/lib.sh"

PARTS="tatpar-broker.service tatpar-collect.service tatpar-collect@.service tatpar-watch.service tatpar-alerts.service tatpar-wall.service tatpar-desk.service tatpar-reflect.service"
START=no REFLECTOR=no UNINSTALL=no

while [ $# -gt 0 ]; do
  case $1 in
    --wheel) value "$@"; WHEEL=$2; shift ;;
    --wheels) value "$@"; WHEELS=$2; shift ;;
    --root) value "$@"; ROOT=${2%/}; shift ;;
    --reflector) REFLECTOR=yes ;;
    --start) START=yes ;;
    --dry-run) DRY=yes ;;
    --uninstall) UNINSTALL=yes ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    *) stop "$1 is no option of this script; --help shows them" ;;
  esac
  shift
done
need_root

if [ "$UNINSTALL" = yes ]; then
  machine systemctl disable --now tatpar.target tatpar-reflect.service || true
  for unit in tatpar.target $PARTS; do run rm -rf "$ROOT$UNITS/$unit" "$ROOT$UNITS/$unit.d"; done
  [ -e "$ROOT$UNITS/tatpar-probe.service" ] || run rm -rf "$ROOT$UNITS/tatpar-.service.d" "$ROOT$OPT" "$ROOT/usr/local/bin/tatpar"
  machine systemctl daemon-reload
  say "gone; $ETC and $VAR stay (identity, reports, decisions): remove them by hand if you mean it"
  exit 0
fi

packages python3-venv mosquitto fonts-noto-core
choose_python
find_wheel
find_lock requirements-hub.lock
make_user
folder 0755 root:root "$OPT"
folder 0750 root:tatpar "$ETC"
folder 0750 tatpar:tatpar "$VAR"
environment "$LOCK"
short_name
if [ ! -e "$ROOT$ETC/tatpar.toml" ]; then
  run cp "$HERE/hub/tatpar.toml" "$ROOT$ETC/tatpar.toml"
  run chmod 0640 "$ROOT$ETC/tatpar.toml"
  machine chown root:tatpar "$ETC/tatpar.toml"
  say "wrote $ETC/tatpar.toml: write under [broker] public_names what offices call this machine"
fi
# shellcheck disable=SC2086 # names of units
units tatpar.target $PARTS
machine systemctl enable --quiet tatpar.target
[ "$REFLECTOR" = no ] || machine systemctl enable --quiet tatpar-reflect.service
if [ "$START" = yes ]; then
  machine systemctl restart tatpar.target
  [ "$REFLECTOR" = no ] || machine systemctl restart tatpar-reflect.service
  say "started; see: systemctl status 'tatpar-*', sudo -u tatpar tatpar doctor --config $ETC/tatpar.toml --data $VAR"
else
  restart_what_runs 'tatpar-*.service'
  say "in place; check with: tatpar sites --check --config $ETC/tatpar.toml; start with: systemctl restart tatpar.target"
fi
