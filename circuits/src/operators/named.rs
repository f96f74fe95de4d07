//! The operators that a written graph may name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Dense, Operator, Relu, SoftmaxCrossEntropy};

/// Why a written node has no operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownOperator {
    /// There is none of this name.
    #[error("there is no operator `{name}`, expected one of {}", OPERATORS.map(|(name, _)| name).join(", "))]
    Name {
        /// The name.
        name: String,
    },
    /// It has other settings.
    #[error("operator `{name}`: a setting is missing, or is none of its own")]
    Settings {
        /// The operator.
        name: String,
    },
}

/// Makes an operator from its settings; none where one is missing.
type Make = fn(&BTreeMap<String, u32>) -> Option<Arc<dyn Operator>>;

const OPERATORS: [(&str, Make); 3] = [
    ("dense", |settings| Some(Arc::new(Dense { outputs: *settings.get("outputs")? as usize }))),
    ("relu", |_| Some(Arc::new(Relu))),
    ("softmax_cross_entropy", |_| Some(Arc::new(SoftmaxCrossEntropy))),
];

/// The operator of this name with exactly these settings.
///
/// # Errors
/// [`UnknownOperator`].
pub fn named(name: &str, settings: &BTreeMap<String, u32>) -> Result<Arc<dyn Operator>, UnknownOperator> {
    let (_, make) = OPERATORS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| UnknownOperator::Name { name: name.to_owned() })?;
    let given = settings.iter().map(|(name, value)| (name.as_str(), *value));
    make(settings)
        .filter(|operator| operator.settings().into_iter().eq(given))
        .ok_or_else(|| UnknownOperator::Settings { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_named_as_it_names_itself() {
        for (name, make) in OPERATORS {
            let settings = BTreeMap::from([("outputs".to_owned(), 7)]);
            let operator = make(&settings).expect("all its settings are there");
            assert_eq!(operator.name(), name);
            let own: BTreeMap<String, u32> =
                operator.settings().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            assert_eq!(format!("{:?}", named(name, &own)), format!("{:?}", Ok::<_, UnknownOperator>(operator)));
            let mut more = own.clone();
            more.insert("speed".into(), 1);
            assert!(matches!(named(name, &more), Err(UnknownOperator::Settings { .. })), "{name}");
            for setting in own.keys() {
                let mut less = own.clone();
                less.remove(setting);
                assert!(matches!(named(name, &less), Err(UnknownOperator::Settings { .. })), "{name} {setting}");
            }
        }
        let error = named("dance", &BTreeMap::new()).expect_err("there is none").to_string();
        assert!(error.contains("no operator `dance`, expected one of dense, relu"), "{error}");
    }
}
