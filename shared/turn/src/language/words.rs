//! Common short words of languages in Latin letters, and letters that no other of them has.

/// Code, words, letters.
pub const WORDS: &[(&str, &str, &str)] = &[
    (
        "en",
        "the and is are you your can could how what where when why who this that with for have has please hello hi hey thanks i my \
         of to it do does not a an",
        "",
    ),
    (
        "de",
        "der die das und ist sind ich du sie wir mir mich mein meine bei mit für wie was wo wann warum wer bitte danke hallo guten \
         tag morgen nicht ein eine kann können auf zu im den dem",
        "ß",
    ),
    (
        "fr",
        "le la les et est sont je tu vous nous mon ma mes avec pour comment quoi où quand pourquoi qui bonjour salut merci pas un \
         une des du pouvez s'il plaît c'est que",
        "œ",
    ),
    (
        "es",
        "el los las y es son yo tú usted me mi mis con para cómo qué dónde cuándo por quién hola gracias buenos días favor un una \
         del puede que",
        "ñ¿¡",
    ),
    (
        "it",
        "il lo gli e è sono io tu lei mi mio mia con per come cosa dove quando perché chi ciao grazie buongiorno non un una del \
         della può che",
        "",
    ),
    (
        "pt",
        "o os as e é são eu você vocês meu minha com para como onde quando porquê quem olá oi obrigado obrigada não um uma do da \
         pode bom dia me que",
        "ãõ",
    ),
    (
        "nl",
        "de het een en is zijn ik jij je u mij mijn met voor hoe wat waar wanneer waarom wie hallo hoi goedemorgen dank bedankt \
         niet kunt kan van aan",
        "",
    ),
    (
        "pl",
        "i jest są ja ty pan pani mi mnie moim mój moja z dla jak co gdzie kiedy dlaczego kto cześć dzień dobry dziękuję proszę nie \
         czy może na się",
        "łżźśąę",
    ),
    (
        "tr",
        "ve bir bu şu ben sen siz bana benim için ile nasıl ne nerede neden kim merhaba selam teşekkürler lütfen değil mi mı misiniz \
         var yok",
        "ğış",
    ),
];
