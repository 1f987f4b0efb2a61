//! Images as the allocators write them, by their documentation.

use super::*;

#[test]
fn headers_are_read_where_there_are_some() {
    let mut image = MemoryImage::new(65_536);
    let blocks = [(1008, 20), (1040, 4), (1056, 100)];
    for (addr, taken) in [(1008u64, 32u32), (1040, 16), (1056, 120)] {
        image.write(addr - 4, &(taken | 3).to_le_bytes(), &mut 9).unwrap();
    }
    let geometry = Geometry::new(&[], None, Some(&image), Word::Four, &blocks, None);
    assert_eq!(geometry.how(), Overhead::Measured);
    assert_eq!(geometry.chunk(1008, 20), (1004, 1036));
    assert_eq!(geometry.chunk(1056, 100), (1052, 1172));
    // One whose header makes no sense takes what the rule says.
    assert_eq!(geometry.chunk(2000, 33), (1996, 1996 + 48));
}

#[test]
fn without_an_image_the_rule_counts() {
    let geometry =
        Geometry::new(&["dlmalloc"], None, None, Word::Four, &[(1008, 20), (1048, 4)], None);
    assert_eq!(geometry.how(), Overhead::Computed);
    assert_eq!(geometry.chunk(1008, 20), (1004, 1028));
    assert_eq!(geometry.chunk(1048, 4), (1044, 1060));
}

#[test]
fn neighbours_show_what_an_unknown_allocator_takes() {
    let blocks = [(1024, 20), (1056, 20), (1088, 20), (9000, 20), (9500, 7)];
    let image = MemoryImage::new(65_536);
    let geometry = Geometry::new(&["talc"], None, Some(&image), Word::Four, &blocks, None);
    assert_eq!(geometry.how(), Overhead::Estimated);
    assert_eq!(geometry.chunk(9000, 20), (9000, 9032));
    assert_eq!(geometry.chunk(9500, 7), (9500, 9508), "no neighbour: rounded");
}

/// A heap of blocks, and what must be known of them.
fn measured(families: &[&str], words: &[(u64, u32)], blocks: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let geometry_of = |words: &[(u64, u32)]| {
        let mut image = MemoryImage::new(16 << 20);
        for &(addr, value) in words {
            image.write(addr, &value.to_le_bytes(), &mut 99).unwrap();
        }
        let geometry = Geometry::new(families, None, Some(&image), Word::Four, blocks, None);
        let chunks = blocks.iter().map(|&(addr, size)| geometry.chunk(addr, size)).collect();
        (geometry.how(), chunks)
    };
    // Without its words nothing is measured.
    assert_eq!(geometry_of(&[]).0, Overhead::Estimated);
    let (how, chunks) = geometry_of(words);
    assert_eq!(how, Overhead::Measured);
    chunks
}

#[test]
fn tlsf() {
    // 4 and the place are a multiple of 16; the second says that the one before is free.
    let words = [(1020, 28), (1068, 44 | 2)];
    let chunks = measured(&["assemblyscript"], &words, &[(1024, 20), (1072, 33)]);
    assert_eq!(chunks, [(1020, 1052), (1068, 1116)]);
    // As `__new` hands out objects: behind the four words of their own.
    let words = [(1004, 28), (1052, 44 | 2)];
    let chunks = measured(&["assemblyscript"], &words, &[(1024, 12), (1072, 20)]);
    assert_eq!(chunks, [(1004, 1036), (1052, 1100)]);
    // Up to AssemblyScript 0.17.
    let words = [(1008, 32), (1056, 48 | 2)];
    let chunks = measured(&["assemblyscript"], &words, &[(1024, 20), (1072, 33)]);
    assert_eq!(chunks, [(1008, 1056), (1056, 1120)]);
}

#[test]
fn talc() {
    // A tag right behind the block, and one further behind with a pointer to it.
    let words = [(1044, 1024 | 1), (1052, 1056), (1056, 1048 | 3)];
    let chunks = measured(&["talc"], &words, &[(1024, 17), (1048, 3)]);
    assert_eq!(chunks, [(1024, 1048), (1048, 1060)]);
}

#[test]
fn wee_alloc() {
    let words = [(1000, 1040 | 1), (1040, 1072 | 3), (1044, 1000)];
    let chunks = measured(&["wee_alloc"], &words, &[(1008, 30), (1048, 24)]);
    assert_eq!(chunks, [(1000, 1040), (1040, 1072)]);
}

#[test]
fn mimalloc() {
    let segment = 4 << 20;
    // Version 2: among the records of a segment. Other words look like a page as well.
    let first = segment as u32 + 65_856;
    let words = [(segment + 256, 64), (segment + 260, first + 64)];
    let words = [words[0], words[1], (segment + 264, 320), (segment + 268, first)];
    let blocks = [(u64::from(first), 300), (u64::from(first) + 640, 257)];
    let [one, two] = measured(&[], &words, &blocks)[..] else { panic!("two") };
    assert_eq!(one, (u64::from(first), u64::from(first) + 320));
    assert_eq!(two, (u64::from(first) + 640, u64::from(first) + 960));
    // Version 3: where the page begins. The second block is aligned inside of its place.
    let page = segment + (96 << 10);
    let words = [(page + 24, 48), (page + 28, page as u32 + 128)];
    let blocks = [(page + 128, 40), (page + 192, 30)];
    assert_eq!(measured(&[], &words, &blocks)[1], (page + 176, page + 224));
}

#[test]
fn zig_tells_by_the_address() {
    let image = MemoryImage::new(65_536);
    let how = |families: &[&str], blocks: &[(u64, u64)]| {
        let geometry = Geometry::new(families, None, Some(&image), Word::Four, blocks, None);
        (geometry.how(), geometry.chunk(blocks[0].0, blocks[0].1))
    };
    assert_eq!(how(&["zig"], &[(1024, 20), (4096, 1000)]), (Overhead::Computed, (1024, 1056)));
    assert_eq!(how(&["zig"], &[(65_536, 70_000)]), (Overhead::Computed, (65_536, 3 * 65_536)));
    assert_eq!(how(&["zig"], &[(1040, 20), (4104, 1000)]).0, Overhead::Estimated);
    assert_eq!(how(&["custom"], &[(1024, 20), (4096, 1000)]).0, Overhead::Estimated);
    let pages = [(65_536, 20), (2 * 65_536, 9)];
    assert_eq!(how(&["zig"], &pages), (Overhead::Computed, (65_536, 2 * 65_536)));
}

/// Whatever the image and the blocks are, nothing panics.
#[test]
fn hostile_blocks_are_no_trouble() {
    let mut image = MemoryImage::new(16 << 20);
    for addr in (0..4096).chain((4 << 20)..(4 << 20) + 4096).step_by(4) {
        image.write(addr, &(u32::MAX - addr as u32).to_le_bytes(), &mut 9).unwrap();
    }
    let addrs = [0, 1, 4, 2040, (4 << 20) + 8, u64::MAX - 7, u64::MAX];
    for family in ["dlmalloc", "emmalloc", "assemblyscript", "talc", "wee_alloc", "mimalloc", "zig"]
    {
        for word in [Word::Four, Word::Eight] {
            for size in [0, 1, 64, u64::MAX / 2, u64::MAX] {
                let blocks = addrs.map(|addr| (addr, size));
                for image in [None, Some(&image)] {
                    let geometry = Geometry::new(&[family], None, image, word, &blocks, None);
                    blocks.iter().for_each(|&(addr, size)| {
                        let (start, end) = geometry.chunk(addr, size);
                        assert!(start <= addr && start <= end, "{family} {addr} {size}");
                    });
                }
            }
        }
    }
}

/// What geometry makes of what was told of blocks: how, and what each takes.
fn told(
    usable: Option<&[Option<u64>]>,
    sizes: &[(u64, u64)],
    freed: &[u64],
    blocks: &[(u64, u64)],
) -> (Overhead, Vec<(u64, u64)>) {
    let sizes = sizes.iter().copied().collect();
    let has_begun = |addr: u64| freed.contains(&addr);
    let told = Told { blocks: usable.map(<[_]>::to_vec), sizes: &sizes, has_begun: &has_begun };
    let image = MemoryImage::new(65_536);
    let geometry = Geometry::new(&["libc"], None, Some(&image), Word::Four, blocks, Some(told));
    let chunks = blocks.iter().map(|&(addr, size)| geometry.chunk(addr, size)).collect();
    (geometry.how(), chunks)
}

#[test]
fn what_is_told_counts_with_what_neighbours_show() {
    let blocks = [(1024, 20), (1064, 30), (2000, 10)];
    let all = [Some(32), Some(48), Some(16)];
    let with_headers = vec![(1016, 1056), (1056, 1112), (1992, 2016)];
    assert_eq!(told(Some(&all), &[], &[], &blocks), (Overhead::Measured, with_headers));
    // Between these two a block was freed: that shows no header.
    let without = vec![(1024, 1056), (1064, 1112), (2000, 2016)];
    assert_eq!(told(Some(&all), &[], &[1056], &blocks), (Overhead::Told, without));
    // By the sizes alone, as at the high-water mark.
    let sizes = [(20, 32), (30, 48), (10, 16)];
    assert_eq!(told(None, &sizes, &[], &blocks).0, Overhead::Computed);
    assert_eq!(told(None, &sizes[..2], &[], &blocks).0, Overhead::Estimated);
}

#[test]
fn what_cannot_be_is_not_believed() {
    let blocks = [(1024, 20), (1064, 30), (2000, 10)];
    let reaches_over = [Some(48), Some(48), Some(16)];
    assert_eq!(told(Some(&reaches_over), &[], &[], &blocks).0, Overhead::Estimated);
    let not_all = [Some(32), None, Some(16)];
    assert_eq!(told(Some(&not_all), &[], &[], &blocks).0, Overhead::Estimated);
    let hostile = [Some(u64::MAX), Some(u64::MAX), Some(u64::MAX)];
    assert_eq!(told(Some(&hostile), &[], &[], &blocks).0, Overhead::Estimated);
    assert_eq!(told(Some(&[]), &[], &[], &[]).0, Overhead::Estimated);
}
