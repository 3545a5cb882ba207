//! What keeps untrusted addresses off private networks (server-side request forgery).
//!
//! The check sits in the resolver, so the address that was judged is the one that is connected to: a name
//! that answers differently the second time gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Error;

/// A name or address that leads nowhere public.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
pub(crate) struct NotPublic;

/// Judges an address before anything is sent: https, no credentials in it, a listed host, and no literal
/// address of a private network.
///
/// `hosts` are exact names, `*.name` for everything below a name, or `*` for any host; empty refuses all.
pub(crate) fn check(url: &Url, hosts: &[&str]) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::Refused(why.into()));
    if url.scheme() != "https" {
        return refuse("only https addresses may be fetched");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("an address with a user name or password may not be fetched");
    }
    let Some(host) = url.host_str() else {
        return refuse("the address has no host");
    };
    if !hosts.iter().any(|allowed| covers(allowed, host)) {
        return refuse("the host is not among those allowed here");
    }
    // `Url` has already turned forms such as 0x7f.1 and 2130706433 into dotted quads.
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(Error::Refused(NotPublic.to_string())),
        _ => Ok(()),
    }
}

fn covers(allowed: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match allowed.strip_prefix('*') {
        Some("") => true,
        Some(suffix) if suffix.starts_with('.') => {
            // The case of ASCII letters does not matter in names; `Url` has lowered the host's.
            let (host, suffix) = (host.as_bytes(), suffix.as_bytes());
            host.len() > suffix.len()
                && host.iter().rev().zip(suffix.iter().rev()).all(|(a, b)| a.eq_ignore_ascii_case(b))
        }
        _ => host.eq_ignore_ascii_case(allowed),
    }
}

/// Resolves names to their public addresses only.
pub(crate) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(public_of(found)?.into_iter()) as Addrs)
        })
    }
}

/// Those of a name's addresses that may be connected to; nothing else of the answer is kept.
fn public_of(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() { Err(NotPublic) } else { Ok(public) }
}

/// Whether an address is reachable by everybody, by the IANA registries of special-purpose addresses:
/// <https://www.iana.org/assignments/iana-ipv4-special-registry/> and
/// <https://www.iana.org/assignments/iana-ipv6-special-registry/>.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127, ..] => true,  // this network, private, loopback
        [100, 64..=127, ..] => true, // carrier-grade NAT
        [169, 254, ..] => true,      // link-local: cloud metadata and credentials
        [172, 16..=31, ..] => true,  // private
        [192, 0, 0 | 2, _] => true,  // protocol assignments, documentation
        [192, 88, 99, _] => true,    // 6to4 relays
        [192, 168, ..] => true,      // private
        [198, 18 | 19, ..] => true,  // benchmarks
        [198, 51, 100, _] => true,   // documentation
        [203, 0, 113, _] => true,    // documentation
        [224..=255, ..] => true,     // multicast, reserved, broadcast
        _ => false,
    };
    !special
}

/// Only global unicast, 2000::/3, is public at all. That leaves out loopback, unique local, link-local,
/// multicast, and whatever wraps an IPv4 address (::ffff:0:0/96, 64:ff9b::/96).
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0x0000..=0x01ff, ..] => false, // protocol assignments, Teredo, benchmarks
        [0x2001, 0x0db8, ..] => false,          // documentation
        [0x2002, ..] => false,                  // 6to4: wraps an IPv4 address
        [0x3fff, 0x0000..=0x0fff, ..] => false, // documentation
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
