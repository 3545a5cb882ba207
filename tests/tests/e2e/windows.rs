//! Replies for which the platform's window is over.

use std::time::Duration;

use channel::Inbound;
use serde_json::{Value, json};
use tests::world::Words;

use crate::rude::dead;
use crate::{OPEN, alone};

/// What else is at hand than what the stand-in sends.
type Change = fn(&mut Inbound, &str);

struct Case {
    channel: &'static str,
    text: &'static str,
    change: Change,
    /// The calls made for it.
    paths: &'static [&'static str],
    /// Where it is seen (empty: in its chat), or why it is not.
    end: Result<&'static str, &'static str>,
}

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
            let over: Change = |inbound, _| inbound.address.window.as_mut().unwrap().deadline = 0;
            let hook: Change = |inbound, platform| {
                inbound.address.data.insert("response_url".into(), format!("{platform}/slack/hooks/a/b"));
            };
            let case = |channel, text, change, paths, end| Case { channel, text, change, paths, end };
            let gone = Err("not there any more");
            let cases = [
                case("discord", "token over", |_, _| {}, &["@original", "/channels/"], Ok("")),
                case("discord", "window over", over, &["/channels/"], Ok("")),
                case("discord", "chat over", |_, _| {}, &["@original", "/channels/"], gone),
                case("slack", "by command", hook, &["chat.postMessage", "/hooks/a/b"], Ok("a/b")),
                case("slack", "too late", hook, &["chat.postMessage", "/hooks/a/b"], gone),
            ];
            let mut inbounds = Vec::new();
            for Case { channel, text, change, .. } in &cases {
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
            for (Case { channel, text, paths, end, .. }, inbound) in cases.iter().zip(&inbounds) {
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

/// After a day WhatsApp takes approved templates only; without one the failed message names the setting.
#[test]
fn a_late_whatsapp_reply_takes_the_template_or_says_which_setting_names_one() {
    let config =
        format!("{OPEN}channels:\n  whatsapp: {{accounts: {{support: {{template: late_reply}}}}}}\n");
    alone(
        "templates",
        &config,
        |options| options.channels = vec!["whatsapp".into()],
        async |world| {
            let too_late = async |text: &str, times: u32| {
                let error = json!({"error": {"code": 131_047, "message": "(#131047) Re-engagement message"}});
                let fault = json!({"channel": "whatsapp", "holds": text, "status": 400, "times": times, "body": error});
                world.tell("/fault", fault).await;
            };
            too_late("without one", 2).await;
            let sent = world.send(Words::of("whatsapp", "321", "without one")).await;
            let dead = dead(world, 1).await;
            let letter = dead.get(sent.conversation.as_ref().unwrap().as_str()).unwrap();
            assert!(letter.reason.contains("set channels.whatsapp.template"), "{}", letter.reason);
            assert!(world.said(&sent).await.is_empty());

            too_late("with one", 1).await;
            let words = Words { account: "support", ..Words::of("whatsapp", "322", "with one") };
            let sent = world.send(words).await;
            assert_eq!(world.reply(&sent).await, "You said: with one");
            world.settled().await;
            let calls = world.calls("whatsapp").await;
            let with = calls.iter().filter(|call| call["body"].to_string().contains("with one"));
            let names: Vec<&str> =
                with.map(|call| call["body"]["template"]["name"].as_str().unwrap_or("no template")).collect();
            assert_eq!(
                names,
                ["no template", "late_reply"],
                "Meta refuses the text, then takes the template"
            );
        },
    );
}
