//! `benchmark`: measures what weights are made of.

use codec::Encode;
use frame_benchmarking_cli::{BenchmarkCmd, ExtrinsicBuilder, SUBSTRATE_REFERENCE_HARDWARE};
use sc_cli::{Result, SubstrateCli};
use sp_core::H256;
use sp_keyring::Ed25519Keyring;
use sp_runtime::{generic::Era, traits::HashingFor, OpaqueExtrinsic};
use stipend_runtime::{
    opaque::Block, transaction::tx_extension, RuntimeCall, SignedPayload, UncheckedExtrinsic, VERSION,
};

use crate::{
    cli::Cli,
    service::{self, BlockBodies, Parts},
};

/// Runs one of the SDK's benchmarks on the development chain's runtime.
pub fn run(cli: &Cli, cmd: &BenchmarkCmd) -> Result<()> {
    cli.create_runner(cmd)?.sync_run(|config| match cmd {
        BenchmarkCmd::Pallet(cmd) => {
            cmd.run_with_spec::<HashingFor<Block>, BlockBodies>(Some(config.chain_spec))
        }
        BenchmarkCmd::Overhead(cmd) => cmd.run_with_extrinsic_builder_and_spec::<Block, BlockBodies>(
            Box::new(|_, genesis, _| Box::new(Remark { genesis })),
            Some(config.chain_spec),
        ),
        BenchmarkCmd::Block(cmd) => cmd.run(service::new_partial(&config)?.client),
        BenchmarkCmd::Storage(cmd) => {
            let Parts { client, backend, .. } = service::new_partial(&config)?;
            let (db, storage) = (backend.expose_db(), backend.expose_storage());
            cmd.run(config, client, db, storage, backend.expose_shared_trie_cache())
        }
        BenchmarkCmd::Machine(cmd) => cmd.run(&config, SUBSTRATE_REFERENCE_HARDWARE.clone()),
        BenchmarkCmd::Extrinsic(_) => Err("`benchmark extrinsic` measures one transaction of a list that \
             this node does not keep. Use `benchmark pallet` for calls and `benchmark overhead` for what \
             every transaction costs."
            .into()),
    })
}

/// The transaction that does nothing, signed by the council of the development chain.
struct Remark {
    genesis: H256,
}

impl ExtrinsicBuilder for Remark {
    fn pallet(&self) -> &str {
        "system"
    }

    fn extrinsic(&self) -> &str {
        "remark"
    }

    fn build(&self, nonce: u32) -> std::result::Result<OpaqueExtrinsic, &'static str> {
        let call = RuntimeCall::System(frame_system::Call::remark { remark: Vec::new() });
        let extension = tx_extension(Era::Immortal, nonce);
        let versions = (VERSION.spec_version, VERSION.transaction_version);
        // What the extensions add to the signed bytes, in their order.
        let implicit = ((), (), versions.0, versions.1, self.genesis, self.genesis, (), (), ());
        let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
        let council = Ed25519Keyring::Alice;
        let signature = payload.using_encoded(|bytes| council.sign(bytes));
        let account = council.to_account_id().into();
        Ok(UncheckedExtrinsic::new_signed(call, account, signature.into(), extension).into())
    }
}
