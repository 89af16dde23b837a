//! The array engine against the exact results of the benchmark kit: 0 mm and 0 nodes different.

use std::io::Read;
use std::path::Path;

use gridplan::network::{UNREACHED, WalkNetwork};
use gridplan::testing::shared_dir;
use sha2::Digest;

struct Columns {
    x: Vec<f64>,
    y: Vec<f64>,
    from: Vec<u32>,
    to: Vec<u32>,
    mm: Vec<u32>,
}

/// Reads a `.gpnet.gz` file; the format stands in `bench/network/network_io.py`.
fn read_network(path: &Path) -> Columns {
    let file = std::fs::File::open(path).expect("the network is in the kit");
    let mut data = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut data).expect("gzip");
    assert_eq!(&data[..8], b"GPNET1\0\0");
    let size = |at: usize| u64::from_le_bytes(data[at..at + 8].try_into().expect("8 bytes")) as usize;
    let (n, m) = (size(8), size(16));
    let floats = |at: usize| {
        let bytes = data[at..at + 8 * n].chunks_exact(8);
        bytes.map(|bytes| f64::from_le_bytes(bytes.try_into().expect("8 bytes"))).collect()
    };
    let words = |at: usize| {
        let bytes = data[at..at + 4 * m].chunks_exact(4);
        bytes.map(|bytes| u32::from_le_bytes(bytes.try_into().expect("4 bytes"))).collect()
    };
    let edges = 24 + 33 * n;
    Columns {
        x: floats(24),
        y: floats(24 + 8 * n),
        from: words(edges),
        to: words(edges + 4 * m),
        mm: words(edges + 8 * m),
    }
}

fn digest(values: impl IntoIterator<Item = u32>) -> String {
    let bytes: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
    sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn answers_equal_the_expected_files() {
    let Some(shared) = shared_dir() else { return };
    let kit = shared.join("bench/network");
    let digests = std::fs::read(kit.join("expected/digests.json")).expect("the kit has digests");
    let digests: serde_json::Value = serde_json::from_slice(&digests).expect("JSON");
    for name in ["helsinki", "poa", "porto"] {
        let known =
            |key: &str| digests[name][key].as_str().unwrap_or_else(|| panic!("no digest {name} {key}"));
        let columns = read_network(&kit.join(format!("networks/{name}.gpnet.gz")));
        let stations = std::fs::read_to_string(kit.join(format!("networks/{name}.stations.txt")));
        let stations: Vec<u32> =
            stations.expect("stations").split_whitespace().map(|id| id.parse().expect("a node")).collect();
        let net = WalkNetwork::new(&columns.x, &columns.y, &columns.from, &columns.to, &columns.mm, None)
            .expect("a sound network");
        for count in [10, 100, 1000] {
            let found = net.nearest(&stations[..count], None).expect("sound stations");
            assert!(found.cost.iter().zip(&found.station).all(|(&cost, &s)| (cost == UNREACHED) == (s < 0)));
            assert_eq!(digest(found.cost), known(&format!("t1_s{count}")), "{name}, nearest of {count}");
        }
        let found = net.within(&stations, 1_200_000).expect("sound stations");
        assert_eq!(digest(found.offsets.iter().map(|&row| row as u32)), known("t2_start"), "{name}, rows");
        assert_eq!(digest(found.node), known("t2_node"), "{name}, nodes within 1200 m");
        assert_eq!(digest(found.cost), known("t2_cost"), "{name}, walks within 1200 m");
        let counts = net.count_within(&stations, &[400_000, 800_000, 1_200_000]).expect("sound stations");
        for (counts, metres) in counts.into_iter().zip([400, 800, 1200]) {
            assert_eq!(digest(counts), known(&format!("t3_{metres}")), "{name}, counts within {metres} m");
        }
    }
}

/// A `uint32` column of a `.npz` file: a zip archive of `.npy` files.
fn npz_column(archive: &[u8], name: &str) -> Vec<u32> {
    let word = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().expect("4 bytes")) as usize;
    let half = |at: usize| usize::from(u16::from_le_bytes(archive[at..at + 2].try_into().expect("2 bytes")));
    let end = (0..=archive.len() - 22).rev().find(|&at| word(at) == 0x0605_4b50).expect("a zip archive");
    let mut entry = word(end + 16);
    for _ in 0..half(end + 10) {
        let (name_length, extra, comment) = (half(entry + 28), half(entry + 30), half(entry + 32));
        if &archive[entry + 46..entry + 46 + name_length] == format!("{name}.npy").as_bytes() {
            let local = word(entry + 42);
            let data = local + 30 + half(local + 26) + half(local + 28);
            let mut npy = Vec::new();
            flate2::read::DeflateDecoder::new(&archive[data..]).read_to_end(&mut npy).expect("deflate");
            let header = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
            assert!(String::from_utf8_lossy(&npy[10..header]).contains("'<u4'"), "{name} is uint32");
            let values = npy[header..].chunks_exact(4);
            return values.map(|bytes| u32::from_le_bytes(bytes.try_into().expect("4 bytes"))).collect();
        }
        entry += 46 + name_length + extra + comment;
    }
    panic!("no column {name}");
}

#[test]
fn tobler_times_differ_by_direction_and_equal_the_expected_files() {
    let Some(shared) = shared_dir() else { return };
    let kit = shared.join("bench/network");
    let columns = read_network(&kit.join("networks/poa.gpnet.gz"));
    let archive = std::fs::read(kit.join("expected/poa.npz")).expect("the kit has expected times");
    let stations = std::fs::read_to_string(kit.join("networks/poa.stations.txt")).expect("stations");
    let stations: Vec<u32> = stations.split_whitespace().map(|id| id.parse().expect("a node")).collect();
    let (there, back) = (npz_column(&archive, "tobler_uv"), npz_column(&archive, "tobler_vu"));
    assert_ne!(there, back);
    let net = WalkNetwork::new(&columns.x, &columns.y, &columns.from, &columns.to, &there, Some(&back))
        .expect("a sound network");
    for count in [10, 100, 1000] {
        let found = net.nearest(&stations[..count], None).expect("sound stations");
        assert_eq!(found.cost, npz_column(&archive, &format!("tobler_s{count}")), "nearest of {count}");
    }
}
