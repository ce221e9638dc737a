GO ?= go
# The version is in the file VERSION; the commit and its date are given to the linker. Without git there are none.
REVISION ?= $(shell git describe --always --abbrev=40 --exclude='*' --dirty=-modified 2>/dev/null)
DATE ?= $(shell TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null)
EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
INFO := github.com/prometheus/common/version
LDFLAGS := -s -w -X $(INFO).Revision=$(REVISION) -X $(INFO).BuildDate=$(DATE)

.PHONY: accuracy all axe soak build image release revision FORCE platforms tools man test lint check bench workflows vulnerabilities

all: check build

build: ## the program, static
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o errno_exporter .

# docker, podman or buildah; several platforms with BUILDER="docker buildx" and IMAGE_FLAGS="--platform linux/amd64,linux/arm64,linux/arm/v7".
BUILDER ?= docker
IMAGE_FLAGS ?=

image: ## the images errno_exporter and errno_exporter:capture
	$(BUILDER) build $(IMAGE_FLAGS) --build-arg VERSION=$$(cat VERSION) --build-arg REVISION=$(REVISION) --build-arg DATE=$(DATE) --tag errno_exporter:$$(cat VERSION) .
	$(BUILDER) build $(IMAGE_FLAGS) --build-arg VERSION=$$(cat VERSION) --build-arg REVISION=$(REVISION) --build-arg DATE=$(DATE) --target capture --tag errno_exporter:$$(cat VERSION)-capture .

# What a release has besides the program: the man page and what completes its commands.
.tools/documents: FORCE
	rm -rf $@ && mkdir -p $@
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o .tools/errno_exporter .
	.tools/errno_exporter --help-man | gzip -9n >$@/errno_exporter.1.gz
	.tools/errno_exporter --completion-script-bash >$@/errno_exporter.bash
	.tools/errno_exporter --completion-script-fish >$@/errno_exporter.fish
	.tools/errno_exporter --completion-script-zsh >$@/_errno_exporter
FORCE:

# At a tag, RELEASE_FLAGS= publishes. Without a key nothing is signed.
RELEASE_FLAGS ?= --snapshot
GPG_KEY ?=

revision:
	@echo $(REVISION)

release: .tools/documents ## archives, packages, checksums and the bill of materials, in dist/
	$(GO) build -C tools/release -o $(CURDIR)/.tools/goreleaser github.com/goreleaser/goreleaser/v2
	$(GO) build -C tools/release -o $(CURDIR)/.tools/errno_exporter-sbom ./sbom
	PATH="$(CURDIR)/.tools:$$PATH" VERSION=$$(cat VERSION) DATE=$(DATE) EPOCH=$(EPOCH) LDFLAGS='$(LDFLAGS)' GPG_KEY=$(GPG_KEY) PLATFORMS='$(PLATFORMS)' \
		.tools/goreleaser release --clean $(if $(GPG_KEY),,--skip=sign) $(RELEASE_FLAGS)

# Where it has to build. Tests are type-checked and vetted once for each system, and for words of 32 bits: no file of ours
# is for one processor only but those.
PLATFORMS ?= linux/amd64 linux/arm64 linux/386 linux/arm linux/ppc64le linux/s390x linux/riscv64 darwin/arm64 darwin/amd64 freebsd/amd64 windows/amd64
VETTED ?= linux/386 darwin/arm64 freebsd/amd64 windows/amd64

platforms: ## the program, built for each platform, and all tests, vetted for each system
	@for p in $(PLATFORMS); do \
		echo "$$p"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -o /dev/null . || exit 1; \
	done
	@for p in $(VETTED); do \
		echo "$$p: vet"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./... || exit 1; \
	done

axe: ## axe-core, pinned, for the test of the pages' accessibility; npm fetches it
	tools/browser/axe.sh

tools: ## Prometheus 3 and Alertmanager for the end-to-end tests; minutes when built for the first time
	$(GO) build -C tools/prometheus -o $(CURDIR)/.tools/prometheus-3 github.com/prometheus/prometheus/cmd/prometheus
	$(GO) build -C tools/prometheus -o $(CURDIR)/.tools/promtool-3 github.com/prometheus/prometheus/cmd/promtool
	$(GO) build -C tools/alertmanager -o $(CURDIR)/.tools/alertmanager-31 github.com/prometheus/alertmanager/cmd/alertmanager

man: ## the man page, from the same source as --help
	@$(GO) run . --help-man

test: ## every test; as root the network namespaces too
	$(GO) test -race ./...

lint:
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

check: lint test ## what CI runs

accuracy: ## every phase against a packet capture, in every situation; as root
	$(GO) test ./test/accuracy -accuracy -update -v -timeout 10m

soak: ## 100,000 connections of an application, observed; as root
	ERRNO_EXPORTER_SOAK=100000 $(GO) test ./internal/observe -run TestSoak -v -count 1

bench: ## a probe beside a bare client that does the same network work
	$(GO) test ./prober -run '^$$' -bench . -benchtime 3s -count 3
	$(GO) test ./internal/web ./internal/watch -p 1 -run '^$$' -bench . -benchtime 1x
	$(GO) test ./internal/observe ./internal/store -p 1 -run '^$$' -bench .
	$(GO) test ./config -run '^$$' -bench .
	$(GO) test ./test/cost -run '^$$' -bench . -benchtime 1x -timeout 60m

workflows: ## the workflows, by actionlint and our rules; what the Go packages export, by apidiff
	$(GO) test -C tools/lint ./...

# The list of known vulnerabilities is fetched from vuln.go.dev.
vulnerabilities: ## known vulnerabilities in what the program links
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...
