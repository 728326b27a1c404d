#!/bin/bash
# Builds the .deb and the .rpm for this machine's architecture into a folder. Run by "make package" from the root of
# the repository. The same tree gives the same packages: their time is that of the revision, or SOURCE_DATE_EPOCH.
set -euo pipefail

out=$1
mkdir -p "$out"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 022

make -s build OUT="$stage/assay"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export STAGE=$stage VERSION ARCH
VERSION=$("$stage/assay" version | cut -d' ' -f2)
ARCH=$(go env GOARCH)

share=$stage/share
mkdir -p "$share"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d,man/man1,man/man5,doc/assay}
"$stage/assay" completion bash >"$share/bash-completion/completions/assay"
"$stage/assay" completion zsh >"$share/zsh/vendor-completions/_assay"
"$stage/assay" completion fish >"$share/fish/vendor_completions.d/assay.fish"
gzip -9nc contrib/man/assay.1 >"$share/man/man1/assay.1.gz"
gzip -9nc contrib/man/assay.toml.5 >"$share/man/man5/assay.toml.5.gz"
cp README.md CHANGELOG.md contrib/policy-tests.toml "$share/doc/assay/"
cp -r docs contrib/postfix contrib/sendmail contrib/sieve contrib/prometheus "$share/doc/assay/"

# What Debian's tools read of a package's history.
maintainer=$(sed -n 's/^maintainer: //p' contrib/package/nfpm.yaml)
printf 'assay (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md in this folder.\n\n -- %s  %s\n' \
	"$VERSION" "$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$share/doc/assay/changelog.gz"

# The licences of the libraries ask to be handed on with the program.
{
	echo "assay"
	cat LICENSE
	go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/assay | sort -u |
		while read -r module version folder; do
			printf '\n%s\n%s %s\n' "$(printf '=%.0s' {1..80})" "$module" "$version"
			cat "$folder"/{LICENSE,LICENCE,COPYING,NOTICE}* 2>/dev/null || true
		done
	printf '\n%s\nGo standard library\n' "$(printf '=%.0s' {1..80})"
	cat "$(go env GOROOT)/LICENSE"
} >"$share/doc/assay/copyright"

for format in deb rpm; do
	go tool -modfile=contrib/package/go.mod nfpm package --config contrib/package/nfpm.yaml --packager $format --target "$out"
done
