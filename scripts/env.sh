# Sourced before cargo: tells substrate-wasm-builder which toolchain has the WASM target, where the
# default one does not. See scripts/bootstrap.sh.
[ ! -r "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
if [ -z "${WASM_BUILD_TOOLCHAIN:-}" ] &&
    [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32v1-none/lib" ] &&
    rustup run stipend-wasm rustc --version >/dev/null 2>&1; then
    export WASM_BUILD_TOOLCHAIN=stipend-wasm
fi
