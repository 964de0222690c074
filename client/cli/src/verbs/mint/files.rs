//! Files of signed requests: a second issuer signs them too, anybody carries them to the chain.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sp_core::H256;
use stipend_sdk::{
    primitives::mint::{Grant, MintRequest},
    CosignError, SignedMint, Signer,
};

use super::{minted_answer, with_advice};
use crate::{
    context::Context,
    failure::Failure,
    output::{in_credits, Answer},
    parse, time,
};

/// One signed request, or several.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Requests {
    One(Box<SignedMint>),
    Many(Vec<SignedMint>),
}

impl Requests {
    fn into_vec(self) -> Vec<SignedMint> {
        match self {
            Requests::One(mint) => vec![*mint],
            Requests::Many(mints) => mints,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [SignedMint] {
        match self {
            Requests::One(mint) => std::slice::from_mut(mint),
            Requests::Many(mints) => mints,
        }
    }
}

/// Options of `mint cosign`.
#[derive(Args, Debug)]
pub(crate) struct Cosign {
    /// A JSON file with one signed request, or an array of them; the signatures are added to it. `-`
    /// reads standard input and prints the requests with them.
    file: PathBuf,
    /// Genesis hash of the chain, to sign without a node.
    #[arg(long, value_name = "HASH", value_parser = parse::hash)]
    genesis: Option<H256>,
}

impl Cosign {
    pub(super) async fn run(self, context: &Context) -> Result<Answer> {
        let signer = context.signer()?;
        let genesis = match self.genesis {
            Some(genesis) => genesis,
            None => context.client().await?.genesis(),
        };
        let mut requests = read(&self.file)?;
        // A dry run finds out what can be signed, too, and keeps no signature.
        let signed = cosign_all(requests.as_mut_slice(), &signer, &genesis)?;
        let lines: Vec<String> = signed.iter().map(describe).collect();
        let unsigned: Vec<&MintRequest> = signed.iter().map(|mint| &mint.request).collect();
        context.would(json!({ "requests": unsigned, "signed": false }), || {
            format!("{} would sign:\n{}", signer.address(), lines.join("\n"))
        })?;
        let text = serde_json::to_string_pretty(&requests)? + "\n";
        if self.file == Path::new("-") {
            return Answer::new(&requests, text.trim_end());
        }
        replace(&self.file, &text)?;
        let human = format!(
            "{} signed these in {}:\n{}\nAnybody can carry them with `stipend mint send {}`.",
            signer.address(),
            self.file.display(),
            lines.join("\n"),
            self.file.display()
        );
        Answer::new(json!({ "requests": requests, "signed": true, "file": self.file }), human)
    }
}

/// Signs every request that can take a second signature; returns those. Baskets take none and stay as
/// they are.
fn cosign_all(mints: &mut [SignedMint], signer: &Signer, genesis: &H256) -> Result<Vec<SignedMint>> {
    let (mut signed, count) = (Vec::new(), mints.len());
    for (position, mint) in mints.iter_mut().enumerate() {
        match mint.clone().cosign(signer, genesis) {
            Ok(cosigned) => {
                *mint = cosigned.clone();
                signed.push(cosigned);
            }
            Err(CosignError::Basket) if count > 1 => {}
            Err(error) => {
                let position = position + 1;
                let message = format!("request {position} of {count}: {error}; nothing was signed");
                return Err(Failure::bad_input(message).into());
            }
        }
    }
    if signed.is_empty() {
        let message = "there is no request that takes a second signature; nothing was signed";
        return Err(Failure::bad_input(message).into());
    }
    Ok(signed)
}

/// What a second issuer signs, in words.
fn describe(mint: &SignedMint) -> String {
    let MintRequest { issuer, owner, grant, .. } = &mint.request;
    let what = in_words(grant);
    format!("  {what}, to {}, asked for by {}", parse::address(owner), parse::address(issuer))
}

/// What a grant is, in words.
pub(super) fn in_words(grant: &Grant) -> String {
    match grant {
        Grant::One { program, amount, valid_from, valid_until } => format!(
            "{} out of program {program}, valid from {} {}",
            in_credits(*amount),
            time::moment_or("the mint", *valid_from),
            valid_until.map_or_else(|| "for ever".into(), |until| format!("until {}", time::moment(until)))
        ),
        Grant::Basket { basket } => format!("basket {basket}"),
    }
}

/// Writes a file anew: whatever happens in between, the old or the new one is there.
fn replace(file: &Path, text: &str) -> Result<()> {
    let mut fresh = file.to_owned().into_os_string();
    fresh.push(".new");
    let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, file));
    written.map_err(|error| Failure::bad_input(format!("cannot write {}: {error}", file.display())).into())
}

fn read(file: &Path) -> Result<Requests> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text =
        read.map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", file.display())))?;
    serde_json::from_str(&text).map_err(|_| {
        let message = format!(
            "{} does not hold signed requests; make them with `stipend mint one … --detached`",
            file.display()
        );
        Failure::bad_input(message).into()
    })
}

/// Carries the requests of a file to the chain.
pub(super) async fn carry(context: &Context, file: &Path) -> Result<Answer> {
    let mints = read(file)?.into_vec();
    let client = context.client().await?;
    for (position, mint) in mints.iter().enumerate() {
        if !mint.verifies(&client.genesis()) {
            return Err(Failure::bad_input(format!(
                "request {} of {} is not signed by its issuers for this chain; nothing was sent: sign it with this chain's genesis {:?}",
                position + 1,
                mints.len(),
                client.genesis()
            ))
            .into());
        }
    }
    let lines: Vec<String> = mints.iter().map(describe).collect();
    context.would(json!({ "requests": mints, "sent": false }), || {
        format!("this would be carried to the node at {}:\n{}", context.options.url, lines.join("\n"))
    })?;
    let bar = context.bar(mints.len() as u64, "carrying requests");
    let mut answers = Vec::new();
    for mint in &mints {
        let ids = client.mint_finalised(mint).await.map_err(|error| with_advice(error, mint))?;
        answers.push(minted_answer(mint, &ids)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (json, human): (Vec<_>, Vec<_>) =
        answers.into_iter().map(|answer| (answer.json, answer.human)).unzip();
    Answer::new(json, human.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn signer(name: &str) -> Signer {
        Signer::from_uri(name).unwrap()
    }

    fn signed_with(grant: Grant) -> SignedMint {
        let alice = signer("//Alice");
        SignedMint::new(&alice, &H256::zero(), alice.account(), grant, [9; 16])
    }

    fn signed() -> SignedMint {
        signed_with(Grant::One { program: 0, amount: 7, valid_from: None, valid_until: None })
    }

    #[test]
    fn one_request_and_an_array_of_requests_are_read_and_written_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requests.json");
        let texts = [serde_json::to_string(&signed()), serde_json::to_string(&[signed(), signed()])];
        for (text, count) in texts.into_iter().map(Result::unwrap).zip(1..) {
            replace(&file, &text).unwrap();
            let requests = read(&file).unwrap();
            assert_eq!(serde_json::to_string(&requests).unwrap(), text);
            assert_eq!(requests.into_vec(), vec![signed(); count]);
        }
        replace(&file, "{}").unwrap();
        assert!(read(&file).map(|_| ()).unwrap_err().to_string().contains("--detached"));
    }

    #[test]
    fn a_second_issuer_signs_all_requests_of_a_file_but_baskets() {
        let mut mints = [signed(), signed_with(Grant::Basket { basket: 1 })];
        let cosigned = cosign_all(&mut mints, &signer("//Bob"), &H256::zero()).unwrap();
        assert_eq!(cosigned, mints[..1]);
        assert_eq!(mints[0].cosignature.as_ref().unwrap().issuer, signer("//Bob").account());
        assert_eq!(mints[1].cosignature, None);
    }

    #[test]
    fn a_request_that_cannot_be_cosigned_is_named_and_nothing_is_written() {
        let mut own = [signed(), signed()];
        let error = cosign_all(&mut own, &signer("//Alice"), &H256::zero()).unwrap_err().to_string();
        assert!(error.starts_with("request 1 of 2") && error.contains("another issuer"), "{error}");
        let mut elsewhere = [signed()];
        let error = cosign_all(&mut elsewhere, &signer("//Bob"), &H256([1; 32])).unwrap_err().to_string();
        assert!(error.contains("not signed by its issuer for this chain"), "{error}");
        let mut basket = [signed_with(Grant::Basket { basket: 1 })];
        let error = cosign_all(&mut basket, &signer("//Bob"), &H256::zero()).unwrap_err().to_string();
        assert!(error.contains("a basket takes no second signature"), "{error}");
    }

    #[test]
    fn what_is_signed_is_said_in_words() {
        let grant = Grant::One { program: 3, amount: 12_500_000, valid_from: None, valid_until: Some(0) };
        let text = describe(&signed_with(grant));
        let alice = signer("//Alice").address();
        for part in ["12.500000", "program 3", "from the mint until 1970-01-01T00:00:00Z", &alice] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
