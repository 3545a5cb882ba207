//! What the table keeps beside the turns, on the local cloud's DynamoDB: conditions, transactions, counters.

use channel::ConversationKey;
use store::{Released, Reserved, Taken, UsedBy, Who, Written};
use turn::config::{Limits, Usd};
use turn::spend::{Amount, Held, Reservation, SpendCap, Used, caps};
use turn::{Change, Commit, Draft, Summary, Turn};

use crate::shared;

const WHO: Who<'_> = Who { channel: "telegram", account: "main", user: "table-7" };

#[test]
fn drafts_summaries_and_choices_are_written_by_the_holder_alone() {
    shared(async |world| {
        let (store, now) = (world.store(), model_invoker::now());
        let of = ConversationKey::of("telegram", "main", "table", "");
        let Taken::Taken(head) = store.take(&of, now, now + 15_000).await.unwrap() else {
            panic!("it is free")
        };
        let epoch = head.epoch;

        let draft = Draft { turn: 0, posted: "88".into(), at: now, stream: true };
        assert_eq!(store.draft(&of, epoch - 1, &draft).await.unwrap(), Written::Fenced);
        assert_eq!(store.draft(&of, epoch, &draft).await.unwrap(), Written::Done);
        assert_eq!(store.head(&of).await.unwrap().draft, Some(draft.clone()));

        let commit = |turn: Option<Turn>, change: Change| Commit {
            open: vec![],
            next: 3,
            since: 0,
            turn: turn.map(Box::new),
            delete: vec![],
            change,
        };
        let refused = Change { since: Some(9), ..Change::default() };
        let written = store.commit(&of, epoch - 1, &commit(None, refused), "table-0", 30, now).await.unwrap();
        assert_eq!(written, Written::Fenced);
        let nothing = commit(None, Change::default());
        assert_eq!(store.commit(&of, epoch, &nothing, "table-1", 30, now).await.unwrap(), Written::Done);
        assert_eq!(
            store.head(&of).await.unwrap().draft,
            Some(draft),
            "no turn, so it is still being written"
        );

        let turn = Turn { v: 1, number: 2, history: true, answer: "yes".into(), at: now, ..Turn::default() };
        let change = Change {
            since: Some(2),
            assistant: Some(Some("tutor".into())),
            model: Some(Some("deep".into())),
            disclosed: Some(true),
            last_at: Some(now),
            ..Change::default()
        };
        let first = commit(Some(turn), change);
        assert_eq!(store.commit(&of, epoch, &first, "table-2", 30, now).await.unwrap(), Written::Done);
        let head = store.head(&of).await.unwrap();
        assert_eq!((head.draft, head.since, head.disclosed, head.last_at), (None, 2, true, now));
        assert_eq!((head.assistant.as_deref(), head.model.as_deref()), (Some("tutor"), Some("deep")));

        // Back to the configured model, and the turn is taken back.
        let back = Change { model: Some(None), undone: Some(2), ..Change::default() };
        assert_eq!(
            store.commit(&of, epoch, &commit(None, back), "table-3", 30, now).await.unwrap(),
            Written::Done
        );
        let head = store.head(&of).await.unwrap();
        assert_eq!((head.assistant.as_deref(), head.model, head.disclosed), (Some("tutor"), None, true));
        assert!(store.turn(&of, 2).await.unwrap().is_some_and(|turn| turn.undone && turn.answer == "yes"));

        assert_eq!(store.summary(&of).await.unwrap(), None);
        let summary = Summary { v: 1, upto: 2, text: "they said yes".into() };
        assert_eq!(store.put_summary(&of, epoch + 1, &summary, 30, now).await.unwrap(), Written::Fenced);
        assert_eq!(store.summary(&of).await.unwrap(), None);
        assert_eq!(store.put_summary(&of, epoch, &summary, 30, now).await.unwrap(), Written::Done);
        assert_eq!(store.summary(&of).await.unwrap(), Some(summary));
        assert_eq!(store.head(&of).await.unwrap().summary_to, 2);
        assert_eq!(store.release(&of, epoch, None, None).await.unwrap(), Released::Released);
    });
}

#[test]
fn notes_are_kept_by_many_at_once_and_never_twice() {
    shared(async |world| {
        let (store, now) = (world.store(), model_invoker::now());
        let texts = ["likes tea", "has a cat", "lives in Graz", "likes tea"];
        let added = futures::future::join_all(texts.map(|text| store.add_note(WHO, text, now))).await;
        assert!(added.into_iter().all(|note| note.unwrap().is_some()));
        let notes = store.notes(WHO).await.unwrap();
        assert_eq!(notes.notes.len(), 3, "{notes:?}");
        let cat = notes.notes.iter().find(|note| note.text == "has a cat").unwrap().id;
        assert!(store.remove_note(WHO, cat).await.unwrap());
        assert!(!store.remove_note(WHO, cat).await.unwrap());
        let next = store.add_note(WHO, "is called Ana", now).await.unwrap().unwrap();
        assert!(next.id > 3, "a number is never given twice: {next:?}");
        store.clear_notes(WHO).await.unwrap();
        assert_eq!(store.notes(WHO).await.unwrap().notes, []);
    });
}

#[test]
fn caps_on_money_hold_and_what_was_not_spent_is_given_back() {
    shared(async |world| {
        let (store, now) = (world.store(), model_invoker::now());
        let limits =
            Limits { usd_per_assistant_day: Usd(1_000), usd_per_stack_day: Usd(150), ..Limits::NONE };
        let reservation = |cap: SpendCap, add: u64| Reservation {
            scope: format!("table#{:?}", cap.whose),
            period: cap.period(now),
            add,
            cap,
        };
        let both = |add: u64| caps(&limits).into_iter().map(|cap| reservation(cap, add)).collect::<Vec<_>>();
        let spent = |micro_usd: u64| Amount { tokens: 0, micro_usd };
        let of = |chat: &str| ConversationKey::of("telegram", "main", chat, "");
        let taken = async |of: &ConversationKey| match store.take(of, now, now + 15_000).await.unwrap() {
            Taken::Taken(head) => head.epoch,
            Taken::Busy(head) => panic!("{head:?}"),
        };
        let (one, other) = (of("table-spend-1"), of("table-spend-2"));
        let (epoch, others) = (taken(&one).await, taken(&other).await);
        let none = Held::default();
        let held = |key: &str, add: u64, known: u64| Held::new(key, &both(add), spent(known));
        let stand = async || store.stand_at(&both(0)).await.unwrap();

        let first = held("a", 80, 10);
        let reserve = store.reserve(&one, epoch - 1, &both(80), &none, &first, now).await.unwrap();
        assert_eq!((reserve, stand().await), (Reserved::Fenced, vec![0, 0]), "only the holder may");
        let reserve = store.reserve(&one, epoch, &both(80), &none, &first, now).await.unwrap();
        assert_eq!((reserve, stand().await), (Reserved::Reserved, vec![80, 80]));
        assert_eq!(store.head(&one).await.unwrap().held, Some(first.clone()));
        // The stack's cap has no room for as much again: nothing is taken of the assistant's.
        let full = store.reserve(&other, others, &both(80), &none, &held("b", 80, 0), now).await.unwrap();
        assert_eq!((full, stand().await), (Reserved::Full(Box::new(both(80).remove(1))), vec![80, 80]));
        assert_eq!(store.head(&other).await.unwrap().held, None);
        // The next call of the same answer, and an answer that finds the conversation left by another.
        let second = held("a", 120, 90);
        let more = store.reserve(&one, epoch, &both(120), &first, &second, now).await.unwrap();
        assert_eq!((more, stand().await), (Reserved::Reserved, vec![120, 120]));
        let stranger = store.reserve(&one, epoch, &both(1), &none, &held("c", 1, 0), now).await.unwrap();
        assert_eq!((stranger, stand().await), (Reserved::Fenced, vec![120, 120]));

        assert_eq!(store.settle(&one, epoch, &second, spent(20), now).await.unwrap(), Written::Done);
        assert_eq!(stand().await, [20, 20]);
        assert_eq!(store.settle(&one, epoch, &second, spent(20), now).await.unwrap(), Written::Fenced);
        assert_eq!(stand().await, [20, 20], "it is settled once");
        let third = held("d", 130, 0);
        let reserve = store.reserve(&one, epoch, &both(130), &none, &third, now).await.unwrap();
        assert_eq!(reserve, Reserved::Reserved);
        assert_eq!(store.settle(&one, epoch, &third, spent(140), now).await.unwrap(), Written::Done);
        assert_eq!(stand().await, [160, 160]);
        let full = store.reserve(&one, epoch, &both(1), &none, &held("e", 1, 0), now).await.unwrap();
        assert!(matches!(full, Reserved::Full(_)), "{full:?}");
    });
}

#[test]
fn what_was_used_adds_up_by_day_and_person() {
    shared(async |world| {
        let (store, now) = (world.store(), model_invoker::now());
        let by = |user: &str, model: &str| UsedBy {
            channel: "telegram".into(),
            account: "main".into(),
            user: user.into(),
            conversation: "table".into(),
            assistant: "default".into(),
            model: model.into(),
        };
        let used = Used { turns: 1, input: 100, output: 10, cached: 40, micro_usd: 7 };
        for (user, model) in
            [("table-1", "fast"), ("table-1", "fast"), ("table-1", "deep"), ("table-10", "fast")]
        {
            store.add_usage(&by(user, model), used, now).await.unwrap();
        }
        let month = turn::calendar::month(now);
        let mine = store.usage(&month, Some(("telegram", "main", "table-1")), now).await.unwrap();
        let fast = mine.iter().find(|line| line.by == by("table-1", "fast")).unwrap();
        let twice = Used { turns: 2, input: 200, output: 20, cached: 80, micro_usd: 14 };
        assert_eq!((mine.len(), fast.used, fast.day.clone()), (2, twice, turn::calendar::day(now)));
        let all = store.usage(&month, None, now).await.unwrap();
        assert!(all.iter().any(|line| line.by.user == "table-10"), "{all:?}");
    });
}

#[test]
fn models_cool_down_until_the_latest_time_that_was_named() {
    shared(async |world| {
        let (store, now) = (world.store(), model_invoker::now());
        store.cool_down("table", now + 60_000).await.unwrap();
        store.cool_down("table", now + 30_000).await.unwrap();
        assert_eq!(store.cooldowns(now).await.unwrap().get("table"), Some(&(now + 60_000)));
        assert_eq!(store.cooldowns(now + 60_000).await.unwrap().get("table"), None);
    });
}
