//! Which language somebody writes, as far as our own lines need to know it, and those lines.
//!
//! Scripts tell most languages; those in Latin letters are told by their commonest short words. A wrong guess costs a line in another
//! language, so this is a table and no model.

mod words;

use crate::config::Assistant;
use words::WORDS;

/// Code, name in English, and the line that an assistant answers.
pub const LANGUAGES: &[(&str, &str, &str)] = &[
    ("en", "English", "You are talking to an AI assistant."),
    ("de", "German", "Sie schreiben mit einem KI-Assistenten."),
    ("fr", "French", "Vous échangez avec un assistant IA."),
    ("es", "Spanish", "Está hablando con un asistente de IA."),
    ("it", "Italian", "Sta parlando con un assistente IA."),
    ("pt", "Portuguese", "Está a falar com um assistente de IA."),
    ("nl", "Dutch", "U praat met een AI-assistent."),
    ("pl", "Polish", "Rozmawia Pan/Pani z asystentem AI."),
    ("tr", "Turkish", "Bir yapay zekâ asistanıyla yazışıyorsunuz."),
    ("ru", "Russian", "Вы общаетесь с ИИ-ассистентом."),
    ("ja", "Japanese", "AIアシスタントがお答えしています。"),
    ("zh", "Chinese", "您正在与 AI 助手对话。"),
    ("ko", "Korean", "AI 어시스턴트와 대화하고 있습니다."),
    ("ar", "Arabic", "أنت تتحدث مع مساعد ذكاء اصطناعي."),
    ("hi", "Hindi", "आप एक AI सहायक से बात कर रहे हैं।"),
];

/// The code of the language of our own lines to somebody who wrote `text`: as configured, else as they wrote, else English.
pub fn of(assistant: &Assistant, text: &str) -> &'static str {
    let set = assistant.language.as_deref().and_then(known);
    set.or_else(|| detect(text)).unwrap_or("en")
}

/// The code as this table has it; `de-AT` is `de`.
pub fn known(code: &str) -> Option<&'static str> {
    let code = code.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES.iter().map(|(known, ..)| *known).find(|known| known.eq_ignore_ascii_case(code))
}

/// The name of a language in English, English where the code is not known.
pub fn name(code: &str) -> &'static str {
    LANGUAGES.iter().find(|(known, ..)| *known == code).map_or("English", |(_, name, _)| name)
}

/// The line that an assistant answers, English where the code is not known.
pub fn disclosure(code: &str) -> &'static str {
    let lines = LANGUAGES.iter();
    lines.clone().find(|(known, ..)| *known == code).or(lines.clone().next()).map_or("", |(.., line)| line)
}

/// The code of the language of a text; `None` where it cannot be told.
pub fn detect(text: &str) -> Option<&'static str> {
    by_script(text).or_else(|| by_words(text))
}

/// By the script of most of its letters. Kana make a text Japanese whatever else it holds.
fn by_script(text: &str) -> Option<&'static str> {
    let mut counts: [(&'static str, usize); 7] =
        [("latin", 0), ("ru", 0), ("ar", 0), ("hi", 0), ("ko", 0), ("zh", 0), ("ja", 0)];
    for letter in text.chars().filter(|c| c.is_alphabetic()) {
        let script = match letter {
            '\u{400}'..='\u{52f}' => "ru",
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => "ar",
            '\u{900}'..='\u{97f}' => "hi",
            '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' => "ko",
            '\u{3040}'..='\u{30ff}' => "ja",
            '\u{3400}'..='\u{9fff}' => "zh",
            _ => "latin",
        };
        if let Some((_, count)) = counts.iter_mut().find(|(name, _)| *name == script) {
            *count += 1;
        }
    }
    let (most, count) = counts.iter().copied().max_by_key(|(_, count)| *count)?;
    let kana = counts.iter().any(|(name, count)| *name == "ja" && *count > 0);
    match most {
        "latin" => None,
        "zh" | "ja" if kana => Some("ja"),
        most => (count > 0).then_some(most),
    }
}

/// By its commonest words and letters. Where two languages share them all, the one that stands first.
fn by_words(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '\'').collect();
    let score = |common: &str, letters: &str| {
        let common =
            words.iter().filter(|word| !word.is_empty() && common.split(' ').any(|known| known == **word));
        common.count() + 2 * usize::from(lower.contains(|c| letters.contains(c)))
    };
    let scores = WORDS.iter().map(|(code, common, letters)| (*code, score(common, letters)));
    // The first of the best: `max_by_key` would take the last.
    let best = scores.rev().max_by_key(|(_, score)| *score)?;
    (best.1 > 0).then_some(best.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(detect(text), expected, "{text}");
    }

    #[test]
    fn languages_are_told_apart() {
        check("Hello, can you help me with my order?", Some("en"));
        check("Hallo, können Sie mir bei meiner Bestellung helfen?", Some("de"));
        check("Bonjour, pouvez-vous m'aider avec ma commande ?", Some("fr"));
        check("¿Me puede ayudar con mi pedido, por favor?", Some("es"));
        check("Ciao, mi può aiutare con il mio ordine?", Some("it"));
        check("Olá, você pode me ajudar com o meu pedido?", Some("pt"));
        check("Kunt u mij helpen met mijn bestelling?", Some("nl"));
        check("Czy może mi Pan pomóc z moim zamówieniem?", Some("pl"));
        check("Merhaba, siparişim için bana yardım eder misiniz?", Some("tr"));
        check("Здравствуйте, помогите мне с заказом", Some("ru"));
        check("注文について助けてください", Some("ja"));
        check("请帮我处理订单", Some("zh"));
        check("주문을 도와주세요", Some("ko"));
        check("هل يمكنك مساعدتي في طلبي؟", Some("ar"));
        check("क्या आप मेरे ऑर्डर में मदद कर सकते हैं?", Some("hi"));
        check("hello", Some("en"));
        check("hallo", Some("de"));
        check("hola", Some("es"));
        check("gracias", Some("es"));
        check("Was bedeutet 訳 im Japanischen?", Some("de"));
        check("", None);
        check("42 + 7", None);
        check("xkcd", None);
        check("\u{1f600}", None);
    }

    #[test]
    fn our_lines_are_in_the_language_that_is_set_or_written() {
        let set = |language: Option<&str>| Assistant {
            language: language.map(str::to_owned),
            ..Assistant::default()
        };
        assert_eq!(of(&set(None), "Guten Tag"), "de");
        assert_eq!(of(&set(None), "42"), "en");
        assert_eq!(of(&set(Some("fr-CA")), "Guten Tag"), "fr");
        assert_eq!(of(&set(Some("xx")), "Guten Tag"), "de");
        let lines: std::collections::BTreeSet<&str> =
            LANGUAGES.iter().map(|(code, ..)| disclosure(code)).collect();
        assert_eq!(lines.len(), 15, "every language has a line of its own");
        assert_eq!((name("de"), name("xx"), disclosure("xx")), ("German", "English", disclosure("en")));
    }

    proptest! {
        #[test]
        fn every_guess_is_a_language_with_a_line(text in "\\PC{0,60}") {
            if let Some(code) = detect(&text) {
                prop_assert_eq!(known(code), Some(code));
            }
        }
    }
}
