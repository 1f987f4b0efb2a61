//! The objects of a run by type.

use super::Count;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of the objects of one type. `allocated` is `dropped` and `leaked` together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TypeCost {
    /// The type's name; null for objects of types that were too many to be told apart.
    pub name: Option<String>,
    /// All that were allocated.
    pub allocated: Count,
    /// Those that were dropped.
    pub dropped: Count,
    /// Those that were not.
    pub leaked: Count,
}
