//! A small company on a fresh chain: council, HR, a gateway, two providers, employees.

use anyhow::{Context, Result};
use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    cost::{PriceEntries, PriceEntry},
    key,
    mint::Grant,
    AccountId, ClassId, Credits, KeyHash, ModelId, Name, Role, MICRO_CREDITS_PER_CREDIT,
};
use stipend_runtime::RuntimeCall;
use stipend_sdk::{Client, SignedMint, Signer};

use crate::council::Council;

/// The model of the first provider, paid in Innovation.
pub const MODEL_GENERAL: &str = "stipend-general";

/// The model of the second provider, paid in Reasoning.
pub const MODEL_REASONING: &str = "stipend-reasoning";

/// Number of [`MODEL_GENERAL`] in the price book.
pub const MODEL_GENERAL_ID: ModelId = ModelId(1);

/// Number of [`MODEL_REASONING`] in the price book.
pub const MODEL_REASONING_ID: ModelId = ModelId(2);

/// The basket that every employee gets.
pub const BASKET: u32 = 1;

/// What the basket holds, per class, in credits.
pub const BASKET_LINES: [(ClassId, Credits); 3] =
    [(ClassId::INNOVATION, 2_000), (ClassId::REASONING, 3_000), (ClassId::PRIORITY, 100)];

/// One employee with a wallet and an API key.
pub struct Employee {
    /// What the tables call them.
    pub name: &'static str,
    /// The wallet's key.
    pub signer: Signer,
    /// The text of the API key.
    pub api_key: String,
}

/// Everybody who acts.
pub struct Company {
    /// Governs.
    pub council: Council,
    /// Mints.
    pub hr: Signer,
    /// Meters.
    pub gateway: Signer,
    /// Serve; the account's key also signs the attestations.
    pub providers: [Signer; 2],
    /// Spend.
    pub employees: Vec<Employee>,
}

impl Company {
    /// New keys for everybody but the council, which is the development chain's.
    pub fn new(employees: &[&'static str]) -> Result<Self> {
        Ok(Company {
            council: Council::of_development()?,
            hr: Signer::generate(),
            gateway: Signer::generate(),
            providers: [Signer::generate(), Signer::generate()],
            employees: employees
                .iter()
                .map(|name| Employee {
                    name,
                    signer: Signer::generate(),
                    api_key: key::text(&rand::random()),
                })
                .collect(),
        })
    }

    /// Roles, prices, programs and the basket.
    pub async fn found(&self, client: &Client) -> Result<()> {
        let mut acts: Vec<RuntimeCall> = vec![
            grant_role(self.hr.account(), Role::Issuer),
            grant_role(self.gateway.account(), Role::Gateway),
        ];
        acts.extend(self.providers.iter().map(|provider| grant_role(provider.account(), Role::Provider)));
        acts.push(pallet_pricing::Call::publish { entries: prices() }.into());
        for (class, _) in BASKET_LINES {
            acts.push(
                pallet_entitlements::Call::create_program {
                    name: name("Company budget")?,
                    class,
                    owner: self.hr.account(),
                    budget: 1_000_000 * MICRO_CREDITS_PER_CREDIT,
                }
                .into(),
            );
        }
        self.council.acts(client, acts).await?;
        let lines = BASKET_LINES
            .iter()
            .zip(0..)
            .map(|((_, credits), program)| (program, credits * MICRO_CREDITS_PER_CREDIT, None))
            .collect::<Vec<_>>();
        let basket = pallet_entitlements::Call::set_basket {
            id: BASKET,
            name: name("Demo package")?,
            lines: BoundedVec::try_from(lines).ok().context("a basket takes three lines")?,
        };
        client.submit_finalised(basket.into(), &self.hr).await?;
        Ok(())
    }

    /// Registers where a provider's attestor answers.
    pub async fn register_provider(&self, client: &Client, provider: &Signer, url: &str) -> Result<()> {
        let call = pallet_settlement::Call::register_provider {
            who: provider.account(),
            key: provider.public(),
            endpoint: BoundedVec::try_from(url.as_bytes().to_vec())
                .ok()
                .context("the attestor's address is longer than an endpoint may be")?,
        };
        self.council.act(client, call).await?;
        Ok(())
    }

    /// Mints the basket for every employee over `entitlements_mint`, as an HR system would.
    pub async fn mint_baskets(&self, client: &Client) -> Result<()> {
        let mint = |employee: &Employee| {
            let (owner, grant) = (employee.signer.account(), Grant::Basket { basket: BASKET });
            SignedMint::new(&self.hr, &client.genesis(), owner, grant, rand::random())
        };
        let mints: Vec<SignedMint> = self.employees.iter().map(mint).collect();
        futures::future::try_join_all(mints.iter().map(|mint| client.mint_finalised(mint))).await?;
        Ok(())
    }

    /// Registers every employee's API key, with a first reservation for the gateway.
    pub async fn register_keys(&self, client: &Client) -> Result<()> {
        let registered = self.employees.iter().map(|employee| self.register_key(client, employee));
        futures::future::try_join_all(registered).await?;
        Ok(())
    }

    async fn register_key(&self, client: &Client, employee: &Employee) -> Result<()> {
        let reserve = BASKET_LINES
            .iter()
            .map(|(class, credits)| (*class, credits * MICRO_CREDITS_PER_CREDIT / 2))
            .collect::<Vec<_>>();
        let call = pallet_entitlements::Call::register_key {
            hash: employee.key_hash(),
            limits: Default::default(),
            reserve: Some((
                self.gateway.account(),
                BoundedVec::try_from(reserve).ok().context("three classes can be reserved at once")?,
            )),
        };
        client.submit_finalised(call.into(), &employee.signer).await?;
        Ok(())
    }
}

impl Employee {
    /// The hash by which the chain knows the API key.
    pub fn key_hash(&self) -> KeyHash {
        key::hash(&self.api_key)
    }
}

fn grant_role(who: AccountId, role: Role) -> RuntimeCall {
    pallet_roles::Call::grant_role { who, role, allowance: None }.into()
}

/// Text as a name on the chain.
pub fn name(text: &str) -> Result<Name> {
    Name::try_from(text.as_bytes().to_vec()).ok().context("a name has at most 64 bytes")
}

/// The demo's price book. The coefficients are made up; the shape is that of public price lists: a
/// generated token costs several times a prompt token, a cached one a tenth.
pub fn prices() -> PriceEntries {
    let entry = |model, name: &str, class, c_input, weight| PriceEntry {
        model,
        name: Name::truncate_from(name.as_bytes().to_vec()),
        class,
        premium: false,
        c_input,
        c_cached: c_input / 10,
        c_output: c_input * 4,
        c_model: 50,
        weight,
        reference_input: 2_500_000,
        reference_output: 10_000_000,
    };
    PriceEntries::truncate_from(vec![
        entry(MODEL_GENERAL_ID, MODEL_GENERAL, ClassId::INNOVATION, 250, 1),
        entry(MODEL_REASONING_ID, MODEL_REASONING, ClassId::REASONING, 1_000, 4),
    ])
}
