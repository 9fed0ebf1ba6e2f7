//! Receipts of erasures: who was erased, and what that took.
//!
//! A receipt is written to `_loyalake/erased/<receipt id>.json` before anything is erased, so that
//! from then on every run leaves these customers out, and is written again when all is done. One
//! that has no time of its end belongs to an erasure that was interrupted.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{Location, Result, control};

/// What was asked, and what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Identifies the erasure; its commits and its new files have this name.
    pub receipt_id: String,
    /// The customers, as the tables show their ids.
    pub customer_ids: BTreeSet<String>,
    /// When it was asked.
    pub requested_at: DateTime<Utc>,
    /// When nothing of these customers was left.
    pub finished_at: Option<DateTime<Utc>>,
    /// What was removed, by table and date.
    pub rows: Vec<ErasedRows>,
    /// Number of files that were deleted.
    pub files_deleted: usize,
    /// Size of these files.
    pub bytes_deleted: u64,
}

/// Rows of one date of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedRows {
    /// The table.
    pub table: String,
    /// The date that the rows were published for.
    pub as_of_date: NaiveDate,
    /// Their number.
    pub rows: usize,
}

impl Receipt {
    /// All receipts of a lake, the oldest first.
    ///
    /// # Errors
    /// What the store says, and a receipt that was changed by hand.
    pub async fn read_all(output: &Location) -> Result<Vec<Self>> {
        let folder = Self::folder(output);
        let mut receipts = Vec::new();
        for name in control::list(&folder).await? {
            if name.strip_suffix(".json").is_some() {
                receipts.extend(control::read::<Self>(&folder, &name).await?);
            }
        }
        receipts.sort_by(|one: &Self, two| one.receipt_id.cmp(&two.receipt_id));
        Ok(receipts)
    }

    /// Keeps the receipt in the lake, in place of what it said before.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write(&self, output: &Location) -> Result<()> {
        let name = format!("{}.json", self.receipt_id);
        Self::folder(output).write_json(&name, self).await
    }

    /// The folder that keeps the receipts of a lake.
    pub fn folder(output: &Location) -> Location {
        control::folder(output, "erased")
    }
}

/// Everybody who was ever erased, as the tables showed their ids.
///
/// # Errors
/// As for [`Receipt::read_all`].
pub async fn erased_customers(output: &Location) -> Result<BTreeSet<String>> {
    let receipts = Receipt::read_all(output).await?.into_iter();
    Ok(receipts.flat_map(|receipt| receipt.customer_ids).collect())
}
