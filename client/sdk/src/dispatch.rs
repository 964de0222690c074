//! Names for what the runtime refused while it carried out a call.

use scale_info::{TypeDef, TypeInfo, Variant};
use sp_runtime::{DispatchError, ModuleError};
use stipend_runtime::RuntimeError;

/// A call that was carried out and failed: nothing of it happened.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{pallet}.{error}: {explanation}")]
pub struct DispatchFailure {
    /// The pallet that refused, `Runtime` if no pallet did.
    pub pallet: String,
    /// The error's name in the pallet.
    pub error: String,
    /// What the pallet's documentation says of it.
    pub explanation: String,
}

impl DispatchFailure {
    /// Whether this is `pallet`'s error `name`.
    pub fn is(&self, pallet: &str, name: &str) -> bool {
        self.pallet == pallet && self.error == name
    }

    fn of_runtime(error: &str, explanation: &str) -> Self {
        DispatchFailure { pallet: "Runtime".into(), error: error.into(), explanation: explanation.into() }
    }
}

impl From<DispatchError> for DispatchFailure {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Module(module) => named(&module),
            DispatchError::BadOrigin => Self::of_runtime(
                "BadOrigin",
                "who made this call may not: it lacks the role, the thing is not its own, or too few of the \
                 council approved; `stipend roles list` shows who has which role, `stipend council list` what \
                 is being voted on",
            ),
            DispatchError::CannotLookup => {
                Self::of_runtime("CannotLookup", "there is no such account; check the address")
            }
            DispatchError::Exhausted => {
                Self::of_runtime("Exhausted", "the block has no room left; send the call again")
            }
            other => {
                let text = format!("{other:?}");
                let name = text.split(['(', ' ']).next().unwrap_or("Other").to_owned();
                Self::of_runtime(&name, &text)
            }
        }
    }
}

/// Looks the error up in the types that this SDK's runtime was built with.
fn named(module: &ModuleError) -> DispatchFailure {
    let variant_of = |info: scale_info::Type, index: u8| -> Option<Variant> {
        match info.type_def {
            TypeDef::Variant(variants) => {
                variants.variants.into_iter().find(|variant| variant.index == index)
            }
            _ => None,
        }
    };
    let pallet = variant_of(RuntimeError::type_info(), module.index);
    let error = pallet
        .as_ref()
        .and_then(|pallet| pallet.fields.first())
        .and_then(|field| variant_of(field.ty.type_info(), module.error[0]));
    let explanation = match &error {
        Some(error) if !error.docs.is_empty() => {
            error.docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
        }
        Some(_) => "the call failed".into(),
        None => "this client does not know the error; install the client that belongs to the node".into(),
    };
    DispatchFailure {
        pallet: pallet.map_or_else(|| format!("pallet {}", module.index), |pallet| pallet.name.into()),
        error: error.map_or_else(|| format!("error {}", module.error[0]), |error| error.name.into()),
        explanation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(index: u8, error: u8) -> DispatchFailure {
        DispatchError::Module(ModuleError { index, error: [error, 0, 0, 0], message: None }).into()
    }

    #[test]
    fn a_module_error_has_its_pallets_and_its_own_name() {
        let failure = module(0, 5);
        assert!(failure.is("System", "CallFiltered"), "{failure}");
        assert!(failure.to_string().starts_with("System.CallFiltered: The origin filter"), "{failure}");
    }

    #[test]
    fn every_pallet_of_stipend_explains_its_errors() {
        for (index, name) in [
            (10, "Roles"),
            (11, "Entitlements"),
            (12, "Pricing"),
            (13, "Receipts"),
            (14, "Settlement"),
            (15, "Governance"),
            (18, "Merit"),
        ] {
            let failure = module(index, 0);
            assert_eq!(failure.pallet, name);
            assert!(!failure.error.starts_with("error "), "{failure}");
            assert!(failure.explanation.len() > 10, "{failure}");
        }
    }

    #[test]
    fn an_unknown_error_says_what_to_do() {
        let failure = module(200, 7);
        assert!(failure.is("pallet 200", "error 7"));
        assert!(failure.explanation.contains("install the client"));
    }

    #[test]
    fn a_bad_origin_speaks_of_roles() {
        let failure = DispatchFailure::from(DispatchError::BadOrigin);
        assert!(failure.is("Runtime", "BadOrigin"));
    }
}
