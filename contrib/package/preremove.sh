#!/bin/sh
# Before a removal ("remove" or 0), but not before an upgrade, which restarts the service when the new program is there.
set -e
[ -z "$DPKG_ROOT" ] || exit 0
case $1 in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now assay.socket assay.service || true # they may be masked
	fi
	;;
esac
