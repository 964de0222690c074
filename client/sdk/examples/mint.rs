//! Grants ten credits of compute and shows the wallet: `cargo run -p stipend-sdk --example mint`
//! against a node started with `stipend-node --dev`.

use stipend_sdk::{
    primitives::{mint::Grant, ClassId, Role},
    Client, RuntimeCall, SignedMint, Signer,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::connect("ws://127.0.0.1:9944").await?;
    let council = Signer::from_uri("//Alice")?;
    let employee = Signer::generate();

    // The council, which has one member here, makes itself an issuer with a budget of a hundred credits.
    let grant_role = stipend_sdk::pallet_roles::Call::grant_role {
        who: council.account(),
        role: Role::Issuer,
        allowance: None,
    };
    client.council_act(RuntimeCall::Roles(grant_role), &council).await?;
    let create_program = stipend_sdk::pallet_entitlements::Call::create_program {
        name: b"onboarding".to_vec().try_into().map_err(|_| "the name is too long")?,
        class: ClassId::INNOVATION,
        owner: council.account(),
        budget: 100_000_000,
    };
    client.council_act(RuntimeCall::Entitlements(create_program), &council).await?;
    let programs = client.finalised().await?.programs().await?;
    let (program, _) = programs.last().ok_or("the program is there: its block is finalised")?;

    // A signed request can be carried by anyone, any number of times: it mints once.
    let grant = Grant::One { program: *program, amount: 10_000_000, valid_from: None, valid_until: None };
    let key: [u8; 16] = employee.public()[..16].try_into()?;
    let request = SignedMint::new(&council, &client.genesis(), employee.account(), grant, key);
    let ids = client.mint_finalised(&request).await?;
    println!("minted entitlement {ids:?} for {}", employee.address());

    for class in client.finalised().await?.wallet(&employee.account()).await? {
        println!("{}: {} micro-credits", String::from_utf8_lossy(&class.name), class.amounts.available);
    }
    Ok(())
}
