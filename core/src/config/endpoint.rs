//! Reads the address of an S3 service as users write it.

use std::net::Ipv6Addr;

use crate::http::Endpoint;

/// The endpoint that `text` means; `tls` where it names no scheme. `Err` says what is wrong and how to write it, as
/// the end of a sentence.
pub(crate) fn parse(text: &str, tls: bool) -> Result<Endpoint, String> {
    let (tls, rest) = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
        Some((scheme, _)) => {
            return Err(format!("\"{scheme}\" is no scheme of S3; write http:// or https://"));
        }
        None => (tls, text),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') {
        return Err("it holds a user; keys have options of their own (access.key, secret.key)".to_owned());
    }
    if !tail.trim_end_matches('/').is_empty() {
        let scheme = if tls { "https" } else { "http" };
        return Err(format!(
            "it has a path or query (\"{tail}\"); write {scheme}://{authority}, the bucket belongs into s3a://BUCKET/"
        ));
    }
    if authority.contains(',') {
        return Err("it names several hosts; write one".to_owned());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']').ok_or("a closing bracket is missing; write [::1]:8000")?;
            address.parse::<Ipv6Addr>().map_err(|_| format!("\"{address}\" is no IPv6 address"))?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or("write [::1]:8000")?) };
            (address, port)
        }
        None if authority.parse::<Ipv6Addr>().is_ok() => {
            return Err(format!("an IPv6 address goes into brackets; write [{authority}]:8000"));
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (named(host)?, Some(port)),
            None => (named(authority)?, None),
        },
    };
    let port = match port {
        None if tls => 443,
        None => 80,
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| format!("\"{port}\" is no port; write a number from 1 to 65535"))?,
    };
    Ok(Endpoint { tls, host: host.to_ascii_lowercase(), port })
}

fn named(host: &str) -> Result<&str, String> {
    if host.is_empty() {
        return Err("it names no host; write http://host:port".to_owned());
    }
    if !host.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Err(format!("\"{host}\" is no host name; write http://host:port"));
    }
    Ok(host)
}

/// Amazon's own endpoint for `region`.
pub(super) fn of_amazon(region: &str) -> Endpoint {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    Endpoint { tls: true, host: format!("s3.{region}.{suffix}"), port: 443 }
}

/// Amazon's Security Token Service for `region`.
pub(crate) fn sts_of_amazon(region: &str) -> Endpoint {
    let s3 = of_amazon(region);
    Endpoint { host: s3.host.replacen("s3.", "sts.", 1), ..s3 }
}

/// Whether Amazon answers there.
pub(crate) fn is_amazon(endpoint: &Endpoint) -> bool {
    let host = endpoint.host.trim_end_matches(".cn");
    host == "amazonaws.com" || host.ends_with(".amazonaws.com")
}

/// The region that is part of an endpoint of Amazon's: `s3.eu-west-1.amazonaws.com`, `s3.dualstack.…`,
/// `s3-eu-west-1.…`.
pub(super) fn region_of(endpoint: &Endpoint) -> Option<&str> {
    if !is_amazon(endpoint) {
        return None;
    }
    let name = endpoint.host.trim_end_matches(".cn").strip_suffix(".amazonaws.com")?;
    let label = name.rsplit('.').next()?;
    let region = label.strip_prefix("s3-").unwrap_or(label);
    (region != "s3" && region.ends_with(|c: char| c.is_ascii_digit())).then_some(region)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("rgw:8000", true, "https://rgw:8000")]
    #[case("rgw:8000", false, "http://rgw:8000")]
    #[case("rgw", false, "http://rgw")]
    #[case("http://rgw:8000", true, "http://rgw:8000")]
    #[case("HTTP://RGW:8000/", true, "http://rgw:8000")]
    #[case("https://rgw", false, "https://rgw")]
    #[case("https://rgw:443", false, "https://rgw")]
    #[case("http://10.0.0.1:7480//", true, "http://10.0.0.1:7480")]
    #[case("[::1]:8000", false, "http://[::1]:8000")]
    #[case("https://[fd00::2]", false, "https://[fd00::2]")]
    #[case("http://ceph_rgw:8000", false, "http://ceph_rgw:8000")]
    fn addresses(#[case] text: &str, #[case] tls: bool, #[case] shown: &str) {
        assert_eq!(parse(text, tls).unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("http://rgw:8000/bucket", "write http://rgw:8000,")]
    #[case("rgw:8000/bucket", "write https://rgw:8000,")]
    #[case("http://rgw:8000?x=1", "path or query")]
    #[case("http://me:word@rgw:8000", "access.key")]
    #[case("ftp://rgw", "http:// or https://")]
    #[case("s3://bucket", "http:// or https://")]
    #[case("::1", "[::1]:8000")]
    #[case("[::1", "bracket")]
    #[case("[::1]8000", "[::1]:8000")]
    #[case("[rgw]:8000", "no IPv6 address")]
    #[case("rgw:port", "1 to 65535")]
    #[case("rgw:0", "1 to 65535")]
    #[case("rgw:65536", "1 to 65535")]
    #[case("rgw:", "1 to 65535")]
    #[case("http://", "no host")]
    #[case("one:80,two:80", "several hosts")]
    #[case("my rgw", "no host name")]
    #[case("käse", "no host name")]
    fn mistakes_name_the_remedy(#[case] text: &str, #[case] remedy: &str) {
        let complaint = parse(text, true).unwrap_err();
        assert!(complaint.contains(remedy), "{complaint}");
        assert!(!complaint.contains("word"), "{complaint}");
    }

    #[rstest]
    #[case("s3.eu-west-1.amazonaws.com", true, Some("eu-west-1"))]
    #[case("s3-us-west-2.amazonaws.com", true, Some("us-west-2"))]
    #[case("s3.dualstack.eu-central-1.amazonaws.com", true, Some("eu-central-1"))]
    #[case("s3.cn-north-1.amazonaws.com.cn", true, Some("cn-north-1"))]
    #[case("s3.amazonaws.com", true, None)]
    #[case("s3.eu-west-1.amazonaws.com.example.org", false, None)]
    #[case("rgw", false, None)]
    fn amazon_is_known_by_its_name(#[case] host: &str, #[case] amazon: bool, #[case] region: Option<&str>) {
        let endpoint = parse(host, true).unwrap();
        assert_eq!(is_amazon(&endpoint), amazon);
        assert_eq!(region_of(&endpoint), region);
    }

    #[test]
    fn amazons_endpoints_name_their_own_region() {
        for region in ["us-east-1", "cn-northwest-1"] {
            assert_eq!(region_of(&of_amazon(region)), Some(region));
        }
    }
}
