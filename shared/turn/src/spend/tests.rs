use super::*;
use crate::config::Usd;

const PRICE: Price = Price { input: 3.0, output: 15.0, cached: Some(0.3), minute: None };

fn check(input: u32, output: u32, cached: u32, price: Price, expected: u64) {
    let usage = Usage { input, output, cached, reasoning: 0 };
    assert_eq!(cost(&usage, &price), expected, "{usage:?} {price:?}");
}

#[test]
fn cached_tokens_have_a_price_of_their_own() {
    check(0, 0, 0, PRICE, 0);
    check(1_000_000, 0, 0, PRICE, 3_000_000);
    check(1_000, 100, 0, PRICE, 4_500);
    check(1_000, 100, 900, PRICE, 2_070);
    check(1_000, 0, 900, Price { cached: None, ..PRICE }, 3_000);
    // More cached than there was: a provider that counts them apart.
    check(10, 0, 50, PRICE, 3);
    // Rounded up: nothing that was used is free.
    check(1, 0, 0, Price { input: 0.05, ..Price::default() }, 1);
    check(1, 0, 0, Price { input: -3.0, ..Price::default() }, 0);
}

#[test]
fn speech_costs_its_tokens_and_its_minutes() {
    let check = |input, seconds, price: Option<Price>, tokens, micro_usd| {
        let usage = Usage { input, output: 10, ..Usage::default() };
        assert_eq!(Amount::heard(&usage, seconds, price.as_ref()), Amount { tokens, micro_usd });
    };
    let by_minute = Price { minute: Some(0.006), ..Price::default() };
    check(0, 90.0, Some(by_minute), 10, 9_000);
    // Less than a millionth is one.
    check(0, 0.001, Some(by_minute), 10, 1);
    check(100, 90.0, Some(PRICE), 110, 450);
    check(100, 90.0, None, 110, 0);
}

#[test]
fn only_caps_that_are_set_are_reserved_on() {
    let inbound: Inbound = serde_json::from_value(serde_json::json!({
        "v": 1, "id": "1", "channel": "telegram", "account": "main", "conversation": {"chat": "1"}, "kind": "dm",
        "sender": {"id": "7", "name": "Ana", "home": "unknown"}, "addressed": true, "content": {"text": "hi"},
        "at": 0, "address": {"channel": "telegram", "account": "main", "chat": "1"},
    }))
    .unwrap();
    let most = Amount::at_most(2_000, 1_000, Some(&PRICE));
    assert_eq!(most, Amount { tokens: 3_000, micro_usd: 21_000 });
    assert_eq!(reservations(&Limits::default(), &inbound, "default", most, 0), []);
    let limits = Limits {
        tokens_per_person_day: 10_000,
        usd_per_person_month: Usd(5_000_000),
        usd_per_conversation_day: Usd(1),
        usd_per_assistant_day: Usd(2),
        usd_per_stack_month: Usd(3),
        ..Limits::default()
    };
    let reserved = reservations(&limits, &inbound, "default", most, 1_795_219_200_000);
    let told: Vec<(&str, &str, u64)> =
        reserved.iter().map(|each| (each.scope.as_str(), each.period.as_str(), each.add)).collect();
    let conversation = format!("spend#usd#conversation#{}", inbound.conversation_key());
    assert_eq!(
        told,
        [
            ("spend#tokens#person#telegram#main#7", "2026-11-21", 3_000),
            ("spend#usd#person#telegram#main#7", "2026-11", 21_000),
            (conversation.as_str(), "2026-11-21", 21_000),
            ("spend#usd#assistant#default", "2026-11-21", 21_000),
            ("spend#usd", "2026-11", 21_000),
        ]
    );
    let spent = Amount { tokens: 2_500, micro_usd: 30_000 };
    let held = Held::new("1", &reserved, Amount::default());
    assert_eq!(held.counters.iter().map(|each| each.settled(spent)).collect::<Vec<_>>()[..2], [-500, 9_000]);
    let line = "You have used up what you may spend this month. I will answer again next month.";
    assert_eq!(reserved[1].cap.line(), line);
}

#[test]
fn a_warning_is_said_by_the_answer_that_crosses_the_line() {
    let cap = SpendCap { whose: Whose::Person, unit: Unit::Tokens, per: Per::Day, most: 1_000 };
    let reservation = Reservation { cap, scope: String::new(), period: String::new(), add: 0 };
    let check = |spent: u64, total: u64, percent: u32, expected: bool| {
        let spent = Amount { tokens: spent, micro_usd: 0 };
        let warning = reservation.warning(spent, total, percent);
        assert_eq!(warning.is_some(), expected, "{spent:?} {total} {percent}");
    };
    check(100, 799, 80, false);
    check(100, 800, 80, true);
    check(100, 899, 80, true);
    check(100, 900, 80, false);
    check(1_000, 1_000, 80, true);
    check(100, 900, 0, false);
    let line = reservation.warning(Amount { tokens: 10, micro_usd: 0 }, 805, 80);
    assert_eq!(line.as_deref(), Some("You have used 80 % of what may be spent today."));
}

#[test]
fn usage_is_told_in_a_few_lines() {
    let today = Used { turns: 3, input: 1_200, output: 300, cached: 0, micro_usd: 8_100 };
    let month = Used { turns: 40, input: 20_000, output: 4_000, cached: 5_000, micro_usd: 1_234_000 };
    let limits = Limits { usd_per_person_day: Usd(500_000), ..Limits::default() };
    assert_eq!(
        usage_text(today, month, &limits),
        "Today: 3 answers, 1500 tokens, about $0.0081\nThis month: 40 answers, 24000 tokens, about $1.23\n\
         Your limit: $0.50 a day\nYour limit: 50 messages a day"
    );
    let nothing = "Today: 0 answers, 0 tokens\nThis month: 0 answers, 0 tokens";
    assert_eq!(usage_text(Used::default(), Used::default(), &Limits::NONE), nothing);
}

/// A counter, and conversations that answer at the same time: calls cost at most what was reserved for them, processes are killed at
/// any point.
struct Ledger {
    cap: u64,
    counter: i128,
    /// What stands in each conversation's HEAD.
    held: [Option<Held>; 3],
    /// What each process knows: what it holds, and what its answer has cost.
    open: [Option<(Held, u64)>; 3],
    /// What the provider has charged.
    charged: u64,
    /// Of that, what nobody was there to write down.
    unknown: u64,
    settled: u64,
}

impl Ledger {
    /// As the store does it: all or nothing.
    fn reserve(&mut self, who: usize, question: u64, most: u64) -> bool {
        let (before, spent) = self.open[who].clone().unwrap_or_default();
        let cap = SpendCap { whose: Whose::Stack, unit: Unit::Money, per: Per::Day, most: self.cap };
        let reservation = Reservation { cap, scope: "s".into(), period: "d".into(), add: spent + most };
        let by = reservation.change(&before);
        if let Ok(more @ 1..) = u64::try_from(by)
            && self.counter > i128::from(reservation.room_for(more))
        {
            return false;
        }
        let held = Held::new("k", &[reservation], money(spent + question));
        self.counter += i128::from(by);
        self.held[who] = Some(held.clone());
        self.open[who] = Some((held, spent));
        true
    }

    fn settle(&mut self, who: usize, spent: u64) {
        let Some(held) = self.held[who].take() else { return };
        self.counter += i128::from(held.counters[0].settled(money(spent)));
        self.settled += spent;
        self.open[who] = None;
    }
}

fn money(micro_usd: u64) -> Amount {
    Amount { micro_usd, ..Amount::default() }
}

#[test]
fn a_cap_holds_whoever_is_killed_and_nothing_stays_reserved() {
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut refused, mut killed) = (0, 0);
    for _ in 0..2_000 {
        let mut ledger = Ledger {
            cap: 200 + random(2_000),
            counter: 0,
            held: [const { None }; 3],
            open: [const { None }; 3],
            charged: 0,
            unknown: 0,
            settled: 0,
        };
        for _ in 0..60 {
            let who = random(3) as usize;
            // Whoever takes the conversation first settles what a killed process left.
            if let (Some(left), None) = (&ledger.held[who], &ledger.open[who]) {
                let known = left.known.micro_usd;
                ledger.settle(who, known);
            }
            let (question, output) = (1 + random(40), random(60));
            if !ledger.reserve(who, question, question + output) {
                refused += 1;
                let spent = ledger.open[who].as_ref().map_or(0, |(_, spent)| *spent);
                ledger.settle(who, spent);
                continue;
            }
            let cost = question + random(output + 1);
            ledger.charged += cost;
            match random(4) {
                0 => {
                    killed += 1;
                    ledger.unknown += cost - question;
                    ledger.open[who] = None;
                }
                1 => {
                    let spent = ledger.open[who].as_ref().map_or(0, |(_, spent)| *spent);
                    ledger.settle(who, spent + cost);
                }
                _ => ledger.open[who].iter_mut().for_each(|(_, spent)| *spent += cost),
            }
            let holds: u64 = ledger.held.iter().flatten().map(|held| held.on("s", "d")).sum();
            assert_eq!(ledger.counter, i128::from(ledger.settled + holds), "the counter is all of it");
            assert!(ledger.counter <= i128::from(ledger.cap), "more is reserved than there is");
            assert!(ledger.charged - ledger.unknown <= ledger.cap, "more was charged than may be spent");
        }
        for who in 0..3 {
            let known = ledger.held[who].as_ref().map_or(0, |held| held.known.micro_usd);
            let spent = ledger.open[who].as_ref().map_or(known, |(_, spent)| *spent);
            ledger.settle(who, spent);
        }
        assert_eq!(ledger.counter, i128::from(ledger.charged - ledger.unknown), "nothing stays reserved");
    }
    assert!(refused > 1_000 && killed > 1_000, "{refused} {killed}");
}
