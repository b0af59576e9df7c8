//! Issuers, proxies, connections, and for how long is tried.

use Kind::{Boolean, Count, Secret, Text, Time};

use super::super::row::{Kind, Row, Unit};
use super::{DAY, HOUR};

options! {
    TRANSPORT:

    SSL_CA_FILE = Row::new("ssl.ca.file", Text, "PEM file of issuers to trust beside the other ones.")
        .environment(&["AWS_CA_BUNDLE"])
        .profile("ca_bundle");
    SSL_SYSTEM_STORE = Row::new("ssl.system.store", Boolean, "Whether the operating system's issuers are trusted.")
        .default("true");

    PROXY_HOST = Row::new(
        "proxy.host",
        Text,
        "Host of a proxy that every request goes through: a tunnel (`CONNECT`) to endpoints that speak TLS. The \
         environment's `http_proxy` and the like are not looked at.",
    )
        .hadoop(&["proxy.host"]);
    PROXY_PORT = Row::new(
        "proxy.port",
        Count,
        "Its port. Without it: 80, or 443 where the proxy speaks TLS, as with S3A 3.5; S3A 3.3 takes 443 unless \
         `connection.ssl.enabled` is false.",
    )
        .hadoop(&["proxy.port"])
        .range(1, 65535);
    PROXY_USERNAME = Row::new("proxy.username", Secret, "Name for the proxy (Basic), together with a password.")
        .hadoop(&["proxy.username"]);
    PROXY_PASSWORD = Row::new("proxy.password", Secret, "Password that belongs to that name.")
        .hadoop(&["proxy.password"]);
    PROXY_SSL_ENABLED = Row::new("proxy.ssl.enabled", Boolean, "Whether the proxy itself is spoken to in TLS.")
        .hadoop(&["proxy.ssl.enabled"])
        .default("false");

    CONNECTION_MAXIMUM = Row::new("connection.maximum", Count, "Most connections to the endpoint at a time.")
        .hadoop(&["connection.maximum"])
        .shipped(&["15"])
        .default("96")
        .range(1, 10_000);
    CONNECTION_ESTABLISH_TIMEOUT = Row::new(
        "connection.establish.timeout",
        Time(Unit::Milliseconds),
        "Name lookup, TCP connect and TLS handshake together. At most 10 s until the endpoint has answered \
         once.",
    )
        .hadoop(&["connection.establish.timeout"])
        .default("10s")
        .range(1, HOUR);
    CONNECTION_TIMEOUT = Row::new(
        "connection.timeout",
        Time(Unit::Milliseconds),
        "From the end of a request to the head of its answer. At most 10 s until the endpoint has answered \
         once.",
    )
        .hadoop(&["connection.timeout"])
        .default("200s")
        .range(1, DAY);
    CONNECTION_STALL_TIMEOUT = Row::new(
        "connection.stall.timeout",
        Time(Unit::Seconds),
        "Longest pause inside a body, in both directions.",
    )
        .default("60s")
        .range(1, DAY);
    CONNECTION_IDLE_TIME = Row::new(
        "connection.idle.time",
        Time(Unit::Milliseconds),
        "How long an unused connection is kept for the next request. Radosgw closes it after 65 s.",
    )
        .hadoop(&["connection.idle.time"])
        .default("50s")
        .range(1, DAY);
    RETRY_FIRST_CONTACT = Row::new(
        "retry.first.contact",
        Time(Unit::Seconds),
        "How long an endpoint that has never answered is tried.",
    )
        .default("30s")
        .range(0, DAY);
    RETRY_PATIENCE = Row::new(
        "retry.patience",
        Time(Unit::Seconds),
        "How long a gateway that is busy, resharding or away is waited for, once it has answered.",
    )
        .default("10m")
        .range(0, DAY);
    ATTEMPTS_MAXIMUM = Row::new(
        "attempts.maximum",
        Count,
        "Attempts after failures other than those that patience is for: broken connections, timeouts, errors \
         inside the gateway.",
    )
        .hadoop(&["attempts.maximum"])
        .shipped(&["5", "10", "20"])
        .default("8")
        .range(1, 1000);
    USER_AGENT_PREFIX = Row::new(
        "user.agent.prefix",
        Text,
        "First words of the User-Agent header, before `s3core/` and the version.",
    )
        .hadoop(&["user.agent.prefix"]);
}
