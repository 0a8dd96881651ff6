//! What sessions take from buckets, told as simply as it can be.

use simurgh_vocab::{BucketId, Timestamp};

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelBucket {
    pub(crate) id: BucketId,
    pub(crate) end: Timestamp,
    pub(crate) left: i64,
    pub(crate) reserved: i64,
    pub(crate) used: i64,
    pub(crate) expired: i64,
}

/// A line.
#[derive(Debug, Default)]
pub(crate) struct ModelLine {
    /// In the order in which they pay.
    pub(crate) buckets: Vec<ModelBucket>,
    pub(crate) uncovered: i64,
    pub(crate) reported: i64,
}

/// What a session holds: of which bucket how much.
pub(crate) type Holds = Vec<(BucketId, i64)>;

impl ModelLine {
    pub(crate) fn add(&mut self, bucket: ModelBucket) {
        self.buckets.push(bucket);
        self.buckets.sort_by_key(|it| (it.end, it.id));
    }

    fn bucket(&mut self, id: BucketId) -> &mut ModelBucket {
        self.buckets.iter_mut().find(|it| it.id == id).unwrap()
    }

    /// What may be granted.
    pub(crate) fn left(&self, now: Timestamp) -> i64 {
        let open = self.buckets.iter().filter(|it| now < it.end);
        open.map(|it| it.left).sum()
    }

    /// A use is reported: of what is held first, then of what is left. What is held beyond it is given back.
    pub(crate) fn report(&mut self, holds: &mut Holds, used: i64, now: Timestamp) {
        let mut rest = used;
        for (id, amount) in std::mem::take(holds) {
            let taken = rest.min(amount);
            rest -= taken;
            let bucket = self.bucket(id);
            bucket.reserved -= amount;
            bucket.used += taken;
            if now < bucket.end {
                bucket.left += amount - taken;
            } else {
                bucket.expired += amount - taken;
            }
        }
        self.reported += used;
        for bucket in self.buckets.iter_mut().filter(|it| now < it.end) {
            let taken = rest.min(bucket.left);
            rest -= taken;
            bucket.left -= taken;
            bucket.used += taken;
        }
        self.uncovered += rest;
    }

    /// So much is granted.
    pub(crate) fn grant(&mut self, amount: i64, now: Timestamp) -> Holds {
        let mut rest = amount;
        let mut holds = Vec::new();
        for bucket in self.buckets.iter_mut().filter(|it| now < it.end) {
            let taken = rest.min(bucket.left);
            if taken > 0 {
                rest -= taken;
                bucket.left -= taken;
                bucket.reserved += taken;
                holds.push((bucket.id, taken));
            }
        }
        assert_eq!(rest, 0, "more was granted than there was");
        holds
    }
}
