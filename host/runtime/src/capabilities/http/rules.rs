//! The allow list of outbound HTTP: which URLs a grant covers, and which addresses nobody reaches without naming them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use serde::Deserialize;

/// One entry of an allow list: `https://api.example.com:443`, `https://api.example.com`, `https://*.example.com` or `*`.
///
/// A leading `*.` covers the names below a domain, not the domain itself. Without a port it is the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpGrant {
    text: String,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Everything,
    Origin {
        scheme: Scheme,
        host: Host,
        port: u16,
        explicit_port: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Exact(String),
    Below(String),
}

impl TryFrom<String> for HttpGrant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "*" {
            return Ok(Self {
                text,
                rule: Rule::Everything,
            });
        }
        let refuse = |why: &str| {
            Err(format!(
                "`{text}` is no HTTP grant: {why}; write scheme, host and port, such as \"https://api.example.com:443\""
            ))
        };
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(_) => return refuse("only http and https are supported"),
            None => return refuse("it has no scheme"),
        };
        let (host, port) = match split_port(rest) {
            Ok(parts) => parts,
            Err(why) => return refuse(why),
        };
        let host = normalise_host(host);
        let valid = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':'))
        };
        let host = match host.strip_prefix("*.") {
            Some(domain) if valid(domain) => Host::Below(domain.to_owned()),
            None if valid(&host) => Host::Exact(host),
            _ => return refuse("it has no host, or one with characters that no host has"),
        };
        let rule = Rule::Origin {
            scheme,
            host,
            port: port.unwrap_or(scheme.port()),
            explicit_port: port.is_some(),
        };
        Ok(Self { text, rule })
    }
}

impl HttpGrant {
    /// Whether a request to `scheme://host:port` is covered.
    pub fn matches(&self, scheme: &str, host: &str, port: u16) -> bool {
        let Rule::Origin {
            scheme: granted,
            host: pattern,
            port: granted_port,
            ..
        } = &self.rule
        else {
            return true;
        };
        let host = normalise_host(host);
        granted.name() == scheme
            && *granted_port == port
            && match pattern {
                Host::Exact(name) => *name == host,
                Host::Below(domain) => host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            }
    }

    /// Whether the grant names one host and a port, so that it may lead to a private address.
    pub fn is_exact(&self) -> bool {
        matches!(
            &self.rule,
            Rule::Origin {
                host: Host::Exact(_),
                explicit_port: true,
                ..
            }
        )
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Lower case, without the brackets of an IPv6 address and without a trailing dot.
pub(crate) fn normalise_host(host: &str) -> String {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.')
        .to_ascii_lowercase()
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    if authority.contains(['/', '?', '#', '@']) {
        return Err("a grant is for a host, without a path or a user");
    }
    let colon = match authority.rfind(']') {
        Some(bracket) => authority[bracket..].find(':').map(|at| at + bracket),
        None => authority.find(':'),
    };
    match colon {
        None => Ok((authority, None)),
        Some(at) => match authority[at + 1..].parse() {
            Ok(port) if port != 0 => Ok((&authority[..at], Some(port))),
            _ => Err("its port is not a number from 1 to 65535"),
        },
    }
}

/// Whether an address is one of the public Internet. Everything else needs a grant that names host and port: loopback,
/// private and link-local networks (cloud metadata services among them), carrier-grade NAT, multicast, documentation,
/// benchmarking and reserved ranges, and IPv6 forms that embed an IPv4 address of such a range.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(v4) = embedded_v4(address) {
        return is_public_v4(v4);
    }
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (segments[0] & 0xfe00) == 0xfc00
        || (segments[0] & 0xffc0) == 0xfe80
        || (segments[0] & 0xffc0) == 0xfec0
        || (segments[0] == 0x2001 && segments[1] == 0xdb8)
        || (segments[0] == 0x2001 && segments[1] < 0x200)
        || (segments[0] == 0x100 && segments[1..4] == [0, 0, 0])
        || (segments[0] == 0x3fff && segments[1] < 0x1000)
        || (segments[0] == 0x64 && segments[1] == 0xff9b && segments[2] == 1))
}

/// The IPv4 address within a mapped, compatible, NAT64 or 6to4 address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> HttpGrant {
        HttpGrant::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn scheme_host_and_port_have_to_match() {
        let exact = grant("https://api.example.com:443");
        assert!(exact.matches("https", "API.Example.com.", 443));
        assert!(!exact.matches("http", "api.example.com", 443));
        assert!(!exact.matches("https", "api.example.com", 8443));
        assert!(!exact.matches("https", "api.example.com.evil.org", 443));
        assert!(grant("http://api.example.com").matches("http", "api.example.com", 80));
        assert!(grant("http://[::1]:80").matches("http", "[::1]", 80));
    }

    #[test]
    fn a_wildcard_covers_names_below_a_domain_only() {
        let below = grant("https://*.example.com");
        assert!(below.matches("https", "a.example.com", 443));
        assert!(below.matches("https", "a.b.example.com", 443));
        assert!(!below.matches("https", "example.com", 443));
        assert!(!below.matches("https", "evilexample.com", 443));
        assert!(!below.is_exact() && !grant("*").is_exact() && !grant("https://a.example.com").is_exact());
        assert!(grant("https://a.example.com:443").is_exact());
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "api.example.com",
            "ftp://a",
            "https://",
            "https://a/path",
            "https://u@a",
            "https://a:0",
            "https://a:x",
            "https://*",
        ] {
            let error = HttpGrant::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains("https://api.example.com:443"), "{text}: {error}");
        }
    }

    #[test]
    fn private_addresses_in_all_their_forms() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::10.0.0.1",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
