//! What requests say besides their own operation, because the settings of a bucket say so: encryption, ACL, who pays.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, HeaderName, HeaderValue};
use md5::{Digest, Md5};

use super::audit::AuditSettings;
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

/// What a bucket's settings add to its requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestSettings {
    /// How new objects are encrypted, and the key that objects of the bucket are read with.
    pub encryption: Encryption,
    /// Canned ACL of new objects, as the header `x-amz-acl` spells it.
    pub acl: Option<String>,
    /// `Content-Encoding` of new objects.
    pub content_encoding: Option<String>,
    /// Whether the requester pays, and agrees to it.
    pub requester_pays: bool,
    /// Further headers of every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is told to the gateway's log; `None` tells it nothing.
    pub audit: Option<AuditSettings>,
    /// Radosgw's tenant that the bucket belongs to, where it is not the user's own.
    pub tenant: Option<String>,
}

impl RequestSettings {
    /// Whether the answer to a request that makes or copies an object says that it is encrypted as was asked for.
    ///
    /// # Errors
    /// `Unsupported` where it does not: Radosgw before Quincy takes a wish for SSE-S3 and does nothing about it.
    pub(super) fn check(&self, response: &Response, concern: Concern) -> Result<()> {
        const KIND: &str = "x-amz-server-side-encryption";
        let (asked, is_honoured) = match &self.encryption {
            Encryption::AsTheBucket => return Ok(()),
            Encryption::Gateway => ("AES256", response.header(KIND).is_some()),
            Encryption::KeyService { dual, .. } => {
                let kind = response.header(KIND).unwrap_or_default();
                (if *dual { "DSSE-KMS" } else { "SSE-KMS" }, kind.starts_with("aws:kms"))
            }
            Encryption::Customer(_) => {
                ("SSE-C", response.header("x-amz-server-side-encryption-customer-algorithm").is_some())
            }
        };
        if !matches!(concern, Concern::Makes | Concern::Copies) || !response.status.is_success() || is_honoured {
            return Ok(());
        }
        let message = format!(
            "the gateway does not say that it encrypts, and {asked} was asked for \
             (fs.s3a.encryption.algorithm): nothing is stored. Use SSE-KMS or SSE-C, or remove the option"
        );
        Err(Error::new(ErrorKind::Unsupported, message).answered(response.status.as_u16(), None, None))
    }

    /// Names encryption where it is the likely reason for a refusal: gateways say it with codes of other meanings.
    pub(super) fn explain(&self, refusal: Error, concern: Concern, tls: bool) -> Error {
        use Concern::{AddsPart, Completes, Copies, CopiesPart, Makes, Reads};
        let code = refusal.service_code().unwrap_or_default();
        let message = match (concern, &self.encryption, code) {
            (Makes | Copies, Encryption::Gateway | Encryption::KeyService { .. }, "InvalidRequest") if !tls => {
                "the gateway encrypts nothing that comes without TLS (Radosgw: rgw_crypt_require_ssl): use an https:// endpoint"
            }
            (Makes | Copies, Encryption::KeyService { .. }, code)
                if code == "InvalidAccessKeyId"
                    || code.starts_with("KMS.")
                    || refusal.message().contains("kms-keyid") =>
            {
                "the key service has no key of the id in fs.s3a.encryption.key, or, where that is right, the gateway does \
                 not know fs.s3a.access.key"
            }
            (Reads, Encryption::AsTheBucket, "InvalidRequest" | "InvalidArgument") => {
                "the object is probably encrypted with a customer's key: set fs.s3a.encryption.algorithm=SSE-C and \
                 fs.s3a.encryption.key"
            }
            (
                Reads | Copies | CopiesPart | AddsPart | Completes,
                Encryption::Customer(_),
                "InvalidArgument" | "AccessDenied",
            ) => "the object was probably not written with the key in fs.s3a.encryption.key",
            _ => return refusal,
        };
        let kind = if refusal.kind() == ErrorKind::BadCredentials { ErrorKind::AccessDenied } else { refusal.kind() };
        refusal.restated(kind, message)
    }
}

/// How the gateway encrypts objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Encryption {
    /// As the bucket's own settings say.
    #[default]
    AsTheBucket,
    /// SSE-S3: keys of the gateway.
    Gateway,
    /// SSE-KMS, and DSSE-KMS where it is `dual`: keys of a key management service.
    KeyService {
        /// Which key; `None` is the service's default.
        key: Option<String>,
        /// Context in base64 of JSON.
        context: Option<String>,
        /// Two layers.
        dual: bool,
    },
    /// SSE-C: a key that every request carries.
    Customer(CustomerKey),
}

/// A key of 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey([u8; 32]);

impl CustomerKey {
    /// The key that `text` is in base64; `None` for another length.
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text.trim()).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(***)")
    }
}

/// What a request has to do with an object's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concern {
    /// Nothing: lists, deletions.
    #[default]
    None,
    /// It reads an object.
    Reads,
    /// It makes an object.
    Makes,
    /// It makes an object of another one.
    Copies,
    /// It adds a part to an object.
    AddsPart,
    /// It adds a part of another object to one.
    CopiesPart,
    /// It makes an object of its parts; Radosgw from Tentacle on wants their key for it.
    Completes,
}

/// The same as headers.
#[derive(Debug, Default)]
pub(super) struct RequestHeaders {
    always: HeaderMap,
    new_object: HeaderMap,
    key: HeaderMap,
    source_key: HeaderMap,
}

impl RequestHeaders {
    /// # Errors
    /// `InvalidOption` for a value that no header can hold.
    pub(super) fn new(settings: &RequestSettings) -> Result<Self> {
        let mut headers = Self::default();
        for (name, value) in &settings.headers {
            headers.always.insert(name.clone(), value.clone());
        }
        if settings.requester_pays {
            headers.always.insert("x-amz-request-payer", HeaderValue::from_static("requester"));
        }
        let new_object =
            [(HeaderName::from_static("x-amz-acl"), &settings.acl), (CONTENT_ENCODING, &settings.content_encoding)];
        for (name, value) in new_object {
            if let Some(value) = value {
                headers.new_object.insert(name.clone(), header_value(&name, value)?);
            }
        }
        headers.encrypt(&settings.encryption)?;
        Ok(headers)
    }

    fn encrypt(&mut self, encryption: &Encryption) -> Result<()> {
        const KIND: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
        match encryption {
            Encryption::AsTheBucket => {}
            Encryption::Gateway => {
                self.new_object.insert(KIND, HeaderValue::from_static("AES256"));
            }
            Encryption::KeyService { key, context, dual } => {
                let kind = if *dual { "aws:kms:dsse" } else { "aws:kms" };
                self.new_object.insert(KIND, HeaderValue::from_static(kind));
                for (name, value) in [
                    ("x-amz-server-side-encryption-aws-kms-key-id", key),
                    ("x-amz-server-side-encryption-context", context),
                ] {
                    if let Some(value) = value {
                        let name = HeaderName::from_static(name);
                        self.new_object.insert(name.clone(), header_value(&name, value)?);
                    }
                }
            }
            Encryption::Customer(key) => {
                for (prefix, target) in [("x-amz-", &mut self.key), ("x-amz-copy-source-", &mut self.source_key)] {
                    carry(target, prefix, key)?;
                }
            }
        }
        Ok(())
    }

    /// Adds what `concern` calls for. What the operation says itself stays.
    pub(super) fn add_to(&self, headers: &mut HeaderMap, concern: Concern) {
        let groups: &[&HeaderMap] = match concern {
            Concern::None => &[],
            Concern::Reads | Concern::AddsPart | Concern::Completes => &[&self.key],
            Concern::Makes => &[&self.new_object, &self.key],
            Concern::Copies => &[&self.new_object, &self.key, &self.source_key],
            Concern::CopiesPart => &[&self.key, &self.source_key],
        };
        for group in std::iter::once(&&self.always).chain(groups) {
            for (name, value) in *group {
                headers.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
}

/// The three headers that carry a key, in each request over TLS.
fn carry(target: &mut HeaderMap, prefix: &str, CustomerKey(key): &CustomerKey) -> Result<()> {
    let digest = STANDARD.encode(Md5::digest(key));
    for (name, value) in [("algorithm", "AES256".to_owned()), ("key", STANDARD.encode(key)), ("key-md5", digest)] {
        let name = format!("{prefix}server-side-encryption-customer-{name}");
        let name = HeaderName::try_from(name)
            .map_err(|cause| Error::new(ErrorKind::Internal, "no name of a header").caused_by(cause))?;
        let mut value = header_value(&name, &value)?;
        value.set_sensitive(true);
        target.insert(name, value);
    }
    Ok(())
}

fn header_value(name: &HeaderName, value: &str) -> Result<HeaderValue> {
    // Signing takes visible characters only.
    let value = HeaderValue::try_from(value).ok().filter(|value| value.to_str().is_ok());
    value.ok_or_else(|| {
        let message = format!("the header {name} cannot hold the value that the options give it: write visible ASCII");
        Error::new(ErrorKind::InvalidOption, message)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn names(settings: &RequestSettings, concern: Concern) -> Vec<String> {
        let mut headers = HeaderMap::new();
        RequestHeaders::new(settings).unwrap().add_to(&mut headers, concern);
        let mut names: Vec<_> =
            headers.keys().map(|name| name.as_str().replace("server-side-encryption", "sse")).collect();
        names.sort();
        names
    }

    const KEY: [&str; 3] = ["x-amz-sse-customer-algorithm", "x-amz-sse-customer-key", "x-amz-sse-customer-key-md5"];
    const SOURCE: [&str; 3] = [
        "x-amz-copy-source-sse-customer-algorithm",
        "x-amz-copy-source-sse-customer-key",
        "x-amz-copy-source-sse-customer-key-md5",
    ];

    #[rstest]
    #[case(Concern::None, &[])]
    #[case(Concern::Reads, &[KEY])]
    #[case(Concern::Makes, &[KEY])]
    #[case(Concern::AddsPart, &[KEY])]
    #[case(Concern::Completes, &[KEY])]
    #[case(Concern::Copies, &[SOURCE, KEY])]
    #[case(Concern::CopiesPart, &[SOURCE, KEY])]
    fn every_request_about_bytes_carries_the_customers_key(#[case] concern: Concern, #[case] wanted: &[[&str; 3]]) {
        let key = CustomerKey::from_base64("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let settings = RequestSettings { encryption: Encryption::Customer(key), ..RequestSettings::default() };
        assert_eq!(names(&settings, concern), wanted.concat());
    }

    #[test]
    fn new_objects_are_encrypted_with_keys_of_the_service() {
        let encryption = Encryption::KeyService { key: Some("k".into()), context: Some("e30=".into()), dual: true };
        let settings = RequestSettings { encryption, ..RequestSettings::default() };
        let wanted = ["x-amz-sse", "x-amz-sse-aws-kms-key-id", "x-amz-sse-context"];
        assert_eq!(names(&settings, Concern::Makes), wanted);
        assert_eq!(names(&settings, Concern::Copies), wanted);
        for concern in [Concern::None, Concern::Reads, Concern::AddsPart, Concern::CopiesPart, Concern::Completes] {
            assert!(names(&settings, concern).is_empty());
        }
    }

    #[test]
    fn the_operations_own_word_counts() {
        let settings = RequestSettings {
            acl: Some("public-read".into()),
            requester_pays: true,
            headers: vec![(HeaderName::from_static("x-site"), HeaderValue::from_static("a"))],
            ..RequestSettings::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-acl", HeaderValue::from_static("private"));
        RequestHeaders::new(&settings).unwrap().add_to(&mut headers, Concern::Makes);
        assert_eq!(headers["x-amz-acl"], "private");
        assert_eq!(headers["x-amz-request-payer"], "requester");
        assert_eq!(names(&settings, Concern::None), ["x-amz-request-payer", "x-site"]);
    }

    #[rstest]
    #[case("c2hvcnQ=")]
    #[case("no base64")]
    #[case("")]
    fn a_customers_key_has_256_bits(#[case] text: &str) {
        assert_eq!(CustomerKey::from_base64(text), None);
    }

    #[test]
    fn keys_are_not_shown() {
        let key = CustomerKey::from_base64("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let settings = RequestSettings { encryption: Encryption::Customer(key), ..RequestSettings::default() };
        let shown = format!("{settings:?} {:?}", RequestHeaders::new(&settings).unwrap());
        assert!(!shown.contains("MDEy") && !shown.contains("48"), "{shown}");
    }
}
