//! Which shapes of queued and stored things a release can read: its own and the one before.

/// What a reader is to do with something of another release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Readable; fields that are not known are ignored, those that are missing have defaults.
    Known,
    /// Written by a later release: to be left to one that knows it.
    Newer,
    /// Older than the release before this one.
    Outdated,
}

/// What version `v` is to a release that writes version `ours`.
pub fn shape(v: u64, ours: u32) -> Shape {
    let ours = u64::from(ours);
    match v {
        v if v > ours => Shape::Newer,
        v if v + 1 >= ours => Shape::Known,
        _ => Shape::Outdated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_reads_its_own_shape_and_the_one_before() {
        let shapes = |ours: u32| (0..=5).map(|v| shape(v, ours)).collect::<Vec<_>>();
        use Shape::{Known, Newer, Outdated};
        assert_eq!(shapes(1), [Known, Known, Newer, Newer, Newer, Newer]);
        assert_eq!(shapes(3), [Outdated, Outdated, Known, Known, Newer, Newer]);
        assert_eq!(shape(u64::MAX, 3), Newer);
    }
}
