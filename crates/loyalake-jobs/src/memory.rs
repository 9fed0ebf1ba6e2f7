//! Who may hold how much of the memory for queries.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
};

/// What repartitioning calls its buffers. They hold little, and put on disk what does not fit.
const BUFFER: &str = "RepartitionExec";

/// What joins of sorted rows call what they hold: the rows of a key.
const JOIN: &str = "SMJStream";

/// Buffers may hold this part of the memory. As much is kept for those who can't put their data on
/// disk: a sort that begins while another one holds its share would have nothing to merge with.
const RESERVED_PART: usize = 8;

/// Beyond a share may be taken what nobody uses, as long as this part of the memory stays free.
const FREE_PART: usize = 4;

/// Equal shares for those who can put their data on disk, whatever others leave of the memory.
///
/// Buffers between operators are many, and have a share together: with one for each, aggregates
/// would be left with a small part of the memory, and groups of large state could not be held.
///
/// Joins of sorted rows hold slices of what the sorts below them hold, and say their size as a
/// whole, more often than once, and whether they may or not. They may hold half of the memory
/// beside the others, whose shares do not depend on it.
#[derive(Debug)]
pub(crate) struct MemoryShares {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Number of consumers that have a share.
    sharers: usize,
    by_sharers: usize,
    by_buffers: usize,
    by_others: usize,
    by_joins: usize,
    peak: usize,
}

/// How a consumer is treated.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Sharer,
    Buffer,
    Join,
    Other,
}

impl MemoryShares {
    /// Shares of `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let held = Mutex::default();
        Self { limit, held }
    }

    /// The most that was held at a time.
    pub(crate) fn peak(&self) -> usize {
        self.held().peak
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// What all hold but joins of sorted rows, which hold parts of it.
    fn all(&self) -> usize {
        self.by_sharers + self.by_buffers + self.by_others
    }

    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Sharer => &mut self.by_sharers,
            Kind::Buffer => &mut self.by_buffers,
            Kind::Join => &mut self.by_joins,
            Kind::Other => &mut self.by_others,
        }
    }

    fn grow(&mut self, kind: Kind, additional: usize) {
        *self.of(kind) += additional;
        self.peak = self.peak.max(self.all());
    }

    /// What a consumer that holds `size` may hold in all.
    fn allowed(&self, kind: Kind, size: usize, limit: usize) -> usize {
        // whatever buffers hold: who can't spill would fail for want of what is there in a moment
        let free = limit.saturating_sub(self.by_sharers + self.by_others);
        let reserved = (self.by_buffers + self.by_others).max(limit / RESERVED_PART);
        let shared = limit.saturating_sub(reserved);
        match kind {
            Kind::Sharer => {
                let unused = limit.saturating_sub(self.all() + limit / FREE_PART);
                (shared / self.sharers.max(1)).max(size + unused)
            }
            Kind::Buffer => {
                let buffers = (limit / RESERVED_PART).saturating_sub(self.by_buffers);
                size + buffers.min(limit.saturating_sub(self.all()))
            }
            Kind::Join => size + (limit / 2).saturating_sub(self.by_joins),
            Kind::Other => size + free,
        }
    }
}

impl Kind {
    fn of(consumer: &MemoryConsumer) -> Self {
        if consumer.name().starts_with(JOIN) {
            Self::Join
        } else if !consumer.can_spill() {
            Self::Other
        } else if consumer.name().starts_with(BUFFER) {
            Self::Buffer
        } else {
            Self::Sharer
        }
    }
}

impl fmt::Display for MemoryShares {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "memory of {}", human_readable_size(self.limit))
    }
}

impl MemoryPool for MemoryShares {
    fn name(&self) -> &'static str {
        "shares"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if let Kind::Sharer = Kind::of(consumer) {
            self.held().sharers += 1;
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if let Kind::Sharer = Kind::of(consumer) {
            let mut held = self.held();
            held.sharers = held.sharers.saturating_sub(1);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let kind = Kind::of(reservation.consumer());
        self.held().grow(kind, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let kind = Kind::of(reservation.consumer());
        let mut held = self.held();
        let size = held.of(kind);
        *size = size.saturating_sub(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let consumer = reservation.consumer();
        let (kind, size) = (Kind::of(consumer), reservation.size());
        let mut held = self.held();
        let allowed = held.allowed(kind, size, self.limit);
        if size + additional <= allowed {
            held.grow(kind, additional);
            return Ok(());
        }
        let [size, additional, allowed] = [size, additional, allowed].map(human_readable_size);
        Err(resources_datafusion_err!(
            "Failed to allocate additional {additional} for {} with {size} already allocated for \
            this reservation - it may hold {allowed} of the {self}",
            consumer.name()
        ))
    }

    fn reserved(&self) -> usize {
        self.held().all()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;

    fn consumer(pool: &Arc<dyn MemoryPool>, name: &str, can_spill: bool) -> MemoryReservation {
        let consumer = MemoryConsumer::new(name.to_owned()).with_can_spill(can_spill);
        consumer.register(pool)
    }

    #[test]
    fn those_who_spill_share_what_buffers_and_others_leave() {
        let shares = Arc::new(MemoryShares::new(800));
        let pool: Arc<dyn MemoryPool> = Arc::clone(&shares) as _;
        let one = consumer(&pool, "GroupBy", true);
        let other = consumer(&pool, "Sort", true);
        let buffers = [0, 1, 2, 3].map(|_| consumer(&pool, "RepartitionExec[0]", true));
        one.try_grow(600)
            .expect("what nobody uses, but for a quarter");
        one.try_grow(1).expect_err("a quarter stays free");
        one.shrink(250);
        for buffer in &buffers {
            buffer.try_grow(15).expect("what it needs");
        }
        other.try_grow(350).expect("half of what is not reserved");
        other.try_grow(1).expect_err("more than a share");
        let join = consumer(&pool, "HashJoinInput", false);
        join.try_grow(100).expect("what was reserved");
        join.try_grow(1).expect_err("more than there is");
        drop(one);
        join.try_grow(350).expect("what is free");
        buffers[0]
            .try_grow(41)
            .expect_err("more than the buffers' share");
        assert_eq!((pool.reserved(), shares.peak()), (860, 860));
    }

    #[test]
    fn what_joins_of_sorted_rows_hold_is_the_sorts() {
        let shares = Arc::new(MemoryShares::new(800));
        let pool: Arc<dyn MemoryPool> = Arc::clone(&shares) as _;
        let sort = consumer(&pool, "ExternalSorter[0]", true);
        let join = consumer(&pool, "SMJStream[0]", false);
        join.try_grow(400).expect("half of the memory");
        join.try_grow(1).expect_err("more than half");
        join.grow(5000);
        sort.try_grow(600).expect("as if there were no join");
        assert_eq!((pool.reserved(), shares.peak()), (600, 600));
        drop(join);
        sort.try_grow(101).expect_err("more than the sort's share");
    }
}
