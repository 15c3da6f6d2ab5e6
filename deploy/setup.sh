#!/bin/sh
# Sets up what `make run` and `make test` need. Does nothing (and needs no network) when it is there already.
#   setup.sh venv            the Python environment in .venv/, from requirements.lock with hashes
#   setup.sh servers [must]  mosquitto; without `must` its absence is only said (an embedded broker takes over)
#   setup.sh databases       what the tests of the stores and of /metrics run against: VictoriaMetrics, InfluxDB, promtool, Alertmanager, faketime; tshark, fping; shellcheck
#   setup.sh wheelhouse      the office's few packages as files, so that the tests can install a wheel without a network
#   setup.sh browser         Chromium, the fonts that the wall's tests look at, and what reads the reports' PDF
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
VENV=.venv

say() { printf 'setup: %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else say "need root for: $*"; return 1; fi
}

# Install Debian packages; the list of packages is fetched once, and again only when a package is not found.
install_packages() {
  command -v apt-get >/dev/null 2>&1 || { say "no apt-get here; install by hand: $*"; return 1; }
  say "installing $* (once; takes a minute or two)"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null 2>&1 && return 0
  as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

make_venv() {
  for candidate in "$PYTHON" python3.13 python3.12 python3.11 python3; do
    if new_enough "$candidate"; then PYTHON=$candidate; break; fi
  done
  new_enough "$PYTHON" || { say "Python 3.11 or newer is needed; found: $("$PYTHON" --version 2>&1 || echo none)"; exit 1; }
  say "making $VENV with $("$PYTHON" --version)"
  if ! "$PYTHON" -m venv "$VENV" 2>/dev/null; then
    rm -rf "$VENV"
    install_packages python3-venv
    "$PYTHON" -m venv "$VENV"
  fi
}

venv() {
  [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || { rm -rf "$VENV"; make_venv; }
  say "installing the locked dependencies"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  touch "$VENV/.ready"
}

servers() {
  has mosquitto && return 0
  install_packages mosquitto && has mosquitto && return 0
  if [ "${1:-}" = must ]; then say "mosquitto is needed by the tests and could not be installed"; exit 1; fi
  say "mosquitto could not be installed: the embedded broker will be used (collector/broker/README.md states its limits)"
}

databases() {
  missing=""
  has victoria-metrics || missing="victoria-metrics"
  has influxd || missing="$missing influxdb"
  has promtool || missing="$missing prometheus"
  has faketime || missing="$missing faketime"
  has tshark || missing="$missing tshark"
  has fping || missing="$missing fping"
  has shellcheck || missing="$missing shellcheck"
  has ip || missing="$missing iproute2"
  has prometheus-alertmanager || missing="$missing prometheus-alertmanager"
  [ -z "$missing" ] || install_packages $missing || { say "the tests need: $missing"; exit 1; }
}

wheelhouse() {
  [ -f "$VENV/wheelhouse/.ready" ] && [ ! requirements-office.lock -nt "$VENV/wheelhouse/.ready" ] && return 0
  say "fetching the office's packages for the tests of the wheel"
  rm -rf "$VENV/wheelhouse"
  "$VENV/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-office.lock -d "$VENV/wheelhouse"
  touch "$VENV/wheelhouse/.ready"
}

browser() {
  missing=""
  has chromium || missing="chromium"
  has pdftotext || missing="$missing poppler-utils"
  [ -d /usr/share/fonts/truetype/noto ] || missing="$missing fonts-noto-core"
  [ -z "$missing" ] || install_packages $missing || { say "the tests need: $missing"; exit 1; }
}

case "${1:-}" in
  venv) venv ;;
  servers) servers "${2:-}" ;;
  databases) databases ;;
  browser) browser ;;
  wheelhouse) wheelhouse ;;
  *) say "usage: setup.sh venv | servers [must] | databases | browser | wheelhouse"; exit 2 ;;
esac
