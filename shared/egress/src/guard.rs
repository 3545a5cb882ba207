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
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
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
mod tests {
    use super::*;

    fn check(expected: bool, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn private_and_special_addresses_are_refused() {
        check(
            false,
            &[
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.1",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.254",
                "169.254.169.254",
                "169.254.170.2",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.1",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.1.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.7",
                "203.0.113.9",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
            ],
        );
        check(
            false,
            &[
                "::",
                "::1",
                "::ffff:127.0.0.1",
                "::ffff:8.8.8.8",
                "::127.0.0.1",
                "64:ff9b::7f00:1",
                "64:ff9b:1::1",
                "100::1",
                "2001::1",
                "2001:2::1",
                "2001:db8::1",
                "2002:7f00:1::",
                "3fff::1",
                "5f00::1",
                "fc00::1",
                "fd00:ec2::254",
                "fe80::1",
                "fec0::1",
                "ff02::1",
            ],
        );
    }

    #[test]
    fn public_addresses_pass() {
        check(
            true,
            &[
                "1.1.1.1",
                "8.8.8.8",
                "100.63.255.255",
                "100.128.0.1",
                "172.15.255.255",
                "172.32.0.1",
                "192.0.1.1",
                "198.17.0.1",
                "223.255.255.255",
                "2606:4700:4700::1111",
                "2a00:1450::1",
                "2001:4860:4860::8888",
            ],
        );
    }

    #[test]
    fn addresses_are_judged_before_anything_is_sent() {
        let hosts = &["files.example.com", "*.cdn.example.com", "10.0.0.1", "127.0.0.1", "[::1]", "8.8.8.8"];
        let allowed = [
            "https://files.example.com/a",
            "https://FILES.example.com./a",
            "https://eu.cdn.example.com:8443/a",
            "https://8.8.8.8/",
        ];
        let refused = [
            "http://files.example.com/a",
            "ftp://files.example.com/a",
            "https://cdn.example.com/",
            "https://evilcdn.example.com/",
            "https://files.example.com.evil.net/",
            "https://user@files.example.com/",
            "https://:pw@files.example.com/",
            "https://10.0.0.1/",
            "https://127.0.0.1:9001/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://[::1]/",
            "https://other.net/",
            "https:///",
            "data:text/plain,hello",
        ];
        for url in allowed {
            assert!(super::check(&Url::parse(url).unwrap(), hosts).is_ok(), "{url}");
        }
        for url in refused {
            let refused = Url::parse(url).is_err() || super::check(&Url::parse(url).unwrap(), hosts).is_err();
            assert!(refused, "{url}");
        }
    }

    #[test]
    fn a_list_without_hosts_refuses_all_and_a_star_allows_any_public_one() {
        let url = Url::parse("https://example.com/").unwrap();
        assert!(super::check(&url, &[]).is_err());
        assert!(super::check(&url, &["*"]).is_ok());
        assert!(super::check(&Url::parse("https://169.254.169.254/").unwrap(), &["*"]).is_err());
    }
}
