#!/bin/bash
# Makes the filters available that assay is measured beside. Run by "make bench-peers" from the root of the repository, on
# Debian, as root when something is missing. Running it again changes nothing. The services of the packages are not used:
# where they have been started, stop them, lest they take time that is measured.
set -euo pipefail

apt=(apt-get -q -o DPkg::Lock::Timeout=120 -o APT::Sandbox::User=root)

missing=()
for package in opendkim opendmarc publicsuffix pyspf-milter rspamd iproute2; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
	echo "peers: everything is here"
	exit 0
fi
command -v apt-get >/dev/null || { echo "peers: this needs Debian (no apt-get here)" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "peers: installing packages needs root" >&2; exit 1; }
echo "peers: installing ${missing[*]}"
"${apt[@]}" update
DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends --no-remove "${missing[@]}"
