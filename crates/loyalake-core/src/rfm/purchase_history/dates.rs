//! The date that each group's history describes: that of a query, once for all groups.

/// The dates.
#[derive(Debug, Clone, Default)]
pub(super) enum Dates {
    /// Nothing is known yet.
    #[default]
    None,
    /// That of all groups.
    Same(i32),
    /// Of each group; the earliest possible one without purchases.
    Each(Vec<i32>),
}

impl Dates {
    /// The later one of the group's date and `as_of`; `is_known` says which groups have purchases,
    /// and so the date of all.
    pub(super) fn note<Known: Iterator<Item = bool>>(
        &mut self,
        group: usize,
        as_of: i32,
        is_known: impl FnOnce() -> Known,
    ) {
        match self {
            Self::Same(date) if *date == as_of => return,
            Self::None => {
                *self = Self::Same(as_of);
                return;
            }
            Self::Same(date) => {
                let date = |is_known| if is_known { *date } else { i32::MIN };
                *self = Self::Each(is_known().map(date).collect());
            }
            Self::Each(_) => {}
        }
        if let Self::Each(dates) = self {
            dates.resize(dates.len().max(group + 1), i32::MIN);
            dates[group] = dates[group].max(as_of);
        }
    }

    /// Takes out those of the first groups.
    pub(super) fn take(&mut self, groups: usize) -> Self {
        match self {
            Self::Each(dates) => {
                let later = dates.split_off(groups.min(dates.len()));
                Self::Each(std::mem::replace(dates, later))
            }
            same => same.clone(),
        }
    }

    pub(super) fn of(&self, group: usize) -> i32 {
        match self {
            Self::None => i32::MIN,
            Self::Same(date) => *date,
            Self::Each(dates) => dates.get(group).copied().unwrap_or(i32::MIN),
        }
    }

    /// Memory held on the heap, in bytes.
    pub(super) fn heap_size(&self) -> usize {
        match self {
            Self::Each(dates) => dates.capacity() * size_of::<i32>(),
            _ => 0,
        }
    }
}
