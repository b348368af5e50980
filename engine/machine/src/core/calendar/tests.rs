use proptest::prelude::*;

use super::*;

const NOW: Millis = 1_700_000_000_000; // 2023-11-14T22:13:20Z

#[test]
fn dates_with_and_without_a_zone() {
    assert_eq!(date("2023-11-14T22:13:20Z"), Ok(NOW));
    assert_eq!(date("2023-11-14T23:13:20+01:00"), Ok(NOW));
    assert_eq!(date("2023-11-14T22:13:20"), Ok(NOW));
    assert_eq!(date("2023-11-14"), Ok(NOW - (22 * 3600 + 13 * 60 + 20) * 1000));
    assert!(date("soon").unwrap_err().contains("couldn't resolve duedate"));
}

#[test]
fn durations_are_added_to_now() {
    assert_eq!(duration("PT1M30S", NOW), Ok(NOW + 90_000));
    assert_eq!(duration("PT0.5S", NOW), Ok(NOW + 500));
    assert_eq!(duration("P2W", NOW), Ok(NOW + 14 * 86_400_000));
    assert_eq!(duration("P1M", NOW), Ok(date("2023-12-14T22:13:20Z").unwrap()));
    for bad in ["soon", "1h", "PT", ""] {
        assert!(duration(bad, NOW).is_err(), "{bad}");
    }
}

#[test]
fn a_cycle_fires_as_often_as_it_says_and_does_not_drift() {
    let first = cycle("R3/PT10S", NOW).unwrap();
    assert_eq!(first.due, NOW + 10_000);
    let repeat = first.repeat.unwrap();
    let second = following(&repeat, first.due + 700).unwrap().unwrap();
    assert_eq!(second.due, NOW + 20_000);
    assert_eq!(following(&repeat, second.due).unwrap().unwrap().due, NOW + 30_000);
    assert_eq!(following(&repeat, NOW + 30_000).unwrap(), None);
}

#[test]
fn an_endless_cycle_passes_over_what_was_missed() {
    let first = cycle("R/PT1S", NOW).unwrap();
    let next = following(&first.repeat.unwrap(), NOW + 86_400_000_000 + 5)
        .unwrap()
        .unwrap();
    assert_eq!(next.due, NOW + 86_400_000_000 + 1_000);
}

#[test]
fn cron_fields() {
    let next = |text: &str| cycle(text, NOW).map(|next| next.due);
    let at = |text: &str| Ok(date(text).unwrap());
    assert_eq!(next("0 0/5 * * * ?"), at("2023-11-14T22:15:00Z"));
    assert_eq!(next("0 0 9 ? * MON-FRI"), at("2023-11-15T09:00:00Z"));
    assert_eq!(next("0 0 0 L * ?"), at("2023-11-30T00:00:00Z"));
    assert_eq!(next("0 0 0 ? * 6#3"), at("2023-11-17T00:00:00Z"));
    assert_eq!(next("0 0 0 ? * 2L"), at("2023-11-27T00:00:00Z"));
    assert_eq!(next("0 0 0 1W * ?"), at("2023-12-01T00:00:00Z"));
    assert_eq!(next("0 0 0 1 1 ? 2030"), at("2030-01-01T00:00:00Z"));
    assert_eq!(next("*/10 * * * * ?"), at("2023-11-14T22:13:30Z"));
    assert_eq!(next("0 0 12 29 2 ?"), at("2024-02-29T12:00:00Z"));
    for bad in ["0 0", "61 * * * * ?", "0 0 0 31 2 ? 2023", "x * * * * *"] {
        assert!(next(bad).is_err(), "{bad}");
    }
}

#[test]
fn retry_cycles() {
    let cycle = RetryCycle::parse("R5/PT5M").unwrap();
    assert_eq!(cycle.attempts, 5);
    assert_eq!(cycle.due(5, NOW), Ok(NOW + 300_000));
    let cycle = RetryCycle::parse("PT10M, PT17M,PT20M").unwrap();
    assert_eq!(cycle.attempts, 4);
    assert_eq!(cycle.due(4, NOW), Ok(NOW + 600_000));
    assert_eq!(cycle.due(3, NOW), Ok(NOW + 17 * 60_000));
    assert_eq!(cycle.due(2, NOW), Ok(NOW + 1_200_000));
    assert_eq!(cycle.due(1, NOW), Ok(NOW + 1_200_000));
    assert!(RetryCycle::parse("often").is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,30}", now in 0..4_000_000_000_000_i64) {
        let _ = (date(&text), duration(&text, now), cycle(&text, now), RetryCycle::parse(&text));
    }

    #[test]
    fn cron_is_always_ahead(fields in prop::collection::vec(prop::sample::select(vec!["*", "0", "5", "1-3", "2/7", "?", "L", "15W", "6#2", "MON"]), 6), now in 0..4_000_000_000_000_i64) {
        if let Ok(next) = cycle(&fields.join(" "), now) {
            prop_assert!(next.due > now);
        }
    }
}
