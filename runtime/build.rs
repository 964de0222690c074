//! Compiles this crate once more, to the WASM that the chain runs.

fn main() {
    #[cfg(feature = "std")]
    build_wasm();
}

#[cfg(feature = "std")]
fn build_wasm() {
    const HINT: &str = "WASM_BUILD_WORKSPACE_HINT";

    // The presets are compiled in, and they stand outside this crate's folder.
    println!("cargo:rerun-if-changed=../chain-spec/dev.json");
    println!("cargo:rerun-if-changed=../chain-spec/local.json");
    // The builder looks for Cargo.lock above the target folder, which need not stand in the
    // workspace. Without the lock it would take whatever versions are newest.
    if std::env::var_os(HINT).is_none() {
        std::env::set_var(HINT, concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    }
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
