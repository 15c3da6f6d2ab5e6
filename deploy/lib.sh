# What the installers share: said, done or only shown (--dry-run), below another root (--root) for tests and images.
# shellcheck shell=sh
OPT=/opt/tatpar ETC=/etc/tatpar VAR=/var/lib/tatpar UNITS=/etc/systemd/system
ROOT='' DRY=no PYTHON=${PYTHON:-} WHEEL='' WHEELS='' CHANGED=no

say() { printf '%s: %s\n' "$ME" "$*" >&2; }
stop() { say "$*"; exit 2; }
fail() { say "$*"; exit 1; }

# Run a command, or only show it.
run() {
  if [ "$DRY" = yes ]; then printf '+ %s\n' "$*"; else "$@"; fi
}

# Whether this very machine is set up (and not a folder for tests or an image).
here() { [ -z "$ROOT" ]; }

# Commands that change the machine itself: users, services.
machine() {
  if here; then run "$@"; elif [ "$DRY" = yes ]; then printf '+ %s\n' "$*"; fi
}

value() { [ $# -ge 2 ] && [ -n "$2" ] || stop "$1 needs a value; --help shows how"; }

# An interpreter that is good enough, the system's before others: services cannot reach one in somebody's home.
choose_python() {
  if [ -n "$PYTHON" ]; then set -- "$PYTHON"; else set -- /usr/bin/python3 python3.13 python3.12 python3.11 python3; fi
  for candidate in "$@"; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    where=$("$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))')
    case $where in /root/* | /home/*) here && [ "$DRY" = no ] && { say "not $where: services may not look into homes"; continue; } ;; esac
    PYTHON=$candidate
    return 0
  done
  fail "Python 3.11 or newer is needed; Debian 12 and Raspberry Pi OS 12 have it: apt-get install python3 python3-venv"
}

need_root() {
  here && [ "$DRY" = no ] && [ "$(id -u)" != 0 ] && fail "must run as root (sudo $0 …), or try it with --dry-run"
  return 0
}

# Debian packages that are missing; nothing where all are there.
packages() {
  here || return 0
  missing=''
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  command -v apt-get >/dev/null 2>&1 || fail "no apt-get here; install by hand:$missing"
  say "installing$missing from Debian's archive, which needs a network (or an apt source on this machine)"
  # shellcheck disable=SC2086 # names without blanks
  run env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 && return 0
  run apt-get update -qq || true # what it has may do
  # shellcheck disable=SC2086
  run env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null && return 0
  fail "apt-get cannot install$missing; bring the packages along (apt-get download, dpkg -i), or connect this machine once"
}

# The user that the services run as: no password, no shell, no home of its own.
make_user() {
  id tatpar >/dev/null 2>&1 && return 0
  machine useradd --system --user-group --home-dir "$VAR" --no-create-home --shell /usr/sbin/nologin tatpar
}

# folder MODE OWNER PATH
folder() {
  run mkdir -p "$ROOT$3"
  run chmod "$1" "$ROOT$3"
  machine chown "$2" "$3"
}

# A wheel of Tatpar: the one that was named, else the newest beside this script, else that of `make dist`.
find_wheel() {
  if [ -n "$WHEEL" ]; then [ -f "$WHEEL" ] || stop "--wheel: there is no file $WHEEL"; return 0; fi
  for place in "$HERE" "$HERE/../build/dist"; do
    # shellcheck disable=SC2012 # our own file names
    WHEEL=$(ls -t "$place"/tatpar-*.whl 2>/dev/null | head -n 1)
    [ -z "$WHEEL" ] || return 0
  done
  stop "no wheel of Tatpar found beside this script or in build/dist; make one (make dist), or name it with --wheel FILE"
}

# A lock file beside this script, or in the source tree.
find_lock() {
  for place in "$HERE" "$HERE/.."; do
    if [ -f "$place/$1" ]; then LOCK=$place/$1; return 0; fi
  done
  stop "$1 is missing beside this script"
}

# pip ARGUMENT…: install into the new environment, from the folder of packages if there is one.
pip() {
  [ -z "$WHEELS" ] || set -- --no-index --find-links "$WHEELS" "$@"
  run "$ROOT$OPT/venv.new/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"
}

# will_stand PLACE LATER: the scripts of an environment name the place where it will stand. Where that has a blank, pip
# has written a second line instead of the first.
will_stand() {
  now=$(printf '%s' "$1" | sed 's/[][\.*^$|]/\\&/g')
  grep -rlIF "$1/" "$1/bin" | while read -r script; do sed -i "1,2s|$now/|$2/|" "$script"; done
  sed -i "s|$now|$2|g" "$1/pyvenv.cfg" "$1"/bin/activate*
}

# environment LOCK: Tatpar's own environment, of the locked packages and the wheel. A new one is made beside the old and
# takes its place only when it is whole, so that what runs keeps running and an interrupted upgrade changes nothing.
environment() {
  new=$ROOT$OPT/venv.new
  what=$(cat "$1" "$WHEEL" | sha256sum | cut -d ' ' -f 1)
  if [ "$(cat "$ROOT$OPT/venv/.tatpar" 2>/dev/null)" = "$what" ] && "$ROOT$OPT/venv/bin/python" -c 'import tatpar' 2>/dev/null; then
    say "$OPT/venv is up to date"
    return 0
  fi
  say "making $OPT/venv with $("$PYTHON" --version)"
  run rm -rf "$new"
  run "$PYTHON" -m venv --prompt tatpar "$new"
  pip --require-hashes -r "$1"
  pip --no-deps "$WHEEL"
  [ "$DRY" = no ] || return 0
  will_stand "$new" "$OPT/venv"
  printf '%s\n' "$what" > "$new/.tatpar"
  rm -rf "$ROOT$OPT/venv.old"
  [ ! -d "$ROOT$OPT/venv" ] || mv "$ROOT$OPT/venv" "$ROOT$OPT/venv.old"
  mv "$new" "$ROOT$OPT/venv"
  chmod -R go-w,go+rX "$ROOT$OPT/venv"
  rm -rf "$ROOT$OPT/venv.old"
  CHANGED=yes
}

# put FILE PATH: a file of ours, replaced when it has changed.
put() {
  if cmp -s "$1" "$ROOT$2"; then return 0; fi
  run mkdir -p "$(dirname "$ROOT$2")"
  run cp "$1" "$ROOT$2"
  run chmod 0644 "$ROOT$2"
}

# unit NAME…: units with what belongs to them.
units() {
  put "$HERE/systemd/tatpar-.service.d/10-hardening.conf" "$UNITS/tatpar-.service.d/10-hardening.conf"
  for unit in "$@"; do
    put "$HERE/systemd/$unit" "$UNITS/$unit"
    if [ -f "$HERE/systemd/$unit.d/20-needs.conf" ]; then put "$HERE/systemd/$unit.d/20-needs.conf" "$UNITS/$unit.d/20-needs.conf"; fi
  done
  machine systemctl daemon-reload
}

# What runs goes on with the new program.
restart_what_runs() {
  [ "$CHANGED" = no ] || machine systemctl try-restart "$@"
}

# A short name on everybody's path.
short_name() {
  run mkdir -p "$ROOT/usr/local/bin"
  run ln -sfn "$OPT/venv/bin/tatpar" "$ROOT/usr/local/bin/tatpar"
}
