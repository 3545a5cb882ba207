//! Channels: secrets there, address open to the public, and known to the platform.

use std::collections::BTreeSet;
use std::time::Duration;

use channel::{
    Address, Auth, Body, Channel, Context, Headers, Keys, Reject, Request, Secrets, Step, Target, Window,
};
use egress::Egress;
use model_invoker::{channels, outgoing};
use secrets::SETTINGS;
use serde_json::Value;
use turn::config::{Access, Config, ToolKind};

use super::{Findings, mail};
use crate::clock::now;
use crate::connect::Caller;
use crate::place::{EMAIL, Place};
use crate::{Error, http};

const TIME_OUT: Duration = Duration::from_secs(10);

/// Questions by which a platform tells the address that it knows, for those that can be asked.
pub(crate) struct Asked {
    channel: &'static str,
    path: &'static str,
    /// `Authorization` scheme and secret; the path holds the secret where there is none.
    auth: Option<(&'static str, &'static str)>,
    /// Where in the answer the address is.
    pointer: &'static str,
}

const ASKED: &[Asked] = &[
    // https://core.telegram.org/bots/api#getwebhookinfo
    Asked { channel: "telegram", path: "/bot{bot_token}/getWebhookInfo", auth: None, pointer: "/result/url" },
    // https://developers.line.biz/en/reference/messaging-api/#get-webhook-endpoint-information
    Asked {
        channel: "line",
        path: "/v2/bot/channel/webhook/endpoint",
        auth: Some(("Bearer", "channel_access_token")),
        pointer: "/endpoint",
    },
    // https://docs.discord.com/developers/resources/application#get-current-application
    Asked {
        channel: "discord",
        path: "/applications/@me",
        auth: Some(("Bot", "bot_token")),
        pointer: "/interactions_endpoint_url",
    },
];

/// Looks at every account of every channel of the stack.
pub async fn check(place: &Place, config: &Config, findings: &mut Findings) -> Result<(), Error> {
    let egress = http::egress()?;
    let listed = place.secrets().list(&format!("/{}", place.stack)).await?;
    let there: BTreeSet<String> = listed.into_iter().map(|listed| listed.name).collect();
    for channel in place.endpoints.channels.keys() {
        let Some(room) = channels::named(channel) else {
            let why = "the stack has this channel, this crabhook does not know it";
            findings.wrong(channel, why, "Use the crabhook of the release that runs");
            continue;
        };
        for account in accounts(channel, config, &there) {
            let secrets =
                place.secrets().of_account(&format!("/{}/{channel}/{account}", place.stack)).await?;
            let settings = config.channel(channel, &account).room_settings();
            let access = config.channel(channel, &account).access(room.spec());
            let looked = Looked { place, room, account: &account, secrets, settings };
            looked.knows_members(access, findings);
            looked.reminds(config, findings);
            if !looked.has_secrets(findings) {
                continue;
            }
            if channel == EMAIL {
                mail::check(place, room, &looked.settings, &egress, findings).await?;
            } else {
                looked.is_open(&egress, findings).await?;
                looked.is_connected(&egress, findings).await?;
            }
        }
    }
    Ok(())
}

/// Accounts that are configured or have secrets; `main` where there is no other.
fn accounts(channel: &str, config: &Config, there: &BTreeSet<String>) -> BTreeSet<String> {
    let mut accounts = BTreeSet::new();
    for path in there {
        let below = path.strip_prefix(channel).and_then(|path| path.strip_prefix('/'));
        if let Some((account, name)) = below.and_then(|path| path.split_once('/'))
            && name != SETTINGS
        {
            accounts.insert(account.to_owned());
        }
    }
    let configured =
        config.channels.get(channel).into_iter().flat_map(|channel| channel.accounts.keys().cloned());
    accounts.extend(configured);
    if accounts.is_empty() {
        accounts.insert("main".to_owned());
    }
    accounts
}

/// The secrets that the account does not work without and has not: those that are required, and the one that the room
/// misses itself where several could do.
fn missing(room: &dyn Channel, account: &str, secrets: &Secrets, settings: &Value) -> BTreeSet<&'static str> {
    let required = room.spec().secrets.iter().filter(|secret| secret.required).map(|secret| secret.name);
    let mut missing: BTreeSet<&str> = required.filter(|name| secrets.get(name).is_none()).collect();
    let probe = Request::new("POST", "/", Headers::default(), "{}");
    let ctx = Context { account, secrets, settings, keys: &Keys::new(), now: now() };
    if let Err(Reject::NotSetUp(name)) = room.receive(&probe, &ctx) {
        missing.insert(name);
    }
    missing
}

/// Whether the end of a person's reply window is the end of all that we may say.
fn writes_for_a_while(room: &dyn Channel, settings: &Value) -> bool {
    let window = Some(Window { deadline: i64::MAX, uses: None });
    room.later(&Address { window, ..Address::default() }, settings).until.is_some()
}

/// One account that is looked at.
struct Looked<'a> {
    place: &'a Place,
    room: &'static dyn Channel,
    account: &'a str,
    secrets: Secrets,
    settings: Value,
}

impl Looked<'_> {
    fn title(&self) -> String {
        match self.account {
            "main" => self.room.spec().name.to_owned(),
            account => format!("{}/{account}", self.room.spec().name),
        }
    }

    /// Every secret is there that the account does not work without.
    fn has_secrets(&self, findings: &mut Findings) -> bool {
        let spec = self.room.spec();
        let missing = missing(self.room, self.account, &self.secrets, &self.settings);
        for name in &missing {
            let path = format!("/{}/{}/{}/{name}", self.place.stack, spec.name, self.account);
            let about =
                spec.secrets.iter().find(|secret| secret.name == *name).map_or("", |secret| secret.about);
            let account =
                if self.account == "main" { String::new() } else { format!(" --account {}", self.account) };
            let to_do = format!("crabhook secrets set {} {name}{account} ({about})", spec.name);
            findings.wrong(self.title(), format!("the secret {path} is not set"), to_do);
        }
        missing.is_empty()
    }

    /// Where members of the workspace are answered, it is known who they are.
    fn knows_members(&self, access: Access, findings: &mut Findings) {
        if let Some(name) = self.room.lacks(&self.settings).filter(|_| access == Access::Workspace) {
            let channel = self.room.spec().name;
            let why =
                format!("channels.{channel}.{name} is not set, so nobody is taken for a member and answered");
            findings.wrong(self.title(), why, "Set it, then crabhook config push");
        }
    }

    /// Where people are reminded for a while only, the operator knows it: they are told so by the assistant.
    fn reminds(&self, config: &Config, findings: &Findings) {
        let persona = config.persona(&config.channel(self.room.spec().name, self.account), "", None);
        let reminds = |name: &String| config.tool(name).is_some_and(|tool| tool.kind == ToolKind::RemindMe);
        if persona.assistant.tools.iter().any(reminds) && writes_for_a_while(self.room, &self.settings) {
            let title = self.room.spec().title;
            findings.good(format!(
                "{}: {title} takes reminders for a while after a person's message only, so later ones are not set",
                self.title()
            ));
        }
    }

    /// The public gets through to the function.
    async fn is_open(&self, egress: &Egress, findings: &mut Findings) -> Result<(), Error> {
        let url = self.place.url(self.room.spec().name, self.account)?;
        let answer = http::send(egress, Request::new("GET", &url, Headers::default(), ""), TIME_OUT).await;
        let title = self.title();
        match answer {
            Err(error) => {
                findings.wrong(title, format!("{url} does not answer ({error})"), "Is the stack deployed?")
            }
            // AWS says so itself; a room's own 403 has another body.
            Ok(answer) if answer.status == 403 && says_aws(&answer.body) => {
                let why = "AWS does not let the public in";
                findings.wrong(title, why, "Deploy again: the address needs both grants of the template");
            }
            Ok(answer) if answer.status == 503 => {
                let why = "it answers 503 although its secrets are set";
                findings.wrong(title, why, "Wait a minute; if it stays, see the function's log");
            }
            Ok(answer) if answer.status >= 500 => {
                findings.wrong(title, format!("it answers {}", answer.status), "See the function's log");
            }
            Ok(_) => findings.good(format!("{title}: {url} is open")),
        }
        Ok(())
    }

    /// The platform knows our address, where it can be asked and is not the local stand-in.
    async fn is_connected(&self, egress: &Egress, findings: &mut Findings) -> Result<(), Error> {
        let spec = self.room.spec();
        let Some(asked) = asked(spec.name) else { return Ok(()) };
        if self.settings.get("urls").is_some() {
            return Ok(());
        }
        let caller = Caller {
            egress: egress.clone(),
            room: self.room,
            settings: self.settings.clone(),
            commands: Vec::new(),
            secrets: self.secrets.clone(),
        };
        let known = match caller.outcome(&asked.step()).await? {
            outgoing::Outcome::Answered(answer) if answer.is_success() => asked.address(&answer),
            outgoing::Outcome::Answered(answer) => {
                let why = format!("{} answers {} to its own credentials", spec.title, answer.status);
                findings.wrong(self.title(), why, "Set the bot's token again: crabhook secrets set");
                return Ok(());
            }
            _ => {
                findings.wrong(
                    self.title(),
                    format!("{} cannot be reached", spec.title),
                    "Try again in a minute",
                );
                return Ok(());
            }
        };
        let url = self.place.url(spec.name, self.account)?;
        let connect = format!("crabhook connect {} --account {}", spec.name, self.account);
        if known.is_empty() {
            findings.wrong(self.title(), format!("{} does not know its address", spec.title), connect);
        } else if known.trim_end_matches('/') == url.trim_end_matches('/') {
            findings.good(format!("{}: {} knows its address", self.title(), spec.title));
        } else {
            let why = format!("{} sends to another address", spec.title);
            let to_do = format!("{connect}, unless something of yours stands there");
            findings.wrong(self.title(), why, to_do);
        }
        Ok(())
    }
}

/// The question to a channel's platform, where it can be asked.
pub(crate) fn asked(channel: &str) -> Option<&'static Asked> {
    ASKED.iter().find(|asked| asked.channel == channel)
}

impl Asked {
    /// The address in the platform's answer, empty without one.
    pub(crate) fn address(&self, answer: &channel::Response) -> String {
        answer.body_json().pointer(self.pointer).and_then(Value::as_str).unwrap_or("").to_owned()
    }

    pub(crate) fn step(&self) -> Step {
        let target = Target::Base { base: "api".to_owned(), path: self.path.to_owned() };
        let step = Step::new("GET", target, Body::None);
        match self.auth {
            Some((scheme, secret)) => {
                step.auth(Auth::Scheme { scheme: scheme.to_owned(), secret: secret.to_owned() })
            }
            None => step,
        }
    }
}

fn says_aws(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    body.get("Message").is_some()
}

#[cfg(test)]
mod tests {
    use channel::{Generate, SecretSpec};

    use super::*;

    #[test]
    fn accounts_are_those_with_secrets_or_settings() {
        let there = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let check = |names: &[&str], expected: &[&str]| {
            let found = accounts("telegram", &Config::default(), &there(names));
            assert_eq!(found, there(expected), "{names:?}");
        };
        check(&[], &["main"]);
        check(&["telegram/main/settings", "slack/other/bot_token", "telegramx/a/b"], &["main"]);
        check(&["telegram/support/bot_token"], &["support"]);
        check(&["telegram/support/bot_token", "telegram/main/bot_token"], &["main", "support"]);
    }

    #[test]
    fn a_channel_without_its_secrets_is_named_and_one_with_them_is_not() {
        for room in channels::ALL {
            let spec = room.spec();
            let bare = missing(*room, "main", &Secrets::default(), &Value::Null);
            assert!(!bare.is_empty(), "{}: it needs nothing, or nobody would know", spec.name);
            let of_it = |name: &&str| spec.secrets.iter().any(|secret| secret.name == *name);
            assert!(bare.iter().all(of_it), "{}: {bare:?} cannot be set", spec.name);
            // Keys have a form: one that is none counts as missing.
            let any_will_do =
                |secret: &SecretSpec| matches!(secret.generate, Generate::Random | Generate::Platform);
            if !spec.secrets.iter().all(any_will_do) {
                continue;
            }
            let all = spec.secrets.iter().map(|secret| (secret.name.to_owned(), "x".to_owned())).collect();
            assert!(missing(*room, "main", &all, &Value::Null).is_empty(), "{}", spec.name);
        }
        let chat = channels::named("googlechat").unwrap();
        assert_eq!(chat.lacks(&Value::Null), Some("domain"));
        assert_eq!(chat.lacks(&serde_json::json!({"domain": "example.org"})), None);
    }

    #[test]
    fn windows_end_reminders_unless_a_template_or_tag_opens_them() {
        let check = |channel: &str, settings: Value, expected: bool| {
            assert_eq!(
                writes_for_a_while(channels::named(channel).unwrap(), &settings),
                expected,
                "{channel}"
            );
        };
        check("whatsapp", Value::Null, true);
        check("whatsapp", serde_json::json!({"template": "reminder"}), false);
        check("messenger", Value::Null, true);
        check("telegram", Value::Null, false);
        check("discord", Value::Null, false);
    }

    #[test]
    fn every_question_is_one_that_its_room_can_send() {
        for asked in ASKED {
            let room = channels::named(asked.channel).unwrap();
            let named = asked.auth.map_or("bot_token", |(_, secret)| secret);
            let secrets: Secrets = [(named.to_owned(), "1:A".to_owned())].into_iter().collect();
            let request = outgoing::request(&asked.step(), room.spec(), &Value::Null, &secrets, 0).unwrap();
            assert!(request.url.starts_with("https://"), "{}", request.url);
            assert!(asked.pointer.starts_with('/'));
        }
    }
}
