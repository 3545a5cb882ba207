//! Email, which has no address to call: may SES send, is the domain ours, does mail reach the stack.

use aws_credential_types::provider::ProvideCredentials as _;
use channel::{Auth, Body, Channel, Response, Secrets, Step, Target, encode};
use egress::Egress;
use model_invoker::outgoing::Outcome;
use serde_json::Value;

use super::Findings;
use crate::Error;
use crate::connect::Caller;
use crate::deploy::parameters;
use crate::place::Place;

/// What the local cloud calls the domain.
const LOCAL_DOMAIN: &str = "local";
const STEPS: &str = "crabhook connect email prints the steps";

pub async fn check(
    place: &Place,
    room: &dyn Channel,
    settings: &Value,
    egress: &Egress,
    findings: &mut Findings,
) -> Result<(), Error> {
    let caller = Caller {
        egress: egress.clone(),
        room,
        settings: settings.clone(),
        commands: Vec::new(),
        secrets: credentials(place).await,
    };
    may_send(&caller, findings).await?;
    let domain = match place.is_local() {
        true => LOCAL_DOMAIN.to_owned(),
        false => parameters(&place.aws, &place.stack)
            .await?
            .and_then(|mut all| all.remove("EmailDomain"))
            .unwrap_or_default(),
    };
    is_verified(&caller, &domain, findings).await?;
    // The local cloud has no receipt rules.
    if !place.is_local() {
        is_received(&caller, &place.stack, findings).await?;
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html>
async fn may_send(caller: &Caller<'_>, findings: &mut Findings) -> Result<(), Error> {
    let Some(account) = asked(caller, "/v2/email/account", findings).await? else { return Ok(()) };
    let account = account.body_json();
    let is = |name: &str| account.get(name).and_then(Value::as_bool) == Some(true);
    if !is("SendingEnabled") {
        let why = "SES has stopped sending for this account";
        findings.wrong("email", why, "SES → Account dashboard says why");
    } else if !is("ProductionAccessEnabled") {
        let why = "SES is in its sandbox: answers go to verified addresses only";
        findings.wrong("email", why, "SES → Account dashboard → Request production access");
    } else {
        findings.good("email: SES sends to everybody");
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentity.html>
async fn is_verified(caller: &Caller<'_>, domain: &str, findings: &mut Findings) -> Result<(), Error> {
    let path = format!("/v2/email/identities/{}", encode::segment(domain));
    let Some(identity) = asked(caller, &path, findings).await? else { return Ok(()) };
    let identity = identity.body_json();
    if identity.get("VerifiedForSendingStatus").and_then(Value::as_bool) == Some(true) {
        findings.good(format!("email: SES sends from {domain}"));
    } else {
        let to_do = format!("SES → Identities → {domain}, its DKIM records into DNS; {STEPS}");
        findings.wrong("email", format!("SES does not know yet that {domain} is yours"), to_do);
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference/API_DescribeActiveReceiptRuleSet.html>
async fn is_received(caller: &Caller<'_>, stack: &str, findings: &mut Findings) -> Result<(), Error> {
    let path = "/?Action=DescribeActiveReceiptRuleSet&Version=2010-12-01";
    let Some(active) = asked(caller, path, findings).await? else { return Ok(()) };
    match active_rule_set(&String::from_utf8_lossy(&active.body)) {
        Some(name) if name == stack => findings.good("email: its receipt rule is active"),
        other => {
            let why = match other {
                Some(name) => format!("another set of receipt rules is active, {name}"),
                None => "no set of receipt rules is active".to_owned(),
            };
            let to_do = format!("aws ses set-active-receipt-rule-set --rule-set-name {stack}");
            findings.wrong("email", format!("{why}, so mail does not come here"), to_do);
        }
    }
    Ok(())
}

/// Its name is in the metadata; rules have names, too.
fn active_rule_set(answer: &str) -> Option<&str> {
    let (_, metadata) = answer.split_once("<Metadata>")?;
    let (metadata, _) = metadata.split_once("</Metadata>")?;
    let (_, name) = metadata.split_once("<Name>")?;
    name.split_once("</Name>").map(|(name, _)| name)
}

/// What SES says; `None` where it does not, which is then written down.
async fn asked(caller: &Caller<'_>, path: &str, findings: &mut Findings) -> Result<Option<Response>, Error> {
    let target = Target::Base { base: "api".to_owned(), path: path.to_owned() };
    let step = Step::new("GET", target, Body::None).auth(Auth::SigV4("ses".to_owned()));
    Ok(match caller.outcome(&step).await? {
        Outcome::Answered(answer) if answer.is_success() => Some(answer),
        // A domain that was never told of.
        Outcome::Answered(answer) if answer.status == 404 => Some(Response::empty(404)),
        Outcome::Answered(answer) => {
            let why = format!("SES answers {} to {path}", answer.status);
            findings.wrong("email", why, "Do your credentials allow to read from SES?");
            None
        }
        _ => {
            findings.wrong("email", "SES cannot be reached", "Does SES receive mail in this region?");
            None
        }
    })
}

/// The operator's own, under the names that steps are signed with.
async fn credentials(place: &Place) -> Secrets {
    let mut secrets = Secrets::default();
    if let Some(provider) = place.aws.credentials_provider()
        && let Ok(credentials) = provider.provide_credentials().await
    {
        secrets.insert("aws:access_key_id", credentials.access_key_id());
        secrets.insert("aws:secret_access_key", credentials.secret_access_key());
        if let Some(session) = credentials.session_token() {
            secrets.insert("aws:session_token", session);
        }
    }
    secrets.insert("aws:region", place.aws.region().map_or("", |region| region.as_ref()));
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_rule_set_is_not_one_of_its_rules() {
        let rules = "<Rules><member><Name>crabhook</Name></member></Rules>";
        let answer = |metadata: &str| format!("<A><R>{metadata}{rules}</R></A>");
        let metadata = "<Metadata><Name>other</Name><CreatedTimestamp>2026-11-18T11:06:42Z</CreatedTimestamp></Metadata>";
        assert_eq!(active_rule_set(&answer(metadata)), Some("other"));
        assert_eq!(active_rule_set(&answer("")), None);
    }
}
