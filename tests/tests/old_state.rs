//! States that earlier versions left behind become states of this version.
//!
//! `data/state/N.scale` is what random histories left behind on the runtime with spec version N:
//! keys and values, SCALE-encoded. Whoever raises the version adds its file with
//! `STIPEND_WRITE_STATE=1 cargo test --release -p stipend-tests --test old_state`; no file is ever
//! changed again.

use std::{fs, path::PathBuf};

use anyhow::{ensure, Context, Result};
use codec::{Decode, Encode};
use frame_support::traits::GetStorageVersion;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use stipend_runtime::{
    Entitlements, Evidence, Executive, Governance, Pricing, Receipts, Roles, Settlement, System, VERSION,
};
use stipend_tests::{
    model::{history, World},
    services::repository,
    try_state::every_pallet,
};

/// Acts of the history that is written down.
const ACTS: usize = 400;

type State = Vec<(Vec<u8>, Vec<u8>)>;

fn file(spec_version: u32) -> PathBuf {
    repository().join(format!("tests/data/state/{spec_version}.scale"))
}

fn read(spec_version: u32) -> Result<State> {
    let file = file(spec_version);
    let bytes = fs::read(&file).with_context(|| {
        format!("{} is missing; the head of this file says how to write it", file.display())
    })?;
    State::decode(&mut &bytes[..]).with_context(|| format!("{} is torn", file.display()))
}

fn written() -> State {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let acts = history(ACTS).new_tree(&mut runner).expect("a history can be made").current();
    World::state_after(&acts)
}

#[test]
fn the_state_of_every_version_so_far_migrates_and_is_sound_afterwards() -> Result<()> {
    if std::env::var_os("STIPEND_WRITE_STATE").is_some() {
        let file = file(VERSION.spec_version);
        ensure!(!file.exists(), "{} is there already and stays as it is", file.display());
        fs::create_dir_all(file.parent().context("a file stands in a folder")?)?;
        fs::write(&file, written().encode())?;
    }
    for spec_version in 1..=VERSION.spec_version {
        let state = read(spec_version)?;
        let mut chain = sp_io::TestExternalities::default();
        let keys = state.len();
        state.into_iter().for_each(|(key, value)| chain.insert(key, value));
        chain.execute_with(|| {
            let programs = Entitlements::programs().len();
            ensure!(programs > 0 && System::block_number() > 10, "the state of {spec_version} is empty");
            if spec_version == VERSION.spec_version {
                every_pallet().context("before")?;
            }
            Executive::execute_on_runtime_upgrade();
            every_pallet().with_context(|| format!("after the migrations from version {spec_version}"))?;
            ensure!(Entitlements::programs().len() == programs, "programs were lost");
            is_of_this_version()
        })?;
        println!("the {keys} keys of version {spec_version} are sound in version {}", VERSION.spec_version);
    }
    Ok(())
}

fn is_of_this_version() -> Result<()> {
    macro_rules! check {
        ($($pallet:ident),*) => {$(
            let (state, code) = ($pallet::on_chain_storage_version(), $pallet::in_code_storage_version());
            ensure!(state == code, "{}: the state has layout {state:?}, the code {code:?}", stringify!($pallet));
        )*};
    }
    check!(Roles, Entitlements, Pricing, Receipts, Settlement, Evidence, Governance);
    Ok(())
}
