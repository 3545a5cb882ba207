//! Pictures and files in an answer: `![a chart](https://charts.example.com/7.png)`. Where the operator lets answers show those
//! of a host, they are sent as what they are; all others stay links, which nobody opens by accident.

use channel::Media;

/// More of one answer stay links.
const MOST: usize = 4;

/// The text without the pictures of these hosts, and the pictures. What stands in code is left alone.
pub fn taken_out(text: &str, hosts: &[String]) -> (String, Vec<Media>) {
    if hosts.is_empty() {
        return (text.to_owned(), Vec::new());
    }
    let (mut out, mut pictures, mut code) = (String::new(), Vec::new(), false);
    for line in text.split_inclusive('\n') {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        code ^= fence;
        if code || fence {
            out.push_str(line);
            continue;
        }
        let rest = without(line, hosts, &mut pictures);
        // A line that held nothing else is gone with its picture.
        if !rest.trim().is_empty() || line.trim().is_empty() {
            out.push_str(&rest);
        }
    }
    (out.trim().to_owned(), pictures)
}

fn without(line: &str, hosts: &[String], pictures: &mut Vec<Media>) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once("![") {
        let in_code = out.matches('`').count() % 2 + before.matches('`').count() % 2 == 1;
        match picture(after)
            .filter(|(media, _)| !in_code && pictures.len() < MOST && is_of(&media.url, hosts))
        {
            Some((media, after)) => {
                out.push_str(before);
                pictures.push(media);
                rest = after;
            }
            None => {
                out.push_str(before);
                out.push_str("![");
                rest = after;
            }
        }
    }
    out + rest
}

/// `alt](https://… "title")` and what follows it.
fn picture(text: &str) -> Option<(Media, &str)> {
    let (alt, after) = text.split_once("](")?;
    let (target, after) = after.split_once(')')?;
    let url = target.split_whitespace().next()?.trim_matches(['<', '>']);
    if alt.contains([']', '[', '\n']) || !url.starts_with("https://") {
        return None;
    }
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or("");
    let media_type = match file.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("pdf") => "application/pdf",
        Some("csv") => "text/csv",
        Some("mp3") => "audio/mpeg",
        Some("mp4") => "video/mp4",
        _ => "image/jpeg",
    };
    let name = if file.is_empty() { "picture" } else { file };
    let media = Media {
        url: url.to_owned(),
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        caption: alt.trim().to_owned(),
    };
    Some((media, after))
}

fn is_of(url: &str, hosts: &[String]) -> bool {
    let rest = url.strip_prefix("https://").unwrap_or("");
    let host = rest.split(['/', '?', '#']).next().unwrap_or("").to_ascii_lowercase();
    hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
        Some(below) => host.strip_suffix(below).is_some_and(|name| name.ends_with('.')),
        None => host == *allowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, pictures: &[(&str, &str)]) {
        let hosts = ["charts.example.com".to_owned(), "*.cdn.example.com".to_owned()];
        let (rest, found) = taken_out(text, &hosts);
        let found: Vec<(&str, &str)> =
            found.iter().map(|media| (media.url.as_str(), media.caption.as_str())).collect();
        assert_eq!((rest.as_str(), found.as_slice()), (expected, pictures), "{text}");
    }

    #[test]
    fn pictures_of_allowed_hosts_are_taken_out() {
        let chart = "https://charts.example.com/7.png";
        check("Here:\n\n![sales](https://charts.example.com/7.png)", "Here:", &[(chart, "sales")]);
        check("a ![x](https://charts.example.com/7.png \"t\") b", "a  b", &[(chart, "x")]);
        check("![](https://a.cdn.example.com/)", "", &[("https://a.cdn.example.com/", "")]);
    }

    #[test]
    fn all_else_stays() {
        for text in [
            "![x](https://evil.example/?q=secret)",
            "![x](https://charts.example.com.evil.example/7.png)",
            "![x](https://me@charts.example.com/7.png)",
            "![x](http://charts.example.com/7.png)",
            "![x](https://cdn.example.com/7.png)",
            "`![x](https://charts.example.com/7.png)`",
            "```\n![x](https://charts.example.com/7.png)\n```",
            "![half](https://charts.example.com/7",
            "[link](https://charts.example.com/7.png)",
        ] {
            check(text, text, &[]);
        }
        assert_eq!(taken_out("![x](https://a.example/1.png)", &[]).1, []);
    }

    #[test]
    fn files_are_known_by_their_names() {
        let hosts = ["e.com".to_owned()];
        let kind = |url: &str| taken_out(&format!("![x]({url})"), &hosts).1.remove(0).media_type;
        assert_eq!(kind("https://e.com/a.PDF?v=1"), "application/pdf");
        assert_eq!(kind("https://e.com/photo"), "image/jpeg");
    }
}
