//! Two gateways, one wallet, and a budget for ten requests that two hundred want at once: ten are served, whoever reserved
//! the credits first, and afterwards nothing is stuck.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use serde_json::json;
use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    cost::{PriceEntries, PriceEntry},
    key,
    mint::Grant,
    ClassId, Credits, Name, Role,
};
use stipend_sdk::{Client, SignedMint, Signer};
use stipend_tests::{
    company::{Company, MODEL_GENERAL, MODEL_GENERAL_ID},
    process::free_port,
    services::{self, AttestorSetup, GatewaySetup, Node, ServedModel, Service, Upstream},
    stage::PROVIDERS,
};

/// Races.
const ROUNDS: usize = 1_000;

/// Requests that want to be served, half of them at each gateway.
const WANTED: usize = 200;

/// Requests that the budget is for.
const BUDGET: usize = 10;

/// Tokens of each answer.
const TOKENS: u32 = 10;

/// What each request costs, and at most can cost: prompts are free here.
const COST: Credits = 1_000 * TOKENS as Credits + 50;

/// A wallet's credits that lie at the other gateway come within seconds; a busy machine takes longer.
const RESERVATIONS: &str = "[reservations]\nwait_ms_max = 60000\n";

const PATIENCE: Duration = Duration::from_secs(120);

/// Wallets whose rounds run at the same time.
const TOGETHER: usize = 10;

struct World {
    client: Client,
    company: Company,
    gateways: Vec<Service>,
    accounts: [Signer; 2],
    _others: (Node, Service, Vec<Service>),
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_for_ten_serves_ten_of_two_hundred_at_two_gateways() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: the race of two gateways is part of `make test-long`");
        return Ok(());
    }
    let world = World::start().await?;
    let (began, mut refused) = (Instant::now(), 0);
    for first in (0..ROUNDS).step_by(TOGETHER) {
        let of_round = |round| world.round(round);
        refused += try_join_all((first..first + TOGETHER).map(of_round)).await?.into_iter().sum::<usize>();
    }
    println!(
        "{ROUNDS} rounds of {WANTED} requests on a budget for {BUDGET} at two gateways in {:.1?}: {BUDGET} served in each, \
         {refused} refused, none of them wrongly",
        began.elapsed()
    );
    Ok(())
}

impl World {
    async fn start() -> Result<Self> {
        let dir = services::work_dir("test-budget-race")?;
        let node = Node::start(&dir).await?;
        let client = Client::connect(&node.url).await?;
        let company = Company::new(&[])?;
        company.found(&client).await?;
        let accounts = [company.gateway.clone(), Signer::generate()];
        let grant = pallet_roles::Call::grant_role {
            who: accounts[1].account(),
            role: Role::Gateway,
            allowance: None,
        };
        let publish = pallet_pricing::Call::publish { entries: prices() };
        company.council.acts(&client, vec![grant.into(), publish.into()]).await?;
        let engine = services::engine(&dir, "engine", MODEL_GENERAL, &["--first-token-ms", "20"]).await?;
        let (mut attestors, mut gateways) = (Vec::new(), Vec::new());
        for (at, account) in accounts.iter().enumerate() {
            let provider = &company.providers[at];
            let attestor = services::attestor(
                &dir,
                &AttestorSetup {
                    name: PROVIDERS[at],
                    listen: "127.0.0.1:0".into(),
                    provider: provider.account(),
                    key: provider,
                    genesis: client.genesis(),
                    engine_url: &engine.url,
                    engine_more: "",
                    gateway: account.account(),
                    model: ServedModel {
                        name: MODEL_GENERAL.into(),
                        id: MODEL_GENERAL_ID,
                        engine_name: MODEL_GENERAL.into(),
                    },
                    misreport: 0,
                },
            )
            .await?;
            company.register_provider(&client, provider, &attestor.url).await?;
            let upstream = Upstream {
                name: PROVIDERS[at],
                provider: provider.account(),
                url: &attestor.url,
                models: vec![MODEL_GENERAL.into()],
                more: "",
            };
            let setup = GatewaySetup {
                name: ["gateway-east", "gateway-west"][at],
                listen: format!("127.0.0.1:{}", free_port()?),
                chain: &node.url,
                key: account,
                upstreams: vec![upstream],
                more: RESERVATIONS,
            };
            gateways.push(services::gateway(&dir, &setup).await?);
            attestors.push(attestor);
        }
        Ok(World { client, company, gateways, accounts, _others: (node, engine, attestors) })
    }

    /// A wallet of its own: a race, and one more request when it is over. Returns how many were refused.
    async fn round(&self, round: usize) -> Result<usize> {
        let owner = Signer::generate();
        let api_key = key::text(&rand::random());
        self.mint(&owner, COST * BUDGET as Credits).await?;
        // In every second round one gateway begins with half a request too much, so that both have half of one left.
        let head_start = (round % 2 == 1).then(|| self.accounts[round / 2 % 2].account());
        let reserve = head_start
            .map(|gateway| (gateway, BoundedVec::truncate_from(vec![(ClassId::INNOVATION, COST * 11 / 2)])));
        let register = pallet_entitlements::Call::register_key {
            hash: key::hash(&api_key),
            limits: Default::default(),
            reserve,
        };
        self.client.submit_finalised(register.into(), &owner).await?;
        self.known(&api_key).await?;

        let asked = (0..WANTED).map(|number| self.ask(number % 2, &api_key));
        let statuses = try_join_all(asked).await?;
        let served = statuses.iter().filter(|status| **status == 200).count();
        ensure!(
            served == BUDGET,
            "round {round}: {served} of {WANTED} were served on a budget for {BUDGET}, the others got {:?}",
            statuses.iter().filter(|status| **status != 200).collect::<BTreeSet<_>>()
        );
        let others = statuses.iter().filter(|status| !matches!(**status, 200 | 402 | 429)).count();
        ensure!(others == 0, "round {round}: {others} answers were neither served nor refused for credits");

        self.spent(&owner, COST * BUDGET as Credits).await.with_context(|| format!("round {round}"))?;
        // Whoever gets it, the next credits are found.
        self.mint(&owner, COST).await?;
        self.caught_up().await?;
        let status = self.ask(round % 2, &api_key).await?;
        ensure!(status == 200, "round {round}: a covered request was answered {status} afterwards");
        self.spent(&owner, COST * (BUDGET + 1) as Credits).await.with_context(|| format!("round {round}"))?;
        Ok(WANTED - served)
    }

    async fn mint(&self, owner: &Signer, amount: Credits) -> Result<()> {
        let grant = Grant::One { program: 0, amount, valid_from: None, valid_until: None };
        let genesis = self.client.genesis();
        let mint = SignedMint::new(&self.company.hr, &genesis, owner.account(), grant, rand::random());
        self.client.mint_finalised(&mint).await?;
        Ok(())
    }

    /// Waits until both gateways know a key.
    async fn known(&self, api_key: &str) -> Result<()> {
        for gateway in &self.gateways {
            let began = Instant::now();
            let models =
                || reqwest::Client::new().get(format!("{}/v1/models", gateway.url)).bearer_auth(api_key);
            while models().send().await?.status() == 401 {
                ensure!(began.elapsed() < PATIENCE, "a gateway does not learn of a key");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Waits until both gateways have taken in what is final now.
    async fn caught_up(&self) -> Result<()> {
        let head = self.client.finalised_head().await?.number;
        for gateway in &self.gateways {
            let began = Instant::now();
            while finalised_block(gateway).await? < head {
                ensure!(began.elapsed() < PATIENCE, "a gateway does not follow the chain");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    async fn ask(&self, gateway: usize, api_key: &str) -> Result<u16> {
        let body = json!({
            "model": MODEL_GENERAL,
            "max_tokens": TOKENS,
            "messages": [{"role": "user", "content": "Say something."}],
        });
        let url = format!("{}/v1/chat/completions", self.gateways[gateway].url);
        let answer = reqwest::Client::new().post(url).bearer_auth(api_key).json(&body).send().await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        Ok(status)
    }

    /// Waits until the chain shows exactly so much as spent.
    async fn spent(&self, owner: &Signer, amount: Credits) -> Result<()> {
        let began = Instant::now();
        loop {
            let head = self.client.finalised_head().await?;
            let wallet = self.client.at(head.hash).wallet(&owner.account()).await?;
            let spent: Credits = wallet.iter().map(|class| class.amounts.spent).sum();
            if spent == amount {
                return Ok(());
            }
            ensure!(
                spent < amount && began.elapsed() < PATIENCE,
                "{spent} of {amount} micro-credits are spent"
            );
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// The newest block that a gateway has taken in.
async fn finalised_block(gateway: &Service) -> Result<u32> {
    let page = reqwest::get(format!("{}/metrics", gateway.url)).await?.text().await?;
    let line = page.lines().find_map(|line| line.strip_prefix("stipend_gateway_finalised_block "));
    Ok(line.context("a gateway counts the blocks that it has taken in")?.parse()?)
}

/// One model whose prompts are free, so that what a request can cost is what it does cost.
fn prices() -> PriceEntries {
    PriceEntries::truncate_from(vec![PriceEntry {
        model: MODEL_GENERAL_ID,
        name: Name::truncate_from(MODEL_GENERAL.as_bytes().to_vec()),
        class: ClassId::INNOVATION,
        premium: false,
        c_input: 0,
        c_cached: 0,
        c_output: 1_000,
        c_model: 50,
        weight: 1,
        reference_input: 0,
        reference_output: 0,
    }])
}
