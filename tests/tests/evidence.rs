//! Classes that require evidence, on a real chain: the provider that has it is paid, the one without is not,
//! to the micro-credit; and when evidence is no longer renewed, it runs out, and charges come back.

#[path = "evidence/issuer.rs"]
mod issuer;

use std::{collections::HashMap, fs, time::Duration};

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use stipend_evidence_token::issue::test_policy;
use stipend_primitives::{
    evidence::{EvidenceLevel, EvidencePolicy},
    AccountId, ClassId, Credits,
};
use stipend_runtime::RuntimeCall;
use stipend_tests::{
    audit,
    company::{prices, MODEL_GENERAL, MODEL_REASONING},
    observer::Observer,
    operator::{self, wait_until},
    process::Process,
    replay::{Call, Replay},
    stage::{Setup, Stage, PROVIDERS},
    trace::Request,
    try_state,
};

use issuer::{issuer, IssuerService, GPUS};

/// Blocks of a round: as few as are enough on a busy machine.
const PERIOD: u32 = 12;

/// Requests to each provider.
const REQUESTS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_class_that_requires_evidence_never_pays_a_provider_without_it() -> Result<()> {
    // A gateway that looks at evidence would not even ask: what the chain does if one does not is tested here.
    let gateway_more = "[limits]\nserve_unpaid = true\n";
    let mut stage = Stage::set(Setup { dir: "test-evidence", gateway_more, ..Default::default() }).await?;
    let service = IssuerService::start().await?;
    attach(&mut stage, &service).await?;
    let observer = Observer::start(stage.client.clone());
    require_evidence(&stage).await?;
    let [with, without] = [0, 1].map(|at| stage.company.providers[at].account());

    wait_for_level(&stage, &with, EvidenceLevel::Hardware).await?;
    ensure!(
        level(&stage, &without).await? == EvidenceLevel::Software,
        "a provider without a GPU is software"
    );
    check_commands(&stage, &with)?;
    let answered = stage.client.evidence_status().await?;
    ensure!(answered.providers.len() == 2 && answered.trust.is_some(), "over JSON-RPC: {answered:?}");

    let first = [(MODEL_GENERAL, REQUESTS), (MODEL_REASONING, REQUESTS)];
    request(&stage, &observer, 0, &first).await?;
    let settled = wait_until_settled(&observer, &[(&with, REQUESTS), (&without, REQUESTS)]).await?;
    ensure!(settled[&with].0 == ["match"] && settled[&with].1 == 0, "with evidence: {settled:?}");
    ensure!(settled[&without].0 == ["adjust"], "without evidence: {settled:?}");
    let charged = charged(&observer);
    ensure!(settled[&without].1 == charged[&ClassId::REASONING], "{settled:?} of {charged:?}");
    let paid = charged[&ClassId::INNOVATION];
    ensure!(paid > 0, "the one with evidence served something");
    ensure!(spent(&stage).await? == HashMap::from([(ClassId::INNOVATION, paid)]), "the wallet paid one");
    audit::check(&stage.client, &stage.company, &observer).await?;

    service.stop();
    wait_for_level(&stage, &with, EvidenceLevel::Software).await?;
    request(&stage, &observer, 100, &[(MODEL_GENERAL, REQUESTS)]).await?;
    wait_until_settled(&observer, &[(&with, 2 * REQUESTS)]).await?;
    ensure!(spent(&stage).await? == HashMap::from([(ClassId::INNOVATION, paid)]), "nothing more was paid");
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    let head = stage.client.finalised_head().await?.hash;
    let node = stage.node.as_ref().context("the stage started the node")?;
    try_state::check(&node.url, head).await?;
    println!(
        "{} receipts, {} micro-credits paid to the provider with evidence, {} given back; the issuer was asked {} times",
        audited.receipts,
        audited.spent,
        audited.refunded,
        service.asked()
    );
    Ok(())
}

/// Restarts the first provider's attestor, at its address, with the issuer's service behind it.
async fn attach(stage: &mut Stage, service: &IssuerService) -> Result<()> {
    let attestor = &mut stage.attestors[0];
    ensure!(attestor.process.stop(Duration::from_secs(30)), "the attestor does not end");
    let file = stage.dir.join(PROVIDERS[0]).join("attestor.toml");
    let address = attestor.url.strip_prefix("http://").context("an attestor answers on http")?;
    let text = fs::read_to_string(&file)?.replace("127.0.0.1:0", address);
    fs::write(&file, format!("{text}\n[evidence]\nurl = \"{}\"\n", service.url))?;
    let arguments = ["--config".to_string(), file.display().to_string()];
    let mut process = Process::start(PROVIDERS[0], "stipend-attestor", arguments, &stage.dir.join("logs"))?;
    process.wait_for("listening on ", operator::PATIENCE).await?;
    attestor.process = process;
    Ok(())
}

/// The council trusts the test issuer, and both classes require evidence.
async fn require_evidence(stage: &Stage) -> Result<()> {
    let trust = pallet_evidence::Trust { policy: test_policy(), source: None, period: PERIOD };
    let ask = |class| -> RuntimeCall {
        pallet_evidence::Call::set_class_policy { class, policy: EvidencePolicy::Required }.into()
    };
    let acts = vec![
        pallet_evidence::Call::set_trust { trust: Some(trust) }.into(),
        pallet_evidence::Call::set_keys { keys: Box::new(issuer().key_set()) }.into(),
        ask(ClassId::INNOVATION),
        ask(ClassId::REASONING),
    ];
    stage.company.council.acts(&stage.client, acts).await?;
    Ok(())
}

async fn level(stage: &Stage, provider: &AccountId) -> Result<EvidenceLevel> {
    let status = stage.client.finalised().await?.evidence().await?;
    let row = status.providers.iter().find(|row| row.provider == *provider);
    Ok(row.context("the provider is registered")?.level)
}

async fn wait_for_level(stage: &Stage, provider: &AccountId, wanted: EvidenceLevel) -> Result<()> {
    wait_until(&format!("the provider is {wanted:?}"), || async {
        Ok((level(stage, provider).await? == wanted).then_some(()))
    })
    .await
}

/// What the command line shows of it.
fn check_commands(stage: &Stage, with: &AccountId) -> Result<()> {
    let node = stage.node.as_ref().context("the stage started the node")?;
    let status = operator::stipend(["evidence", "show", "--url", &node.url])?;
    ensure!(status["trust"]["period"] == PERIOD && status["trust"]["keys"] == 1, "{status}");
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = serde_json::to_value(with)?;
    let row = rows(&status["providers"]).into_iter().find(|row| row["provider"] == name);
    let row = row.context("the provider is shown")?;
    ensure!(row["level"] == "hardware" && row["evidence"]["devices"] == GPUS, "{row}");
    let providers = operator::stipend(["providers", "list", "--url", &node.url])?;
    let listed = rows(&providers).into_iter().find(|row| row["account"] == name);
    ensure!(listed.context("the provider is listed")?["level"] == "hardware", "{providers}");
    Ok(())
}

/// Sends requests, and waits until the receipt of each is final.
async fn request(stage: &Stage, observer: &Observer, first: usize, to: &[(&str, usize)]) -> Result<()> {
    let employee = &stage.company.employees[0];
    let calls = to.iter().flat_map(|(model, count)| {
        (0..*count).map(move |index| Call {
            index: first + index,
            request: Request { at: Duration::ZERO, input: 100 + index as u32, output: 5 },
            api_key: employee.api_key.clone(),
            model: (*model).into(),
            stream: index % 2 == 0,
        })
    });
    let replay = Replay { gateway_url: stage.gateway_url(), speed: 1.0, attempts_max: 100 };
    let answers = replay.run(calls.collect(), |_| ()).await?;
    audit::wait_until_final(observer, &answers, operator::PATIENCE).await
}

/// Waits until that many receipts of each provider are settled; the kinds of their verdicts, and what went back.
async fn wait_until_settled(
    observer: &Observer,
    wanted: &[(&AccountId, usize)],
) -> Result<HashMap<AccountId, (Vec<&'static str>, Credits)>> {
    wait_until("all is settled", || async {
        let mut settled = HashMap::new();
        for (provider, count) in wanted {
            let (kinds, refunded, receipts) = observer.with(|seen| seen.of_provider(provider));
            if receipts < *count {
                return Ok(None);
            }
            settled.insert((*provider).clone(), (kinds.into_keys().collect(), refunded));
        }
        Ok(Some(settled))
    })
    .await
}

/// What the receipts so far cost, per class.
fn charged(observer: &Observer) -> HashMap<ClassId, Credits> {
    let mut costs = HashMap::new();
    observer.with(|seen| {
        for receipt in &seen.receipts {
            for price in prices().iter().filter(|price| price.model == receipt.leaf.model) {
                *costs.entry(price.class).or_default() += price.cost(&receipt.leaf.usage);
            }
        }
    });
    costs
}

/// What the wallet has spent for good, per class.
async fn spent(stage: &Stage) -> Result<HashMap<ClassId, Credits>> {
    let wallet = stage.client.finalised().await?.wallet(&stage.company.employees[0].signer.account()).await?;
    let spent = wallet.into_iter().filter(|row| row.amounts.spent > 0);
    Ok(spent.map(|row| (row.class, row.amounts.spent)).collect())
}
