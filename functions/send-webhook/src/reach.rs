//! Where deliveries may go. Whoever may make a webhook must not reach what only this network
//! reaches: the database's neighbours, or the metadata of a cloud's machine.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use telecast_runtime::config::{ConfigError, Variables};

/// Where deliveries may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To https URLs, at addresses of the Internet.
    Internet,
    /// Anywhere, and by http: for a network of one's own.
    Anywhere,
}

impl Reach {
    /// Anywhere where WEBHOOK_ALLOW_PRIVATE is `true`.
    ///
    /// # Errors
    /// [`ConfigError`] for what is neither `true` nor `false`.
    pub fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        Ok(match variables.optional("WEBHOOK_ALLOW_PRIVATE")? {
            Some(true) => Self::Anywhere,
            Some(false) | None => Self::Internet,
        })
    }

    /// Whether this may be called; names are looked up when it is, by [`Resolve`].
    pub(crate) fn admits(self, url: &Url) -> Result<(), &'static str> {
        if self == Self::Anywhere {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err("only https URLs are called");
        }
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        match literal.parse::<IpAddr>() {
            Ok(address) if !is_public(address) => Err("the address is not one of the Internet"),
            _ => Ok(()),
        }
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> = found
                .filter(|address| reach == Reach::Anywhere || is_public(address.ip()))
                .collect();
            if admitted.is_empty() {
                return Err(io::Error::other("the name has no address of the Internet").into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the Internet's (IANA's registries of special-purpose
/// addresses name the others).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4() {
            // ::ffff:a.b.c.d reaches a.b.c.d, and ::1 is ::0.0.0.1.
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared by carriers (RFC 6598), for protocols (RFC 6890), for benches (RFC 2544).
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    // Global unicast, but for documentation, and for 6to4 and NAT64, which reach v4 addresses.
    (0x2000..0x4000).contains(&first)
        && first != 0x2002
        && !(first == 0x2001 && address.segments()[1] == 0x0db8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internet_is_reached() {
        for inside in [
            "10.0.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::",
            "::1",
            "fc00::1",
            "fe80::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "172.32.0.1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn a_url_with_an_address_of_this_network_is_not_called() {
        let admits = |url: &str| Reach::Internet.admits(&Url::parse(url).unwrap()).is_ok();
        assert!(admits("https://example.com/hook") && admits("https://1.1.1.1/"));
        for url in [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://[::1]:8443/",
            // Forms of 127.0.0.1 that URLs know.
            "https://2130706433/",
            "https://0x7f.1/",
        ] {
            assert!(!admits(url), "{url}");
        }
    }
}
