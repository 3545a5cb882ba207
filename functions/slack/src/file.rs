//! Files out, in three calls: <https://docs.slack.dev/messaging/working-with-files#uploading_files>.

use channel::{Address, Auth, Body, Media, Response, Settled, Step, Target, Upload};
use serde_json::{Value, json};

use crate::render::{call, extend};
use crate::spec::BOT_TOKEN;

/// Says where the bytes go. It takes a form only, whatever its page says (github.com/Octember/earshot/pull/10).
pub const RESERVE: &str = "files.getUploadURLExternal";
/// Shows what was uploaded.
pub const SHARE: &str = "files.completeUploadExternal";

/// Slack names a place for the bytes, takes them, and shows the file. Until then nobody sees anything.
pub fn upload(media: &Media, to: &Address) -> [Step; 3] {
    let file = || Upload::of(media, "");
    let target = Target::Base { base: "api".to_owned(), path: format!("/{RESERVE}") };
    let fields = vec![("filename".to_owned(), media.name.clone())];
    let fill = vec![("length".to_owned(), "length".to_owned())];
    let reserve = Step::new("POST", target, Body::FormWithSecrets { fields, fill });
    let reserve = reserve.auth(Auth::bearer(BOT_TOKEN)).file(file()).repeatable();
    let hand_over = Step::new("POST", Target::Answer, Body::None).file(file()).repeatable();
    let mut value = json!({ "files": [{ "id": "", "title": media.name }], "channel_id": to.chat });
    if let Some(thread) = &to.thread {
        extend(&mut value, json!({ "thread_ts": thread }));
    }
    let fill = vec![("/files/0/id".to_owned(), "earlier#".to_owned())];
    let mut share = call(SHARE, Value::Null);
    share.body = Body::JsonWithSecrets { value, fill };
    [reserve, hand_over, share]
}

/// As many calls as come before a file is shown, which change nothing: a link takes the place of what Slack refused.
pub fn instead_of_an_upload() -> [Step; 2] {
    let nothing = || call("auth.test", json!({})).optional();
    [nothing(), nothing()]
}

/// The place of the bytes, with the file's id behind `#`.
pub fn place(body: &Value) -> Settled {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    match (text("upload_url"), text("file_id")) {
        (Some(url), Some(id)) => Settled::Posted(Some(format!("{url}#{id}"))),
        _ => Settled::Unformatted,
    }
}

/// What came of the bytes. What is not taken is sent as a link.
pub fn handed_over(response: &Response) -> Settled {
    match Settled::by_status(response) {
        Settled::Gone | Settled::Broken(_) => Settled::Unformatted,
        other => other,
    }
}
