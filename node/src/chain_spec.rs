//! The chains that the node knows by name; every other chain is a file.

use std::path::{Path, PathBuf};

use sc_service::{ChainType, NoExtension, Properties};

use crate::service::ExtraHostFunctions;

/// A chain's description. The runtime computes the genesis state, so it needs our host functions.
pub type ChainSpec = sc_service::GenericChainSpec<NoExtension, ExtraHostFunctions>;

/// Finds the chain that `--chain` names.
pub fn load(id: &str) -> Result<ChainSpec, String> {
    match id {
        "" | "dev" => preset("dev", "Stipend Development", ChainType::Development, "development"),
        "local" => preset("local", "Stipend Local Testnet", ChainType::Local, "local_testnet"),
        path if Path::new(path).is_file() => ChainSpec::from_json_file(PathBuf::from(path)),
        unknown => Err(format!(
            "There is no chain `{unknown}`: it is neither `dev` nor `local`, and no file of that name exists. \
             Name one of the two or the path of a chain specification, which `export-chain-spec` makes."
        )),
    }
}

/// A chain whose genesis is one of the runtime's presets.
fn preset(id: &str, name: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let code = stipend_runtime::WASM_BINARY.ok_or(
        "This node was built without the runtime's WASM (SKIP_WASM_BUILD), so it cannot make a genesis. \
         Build it without that variable, or start it with a raw chain specification.",
    )?;
    Ok(ChainSpec::builder(code, None)
        .with_id(id)
        .with_name(name)
        .with_chain_type(chain_type)
        .with_protocol_id("stipend")
        .with_genesis_config_preset_name(preset)
        .with_properties(properties())
        .build())
}

/// What wallets show of the chain: amounts are micro-credits, addresses the generic Substrate ones.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "credit".into());
    properties.insert("tokenDecimals".into(), 6.into());
    properties.insert("ss58Format".into(), stipend_runtime::SS58Prefix::get().into());
    properties
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sc_service::ChainSpec as _;

    #[test]
    fn known_chains_build_their_genesis() {
        for id in ["dev", "local"] {
            let spec = load(id).unwrap();
            assert_eq!(spec.id(), id);
            assert!(spec.as_json(true).unwrap().contains("genesis"));
        }
    }

    #[test]
    fn a_chain_without_a_name_is_the_development_chain() {
        assert_eq!(load("").unwrap().id(), "dev");
    }

    #[test]
    fn an_unknown_chain_is_refused_with_the_names_that_exist() {
        let refusal = load("mainnet").err().unwrap();
        assert!(refusal.contains("`mainnet`") && refusal.contains("`dev`") && refusal.contains("`local`"));
    }

    #[test]
    fn an_exported_chain_loads_again() {
        let file = std::env::temp_dir().join(format!("stipend-spec-{}.json", std::process::id()));
        std::fs::write(&file, load("local").unwrap().as_json(true).unwrap()).unwrap();
        let loaded = load(file.to_str().unwrap()).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(loaded.id(), "local");
        assert!(matches!(loaded.chain_type(), ChainType::Local));
    }
}
