//! All rules over one stream of observations.

use crate::{
    bounded::Bounded,
    finding::{Audience, Finding, Hit, Rule},
    groups::Groups,
    observation::{KeyId, Observation, WalletId},
    policy::{Phase, Policy},
    rules::{copied, repeat, SharedKey},
    wallet::Wallet,
};

/// How much is remembered. Beyond it what was not seen for longest is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Wallets.
    pub wallets_max: usize,
    /// API keys.
    pub keys_max: usize,
    /// Prompts that are not alike.
    pub prompts_max: usize,
}

impl Default for Memory {
    fn default() -> Self {
        // Everybody who works on one day in a company of thousands, and some hours of their prompts.
        Memory { wallets_max: 4_096, keys_max: 8_192, prompts_max: 32_768 }
    }
}

/// The rules and what they remember. The same observations in the same order always give the same findings.
pub struct Detectors {
    policy: Policy,
    wallets: Bounded<WalletId, Wallet>,
    keys: Bounded<KeyId, SharedKey>,
    groups: Groups,
}

impl Detectors {
    /// Rules that have seen nothing yet.
    pub fn new(policy: Policy, memory: Memory) -> Self {
        Detectors {
            policy,
            wallets: Bounded::new(memory.wallets_max),
            keys: Bounded::new(memory.keys_max),
            groups: Groups::new(memory.prompts_max),
        }
    }

    /// Takes a finished request in; says what it completes. Times may come a little out of order, as requests end.
    pub fn observe(&mut self, seen: &Observation) -> Vec<Finding> {
        let mut found = Vec::new();
        let key = self.keys.entry(seen.key, SharedKey::default);
        if let Some(hit) = key.see(seen) {
            tell(&mut found, seen, Rule::SharedKey, hit, &mut key.told_ms, self.policy.quiet_ms);
        }
        let since_ms = seen.wallet_since_ms.unwrap_or(seen.at_ms);
        let wallet = self.wallets.entry(seen.wallet, || Wallet { since_ms, ..Wallet::default() });
        if let Some(since_ms) = seen.wallet_since_ms {
            wallet.since_ms = since_ms;
        }
        if !seen.is_served() {
            return found;
        }
        let prompt = self.groups.see(seen);
        let hits = [
            (Rule::Copied, copied(prompt.group, prompt.at, seen)),
            (Rule::Repeat, repeat(&mut prompt.group.members()[prompt.at], seen)),
            (Rule::FanOut, wallet.fan_out.see(&mut prompt.group.members()[prompt.at], seen)),
            (Rule::Loop, wallet.loops.see(seen)),
            (Rule::Clockwork, wallet.clockwork.see(seen)),
            (Rule::Unread, wallet.unread.see(seen)),
            (Rule::Burst, wallet.burst.see(seen)),
            (Rule::Extraction, wallet.extraction.see(seen, prompt.is_new)),
        ];
        let is_learning = self.policy.phase(wallet.since_ms, seen.at_ms) == Phase::Learning;
        for (rule, hit) in hits {
            let Some(hit) = hit else { continue };
            if is_learning && rule.audience() == Audience::Person {
                continue;
            }
            tell(&mut found, seen, rule, hit, &mut wallet.told_ms[rule.index()], self.policy.quiet_ms);
        }
        found
    }

    /// Bytes that the rules remember things in now.
    pub fn bytes(&self) -> usize {
        self.wallets.bytes()
            + self.wallets.values().map(Wallet::bytes).sum::<usize>()
            + self.keys.bytes()
            + self.keys.values().map(SharedKey::bytes).sum::<usize>()
            + self.groups.bytes()
    }

    /// Wallets that are remembered now.
    pub fn wallets(&self) -> usize {
        self.wallets.len()
    }
}

impl Memory {
    /// Bytes that the rules can come to need.
    pub fn bytes_max(&self) -> usize {
        Bounded::<WalletId, Wallet>::bytes_max(self.wallets_max)
            + self.wallets_max * Wallet::BYTES_MAX
            + Bounded::<KeyId, SharedKey>::bytes_max(self.keys_max)
            + self.keys_max * SharedKey::BYTES_MAX
            + Groups::bytes_max(self.prompts_max)
    }

    /// Bytes that one wallet can come to need, its prompts aside.
    pub const fn wallet_bytes_max() -> usize {
        size_of::<Wallet>() + Wallet::BYTES_MAX
    }
}

/// Adds a finding, unless the rule spoke of the same wallet or key a short while ago.
fn tell(
    found: &mut Vec<Finding>,
    seen: &Observation,
    rule: Rule,
    hit: Hit,
    told_ms: &mut Option<u64>,
    quiet_ms: u64,
) {
    if told_ms.is_some_and(|told_ms| seen.at_ms.saturating_sub(told_ms) < quiet_ms) {
        return;
    }
    *told_ms = Some(seen.at_ms);
    found.push(Finding {
        rule,
        wallet: seen.wallet,
        key: seen.key,
        from_ms: hit.from_ms,
        to_ms: seen.at_ms.max(hit.from_ms),
        requests: hit.requests,
        count: hit.count,
        tokens: hit.tokens,
        score_permille: hit.score_permille,
        explanation: hit.explanation,
        audience: rule.audience(),
    });
}
