//! The two shapes of an event, and the one that both come to:
//! <https://developers.google.com/workspace/chat/api/reference/rest/v1/Event> and
//! <https://developers.google.com/workspace/add-ons/chat/convert>.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// Classic.
    #[serde(rename = "type")]
    kind: String,
    event_time: String,
    user: User,
    space: Space,
    thread: Thread,
    message: Option<Message>,
    common: Common,
    app_command_metadata: Command,
    /// Of an add-on.
    chat: Option<Chat>,
    common_event_object: Common,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Chat {
    user: User,
    event_time: String,
    message_payload: Option<Payload>,
    button_clicked_payload: Option<Payload>,
    app_command_payload: Option<Payload>,
    added_to_space_payload: Option<Value>,
    removed_from_space_payload: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    space: Space,
    thread: Thread,
    message: Option<Message>,
    app_command_metadata: Command,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Common {
    parameters: Map<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Command {
    /// A number, or one as text.
    pub app_command_id: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
    /// Of Google Workspace only.
    pub domain_id: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Space {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub space_type: String,
    pub space_threading_state: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Thread {
    pub name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Message {
    pub name: String,
    pub sender: User,
    pub create_time: String,
    pub text: String,
    pub formatted_text: String,
    /// Without the mentions of apps.
    pub argument_text: Option<String>,
    pub thread: Thread,
    pub thread_reply: bool,
    pub space: Space,
    pub annotations: Vec<Annotation>,
    pub slash_command: Option<Value>,
    pub attachment: Vec<File>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Annotation {
    pub user_mention: Option<Mention>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Mention {
    pub user: User,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct File {
    pub content_name: String,
    pub content_type: String,
    pub attachment_data_ref: Option<DataRef>,
    pub drive_data_ref: Option<DriveRef>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct DataRef {
    pub resource_name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct DriveRef {
    pub drive_file_id: String,
}

/// What somebody did.
pub enum What {
    Said,
    /// With the parameters of the button.
    Clicked(Map<String, Value>),
    Commanded(Command),
}

/// Something that somebody did, whichever kind of app was told.
pub struct Occurred {
    pub what: What,
    pub addon: bool,
    /// RFC 3339.
    pub at: String,
    pub user: User,
    pub space: Space,
    pub thread: Thread,
    /// Empty for quick commands; for a click it is the app's own, with the button.
    pub message: Message,
}

impl Event {
    /// What it tells of, or why that is nothing to answer.
    pub fn occurred(self) -> Result<Occurred, &'static str> {
        match self.chat {
            Some(chat) => chat.occurred(self.common_event_object),
            None => self.classic(),
        }
    }

    fn classic(self) -> Result<Occurred, &'static str> {
        let what = match (self.kind.as_str(), &self.message) {
            // A mention that adds the app to a space comes with it.
            ("MESSAGE" | "ADDED_TO_SPACE", Some(_)) => What::Said,
            ("ADDED_TO_SPACE" | "REMOVED_FROM_SPACE", _) => return Err("membership"),
            ("CARD_CLICKED", _) => What::Clicked(self.common.parameters),
            ("APP_COMMAND", _) => What::Commanded(self.app_command_metadata),
            ("WIDGET_UPDATED" | "APP_HOME" | "SUBMIT_FORM", _) => return Err("card"),
            _ => return Err("unknown kind"),
        };
        let (at, user, space, thread) = (self.event_time, self.user, self.space, self.thread);
        let message = self.message.unwrap_or_default();
        Ok(Occurred { what, addon: false, at, user, space, thread, message })
    }
}

impl Chat {
    fn occurred(self, common: Common) -> Result<Occurred, &'static str> {
        let (what, payload) =
            match (self.message_payload, self.button_clicked_payload, self.app_command_payload) {
                (Some(payload), _, _) => (What::Said, payload),
                (_, Some(payload), _) => (What::Clicked(common.parameters), payload),
                (_, _, Some(mut payload)) => {
                    (What::Commanded(std::mem::take(&mut payload.app_command_metadata)), payload)
                }
                _ if self.added_to_space_payload.is_some() || self.removed_from_space_payload.is_some() => {
                    return Err("membership");
                }
                _ => return Err("unknown kind"),
            };
        let (space, thread) = (payload.space, payload.thread);
        let message = payload.message.unwrap_or_default();
        Ok(Occurred { what, addon: true, at: self.event_time, user: self.user, space, thread, message })
    }
}
