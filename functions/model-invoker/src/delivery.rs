//! One step to its platform: with its tokens, its file, the answer before it.

use std::time::{Duration, Instant};

use channel::{Auth, Secrets, Settled, Step};

use crate::outgoing::{self, Bounds, Filling};
use crate::run::Run;
use crate::services::Place;
use crate::tokens;

/// Fetching a token or a file before a call may take this long: the lease outlasts both. Beyond, the step is made again
/// under a new lease, and finds the token there.
const PREPARATION: Duration = Duration::from_secs(5);
/// How long that waits.
const AGAIN: Duration = Duration::from_secs(1);

/// What the two steps before one were settled with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before<'a> {
    pub answer: &'a str,
    pub earlier: &'a str,
}

impl Run<'_> {
    /// Sends one step. `None` = it may or may not have reached the platform.
    pub(crate) async fn send(&self, step: &Step, now: i64) -> Option<Settled> {
        self.send_after(Before::default(), step, now).await
    }

    /// Fetches what a message points to: what the last step is settled with, or the first one that did not lead on.
    pub(crate) async fn fetch(&self, what: &channel::Fetch, now: i64) -> Option<Settled> {
        self.fetch_within(Bounds::CALL, what, now).await
    }

    /// Fetches a file that somebody sent.
    pub(crate) async fn fetch_file(&self, what: &channel::Fetch, now: i64) -> Option<Settled> {
        self.fetch_within(Bounds::FILE, what, now).await
    }

    async fn fetch_within(&self, bounds: Bounds, what: &channel::Fetch, now: i64) -> Option<Settled> {
        if let Some(key) = self.place.room.kept(what) {
            return Some(self.kept_file(&key).await);
        }
        let (mut answer, mut last) = (String::new(), None);
        for step in self.place.room.fetch(what).steps {
            let before = Before { answer: &answer, earlier: "" };
            match self.send_within(bounds, before, &step, now).await {
                Some(Settled::Posted(id)) => {
                    (answer, last) = (id.clone().unwrap_or_default(), Some(Settled::Posted(id)))
                }
                other => return other,
            }
        }
        last
    }

    /// What somebody put into the stack's own bucket.
    async fn kept_file(&self, key: &str) -> Settled {
        match self.services.tools.kept_file(key, outgoing::MAX_FILE).await {
            Ok(Some(bytes)) => Settled::Fetched(bytes),
            Ok(None) => Settled::Gone,
            Err(error) => {
                tracing::warn!(conversation = %self.conversation, error = error.kind(), "a file of the bucket cannot be read");
                Settled::Later(None)
            }
        }
    }

    /// Sends one step that may quote the ids of those before it; once more where a token of its is no longer taken.
    pub(crate) async fn send_after(&self, before: Before<'_>, step: &Step, now: i64) -> Option<Settled> {
        self.send_within(Bounds::CALL, before, step, now).await
    }

    async fn send_within(
        &self,
        bounds: Bounds,
        before: Before<'_>,
        step: &Step,
        now: i64,
    ) -> Option<Settled> {
        let Before { answer, earlier } = before;
        let begun = Instant::now();
        let mut refused: Option<String> = None;
        loop {
            let secrets = match self.secrets_for(step, refused.as_deref(), now).await {
                Ok(secrets) => secrets,
                Err(settled) => return Some(settled),
            };
            let filling = Filling { secrets: &secrets, answer, earlier, file: &[], now };
            match self.call_platform(bounds, filling, step, begun).await {
                Some(Settled::Renew(name)) if refused.is_none() => {
                    refused = Some(secrets.get(&format!("token:{name}")).unwrap_or("").to_owned());
                }
                Some(Settled::Renew(_)) if step.optional => return Some(Settled::Posted(None)),
                Some(Settled::Renew(name)) => {
                    let why = format!("the platform does not take the token {name} that it just gave");
                    return Some(Settled::Broken(why));
                }
                settled => return settled,
            }
        }
    }

    async fn call_platform(
        &self,
        bounds: Bounds,
        filling: Filling<'_>,
        step: &Step,
        begun: Instant,
    ) -> Option<Settled> {
        let Place { room, settings, .. } = &self.place;
        let egress = &self.services.egress;
        let file = match outgoing::file(egress, step, &self.services.tools.files_base()).await {
            Ok(file) => file,
            Err(settled) => return Some(settled),
        };
        if begun.elapsed() > PREPARATION {
            return Some(Settled::Later(Some(AGAIN)));
        }
        let filling = Filling { file: &file, ..filling };
        match outgoing::request_with(step, room.spec(), settings, &filling) {
            Ok(request) => {
                let sent = outgoing::send_within(bounds, egress, step, request, room.spec(), settings);
                let settled = outgoing::settle(*room, step, sent.await);
                settled.map(|settled| crate::quiet(settled, step, filling.secrets))
            }
            Err(missing) => Some(Settled::Broken(missing.to_string())),
        }
    }

    /// The account's secrets, and what the step needs beside them.
    async fn secrets_for(&self, step: &Step, refused: Option<&str>, now: i64) -> Result<Secrets, Settled> {
        let mut secrets = self.place.secrets.clone();
        for token in tokens::needed(step, self.place.room.spec().tokens) {
            let account = &self.inbound.account;
            let got = self.services.tokens.get(self.services, &self.place, account, token, refused, now);
            secrets.insert(format!("token:{}", token.name), got.await?);
        }
        if matches!(step.auth, Auth::SigV4(_)) {
            of_process(&mut secrets).map_err(|missing| Settled::Broken(missing.to_string()))?;
        }
        Ok(secrets)
    }
}

/// The credentials and the region of the process, and its table, under names that no secret has.
fn of_process(secrets: &mut Secrets) -> Result<(), ingress::aws::NotSet> {
    let credentials = ingress::aws::credentials()?;
    if let Ok(table) = ingress::aws::variable("TABLE") {
        secrets.insert("aws:table", table);
    }
    secrets.insert("aws:region", ingress::aws::variable("AWS_REGION")?);
    secrets.insert("aws:access_key_id", credentials.access_key_id());
    secrets.insert("aws:secret_access_key", credentials.secret_access_key());
    if let Some(session) = credentials.session_token() {
        secrets.insert("aws:session_token", session);
    }
    Ok(())
}
