# How long "make fuzz" gives to each target.
FUZZTIME ?= 20s

# Where "make build" puts the program.
OUT ?= assay

# How often, and how long each time, "make bench-peers" measures each filter; and how long "make soak" goes on.
ROUNDS ?= 6
TURN ?= 5s
SOAK ?= 10m

.PHONY: build package deps test check bench bench-peers soak fuzz

# The same tree and the same Go give the same bytes, whoever builds it and where. "go version -m assay" lists the
# revision, the flags and every module with its checksum: the bill of materials.
# -s leaves out what only debuggers read; stacks have their names all the same.
build:
	CGO_ENABLED=0 go build -trimpath -ldflags=-s -o $(OUT) ./cmd/assay

# dist/*.deb and dist/*.rpm.
package:
	contrib/package/build.sh dist

# A real Postfix, Sendmail, Dovecot and OpenDKIM for the tests, and what checks units and packages. Needs Debian, and root when
# something is missing.
deps:
	filter/mtatest/deps.sh
	contrib/package/deps.sh

# With ASSAY_REQUIRE_MTA a test that needs an MTA fails where it would otherwise be skipped.
test: deps
	ASSAY_REQUIRE_MTA=1 go test -race ./...
	go test -run 'TestCacheHitBars|TestLookUpBars' ./dnscache ./policy # measure time, which the race detector would not let them

check:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt these: $$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff

bench:
	go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /filter/peers)

# Beside other filters, in namespaces of their own: some ask the name servers of /etc/resolv.conf, at port 53, and no others.
# Needs Debian, and root. Takes 20 minutes; ROUNDS=1 TURN=1s shows in three what it does.
peers = go test -exec 'unshare --net --mount sh private.sh' -timeout 0 -run '^$$' -benchtime 1x ./filter/peers

bench-peers: deps
	filter/peers/deps.sh
	go build -o /dev/null ./cmd/assay # fetches what it needs, while there is a network
	$(peers) -bench Peers -rounds $(ROUNDS) -turn $(TURN)

# Mixed mail at the machine's limit: memory, goroutines and file descriptors stay flat.
soak:
	go build -o /dev/null ./cmd/assay
	$(peers) -bench Soak -soak $(SOAK)

# go test -fuzz takes one target of one package at a time.
fuzz:
	@set -e; for package in $$(go list ./...); do \
		listed=$$(go test -list '^Fuzz' $$package); \
		for target in $$(echo "$$listed" | grep '^Fuzz' || true); do \
			echo "fuzz: $$package $$target for $(FUZZTIME)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done
