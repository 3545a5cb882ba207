//! A visitor's session, or a program's key.

use channel::{Context, Reject, Request, Unverified, Verified, jwt, sign};

use crate::session::{self, Session};
use crate::spec::{API_KEY, SESSION_KEY};
use crate::{Route, cors};

/// An authentic request, and whose it is.
pub struct Known<'a> {
    pub request: Verified<'a>,
    pub who: Who,
}

pub enum Who {
    Visitor(Session),
    /// A program with the key.
    Program,
}

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Known<'a>, Reject> {
    let who = match Route::of(request.0).is_of_programs() {
        true => program(request.0, ctx)?,
        false => visitor(request.0, ctx)?,
    };
    Ok(Known { request: request.verified(), who })
}

/// Whether a program with the key asks.
pub fn is_program(request: &Request, ctx: &Context<'_>) -> bool {
    program(request, ctx).is_ok()
}

fn visitor(request: &Request, ctx: &Context<'_>) -> Result<Who, Reject> {
    let keys = ctx.secrets.get(SESSION_KEY).ok_or(Reject::NotSetUp(SESSION_KEY))?;
    let token = jwt::bearer(request)?;
    session::open(keys, token, cors::origin(request), ctx.now).map(Who::Visitor).map_err(Reject::Forged)
}

fn program(request: &Request, ctx: &Context<'_>) -> Result<Who, Reject> {
    let keys = ctx.secrets.get(API_KEY).ok_or(Reject::NotSetUp(API_KEY))?;
    let given = jwt::bearer(request)?;
    let is = |key: &str| sign::equal(key.as_bytes(), given.as_bytes());
    match session::keys(keys).any(is) {
        true => Ok(Who::Program),
        false => Err(Reject::Forged("another key")),
    }
}
