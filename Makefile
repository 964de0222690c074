# Everything is built with one profile into one target directory: a second of either would build a
# thousand crates again.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules

BIN = $(or $(CARGO_TARGET_DIR),target)/release
CARGO = . scripts/env.sh && cargo

.PHONY: help bootstrap build pages demo test test-long test-compose image bench bench-detectors bench-gateway bench-peers bench-wallet weights fmt lint clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

bootstrap: ## install what is missing on this machine
	@scripts/bootstrap.sh

build: bootstrap ## build every binary
	@$(CARGO) build --release --workspace --locked

pages: build ## write manual pages and completions of `stipend` below target/share (SHARE=/usr/local/share)
	@scripts/pages.sh $(BIN)/stipend $(or $(SHARE),target/share)

demo: build ## run the main job: from minted basket to settled bill (KEEP=1 leaves it running)
	@$(BIN)/stipend-demo

test: build ## run all tests that a change must pass
	@$(CARGO) test --release --workspace --locked

test-long: build ## run the longer campaigns: more random histories, more crashes
	@. scripts/env.sh && STIPEND_TEST_LONG=1 PROPTEST_CASES=2000 cargo test --release --workspace --locked

image: build ## make the container image from what was built (`docker compose build` builds inside it)
	@scripts/image-root.sh $(BIN) target/image/root
	@docker build --target prebuilt --tag $(or $(STIPEND_IMAGE),stipend:latest) --file Dockerfile target/image

test-compose: build ## run the containers and do the main job across them (ARGS=--if-possible where Docker may be missing)
	@scripts/test-compose.sh $(ARGS)

bench: build ## measure the chain's batch path against one receipt per extrinsic
	@$(BIN)/stipend-bench-chain

bench-gateway: build ## measure the gateway beside other gateways and proxies (ARGS="--seconds 10 --only ours,nginx")
	@$(BIN)/stipend-bench-gateway $(ARGS)

bench-wallet: build ## measure the wallet service's pages with ten million receipts (ARGS="--receipts 1000000 --only sqlite")
	@$(BIN)/stipend-bench-wallet $(ARGS)

bench-detectors: build ## measure precision, recall, false alarms and cost of the detectors (ARGS=--verbose)
	@$(BIN)/stipend-bench-detectors $(ARGS)

bench-peers: ## install the gateways and proxies that bench-gateway compares with, below target
	@scripts/bench-peers.sh $(ARGS)

weights: bootstrap ## measure the pallets' weights and write them into the source
	@scripts/weights.sh

fmt: ## format the source
	@$(CARGO) fmt --all

lint: bootstrap ## check formatting, lints and documentation links
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --release --workspace --all-targets --locked -- -D warnings

clean: ## remove what was built here
	@cargo clean
	@rm -rf target/demo target/bench target/bench-chain target/bench-gateway target/bench-peers target/bench-wallet
