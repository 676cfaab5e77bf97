//! A database's URL, with those parameters that the driver does not know.

use std::{fmt, fs, net::IpAddr, str::FromStr, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

/// Where a database is and how to reach it. Its password is never shown.
///
/// Beyond what the driver reads, `sslmode` may be `verify-ca` or `verify-full`,
/// `sslrootcert` names a PEM file, and `pgbouncer=true` is understood. Without an
/// `sslmode`, a server elsewhere must speak TLS; one on this machine need not.
#[derive(Clone)]
pub struct DatabaseUrl {
    config: Config,
    verify: Verify,
    roots_pem: Option<String>,
    pooled: bool,
}

/// How much of the server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    /// Nothing: TLS against listeners only, as PostgreSQL's `require`.
    Nothing,
    /// That a trusted authority signed it.
    Authority,
    /// That, and that it is this host's.
    Host,
}

/// A URL that cannot be used. The message never repeats it: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// Not a URL of PostgreSQL's form.
    #[error(
        "is no PostgreSQL URL ({0}); an example is postgres://user:password@host:5432/database"
    )]
    Malformed(String),
    /// An sslmode that does not exist.
    #[error("has sslmode={0}; it must be disable, prefer, require, verify-ca or verify-full")]
    SslMode(String),
    /// A certificate file that cannot be read.
    #[error("has sslrootcert={path}, which cannot be read: {reason}")]
    RootCert {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl DatabaseUrl {
    /// What the driver needs.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the URL says that a transaction pooler is in between.
    pub fn is_pooled(&self) -> bool {
        self.pooled
    }

    /// With this authority's certificates (PEM) trusted instead of the public ones.
    #[must_use]
    pub fn trusting(mut self, roots_pem: String) -> Self {
        self.roots_pem = Some(roots_pem);
        self
    }

    pub(super) fn verify(&self) -> Verify {
        self.verify
    }

    pub(super) fn roots_pem(&self) -> Option<&str> {
        self.roots_pem.as_deref()
    }

    /// Hosts and ports, for messages.
    pub(super) fn server(&self) -> String {
        let ports = self.config.get_ports();
        self.config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(at, host)| {
                let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
                match host {
                    Host::Tcp(name) => format!("{name}:{port}"),
                    #[cfg(unix)]
                    Host::Unix(path) => path.display().to_string(),
                }
            })
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn is_local(config: &Config) -> bool {
        config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => {
                name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut known = Vec::new();
        let (mut ssl_mode, mut roots_pem, mut pooled) = (None, None, false);
        for parameter in parameters
            .split('&')
            .filter(|parameter| !parameter.is_empty())
        {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => ssl_mode = Some(mode),
                Some(("sslrootcert", path)) => {
                    let pem = fs::read_to_string(path).map_err(|error| UrlError::RootCert {
                        path: path.to_owned(),
                        reason: error.to_string(),
                    })?;
                    roots_pem = Some(pem);
                }
                Some(("pgbouncer", value)) => pooled = value == "true",
                _ => known.push(parameter),
            }
        }
        let mut config: Config = format!("{base}?{}", known.join("&"))
            .parse()
            .map_err(|error: tokio_postgres::Error| UrlError::Malformed(error.to_string()))?;
        if config.get_hosts().is_empty() {
            return Err(UrlError::Malformed("it names no host".to_owned()));
        }
        let (mode, verify) = match ssl_mode {
            Some("disable") => (SslMode::Disable, Verify::Nothing),
            Some("prefer") => (SslMode::Prefer, Verify::Nothing),
            Some("require") => (SslMode::Require, Verify::Nothing),
            Some("verify-ca") => (SslMode::Require, Verify::Authority),
            Some("verify-full") => (SslMode::Require, Verify::Host),
            Some(other) => return Err(UrlError::SslMode(other.to_owned())),
            None if Self::is_local(&config) => (SslMode::Prefer, Verify::Nothing),
            None => (SslMode::Require, Verify::Nothing),
        };
        config.ssl_mode(mode);
        // A peer that is gone without a word is found out in half a minute, not in hours.
        if !known
            .iter()
            .any(|parameter| parameter.starts_with("keepalives"))
        {
            config.keepalives_idle(Duration::from_secs(15));
            config.keepalives_interval(Duration::from_secs(5));
            config.keepalives_retries(3);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        if config.get_application_name().is_none() {
            config.application_name("telecast");
        }
        Ok(Self {
            config,
            verify,
            roots_pem,
            pooled,
        })
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.server())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> DatabaseUrl {
        url.parse().unwrap()
    }

    #[test]
    fn a_server_elsewhere_must_speak_tls_unless_the_url_says_otherwise() {
        let mode = |url| parse(url).config().get_ssl_mode();
        assert_eq!(mode("postgres://u:p@db.example.com/x"), SslMode::Require);
        assert_eq!(
            mode("postgres://u:p@db.example.com/x?sslmode=disable"),
            SslMode::Disable
        );
        assert_eq!(mode("postgres://u:p@127.0.0.1/x"), SslMode::Prefer);
        assert_eq!(mode("postgres://u:p@localhost:6543/x"), SslMode::Prefer);
    }

    #[test]
    fn a_peer_that_vanished_is_found_out_unless_the_url_says_when() {
        let url = parse("postgres://u:p@h/x");
        assert_eq!(url.config().get_keepalives_idle(), Duration::from_secs(15));
        let user_timeout = url.config().get_tcp_user_timeout().copied();
        assert_eq!(user_timeout, Some(Duration::from_secs(30)));
        let url = parse("postgres://u:p@h/x?keepalives_idle=60&tcp_user_timeout=5");
        assert_eq!(url.config().get_keepalives_idle(), Duration::from_secs(60));
        let user_timeout = url.config().get_tcp_user_timeout().copied();
        assert_eq!(user_timeout, Some(Duration::from_secs(5)));
    }

    #[test]
    fn the_modes_that_the_driver_does_not_know_are_understood() {
        let url = parse("postgres://u:p@h/x?sslmode=verify-full&pgbouncer=true&connect_timeout=3");
        assert_eq!(url.verify(), Verify::Host);
        assert!(url.is_pooled());
        assert_eq!(
            parse("postgres://u:p@h/x?sslmode=verify-ca").verify(),
            Verify::Authority
        );
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for url in [
            "mysql://u:secret@h/x",
            "postgres://u:secret@h/x?sslmode=always",
            "postgres://u:secret@h/x?sslrootcert=/nowhere.pem",
            "secret",
        ] {
            let message = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
        }
        let shown = format!("{:?}", parse("postgres://u:secret@h:1234/x"));
        assert_eq!(shown, "DatabaseUrl(h:1234)");
    }
}
