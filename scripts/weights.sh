#!/usr/bin/env bash
# Measures the weights of Stipend's pallets and writes them into their source. Builds the node with
# the feature runtime-benchmarks, which takes a quarter of an hour the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

bin=${CARGO_TARGET_DIR:-target}/release
cargo build --release --locked -p stipend-node --features runtime-benchmarks
for pallet in ${1:-roles entitlements pricing receipts settlement evidence governance}; do
    echo "weights: measuring pallet_$pallet"
    "$bin/stipend-node" benchmark pallet \
        --runtime "$bin/wbuild/stipend-runtime/stipend_runtime.compact.compressed.wasm" \
        --genesis-builder runtime --genesis-builder-preset development \
        --pallet "pallet_$pallet" --extrinsic '*' --steps 20 --repeat 8 \
        --template scripts/weights.hbs --output "pallets/$pallet/src/weights.rs"
done
echo "weights: done; run \`make build\` to build the node without the benchmarks again"
