//! Replies for which the platform's window is over.

use std::time::Duration;

use channel::Inbound;
use serde_json::{Value, json};
use tests::world::Words;

use crate::rude::dead;
use crate::{OPEN, alone};

/// Where the platform no longer takes the reply, the other way is gone; where there is none, the dead letter says so.
#[test]
fn a_reply_whose_window_is_over_goes_the_other_way_or_to_the_dead_letters() {
    alone(
        "windows",
        OPEN,
        |options| options.channels = vec!["discord".into(), "slack".into()],
        async |world| {
            let platform = world.cloud.endpoints().platform.clone();
            let invalid = json!({"code": 50_027, "message": "Invalid Webhook Token"});
            let unknown = json!({"code": 10_003, "message": "Unknown Channel"});
            let not_in = json!({"ok": false, "error": "not_in_channel"});
            let faults = [
                ("discord", "@original", "token over", 401, invalid.clone()),
                ("discord", "@original", "chat over", 401, invalid),
                ("discord", "/channels/", "chat over", 404, unknown),
                ("slack", "chat.postMessage", "by command", 200, not_in.clone()),
                ("slack", "chat.postMessage", "too late", 200, not_in),
                ("slack", "/hooks/", "too late", 404, Value::from("expired_url")),
            ];
            for (channel, path, holds, status, body) in faults {
                let fault =
                    json!({"channel": channel, "path": path, "holds": holds, "status": status, "body": body});
                world.tell("/fault", fault).await;
            }
            // (channel, text, what else is at hand, calls made for it, where it is seen or why it is not)
            type Change = fn(&mut Inbound, &str);
            let over: Change = |inbound, _| inbound.address.window.as_mut().unwrap().deadline = 0;
            let hook: Change = |inbound, platform| {
                inbound.address.data.insert("response_url".into(), format!("{platform}/slack/hooks/a/b"));
            };
            let cases: [(&str, &str, Change, &[&str], Result<&str, &str>); 5] = [
                ("discord", "token over", |_, _| {}, &["@original", "/channels/"], Ok("")),
                ("discord", "window over", over, &["/channels/"], Ok("")),
                ("discord", "chat over", |_, _| {}, &["@original", "/channels/"], Err("not there any more")),
                ("slack", "by command", hook, &["chat.postMessage", "/hooks/a/b"], Ok("a/b")),
                ("slack", "too late", hook, &["chat.postMessage", "/hooks/a/b"], Err("not there any more")),
            ];
            let mut inbounds = Vec::new();
            for (channel, text, change, ..) in &cases {
                let mut inbound = world.inbound(Words::of(channel, text, text), &world.id()).unwrap();
                change(&mut inbound, &platform);
                world
                    .queue()
                    .send(std::slice::from_ref(&inbound), None, Duration::from_secs(5))
                    .await
                    .unwrap();
                inbounds.push(inbound);
            }
            world.settled().await;
            let dead = dead(world, 2).await;
            assert_eq!(dead.len(), 2);
            for ((channel, text, _, paths, end), inbound) in cases.iter().zip(&inbounds) {
                let calls = world.calls(channel).await;
                let with: Vec<&Value> =
                    calls.iter().filter(|call| call["body"].to_string().contains(text)).collect();
                let went = with.len() == paths.len()
                    && with
                        .iter()
                        .zip(*paths)
                        .all(|(call, path)| call["path"].as_str().unwrap().contains(path));
                assert!(went, "{text}: {with:#?}");
                let seen: Vec<&str> =
                    with.iter().filter_map(|call| call["said"]["reply_key"].as_str()).collect();
                let letter = dead.get(inbound.conversation_key().as_str());
                match end {
                    Ok("") => assert_eq!(seen, [inbound.conversation.chat.as_str()], "{text}"),
                    Ok(place) => assert_eq!(seen, [*place], "{text}"),
                    Err(why) => {
                        assert!(
                            letter.is_some_and(|letter| letter.reason.contains(why)),
                            "{text}: {letter:?}"
                        );
                        assert!(seen.is_empty(), "{text}");
                    }
                }
            }
        },
    );
}
