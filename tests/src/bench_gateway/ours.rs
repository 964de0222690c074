//! The gateway with everything on: keys, reservations on a chain, its queue, its durable log, metrics.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context, Result};
use stipend_http_load::target::Target;
use stipend_primitives::{ClassId, Credits, Role, MICRO_CREDITS_PER_CREDIT};
use stipend_runtime::RuntimeCall;
use stipend_sdk::{Client, Signer};

use super::{
    cores::{move_to, Cores},
    report::{BEFORE, OURS},
    side::{Side, CHAT},
};
use crate::{
    company::{Company, BASKET_LINES, MODEL_GENERAL},
    progress,
    services::{self, GatewaySetup, Node, Service, Upstream},
};

/// Wallets, each with a key of its own: as many as there are connections.
const WALLETS: usize = 64;

/// Baskets for each of them: together they pay for some ten million requests.
const BASKETS: u64 = 5;

/// The folder of the secret that gateway and upstream share.
const PROVIDER: &str = "mock";

/// The gateway's upstream takes whatever the load sends at a time. All else is as by default.
const UPSTREAM_MORE: &str = "concurrency_max = 1024\n";

/// Who plays: made before the upstream, which names its provider's key.
pub(super) fn company() -> Result<Company> {
    Company::new(&["caller"; WALLETS])
}

/// Starts the stand-in upstream.
pub(super) async fn mock(dir: &Path, company: &Company, cores: &Cores) -> Result<Service> {
    let key = hex::encode(company.providers[0].public());
    move_to(cores.mock)?;
    let arguments = ["mock", "--provider-key", &key];
    let mock = services::service("mock", "stipend-bench-gateway", arguments, &dir.join("logs")).await;
    move_to(cores.load)?;
    mock
}

/// A company on a chain, whose provider is the stand-in upstream.
pub(super) struct Ours<'a> {
    pub dir: &'a Path,
    pub cores: &'a Cores,
    pub company: &'a Company,
    pub mock: &'a Service,
}

impl Ours<'_> {
    /// Starts a chain and founds the company on it.
    pub async fn found(&self) -> Result<Node> {
        let Ours { dir, cores, company, .. } = self;
        let steps = progress::bar("setting up", 3 + BASKETS);
        move_to(cores.chain)?;
        let node = Node::start(dir).await;
        move_to(cores.load)?;
        let node = node?;
        steps.inc(1);
        let client = Client::connect(&node.url).await?;
        company.found(&client).await?;
        company.council.acts(&client, allowances(company)).await?;
        steps.inc(1);
        for _ in 0..BASKETS {
            company.mint_baskets(&client).await?;
            steps.inc(1);
        }
        company.register_keys(&client).await?;
        steps.finish_and_clear();
        fs::create_dir_all(dir.join(PROVIDER))?;
        fs::write(dir.join(PROVIDER).join("token"), "the stand-in upstream asks for none\n")?;
        Ok(node)
    }

    /// Starts the gateway that was built with this program.
    pub async fn gateway(&self, node: &Node) -> Result<Side> {
        self.start(OURS, "stipend-gateway", &self.company.gateway, node).await
    }

    /// Starts another build of the gateway, as a gateway of its own.
    pub async fn gateway_before(&self, program: &Path, node: &Node) -> Result<Side> {
        let (key, program) = (Signer::generate(), program.canonicalize().context("there is no such build")?);
        let role =
            pallet_roles::Call::grant_role { who: key.account(), role: Role::Gateway, allowance: None };
        self.company.council.act(&Client::connect(&node.url).await?, role).await?;
        self.start(BEFORE, &program.to_string_lossy(), &key, node).await
    }

    async fn start(&self, name: &'static str, program: &str, key: &Signer, node: &Node) -> Result<Side> {
        let setup = GatewaySetup {
            name,
            listen: "127.0.0.1:0".into(),
            chain: &node.url,
            key,
            upstreams: vec![Upstream {
                name: PROVIDER,
                provider: self.company.providers[0].account(),
                url: &self.mock.url,
                models: vec![MODEL_GENERAL.into()],
                more: UPSTREAM_MORE,
            }],
            more: "",
        };
        move_to(self.cores.side)?;
        let gateway = services::gateway_of(program, self.dir, &setup).await;
        move_to(self.cores.load)?;
        let gateway = gateway?;
        let keys = self.company.employees.iter().map(|caller| caller.api_key.clone()).collect();
        let target = Target::new(address(&gateway.url)?, CHAT, MODEL_GENERAL, keys);
        let does = "key, reservation, queue, receipt on disk, metrics";
        let mut side = Side { name, does, target, process: Some(gateway.process) };
        side.ready().await.with_context(|| name)?;
        Ok(side)
    }
}

/// What HR mints here is more than an issuer may on an ordinary day.
fn allowances(company: &Company) -> Vec<RuntimeCall> {
    let of = |(class, credits): (ClassId, Credits)| {
        let amount = credits * MICRO_CREDITS_PER_CREDIT * Credits::from(BASKETS) * WALLETS as Credits;
        let issuer = company.hr.account();
        pallet_entitlements::Call::set_mint_allowance { issuer, class, amount: Some(amount) }.into()
    };
    BASKET_LINES.into_iter().map(of).collect()
}

/// Host and port of `http://HOST:PORT`.
pub(super) fn address(url: &str) -> Result<SocketAddr> {
    let address = url.strip_prefix("http://").with_context(|| format!("{url} is no HTTP address"))?;
    Ok(address.parse()?)
}
