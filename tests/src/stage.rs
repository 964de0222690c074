//! Sets the stage: chain, company, engines, attestors, gateway, all as real processes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use stipend_primitives::ModelId;
use stipend_sdk::Client;

use crate::{
    company::{Company, MODEL_GENERAL, MODEL_GENERAL_ID, MODEL_REASONING, MODEL_REASONING_ID},
    process::free_port,
    progress,
    services::{self, AttestorSetup, GatewaySetup, Node, ServedModel, Service, Upstream},
};

/// Names of the two providers' services.
pub const PROVIDERS: [&str; 2] = ["attestor-north", "attestor-south"];

const MODELS: [(&str, ModelId); 2] =
    [(MODEL_GENERAL, MODEL_GENERAL_ID), (MODEL_REASONING, MODEL_REASONING_ID)];

/// How the stage is set.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Folder under `target` for logs and data.
    pub dir: &'static str,
    /// A real engine behind the first provider: address and the name it gives its model.
    pub engine: Option<(String, String)>,
    /// Requests that the second provider understates.
    pub misreport: u32,
    /// More lines for the gateway's configuration.
    pub gateway_more: &'static str,
    /// More lines for each of its upstreams.
    pub upstream_more: &'static str,
    /// More lines for the attestors' engines.
    pub engine_more: &'static str,
    /// A chain that runs already; a development chain is started where there is none.
    pub chain: Option<RunningChain>,
}

/// A chain that somebody else keeps running.
#[derive(Clone, Debug)]
pub struct RunningChain {
    /// WebSocket address of the node that the company uses.
    pub url: String,
    /// Address of this machine under which the validators reach the attestors.
    pub host: String,
}

/// Everything that runs. Dropping it ends all processes.
pub struct Stage {
    /// Connected to the node.
    pub client: Client,
    /// Who acts.
    pub company: Company,
    /// The providers' attestors.
    pub attestors: Vec<Service>,
    /// The gateway.
    pub gateway: Service,
    /// The chain, where the stage started it.
    pub node: Option<Node>,
    /// The stand-in engines.
    pub engines: Vec<Service>,
    /// Logs and data.
    pub dir: PathBuf,
    setup: Setup,
    chain_url: String,
    gateway_port: u16,
    engine_seats: Vec<EngineSeat>,
}

/// Which engine an attestor stands before, and where it listens itself: the same after a restart.
struct EngineSeat {
    engine_url: String,
    engine_name: String,
    attestor_port: u16,
}

impl Stage {
    /// Starts all programs and founds the company.
    pub async fn set(setup: Setup) -> Result<Self> {
        let dir = services::work_dir(setup.dir)?;
        println!("Logs and data: {}", dir.display());
        let steps = progress::bar("setting up", 8);
        let (node, chain_url) = match &setup.chain {
            Some(chain) => (None, chain.url.clone()),
            None => {
                let node = Node::start(&dir).await?;
                let url = node.url.clone();
                (Some(node), url)
            }
        };
        let client = Client::connect(&chain_url).await?;
        steps.inc(1);
        let company = Company::new(&["ada", "grace", "linus"])?;
        company.found(&client).await?;
        steps.inc(1);
        company.mint_baskets(&client).await?;
        steps.inc(1);
        company.register_keys(&client).await?;
        steps.inc(1);
        let (engines, engine_seats) = start_engines(&dir, &setup).await?;
        let mut attestors = Vec::new();
        for (at, seat) in engine_seats.iter().enumerate() {
            attestors.push(start_attestor(&dir, &client, &company, &setup, seat, at).await?);
        }
        steps.inc(2);
        for (provider, attestor) in company.providers.iter().zip(&attestors) {
            company.register_provider(&client, provider, &attestor.url).await?;
        }
        steps.inc(1);
        let gateway_port = free_port()?;
        let gateway = start_gateway(&dir, &chain_url, &company, &attestors, &setup, gateway_port).await?;
        steps.finish_and_clear();
        let stage = Stage {
            client,
            company,
            attestors,
            gateway,
            node,
            engines,
            dir,
            setup,
            chain_url,
            gateway_port,
            engine_seats,
        };
        stage.write_endpoints()?;
        stage.write_keys()?;
        Ok(stage)
    }

    /// Starts the gateway again, at its address and on its data.
    pub async fn restart_gateway(&mut self) -> Result<()> {
        self.gateway.process.kill();
        let (company, attestors) = (&self.company, &self.attestors);
        self.gateway =
            start_gateway(&self.dir, &self.chain_url, company, attestors, &self.setup, self.gateway_port)
                .await?;
        Ok(())
    }

    /// Starts a provider's attestor again, at its address and on its data.
    pub async fn restart_attestor(&mut self, at: usize) -> Result<()> {
        self.attestors[at].process.kill();
        let (company, seat) = (&self.company, &self.engine_seats[at]);
        self.attestors[at] = start_attestor(&self.dir, &self.client, company, &self.setup, seat, at).await?;
        Ok(())
    }

    /// Starts the stage's own node again, at its address and on its data.
    pub async fn restart_node(&mut self) -> Result<()> {
        let mut node = self.node.take().context("somebody else keeps the chain running")?;
        node.process.kill();
        let port = node.url.rsplit(':').next().context("the address names a port")?.parse()?;
        self.node = Some(Node::start_on(&self.dir, port, &[]).await?);
        Ok(())
    }

    /// Address of the gateway as an OpenAI client wants it.
    pub fn gateway_url(&self) -> String {
        format!("{}/v1", self.gateway.url)
    }

    /// What a program needs to use the stage, as variables.
    pub fn endpoints(&self) -> Vec<(&'static str, String)> {
        let first = &self.company.employees[0];
        vec![
            ("STIPEND_RPC_URL", self.chain_url.clone()),
            ("STIPEND_GATEWAY_URL", self.gateway_url()),
            ("STIPEND_API_KEY", first.api_key.clone()),
            ("STIPEND_WALLET", first.signer.address()),
            ("STIPEND_MODEL", MODEL_GENERAL.into()),
            ("STIPEND_ATTESTOR_URL", self.attestors[0].url.clone()),
        ]
    }

    fn write_endpoints(&self) -> Result<()> {
        let lines: String =
            self.endpoints().into_iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        Ok(fs::write(self.dir.join("endpoints.env"), lines)?)
    }

    /// The keys of HR and of the employees, for the `stipend` command.
    fn write_keys(&self) -> Result<()> {
        let keys = self.dir.join("keys");
        fs::create_dir_all(&keys)?;
        self.company.hr.save(keys.join("hr"))?;
        for employee in &self.company.employees {
            employee.signer.save(keys.join(employee.name))?;
        }
        Ok(())
    }
}

async fn start_gateway(
    dir: &Path,
    chain_url: &str,
    company: &Company,
    attestors: &[Service],
    setup: &Setup,
    port: u16,
) -> Result<Service> {
    let upstreams = attestors
        .iter()
        .enumerate()
        .map(|(at, attestor)| Upstream {
            name: PROVIDERS[at],
            provider: company.providers[at].account(),
            url: &attestor.url,
            models: vec![MODELS[at].0.into()],
            more: setup.upstream_more,
        })
        .collect();
    let setup = GatewaySetup {
        name: "gateway",
        listen: format!("127.0.0.1:{port}"),
        chain: chain_url,
        key: &company.gateway,
        upstreams,
        more: setup.gateway_more,
    };
    services::gateway(dir, &setup).await
}

async fn start_engines(dir: &Path, setup: &Setup) -> Result<(Vec<Service>, Vec<EngineSeat>)> {
    let timing = ["--first-token-ms", "20", "--tokens-per-second", "500"];
    let (mut engines, mut seats) = (Vec::new(), Vec::new());
    for (at, (model, _)) in MODELS.into_iter().enumerate() {
        let (engine_url, engine_name) = match (&setup.engine, at) {
            (Some((url, name)), 0) => (url.clone(), name.clone()),
            _ => {
                let name = ["engine-north", "engine-south"][at];
                let engine = services::engine(dir, name, model, &timing).await?;
                let url = engine.url.clone();
                engines.push(engine);
                (url, model.to_string())
            }
        };
        seats.push(EngineSeat { engine_url, engine_name, attestor_port: free_port()? });
    }
    Ok((engines, seats))
}

async fn start_attestor(
    dir: &Path,
    client: &Client,
    company: &Company,
    setup: &Setup,
    seat: &EngineSeat,
    at: usize,
) -> Result<Service> {
    let (model, id) = MODELS[at];
    let host = setup.chain.as_ref().map_or("127.0.0.1", |chain| &chain.host);
    let attestor = AttestorSetup {
        name: PROVIDERS[at],
        listen: format!("{host}:{}", seat.attestor_port),
        provider: company.providers[at].account(),
        key: &company.providers[at],
        genesis: client.genesis(),
        engine_url: &seat.engine_url,
        engine_more: setup.engine_more,
        gateway: company.gateway.account(),
        model: ServedModel { name: model.into(), id, engine_name: seat.engine_name.clone() },
        misreport: if at == 1 { setup.misreport } else { 0 },
    };
    services::attestor(dir, &attestor).await
}
