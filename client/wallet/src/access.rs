//! Who may see what: one table.
//!
//! Every route names a [`Subject`]; nothing else decides. What somebody may not see is answered like what
//! does not exist.

use stipend_primitives::{AccountId, ProgramId, Role};

use crate::db::{Answer, Connection};

/// What a route shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nothing of anybody: sign-in, style sheet, health.
    Public,
    /// Only who the viewer is.
    Viewer,
    /// Acts that the viewer signs with a key of their own, and what became of them.
    Acts,
    /// One wallet: balances, receipts, grants, keys. The path's `account`.
    Wallet,
    /// One receipt. The path's `gateway` and `seq`.
    Receipt,
    /// The budgets that the viewer may see.
    Programs,
    /// One budget with its grants. The path's `program`.
    Program,
    /// Granting to others and taking back: forms, and checks of lists.
    Granting,
    /// All wallets, receipts and sums.
    Everything,
}

/// What a viewer is to a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody, signed in or not.
    Anybody,
    /// Signed in.
    Somebody,
    /// The wallet is the viewer's.
    Owner,
    /// An issuer who owns the budget, or one above it.
    Manager,
    /// An issuer.
    Issuer,
    /// An auditor, or a member of the council.
    Auditor,
}

/// The table.
pub const TABLE: &[(Subject, &[Who])] = &[
    (Subject::Public, &[Who::Anybody]),
    (Subject::Viewer, &[Who::Somebody]),
    // A signature decides what is done; the chain decides who may.
    (Subject::Acts, &[Who::Somebody]),
    (Subject::Wallet, &[Who::Owner, Who::Auditor]),
    (Subject::Receipt, &[Who::Owner, Who::Auditor]),
    // Everybody gets a list of those that the next line lets through.
    (Subject::Programs, &[Who::Issuer, Who::Auditor]),
    (Subject::Program, &[Who::Manager, Who::Auditor]),
    (Subject::Granting, &[Who::Issuer]),
    (Subject::Everything, &[Who::Auditor]),
];

/// Whether somebody who is all of `relations` to `subject` may see it.
pub fn may(subject: Subject, relations: &[Who]) -> bool {
    TABLE
        .iter()
        .filter(|(listed, _)| *listed == subject)
        .any(|(_, allowed)| allowed.iter().any(|who| relations.contains(who)))
}

/// Whether a subject is for everybody.
pub fn is_public(subject: Subject) -> bool {
    may(subject, &[Who::Anybody])
}

/// What an account is by its roles alone.
pub fn by_roles(roles: &[Role]) -> Vec<Who> {
    let mut relations = vec![Who::Anybody, Who::Somebody];
    if roles.contains(&Role::Issuer) {
        relations.push(Who::Issuer);
    }
    if roles.contains(&Role::Auditor) || roles.contains(&Role::Council) {
        relations.push(Who::Auditor);
    }
    relations
}

/// The budgets that an account owns, and all that were made from them.
pub fn managed(connection: &mut dyn Connection, who: &AccountId) -> Answer<Vec<ProgramId>> {
    let rows = connection.query(
        "SELECT programs.id, programs.parent, accounts.account FROM programs
         JOIN accounts ON accounts.id = programs.owner ORDER BY programs.id",
        &[],
    )?;
    let mut managed: Vec<ProgramId> = Vec::new();
    // A budget has a higher number than the one that it was made from.
    for row in rows {
        let parent = row.int_or_none(1)?.and_then(|parent| ProgramId::try_from(parent).ok());
        if row.account(2)? == *who || parent.is_some_and(|parent| managed.contains(&parent)) {
            managed.push(row.small(0)?);
        }
    }
    Ok(managed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_stands_in_the_table_once() {
        for (subject, _) in TABLE {
            assert_eq!(TABLE.iter().filter(|(listed, _)| listed == subject).count(), 1, "{subject:?}");
        }
    }

    #[test]
    fn an_issuer_sees_no_wallet_and_a_stranger_nothing() {
        let issuer = by_roles(&[Role::Issuer, Role::Gateway, Role::Validator]);
        let stranger = by_roles(&[]);
        for subject in [Subject::Wallet, Subject::Receipt, Subject::Everything, Subject::Program] {
            assert!(!may(subject, &issuer) && !may(subject, &stranger), "{subject:?}");
        }
        for subject in [Subject::Programs, Subject::Granting] {
            assert!(may(subject, &issuer) && !may(subject, &stranger), "{subject:?}");
        }
        for role in [Role::Auditor, Role::Council] {
            let sees = |subject| may(subject, &by_roles(&[role]));
            assert!(TABLE.iter().all(|(subject, _)| sees(*subject) || *subject == Subject::Granting));
            assert!(!sees(Subject::Granting), "who only looks grants nothing");
        }
    }
}
