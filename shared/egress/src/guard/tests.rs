use super::*;

/// A class of addresses by its first and last, and the nearest addresses outside of it that are public.
struct Class {
    name: &'static str,
    first: &'static str,
    last: &'static str,
    outside: &'static [&'static str],
}

/// The IANA registries of special-purpose addresses, and the blocks that wrap or resemble them.
const CLASSES: &[Class] = &[
    Class { name: "this network", first: "0.0.0.0", last: "0.255.255.255", outside: &["1.0.0.0"] },
    Class {
        name: "private 10/8",
        first: "10.0.0.0",
        last: "10.255.255.255",
        outside: &["9.255.255.255", "11.0.0.0"],
    },
    Class {
        name: "carrier-grade NAT",
        first: "100.64.0.0",
        last: "100.127.255.255",
        outside: &["100.63.255.255", "100.128.0.0"],
    },
    Class {
        name: "loopback",
        first: "127.0.0.0",
        last: "127.255.255.255",
        outside: &["126.255.255.255", "128.0.0.0"],
    },
    Class {
        name: "link-local",
        first: "169.254.0.0",
        last: "169.254.255.255",
        outside: &["169.253.255.255", "169.255.0.0"],
    },
    Class {
        name: "private 172.16/12",
        first: "172.16.0.0",
        last: "172.31.255.255",
        outside: &["172.15.255.255", "172.32.0.0"],
    },
    Class {
        name: "protocol assignments",
        first: "192.0.0.0",
        last: "192.0.0.255",
        outside: &["191.255.255.255", "192.0.1.0"],
    },
    Class {
        name: "documentation 1",
        first: "192.0.2.0",
        last: "192.0.2.255",
        outside: &["192.0.1.255", "192.0.3.0"],
    },
    Class {
        name: "6to4 relays",
        first: "192.88.99.0",
        last: "192.88.99.255",
        outside: &["192.88.98.255", "192.88.100.0"],
    },
    Class {
        name: "private 192.168/16",
        first: "192.168.0.0",
        last: "192.168.255.255",
        outside: &["192.167.255.255", "192.169.0.0"],
    },
    Class {
        name: "benchmarks",
        first: "198.18.0.0",
        last: "198.19.255.255",
        outside: &["198.17.255.255", "198.20.0.0"],
    },
    Class {
        name: "documentation 2",
        first: "198.51.100.0",
        last: "198.51.100.255",
        outside: &["198.51.99.255", "198.51.101.0"],
    },
    Class {
        name: "documentation 3",
        first: "203.0.113.0",
        last: "203.0.113.255",
        outside: &["203.0.112.255", "203.0.114.0"],
    },
    Class { name: "multicast", first: "224.0.0.0", last: "239.255.255.255", outside: &["223.255.255.255"] },
    Class { name: "reserved, broadcast", first: "240.0.0.0", last: "255.255.255.255", outside: &[] },
    Class { name: "unspecified, IPv4-compatible", first: "::", last: "::ffff:ffff", outside: &[] },
    Class { name: "IPv4-mapped", first: "::ffff:0.0.0.0", last: "::ffff:255.255.255.255", outside: &[] },
    Class { name: "NAT64", first: "64:ff9b::", last: "64:ff9b::ffff:ffff", outside: &[] },
    Class {
        name: "NAT64, local use",
        first: "64:ff9b:1::",
        last: "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        outside: &[],
    },
    Class { name: "discard", first: "100::", last: "100::ffff:ffff:ffff:ffff", outside: &[] },
    Class {
        name: "not assigned",
        first: "200::",
        last: "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &["2000::"],
    },
    Class { name: "Teredo", first: "2001::", last: "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", outside: &[] },
    Class {
        name: "protocol assignments, v6",
        first: "2001::",
        last: "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &["2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"],
    },
    Class {
        name: "documentation, v6",
        first: "2001:db8::",
        last: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"],
    },
    Class {
        name: "6to4",
        first: "2002::",
        last: "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &["2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"],
    },
    Class {
        name: "documentation 2, v6",
        first: "3fff::",
        last: "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &["3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"],
    },
    Class {
        name: "segment routing, not assigned",
        first: "4000::",
        last: "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &["3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    },
    Class {
        name: "unique local",
        first: "fc00::",
        last: "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &[],
    },
    Class {
        name: "link-local, v6",
        first: "fe80::",
        last: "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &[],
    },
    Class {
        name: "site-local",
        first: "fec0::",
        last: "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &[],
    },
    Class {
        name: "multicast, v6",
        first: "ff00::",
        last: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        outside: &[],
    },
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}

#[test]
fn no_special_class_is_public_from_its_first_address_to_its_last() {
    for class in CLASSES {
        for text in [class.first, class.last] {
            assert!(!is_public(address(text)), "{}: {text}", class.name);
        }
        for text in class.outside {
            assert!(is_public(address(text)), "{text}, next to {}", class.name);
        }
    }
}

#[test]
fn what_wraps_a_public_address_is_not_public_either() {
    for text in ["::8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::", "2001:0:808:808::1"] {
        assert!(!is_public(address(text)), "{text}");
    }
}

#[test]
fn addresses_that_everybody_can_reach_are_public() {
    for text in ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450::1", "2001:4860:4860::8888"] {
        assert!(is_public(address(text)), "{text}");
    }
}

/// A name may have both kinds, and another answer the next time: only what was judged is connected to.
#[test]
fn of_a_names_addresses_only_the_public_ones_are_left() {
    let socket = |text: &str| SocketAddr::new(address(text), 0);
    let mixed = ["127.0.0.1", "8.8.8.8", "169.254.169.254", "::1", "2606:4700:4700::1111"].map(socket);
    let left = public_of(mixed.into_iter()).unwrap();
    assert_eq!(left, [socket("8.8.8.8"), socket("2606:4700:4700::1111")]);
    for class in CLASSES {
        assert!(public_of([socket(class.first), socket(class.last)].into_iter()).is_err(), "{}", class.name);
    }
    assert!(public_of(std::iter::empty()).is_err());
}

fn refused(url: &str, hosts: &[&str]) -> bool {
    Url::parse(url).map_or(true, |url| check(&url, hosts).is_err())
}

#[test]
fn only_https_to_listed_hosts_is_allowed() {
    let hosts = &["files.example.com", "*.cdn.example.com", "8.8.8.8"];
    for url in [
        "https://files.example.com/a",
        "https://FILES.example.com./a",
        "https://eu.cdn.example.com:8443/a",
        "https://8.8.8.8/",
    ] {
        assert!(!refused(url, hosts), "{url}");
    }
    for url in [
        "http://files.example.com/a",
        "ftp://files.example.com/a",
        "https://cdn.example.com/",
        "https://evilcdn.example.com/",
        "https://files.example.com.evil.net/",
        "https://user@files.example.com/",
        "https://:pw@files.example.com/",
        "https://other.net/",
        "https:///",
        "data:text/plain,hello",
        "file:///etc/passwd",
        "//files.example.com/",
    ] {
        assert!(refused(url, hosts), "{url}");
    }
}

/// However it is written, an address of this machine or its network is one.
#[test]
fn other_spellings_of_private_addresses_are_refused_too() {
    for url in [
        "https://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "https://127.0.0.1./",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0/",
        "https://10.1/",
        "https://0xa9fea9fe/latest/meta-data",
        "https://%31%32%37.0.0.1/",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[fe80::1%25eth0]/",
        "https://8.8.8.8@127.0.0.1/",
        "https://127.0.0.1\\@8.8.8.8/",
        "https://127.0.0.1#@8.8.8.8/",
        "https://127.0.0.1?@8.8.8.8/",
    ] {
        assert!(refused(url, &["*"]), "{url}");
    }
    for url in ["https://0x08080808/", "https://8.8.8.8:9001/", "https://[2606:4700:4700::1111]/"] {
        assert!(!refused(url, &["*"]), "{url}");
    }
}

#[test]
fn a_list_without_hosts_refuses_all_and_a_star_allows_any_public_one() {
    assert!(refused("https://example.com/", &[]));
    assert!(!refused("https://example.com/", &["*"]));
    assert!(refused("https://169.254.169.254/", &["*"]));
    assert!(refused("https://10.0.0.1/", &["10.0.0.1"]), "a list opens no private network");
}
