#!/usr/bin/env bash
# Installs what building Stipend needs and this machine lacks. Safe to run again: what is there is
# left alone. Set STIPEND_BOOTSTRAP_DRY_RUN=1 to see what would be done.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly RUST_MINOR_MIN=90             # rust-version of Cargo.toml: 1.90
readonly WASM_TARGET=wasm32v1-none     # the target that substrate-wasm-builder asks for
readonly WASM_TOOLCHAIN=stipend-wasm   # rustup's name for the Debian toolchain, see debian_wasm
# protoc compiles libp2p's messages, g++ and pkg-config build C libraries (secp256k1, zstd, jemalloc).
readonly PACKAGES=(make g++ pkg-config protobuf-compiler)

say() { printf 'bootstrap: %s\n' "$*"; }
die() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }
run() {
    say "$*"
    [ "${STIPEND_BOOTSTRAP_DRY_RUN:-0}" = 1 ] || "$@"
}
as_root() {
    if [ "$(id -u)" = 0 ]; then run "$@"; elif command -v sudo >/dev/null; then run sudo "$@"; else
        die "needs root for '$*': run it as root, or install sudo, then run this again"
    fi
}

is_debian() { [ -r /etc/os-release ] && grep -qE '^(ID|ID_LIKE)=.*(debian|ubuntu)' /etc/os-release; }

apt_updated=no
apt_install() {
    is_debian || die "this system is neither Debian nor Ubuntu, the ones whose package names are known here.
  Install these by hand and run this again: $*"
    [ $apt_updated = yes ] || as_root apt-get update -q
    apt_updated=yes
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

system_packages() {
    local missing=()
    command -v make >/dev/null || missing+=(make)
    command -v g++ >/dev/null || missing+=(g++)
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    command -v protoc >/dev/null || missing+=(protobuf-compiler)
    if [ ${#missing[@]} = 0 ]; then say "system packages: all there (${PACKAGES[*]})"; else apt_install "${missing[@]}"; fi
}

rust_toolchain() {
    [ ! -r "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
    if ! command -v cargo >/dev/null; then
        if ! command -v rustup >/dev/null; then
            apt_install rustup || die "this system has no package 'rustup': install rustup as its site says, then run this again"
        fi
        run rustup toolchain install stable --profile minimal --component clippy --component rustfmt
        run rustup default stable
    fi
    local minor
    minor=$(rustc --version | sed -E 's/^rustc 1\.([0-9]+).*/\1/')
    [ "$minor" -ge $RUST_MINOR_MIN ] ||
        die "rustc 1.$minor is too old, 1.$RUST_MINOR_MIN is needed: run 'rustup update stable'"
    say "rust: $(rustc --version)"
}

has_wasm() { [ -d "$("$@" --print sysroot)/lib/rustlib/$WASM_TARGET/lib" ]; }

wasm_target() {
    if has_wasm rustc; then
        say "WASM target: $WASM_TARGET is installed"
    elif rustup run $WASM_TOOLCHAIN rustc --version >/dev/null 2>&1 && has_wasm rustup run $WASM_TOOLCHAIN rustc; then
        say "WASM target: $WASM_TARGET is installed in the toolchain $WASM_TOOLCHAIN"
    elif command -v rustup >/dev/null && run timeout 300 rustup target add $WASM_TARGET; then
        say "WASM target: installed by rustup"
    else
        say "rustup could not fetch $WASM_TARGET; Debian carries a complete toolchain with the source of core: using that"
        debian_wasm
    fi
}

# Debian's rustc-web comes with the standard library's source, so core and alloc can be built for the
# WASM target here. Bitcode is embedded because the runtime is linked with LTO.
debian_wasm() {
    apt_install rustc-web cargo-web rust-web-src
    [ "${STIPEND_BOOTSTRAP_DRY_RUN:-0}" = 1 ] && return
    rustup toolchain link $WASM_TOOLCHAIN /usr
    local work sysroot lib
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the path of now is meant
    trap "rm -rf '$work'" EXIT
    mkdir -p "$work/src"
    printf '[package]\nname = "core-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["rlib"]\n[profile.release]\npanic = "abort"\n' >"$work/Cargo.toml"
    printf '#![no_std]\n' >"$work/src/lib.rs"
    say "building core and alloc for $WASM_TARGET (half a minute)"
    (cd "$work" && env -u CARGO_TARGET_DIR RUSTFLAGS=-Cembed-bitcode=yes RUSTC_BOOTSTRAP=1 \
        rustup run $WASM_TOOLCHAIN cargo build --quiet --release --target $WASM_TARGET -Zbuild-std=core,alloc)
    sysroot=$(rustup run $WASM_TOOLCHAIN rustc --print sysroot)
    lib=$sysroot/lib/rustlib/$WASM_TARGET/lib
    as_root mkdir -p "$lib" "$sysroot/lib/rustlib/$(host_triple)/bin"
    as_root cp "$work"/target/$WASM_TARGET/release/deps/lib{core,alloc,compiler_builtins}-*.rlib "$lib/"
    local lld=$sysroot/lib/rustlib/$(host_triple)/bin/rust-lld
    [ -e "$lld" ] || as_root ln -s "$(rustc --print sysroot)/lib/rustlib/$(host_triple)/bin/rust-lld" "$lld"
    say "WASM target: built into $lib"
}

host_triple() { rustc -vV | sed -n 's/^host: //p'; }

system_packages
rust_toolchain
wasm_target
say "ready"
