//! How the lanes of a run are put into tiles, and who works on which.

use std::ops::Range;

use crate::kernel::{TILE, WIDE};
use crate::record::Program;

/// Tiles that add up their gradients one after another are a *bundle*: how many there are depends on the data alone, so that the order of
/// every sum is the same for any number of threads.
const BUNDLES: usize = 32;

/// Where blocks are fewer than this, those of several tiles are bundled by themselves, so that threads can share them.
const FEW: usize = 16;

/// How a program's lanes are cut into tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Whether the lanes of a group go through the horizon together.
    pub(super) joined: bool,
    /// Lanes of a tile.
    pub(super) width: usize,
}

impl Cut {
    /// Wide where lanes are joined, since then all tiles of a group take turns in every period; the kernels of classes have rows of a tile
    /// that is not.
    pub(super) fn of(program: &Program) -> Self {
        let joined = program.joins_lanes();
        let wide = joined && !program.has_classes();
        Cut {
            joined,
            width: if wide { WIDE } else { TILE },
        }
    }
}

/// The lanes of a run in tiles, blocks, bundles and jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Arrangement {
    /// Lanes for which a tile has room.
    pub(super) width: usize,
    pub(super) tiles: Vec<TilePlace>,
    /// For each tile, the lanes of each of its groups, counted from its first.
    segments: Vec<Range<usize>>,
    pub(super) blocks: Vec<BlockPlace>,
    /// Tiles of each bundle.
    pub(super) bundles: Vec<Range<usize>>,
    pub(super) jobs: Vec<Job>,
}

/// Lanes that run side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TilePlace {
    pub(super) first: usize,
    pub(super) count: usize,
    segments: Range<usize>,
}

/// Tiles that go through the horizon together: one with several whole groups, or those of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockPlace {
    pub(super) tiles: Range<usize>,
    pub(super) groups: Range<usize>,
}

/// What one thread takes on, or where there are fewer than threads all of them together: whole blocks in whole bundles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) blocks: Range<usize>,
    pub(super) bundles: Range<usize>,
}

impl Arrangement {
    /// Lanes in groups of these sizes. Where nothing is joined, a group of several tiles is as good as one a tile.
    pub(super) fn new(sizes: &[usize], cut: Cut) -> Self {
        let mut all = Arrangement {
            width: cut.width,
            ..Arrangement::default()
        };
        let mut first = 0;
        // Lanes that are left in the last tile, if it holds whole groups.
        let mut left = 0;
        for (group, &size) in sizes.iter().enumerate() {
            match (all.tiles.last_mut(), all.blocks.last_mut()) {
                (Some(tile), Some(block)) if size <= left => {
                    all.segments.push(tile.count..tile.count + size);
                    tile.segments.end += 1;
                    tile.count += size;
                    block.groups.end = group + 1;
                    left -= size;
                }
                _ => {
                    all.own_tiles(group, first, size, cut.joined);
                    left = cut.width.saturating_sub(size);
                }
            }
            first += size;
        }
        all.bundle();
        all
    }

    fn own_tiles(&mut self, group: usize, first: usize, size: usize, joined: bool) {
        let begin = self.tiles.len();
        for from in (0..size).step_by(self.width) {
            let count = (size - from).min(self.width);
            let at = self.segments.len();
            self.segments.push(0..count);
            self.tiles.push(TilePlace {
                first: first + from,
                count,
                segments: at..at + 1,
            });
        }
        let tiles = begin..self.tiles.len();
        let groups = group..group + 1;
        if joined {
            self.blocks.push(BlockPlace { tiles, groups });
        } else {
            let each = tiles.map(|tile| BlockPlace {
                tiles: tile..tile + 1,
                groups: groups.clone(),
            });
            self.blocks.extend(each);
        }
    }

    fn bundle(&mut self) {
        let cut = |range: &Range<usize>, parts: usize| -> Vec<Range<usize>> {
            let at = |p: usize| range.start + p * range.len() / parts;
            (0..parts).map(|p| at(p)..at(p + 1)).collect()
        };
        let blocks = 0..self.blocks.len();
        let several = self.blocks.iter().any(|block| block.tiles.len() > 1);
        if several && blocks.len() < FEW {
            for b in blocks.clone() {
                let tiles = &self.blocks[b].tiles;
                let begin = self.bundles.len();
                self.bundles
                    .extend(cut(tiles, tiles.len().min(FEW / blocks.len())));
                self.jobs.push(Job {
                    blocks: b..b + 1,
                    bundles: begin..self.bundles.len(),
                });
            }
            return;
        }
        for (b, blocks) in cut(&blocks, blocks.len().min(BUNDLES))
            .into_iter()
            .enumerate()
        {
            let tiles =
                self.blocks[blocks.start].tiles.start..self.blocks[blocks.end - 1].tiles.end;
            self.bundles.push(tiles);
            self.jobs.push(Job {
                blocks,
                bundles: b..b + 1,
            });
        }
    }

    /// The lanes of each of a tile's groups, counted from the tile's first.
    pub(super) fn segments(&self, tile: usize) -> &[Range<usize>] {
        &self.segments[self.tiles[tile].segments.clone()]
    }

    /// The groups of the block that a tile is in.
    pub(super) fn groups_of(&self, tile: usize) -> Range<usize> {
        let block = self.blocks.partition_point(|b| b.tiles.end <= tile);
        self.blocks[block].groups.clone()
    }

    /// The most tiles of a block, and the most groups of one.
    pub(super) fn largest(&self) -> (usize, usize) {
        let most =
            |count: fn(&BlockPlace) -> usize| self.blocks.iter().map(count).max().unwrap_or(0);
        (
            most(|block| block.tiles.len()),
            most(|block| block.groups.len()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sizes() -> impl Strategy<Value = Vec<usize>> {
        let size = prop_oneof![1..9_usize, Just(TILE), 60..70_usize, 1..400_usize];
        prop::collection::vec(size, 1..60)
    }

    proptest! {
        /// Tiles hold all lanes in order; a group lies in one tile, or has tiles of its own.
        #[test]
        fn groups_are_whole(sizes in sizes(), joined: bool, width in prop_oneof![Just(TILE), Just(WIDE)]) {
            let all = Arrangement::new(&sizes, Cut { joined, width });
            let mut next = 0;
            for (t, tile) in all.tiles.iter().enumerate() {
                prop_assert!(tile.first == next && (1..=width).contains(&tile.count));
                next += tile.count;
                let segments = all.segments(t);
                prop_assert!(segments[0].start == 0 && segments[segments.len() - 1].end == tile.count);
                prop_assert!(segments.windows(2).all(|pair| pair[0].end == pair[1].start));
            }
            prop_assert_eq!(next, sizes.iter().sum::<usize>());
            for block in &all.blocks {
                let lanes: usize = all.tiles[block.tiles.clone()].iter().map(|t| t.count).sum();
                let own: usize = sizes[block.groups.clone()].iter().sum();
                prop_assert!(lanes == own || !joined && block.groups.len() == 1 && lanes <= width);
                prop_assert!(block.tiles.len() == 1 || block.groups.len() == 1);
                if block.tiles.len() == 1 && lanes == own {
                    let found: Vec<usize> = all.segments(block.tiles.start).iter().map(ExactSizeIterator::len).collect();
                    prop_assert_eq!(&found[..], &sizes[block.groups.clone()]);
                }
            }
            // Bundles and jobs take every tile and block once.
            let tiles: Vec<usize> = all.bundles.iter().cloned().flatten().collect();
            prop_assert_eq!(tiles, (0..all.tiles.len()).collect::<Vec<_>>());
            let blocks: Vec<usize> = all.jobs.iter().flat_map(|job| job.blocks.clone()).collect();
            prop_assert_eq!(blocks, (0..all.blocks.len()).collect::<Vec<_>>());
            let bundles: Vec<usize> = all.jobs.iter().flat_map(|job| job.bundles.clone()).collect();
            prop_assert_eq!(bundles, (0..all.bundles.len()).collect::<Vec<_>>());
            prop_assert!(all.bundles.iter().all(|bundle| !bundle.is_empty()));
        }
    }
}
