//! Texts that are equal when what they stand for is.

use serde_json::Value;
use uuid::Uuid;

/// A value that is the same for the same JSON, and for no other.
pub(crate) fn digest(value: &Value) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, value.to_string().as_bytes()).to_string()
}
