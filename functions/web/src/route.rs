//! What a request is for. The first segment of a path is the account, and others may stand before what matters.

use channel::Request;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A browser asks whether a page may ask.
    Preflight,
    /// The widget's code.
    Widget,
    /// A session, for a page of an allowed site.
    Session,
    /// A message of a visitor.
    Message,
    /// A file that is to go with a message: where may it be put?
    File,
    /// What is in the outbox, as soon as it is something else than what the page has.
    Read,
    /// The same, again and again.
    Events,
    /// OpenAI's chat completions.
    Complete,
    /// OpenAI's list of models.
    Models,
    /// One of them.
    Model,
    /// Something else of OpenAI's.
    OtherOfPrograms,
    Other,
}

impl Route {
    pub fn of(request: &Request) -> Route {
        let path = request.path.trim_end_matches('/');
        let ends = |end: &str| path.ends_with(end);
        match request.method.as_str() {
            "OPTIONS" => Route::Preflight,
            "GET" | "HEAD" if ends("/widget.js") => Route::Widget,
            "GET" if ends("/messages") => Route::Read,
            "GET" if ends("/events") => Route::Events,
            "GET" if ends("/v1/models") => Route::Models,
            "POST" if ends("/session") => Route::Session,
            "POST" if ends("/messages") => Route::Message,
            "POST" if ends("/files") => Route::File,
            "POST" if ends("/v1/chat/completions") => Route::Complete,
            "GET" if path.contains("/v1/models/") => Route::Model,
            _ if path.contains("/v1/") => Route::OtherOfPrograms,
            _ => Route::Other,
        }
    }

    /// A program's, with a key for a proof.
    pub fn is_of_programs(self) -> bool {
        matches!(self, Route::Complete | Route::Models | Route::Model | Route::OtherOfPrograms)
    }
}
