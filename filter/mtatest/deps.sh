#!/bin/bash
# Makes a real Postfix and a real Sendmail available to the tests of this package.
# Run by "make deps" from the root of the repository, on Debian, as root when something is missing.
# Running it again changes nothing.
set -euo pipefail

sendmail_root=${ASSAY_SENDMAIL_ROOT:-.cache/sendmail}
apt=(apt-get -q -o DPkg::Lock::Timeout=120 -o APT::Sandbox::User=root)

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# m4 and the libraries are what the unpacked Sendmail needs; the compiler is what "go test -race" needs.
missing=()
for package in postfix swaks m4 libnsl2 libwrap0 liblockfile1 libsasl2-2; do
	installed "$package" || missing+=("$package")
done
command -v "${CC:-gcc}" >/dev/null || missing+=(gcc libc6-dev)
unpack=no
[ -x "$sendmail_root/usr/libexec/sendmail/sendmail" ] || unpack=yes

if [ ${#missing[@]} -eq 0 ] && [ $unpack = no ]; then
	echo "deps: everything is here"
	exit 0
fi
command -v apt-get >/dev/null || { echo "deps: this needs Debian (no apt-get here)" >&2; exit 1; }

if [ ${#missing[@]} -gt 0 ]; then
	echo "deps: installing ${missing[*]}"
	[ "$(id -u)" = 0 ] || { echo "deps: installing packages needs root" >&2; exit 1; }
	"${apt[@]}" update
	echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
	# --no-remove: Postfix would push out another mail server; that is for the owner of this machine to decide.
	DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends --no-remove "${missing[@]}"
fi

if [ $unpack = yes ]; then
	# Sendmail cannot be installed beside Postfix, so its packages are only unpacked.
	echo "deps: unpacking Sendmail into $sendmail_root"
	[ ${#missing[@]} -gt 0 ] || [ "$(id -u)" != 0 ] || "${apt[@]}" update
	mkdir -p "$(dirname "$sendmail_root")"
	work=$(mktemp -d "$sendmail_root.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	(cd "$work" && "${apt[@]}" download sendmail-bin sendmail-base sendmail-cf)
	for package in "$work"/*.deb; do
		dpkg -x "$package" "$work/root"
	done
	rm -rf "$sendmail_root"
	mv "$work/root" "$sendmail_root"
fi
