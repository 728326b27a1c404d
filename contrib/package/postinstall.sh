#!/bin/sh
# After an installation ("configure" and no version, or 1) or an upgrade. A new service is not started: until the MTA
# is told of it nobody asks it anything, and which sockets it has is for the operator to say.
set -e
# In a chroot or another root there is nothing to tell.
[ -z "$DPKG_ROOT" ] || exit 0

if command -v apparmor_parser >/dev/null && [ -d /sys/kernel/security/apparmor ]; then
	apparmor_parser --replace --write-cache /etc/apparmor.d/assay || echo "assay: its AppArmor profile could not be loaded" >&2
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	systemctl try-restart assay.service || true # systemd says why, and an upgrade does not fail for it
fi
if [ "$1" = 1 ] || { [ "$1" = configure ] && [ -z "$2" ]; }; then
	echo "assay: edit /etc/assay/assay.toml, then \"systemctl enable --now assay\"; what comes next is in /usr/share/doc/assay/docs/install.md."
fi
