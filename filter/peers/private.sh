# Runs "$@" on what looks to it like a machine of its own: without a network but for loopback, and with our name server in
# /etc/resolv.conf, because OpenDMARC and pyspf-milter can be told of it in no other way. It is no loopback address: the
# resolver in OpenDKIM asks none. To be run by "unshare --net --mount", so that nothing of this is seen outside.
set -eu
server=192.0.2.53
ip link set lo up
ip addr add $server/32 dev lo
file=$(mktemp)
trap 'rm -f "$file"' EXIT
echo "nameserver $server" >"$file"
mount --bind "$file" /etc/resolv.conf
"$@"
