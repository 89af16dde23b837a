use super::*;

fn invent(households: u32, seed: u64) -> Scenario {
    city(&SynthParams { households: Households(households), seed }, &mut |_share| ())
}

#[test]
fn the_household_total_is_exact_at_any_size() {
    for households in [0, 1, 600, 3000, 12_000, 40_000] {
        for seed in 1..4 {
            assert_eq!(invent(households, seed).households(), Households(households), "seed {seed}");
        }
    }
}

#[test]
fn codes_have_twelve_digits_and_are_unique_and_sorted() {
    let scenario = invent(60_000, 2);
    let codes: Vec<&String> = scenario.communities.iter().map(|community| &community.code).collect();
    assert!(codes.iter().all(|code| code.len() == 12 && code.bytes().all(|byte| byte.is_ascii_digit())));
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
}
