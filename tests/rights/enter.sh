#!/bin/sh
# In the namespaces that `unshare` has just made: what a test expects of a machine; then the command.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
ip link set lo up
mount -t tmpfs tmpfs /run # where `ip netns` keeps its names; the machine's own is not ours to write
exec "$@"
