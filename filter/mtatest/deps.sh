#!/bin/bash
# Makes a real Postfix, Sendmail, Dovecot and OpenDKIM available to the tests, and promtool to those of web.
# Run by "make deps" from the root of the repository, on Debian, as root when something is missing.
# Running it again changes nothing.
set -euo pipefail

sendmail_root=${ASSAY_SENDMAIL_ROOT:-.cache/sendmail}
prometheus_root=.cache/prometheus
apt=(apt-get -q -o DPkg::Lock::Timeout=120 -o APT::Sandbox::User=root)

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# m4 and the libraries are what the unpacked Sendmail needs; the compiler is what "go test -race" needs.
missing=()
for package in postfix swaks dovecot-core dovecot-lmtpd dovecot-imapd dovecot-sieve opendkim m4 libnsl2 libwrap0 liblockfile1 libsasl2-2; do
	installed "$package" || missing+=("$package")
done
command -v "${CC:-gcc}" >/dev/null || missing+=(gcc libc6-dev)
unpack=()
[ -x "$sendmail_root/usr/libexec/sendmail/sendmail" ] || unpack+=(sendmail)
command -v promtool >/dev/null || [ -x "$prometheus_root/usr/bin/promtool" ] || unpack+=(prometheus)

if [ ${#missing[@]} -eq 0 ] && [ ${#unpack[@]} -eq 0 ]; then
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
	# They are here for the tests, which start their own.
	if [ -d /run/systemd/system ]; then
		case " ${missing[*]} " in *" dovecot-core "*) systemctl disable --now dovecot.service ;; esac
		case " ${missing[*]} " in *" opendkim "*) systemctl disable --now opendkim.service ;; esac
	fi
fi

[ ${#unpack[@]} -eq 0 ] || [ ${#missing[@]} -gt 0 ] || [ "$(id -u)" != 0 ] || "${apt[@]}" update

# unpack ROOT PACKAGE…: packages that are only unpacked, below ROOT.
unpack() {
	local root=$1 work
	shift
	echo "deps: unpacking $* into $root"
	mkdir -p "$(dirname "$root")"
	work=$(mktemp -d "$root.XXXXXX")
	(cd "$work" && "${apt[@]}" download "$@")
	for package in "$work"/*.deb; do
		dpkg -x "$package" "$work/root"
	done
	rm -rf "$root"
	mv "$work/root" "$root"
	rm -rf "$work"
}

for what in "${unpack[@]}"; do
	case $what in
	# Sendmail cannot be installed beside Postfix.
	sendmail) unpack "$sendmail_root" sendmail-bin sendmail-base sendmail-cf ;;
	# Of Prometheus only promtool is wanted.
	prometheus) unpack "$prometheus_root" prometheus ;;
	esac
done
