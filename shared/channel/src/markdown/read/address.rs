//! Which addresses become links, and in which form.

/// Addresses that may become links.
const SCHEMES: [&str; 5] = ["http:", "https:", "mailto:", "tel:", "tg:"];

/// An address as the dialects get it, or `None` where its kind must not become a link.
pub(super) fn address_for_link(address: &str) -> Option<String> {
    let address = address.trim();
    let scheme = SCHEMES
        .iter()
        .find(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    if address.len() <= scheme.len() {
        return None;
    }
    let mut url = String::with_capacity(address.len());
    for c in address.chars() {
        if is_foreign(c) {
            let mut bytes = [0; 4];
            let encoded = percent_encoding::utf8_percent_encode(
                c.encode_utf8(&mut bytes),
                percent_encoding::NON_ALPHANUMERIC,
            );
            url.extend(encoded);
        } else {
            url.push(c);
        }
    }
    Some(url)
}

/// A word around the first bare web address in it; punctuation of the sentence is not part of the address.
pub(super) fn split_address(word: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = word.split_at_checked(word.find("http")?)?;
    let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme))?;
    if before.chars().next_back().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let outside = |c| is_foreign(c) || ('\u{3000}'..='\u{303F}').contains(&c) || c >= '\u{FF00}';
    let mut address = rest.get(..rest.find(outside).unwrap_or(rest.len()))?;
    let mut unopened = address.matches(')').count().saturating_sub(address.matches('(').count());
    while let Some(last) = address.chars().next_back() {
        match last {
            ')' if unopened > 0 => unopened -= 1,
            _ if ".,;:!?'*_~]…".contains(last) => {}
            _ => break,
        }
        address = address.get(..address.len() - last.len_utf8())?;
    }
    (address.len() > scheme.len()).then_some((before, address, rest.get(address.len()..)?))
}

/// Characters that do not belong into an address, and that some dialect could take for its end.
fn is_foreign(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'<>`\\|^{}".contains(c)
}
