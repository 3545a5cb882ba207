//! The channels: one line each. Everything that iterates over channels iterates over this table.

use channel::Channel;

macro_rules! rooms {
    ($($room:expr),* $(,)?) => {
        /// Every channel, by name.
        pub static ALL: &[&dyn Channel] = &[$(&$room),*];

        /// The same rooms as players of their platforms.
        #[cfg(feature = "local")]
        pub static LOCAL: &[&dyn channel::local::Local] = &[$(&$room),*];
    };
}

rooms![
    discord::Discord,
    email::Email,
    feishu::Feishu,
    googlechat::GoogleChat,
    instagram::Instagram,
    line::Line,
    matrix::Matrix,
    mattermost::Mattermost,
    messenger::Messenger,
    slack::Slack,
    teams::Teams,
    telegram::Telegram,
    twilio::Twilio,
    viber::Viber,
    web::Web,
    webhook::Webhook,
    wechat::WeChat,
    wecom::WeCom,
    whatsapp::WhatsApp
];

/// The channel of that name.
pub fn named(name: &str) -> Option<&'static dyn Channel> {
    ALL.iter().find(|room| room.spec().name == name).copied()
}

/// The channel of that name as a player of its platform.
#[cfg(feature = "local")]
pub fn local(name: &str) -> Option<&'static dyn channel::local::Local> {
    LOCAL.iter().find(|room| room.spec().name == name).copied()
}
