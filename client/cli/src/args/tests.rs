#![allow(clippy::unwrap_used)]

use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_verb_of_the_documentation_is_understood() {
    for line in [
        "stipend keys new hr.key",
        "stipend keys show --key hr.key",
        "stipend keys node node.key",
        "stipend roles grant issuer //Bob --allowance 200 --dev-key //Alice",
        "stipend roles revoke issuer //Bob",
        "stipend roles list --account //Bob",
        "stipend council members",
        "stipend council list --json",
        "stipend council vote 0x0101010101010101010101010101010101010101010101010101010101010101 yes",
        "stipend council close 0x0101010101010101010101010101010101010101010101010101010101010101",
        "stipend council propose-upgrade stipend_runtime.compact.compressed.wasm",
        "stipend council note-stalled --delay 20 --best-finalized 1234 --not-final",
        "stipend council apply-upgrade stipend_runtime.compact.compressed.wasm",
        "stipend network init acme --name Acme --validator a=10.0.0.1 --node b=b.example:30400 --council ada --council bo=//Bob --issuer hr",
        "stipend network check acme",
        "stipend network add-host acme --validator paris=10.0.0.5",
        "stipend network nodes",
        "stipend network add-node 12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp paris",
        "stipend network remove-node 12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
        "stipend validators add //Bob",
        "stipend validators remove //Bob",
        "stipend validators rotate-keys --dev-key //Bob",
        "stipend validators publish-keys --dev-key //Bob",
        "stipend validators reinstate //Bob",
        "stipend validators list",
        "stipend validators export validators.json",
        "stipend validators export validators.json --at 1234",
        "stipend classes list",
        "stipend classes add 4 Bio --unattested accept",
        "stipend programs create engineering --class innovation --owner //Bob --budget 1000000",
        "stipend programs delegate 0 platform --owner //Charlie --budget 10.5",
        "stipend programs increase 0 1000",
        "stipend programs list",
        "stipend baskets set 1 senior --line 0:1000:365d --line 1:50",
        "stipend baskets list",
        "stipend mint one //Dave --program 0 --amount 12.5 --until 2030-01-01",
        "stipend mint one //Dave --program 0 --amount 12.5 --detached",
        "stipend mint basket //Dave 1",
        "stipend mint csv people.csv --dry-run",
        "stipend mint plan monthly //Dave Ada --program 0 --amount 100 --months 12 --from 2027-01-01 --dry-run",
        "stipend mint plan monthly //Dave --program 0 --total 1000 --months 12 --from 2027-01-01 --rollover --until 2028-06-30",
        "stipend mint plan vesting //Dave --program 0 --amount 4800 --months 48 --cliff 12 --from 2027-01-01",
        "stipend mint plan milestones //Dave --program 0 --award 2027-06-30:500 --award 2027-12-31:750.5 --until 2028-12-31",
        "stipend mint plan raise //Dave --program 0 --amount 50 --months 3 --from 2027-03-15 --detached",
        "stipend policies list",
        "stipend policies show //Dave",
        "stipend policies set 1 contractor --class innovation:500 --class 3:50.5 --validity 90d --keys 2",
        "stipend policies set 2 former --keys 0",
        "stipend policies assign //Dave contractor",
        "stipend directory add Ada 5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E --number 7 --department Research",
        "stipend directory list --department Research",
        "stipend directory show Ada --directory people --passphrase-file secret",
        "stipend directory import people.csv",
        "stipend directory export people.csv",
        "stipend directory remove Ada",
        "stipend directory rekey --new-passphrase-file secret",
        "stipend mint basket //Dave 1 --sign-only",
        "stipend mint cosign request.json --dry-run",
        "stipend mint carry request.json",
        "stipend mint send request.json",
        "stipend mint allowance //Bob",
        "stipend mint set-allowance //Bob --class innovation --amount 500000",
        "stipend mint set-allowance //Bob --class innovation --default",
        "stipend prices publish prices.toml",
        "stipend prices show --version 2",
        "stipend prices quote tiny --input 100 --output 20",
        "stipend api-keys create --model tiny --request-cost-max 2 --expires 90d",
        "stipend api-keys create --reserve-for //Ferdie --reserve innovation:5",
        "stipend api-keys create --credits-per-day 20 --credits-per-minute 1.5 --tokens-per-minute 10000 --model-credits-per-day tiny:5 --model-credits-per-day 7:0.5",
        "stipend api-keys list //Dave",
        "stipend api-keys revoke 0x0101010101010101010101010101010101010101010101010101010101010101",
        "stipend api-keys limits 0x0101010101010101010101010101010101010101010101010101010101010101",
        "stipend providers register //Eve --attestation-key 0101010101010101010101010101010101010101010101010101010101010101 --endpoint http://10.0.0.7:8080",
        "stipend providers list",
        "stipend providers set-endpoint http://10.0.0.8:8080",
        "stipend providers set-grid-intensity //Eve 381",
        "stipend providers reinstate //Eve",
        "stipend settlement scores",
        "stipend evidence show",
        "stipend evidence trust --source https://nras.attestation.nvidia.com/.well-known/jwks.json",
        "stipend evidence trust --issuer https://issuer.example --period 300 --accept-warnings",
        "stipend evidence trust --nobody",
        "stipend evidence keys jwks.json",
        "stipend evidence ask render required",
        "stipend energy show",
        "stipend energy set render --joules 5000000 --joules-per-credit 250.5 --period 1d",
        "stipend energy set 2 --none",
        "stipend merit kinds list",
        "stipend merit kinds register commit --program 3 --award 10 --wallet-cap 50 --evaluator-cap 500 --sunset 2030-01-01 --from 2d",
        "stipend merit kinds announce commit --program 3 --award 2.5 --wallet-cap 50 --evaluator-cap 500 --period 7d --window 3d --lasts 30d --sunset 2030-01-01 --from 2029-06-01",
        "stipend merit record commit //Dave --evidence 0x0101010101010101010101010101010101010101010101010101010101010101 --purpose thesis",
        "stipend merit record commit //Dave --weight 3 --evidence-file merge.txt --receipt 0101010101010101010101010101010101010101010101010101010101010101",
        "stipend merit withdraw 0x0101010101010101010101010101010101010101010101010101010101010101",
        "stipend merit contest 7 --reason 0x0101010101010101010101010101010101010101010101010101010101010101",
        "stipend merit decide 7 8 --overturn",
        "stipend merit decide 7 --stand",
        "stipend merit contests",
        "stipend merit outcomes //Dave",
        "stipend merit caps //Eve",
        "stipend wallet show //Dave --json",
        "stipend wallet watch",
        "stipend wallet export //Dave --out wallet.json",
        "stipend wallet verify wallet.json --validators validators.json",
        "stipend entitlements show 7",
        "stipend entitlements list",
        "stipend entitlements revoke 7 --amount 3",
        "stipend receipts show //Ferdie 0",
        "stipend receipts explain //Ferdie 0 --at 12",
        "stipend receipts proof //Ferdie 0 --at 12",
        "stipend receipts fetch 00112233445566778899aabbccddeeff --gateway http://127.0.0.1:8080 --out signed.json",
        "stipend receipts verify signed.json --proof proof.json --validators validators.json",
        "stipend receipts verify proof.json",
        "stipend receipts verify proof.json --validators validators.json",
        "stipend settlement status //Ferdie 0",
        "stipend settlement pending --limit 5",
        "stipend freeze //Dave",
        "stipend freeze //Dave --lift",
        "stipend offboard //Dave",
        "stipend give-back 7 1.5",
        "stipend statement Ada --year 2026 --out ada-2026.html",
        "stipend statement //Dave --year 2026 --wallet-service https://wallet.example --json",
        "stipend simulate --basket senior",
        "stipend simulate --basket 3 --quarter 2026Q3 --input 2000 --cached 500 --output 800",
        "stipend health",
        "stipend health http://127.0.0.1:8080/healthz",
        "stipend health ws://127.0.0.1:9944 --lag-max 10",
        "stipend completions bash",
            "stipend man --out pages",
            "stipend profile list",
            "stipend profile show hr",
            "stipend profile check --profile hr",
            "stipend freeze //Dave --dry-run --chain 0x0101010101010101010101010101010101010101010101010101010101010101",
    ] {
        if let Err(error) = parse(line) {
            panic!("{line}\n{error}");
        }
    }
}

#[test]
fn wrong_command_lines_end_with_exit_code_2_and_a_reason() {
    for (line, reason) in [
        ("stipend mint one //Dave --program 0 --amount 1.2345678", "up to 6 decimals"),
        ("stipend mint one 0xDave --program 0 --amount 1", "is not 32 bytes"),
        ("stipend roles grant issuer Dave", "is not an account"),
        ("stipend simulate --basket a --quarter 2026Q5", "is not a quarter"),
        ("stipend statement //Dave --year 1969", "1970..=9998"),
        ("stipend mint plan monthly //Dave --program 0 --months 3 --from 2027-01-01", "--amount"),
        ("stipend mint plan monthly //Dave --program 0 --amount 1 --months 3 --from 90d", "is not a time"),
        ("stipend mint plan milestones //Dave --program 0 --award 500", "DATE:CREDITS"),
        ("stipend mint one //Dave --program 0 --amount 1 --until soon", "is not a time"),
        ("stipend mint set-allowance //Bob --class innovation", "--amount"),
        ("stipend roles grant king //Bob", "is not a role"),
        ("stipend providers set-endpoint http://a/b", "without a path"),
        ("stipend evidence trust --period 5", "10..=1200"),
        ("stipend evidence trust --source http://a/b", "https://"),
        ("stipend evidence trust --nobody --period 20", "cannot be used with"),
        ("stipend api-keys create --reserve innovation:5", "--reserve-for"),
        ("stipend merit decide 7", "--overturn"),
        ("stipend merit decide 7 --stand --overturn", "cannot be used with"),
        ("stipend merit record commit //Dave --purpose thesis", "--evidence"),
        ("stipend policies set 0 employee --keys 1", "0 is not in 1.."),
        ("stipend policies set 1 contractor --keys 1 --class innovation", "CLASS:CREDITS"),
        ("stipend energy set render --joules 5", "--joules-per-credit"),
        ("stipend energy set render --joules 5.0001 --joules-per-credit 1 --period 1d", "up to 3 decimals"),
        ("stipend energy set render --none --period 1d", "cannot be used with"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), i32::from(crate::failure::USAGE), "{line}");
        assert!(error.to_string().contains(reason), "{line}\n{error}");
    }
}

#[test]
fn global_options_may_stand_anywhere() {
    let arguments = parse("stipend wallet show //Dave --json --url ws://node:9944").unwrap();
    assert!(arguments.options.json);
    assert_eq!(arguments.options.url, "ws://node:9944");
}
