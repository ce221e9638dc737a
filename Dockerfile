# The program is static and needs nothing but the CA certificates, so that the image has nothing else: no shell, no package manager. It runs as
# an ordinary user and writes nothing but /var/lib/errno_exporter (--storage.path): a read-only root will do. The build stage cross-compiles for each platform. The base images can be
# replaced. deploy/image-test.sh builds it and runs it so.
ARG BUILD_IMAGE=docker.io/library/golang:1.26-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d
ARG BASE_IMAGE=scratch

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The version is in the file VERSION; make image gives the commit and its date.
ARG REVISION
ARG DATE
ARG TARGETOS
ARG TARGETARCH
ARG TARGETVARIANT
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} go build -trimpath -buildvcs=false -ldflags "-s -w \
      -X github.com/prometheus/common/version.Revision=${REVISION} -X github.com/prometheus/common/version.BuildDate=${DATE}" -o /errno_exporter . \
    && mkdir -p /state/errno_exporter

# The program with the file capability CAP_NET_RAW, permitted only: it also runs where the capability is not granted.
FROM build AS capable
RUN (command -v setcap >/dev/null || (apt-get update && apt-get install --yes --no-install-recommends libcap2-bin)) \
    && setcap cap_net_raw=p /errno_exporter

FROM ${BASE_IMAGE} AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY exporter.yml /etc/errno_exporter/exporter.yml
# For --storage.path: a volume that is mounted here gets its owner.
COPY --from=build --chown=65532:65532 /state/ /var/lib/
ARG VERSION
ARG REVISION
ARG DATE
LABEL org.opencontainers.image.title="errno_exporter" \
      org.opencontainers.image.description="Probes HTTP APIs for Prometheus and reports in which phase a call failed, why, and with which errno." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${DATE}"
USER 65532:65532
EXPOSE 10104
ENTRYPOINT ["/errno_exporter"]
CMD ["--config.file=/etc/errno_exporter/exporter.yml"]
# Where the exporter listens elsewhere, replace it: errno_exporter healthy --web.listen-address=…
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD ["/errno_exporter", "healthy"]

# docker build --target capture: attributes resets to the server or a middlebox where the container has NET_RAW (docs/reset-capture.md).
FROM base AS capture
COPY --from=capable /errno_exporter /errno_exporter

FROM base
COPY --from=build /errno_exporter /errno_exporter
