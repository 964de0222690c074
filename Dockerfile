# One image with every program of Stipend; a container runs one of them:
#
#   docker build --tag stipend .                        # builds everything inside (BuildKit, Docker 23 or newer)
#   make image                                          # the same image from the programs of `make build`
#
# docker-compose.yml runs them together; ops/README.md says how.
ARG DEBIAN=debian:trixie-slim

# What every image below is made on: the user, and folders that a volume takes its owner from.
FROM ${DEBIAN} AS base
RUN groupadd --gid 10001 stipend \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/stipend --shell /usr/sbin/nologin stipend \
    && install -d -o stipend -g stipend -m 0700 \
        /var/lib/stipend /company /company/keys /company/gateway /company/attestor-north /company/attestor-south
LABEL org.opencontainers.image.title="Stipend" \
      org.opencontainers.image.description="A ledger for AI compute that a company runs itself" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NO_COLOR=1
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/stipend
# Asks the address in STIPEND_HEALTH_URL (ws://… for a node, http://…/healthz for a service); a node on
# this container's own port if there is none.
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --retries=3 CMD ["stipend", "health"]
CMD ["stipend", "--help"]

# From programs that were built outside: the build context is the folder that `make image` fills.
FROM base AS prebuilt
COPY root/ /

# Builds everything.
FROM ${DEBIAN} AS build
RUN apt-get update -q && apt-get install -q -y --no-install-recommends ca-certificates
WORKDIR /src
# Alone, so that a change of the source does not install the toolchain again.
COPY scripts/bootstrap.sh scripts/env.sh scripts/
RUN scripts/bootstrap.sh
COPY . .
# Stands in the node's version: --build-arg COMMIT=$(git rev-parse --short HEAD)
ARG COMMIT=unknown
ENV SUBSTRATE_CLI_GIT_COMMIT_HASH=${COMMIT}
RUN . scripts/env.sh && cargo build --release --workspace --bins --locked
RUN scripts/image-root.sh target/release /root-of-image

FROM base AS stipend
COPY --from=build /root-of-image/ /
