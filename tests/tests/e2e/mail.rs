//! What only email has: text that must be fetched, and machines that may answer to every word.

use channel::sign;
use serde_json::json;
use tests::world::Words;

use crate::shared;

#[test]
fn a_thread_gets_five_answers_a_day_and_then_silence() {
    shared(async |world| {
        for n in 1..=7 {
            let sent = world.send(Words::of("email", "301", &format!("mail {n}"))).await;
            if n <= 5 {
                world.until(&sent, |said| said.len() == n).await;
            }
            world.kept(std::slice::from_ref(&sent)).await;
            world.at_rest(&sent).await;
        }
        // Commands are answers, too.
        let help = world.send(Words::of("email", "301", "/help")).await;
        world.kept(std::slice::from_ref(&help)).await;
        world.at_rest(&help).await;
        let said = world.said(&help).await;
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(said.iter().zip(1..).all(|(said, n)| *said == format!("You said: mail {n}")), "{said:?}");
        // Nor does it help to write there by another name.
        let words = Words::of("email", "306", "it is me, another one");
        let id = world.id();
        let mut event = world.event(words, &id, &world.cloud.secrets("email", "main"));
        let body = String::from_utf8(event.request.body).unwrap();
        event.request.body = body.replace("hello.306@", "hello.301@").into_bytes();
        let stranger = world.deliver_event(words, &id, event).await;
        world.kept(std::slice::from_ref(&stranger)).await;
        world.at_rest(&stranger).await;
        assert!(world.said(&stranger).await.is_empty());
        let other = world.send(Words::of("email", "302", "another thread")).await;
        assert_eq!(world.reply(&other).await, "You said: another thread");
        world.at_rest(&other).await;
    });
}

#[test]
fn mail_waits_for_its_text_and_is_answered_without_it_where_it_is_gone() {
    shared(async |world| {
        let fault = async |text: &str, status: u16, times: u32| {
            let key = format!("/s3/mail/in/{}", sign::hex(text.as_bytes()));
            let fault = json!({"channel": "email", "path": key, "status": status, "times": times});
            world.tell("/fault", fault).await;
        };
        fault("fetched at last", 503, 1).await;
        let sent = world.send(Words::of("email", "303", "fetched at last")).await;
        assert_eq!(world.reply(&sent).await, "You said: fetched at last");
        world.at_rest(&sent).await;

        fault("taken away", 404, 1).await;
        let sent = world.send(Words::of("email", "304", "taken away")).await;
        assert_eq!(world.reply(&sent).await, "You said: [The text of this message cannot be read.]");
        world.at_rest(&sent).await;
    });
}

/// SES tells of the first headers only: that a machine wrote it may show in the mail itself, which then has no words for us.
#[test]
fn mail_that_turns_out_to_say_nothing_gets_no_answer() {
    shared(async |world| {
        let asked = world.questions().await.len();
        let silent = world.send(Words::of("email", "305", "")).await;
        assert_eq!(silent.status, 200);
        world.kept(std::slice::from_ref(&silent)).await;
        world.at_rest(&silent).await;
        assert!(world.said(&silent).await.is_empty());
        assert_eq!(world.questions().await.len(), asked, "the model is not asked");
        let next = world.send(Words::of("email", "305", "and now?")).await;
        assert_eq!(world.reply(&next).await, "You said: and now?");
        world.at_rest(&next).await;
    });
}
