#!/bin/bash
# Makes what checks the units, the AppArmor profile and the packages available to the tests of contrib.
# Run by "make deps", on Debian, as root when something is missing. Running it again changes nothing.
set -euo pipefail

missing=()
for needed in systemd-analyze:systemd apparmor_parser:apparmor rpm:rpm dpkg-deb:dpkg git:git; do
	PATH=$PATH:/usr/sbin:/sbin command -v "${needed%:*}" >/dev/null || missing+=("${needed#*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null || { echo "deps: this needs Debian (no apt-get here)" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "deps: installing packages needs root: ${missing[*]}" >&2; exit 1; }
echo "deps: installing ${missing[*]}"
apt=(apt-get -q -o DPkg::Lock::Timeout=120 -o APT::Sandbox::User=root)
"${apt[@]}" update
DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends --no-remove "${missing[@]}"
