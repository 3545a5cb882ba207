//! Which thread a mail belongs to, and how an answer stays in it: <https://www.rfc-editor.org/rfc/rfc5322#section-3.6.4>.

/// Longest value of a header that `SendEmail` takes, characters:
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html>.
const MAX_VALUE: usize = 995;

/// What a mail says of its place, and what its answer says.
#[derive(Debug, PartialEq, Eq)]
pub struct Thread {
    /// The first mail of the thread, as far as is known.
    pub key: String,
    pub in_reply_to: Option<String>,
    pub references: String,
}

/// `message_id`, `in_reply_to` and `references` as the headers have them, empty without one.
pub fn thread(message_id: &str, in_reply_to: &str, references: &str) -> Thread {
    let own = ids(message_id).into_iter().next_back();
    let before = ids(references);
    let before = if before.is_empty() { ids(in_reply_to) } else { before };
    let key = before.first().copied().or(own).unwrap_or_default().to_owned();
    let all: Vec<&str> = before.into_iter().filter(|id| Some(*id) != own).chain(own).collect();
    Thread { key, in_reply_to: own.map(str::to_owned), references: fit(&all) }
}

/// The subject of an answer.
pub fn answered(subject: &str) -> String {
    let subject = subject.trim();
    let is_reply = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    if is_reply { subject.to_owned() } else { format!("Re: {subject}").trim_end().to_owned() }
}

/// Ids in angle brackets, printable, in order.
fn ids(header: &str) -> Vec<&str> {
    let is_id = |id: &&str| {
        id.len() > 2 && id.starts_with('<') && id.ends_with('>') && id.bytes().all(|b| b.is_ascii_graphic())
    };
    header.split_ascii_whitespace().filter(is_id).filter(|id| id.len() < MAX_VALUE / 3).collect()
}

/// The root and as many of the newest as fit.
fn fit(all: &[&str]) -> String {
    let Some((root, newer)) = all.split_first() else { return String::new() };
    let mut left = MAX_VALUE - root.len();
    let newest = newer.iter().rev().take_while(|id| {
        let fits = id.len() < left;
        left = left.saturating_sub(id.len() + 1);
        fits
    });
    let mut newest: Vec<&str> = newest.copied().collect();
    newest.push(root);
    newest.reverse();
    newest.join(" ")
}
