//! Chain specifications.

use sp_runtime::BuildStorage;

use crate::mock::*;

const SPECIFICATION: &str = r#"{
    "classes": [
        { "id": 0, "name": "Innovation", "unattested": "refund" },
        { "id": 1, "name": "Priority", "unattested": "accept" }
    ],
    "programs": [
        { "name": "Company", "class": 0, "owner": "OWNER", "budget": "5000000" },
        { "name": "Research", "class": 0, "owner": "OWNER", "budget": "2000000", "parent": 0 }
    ],
    "baskets": [
        { "id": 3, "name": "engineer", "issuer": "OWNER", "lines": [
            { "program": 1, "amount": "1000000", "validityMs": 86400000 },
            { "program": 0, "amount": "1" }
        ] }
    ]
}"#;

fn build(specification: &str) -> sp_io::TestExternalities {
    let owner = hr().to_string();
    let genesis: crate::GenesisConfig<Test> =
        serde_json::from_str(&specification.replace("OWNER", &owner)).unwrap();
    genesis.build_storage().unwrap().into()
}

#[test]
fn a_specification_in_json_becomes_classes_programs_and_baskets() {
    build(SPECIFICATION).execute_with(|| {
        let programs = Entitlements::programs();
        assert_eq!(Entitlements::classes().len(), 2);
        assert_eq!(programs[0].1.delegated, 2_000_000);
        assert_eq!((programs[1].1.parent, programs[1].1.unminted), (Some(0), 2_000_000));
        assert_eq!(Entitlements::baskets()[0].3, [(1, 1_000_000, Some(86_400_000)), (0, 1, None)]);
        Entitlements::do_try_state().unwrap();
    });
}

#[test]
#[should_panic(expected = "BudgetExhausted")]
fn a_program_larger_than_the_one_above_it_stops_the_chain_from_being_made() {
    build(&SPECIFICATION.replace("\"2000000\"", "\"6000000\""));
}

#[test]
#[should_panic(expected = "ClassUnknown")]
fn a_program_of_a_class_that_is_not_registered_stops_the_chain_from_being_made() {
    build(&SPECIFICATION.replace("\"class\": 0", "\"class\": 5"));
}

#[test]
#[should_panic(expected = "NotProgramOwner")]
fn a_basket_of_a_stranger_stops_the_chain_from_being_made() {
    let stranger = format!("\"issuer\": \"{}\"", ada());
    build(&SPECIFICATION.replace("\"issuer\": \"OWNER\"", &stranger));
}
