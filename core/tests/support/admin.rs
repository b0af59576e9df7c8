//! Radosgw's own interfaces for users, quotas and roles (<https://docs.ceph.com/en/latest/radosgw/adminops/>), of which the
//! test user may use all.

use std::path::Path;
use std::process::Command;

use http::Method;
use s3core::gateway::{Exchange, Gateway, OperationRequest};
use s3core::http::Response;
use s3core::{Error, ErrorKind, Result};

/// One request that no S3 operation makes.
struct Call {
    method: Method,
    bucket: &'static str,
    key: &'static str,
    query: Vec<(&'static str, String)>,
}

impl Exchange for Call {
    type Output = String;

    fn operation(&self) -> &'static str {
        "AdminCall"
    }

    fn place(&self) -> (&str, &str) {
        (self.bucket, self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let query = self.query.clone();
        Ok(OperationRequest { query, ..OperationRequest::new(self.method.clone(), self.bucket, self.key) })
    }

    async fn read(&mut self, response: Response) -> Result<String> {
        let status = response.status;
        let body = response.body.collect(1 << 20).await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if status.is_success() { Ok(text) } else { Err(Error::new(ErrorKind::BadRequest, format!("{status}: {text}"))) }
    }
}

async fn call(gateway: &Gateway, call: Call) -> String {
    let shown = format!("{} {}/{} {:?}", call.method, call.bucket, call.key, call.query);
    gateway.run(call).await.unwrap_or_else(|error| panic!("{shown}: {error:?}"))
}

fn owned(query: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// A user of one test, which is removed with everything it has.
pub struct User {
    gateway: Gateway,
    /// `uid` or `tenant$uid`.
    pub name: String,
}

impl User {
    /// Makes a user with these keys. `gateway` acts for the test user.
    pub async fn make(gateway: &Gateway, name: &str, access_key: &str, secret_key: &str) -> Self {
        let query = [
            ("uid", name),
            ("display-name", "a test"),
            ("access-key", access_key),
            ("secret-key", secret_key),
            ("key-type", "s3"),
        ];
        let user = Self { gateway: gateway.clone(), name: name.to_owned() };
        call(gateway, Call { method: Method::PUT, bucket: "admin", key: "user", query: owned(&query) }).await;
        user
    }

    /// Suspends the user, or lets it go on.
    pub async fn suspend(&self, suspended: bool) {
        let query = owned(&[("uid", &self.name), ("suspended", if suspended { "true" } else { "false" })]);
        call(&self.gateway, Call { method: Method::POST, bucket: "admin", key: "user", query }).await;
    }

    /// Lets the user have no more than so many objects.
    pub async fn limit_objects(&self, most: u64) {
        let query = owned(&[
            ("quota", ""),
            ("uid", &self.name),
            ("quota-type", "user"),
            ("max-objects", &most.to_string()),
            ("enabled", "true"),
        ]);
        call(&self.gateway, Call { method: Method::PUT, bucket: "admin", key: "user", query }).await;
    }

    /// Removes the user with everything it has.
    pub async fn remove(self) {
        let query = owned(&[("uid", &self.name), ("purge-data", "true")]);
        call(&self.gateway, Call { method: Method::DELETE, bucket: "admin", key: "user", query }).await;
    }
}

/// Lets a bucket of the test user hold no more than so many bytes, in whole KiB.
pub async fn limit_bucket(gateway: &Gateway, bucket: &str, most: u64) {
    let query = owned(&[
        ("quota", ""),
        ("uid", "dev"),
        ("bucket", bucket),
        ("max-size-kb", &(most >> 10).to_string()),
        ("enabled", "true"),
    ]);
    call(gateway, Call { method: Method::PUT, bucket: "admin", key: "bucket", query }).await;
}

/// Removes a bucket with everything in it: all versions, and what is being uploaded.
///
/// # Errors
/// The gateway's.
pub async fn remove_bucket(gateway: &Gateway, bucket: &str) -> Result<()> {
    let query = owned(&[("bucket", bucket), ("purge-objects", "true")]);
    gateway.run(Call { method: Method::DELETE, bucket: "admin", key: "bucket", query }).await.map(drop)
}

/// A role that the test user may take on, and what it may do; it stays, and is replaced where it is there already.
pub async fn make_role(gateway: &Gateway, name: &str, trust: &str, policy: &str) -> String {
    let iam = |query: Vec<(&'static str, String)>| Call { method: Method::POST, bucket: "", key: "", query };
    let create =
        owned(&[("Action", "CreateRole"), ("RoleName", name), ("Path", "/"), ("AssumeRolePolicyDocument", trust)]);
    match gateway.run(iam(create)).await {
        Err(error) if !error.message().contains("EntityAlreadyExists") => panic!("{error:?}"),
        _ => {}
    }
    let put =
        owned(&[("Action", "PutRolePolicy"), ("RoleName", name), ("PolicyName", "policy"), ("PolicyDocument", policy)]);
    call(gateway, iam(put)).await;
    format!("arn:aws:iam:::role/{name}")
}

/// Lets everybody who has a token of this issuer ask for roles that trust it.
pub async fn trust_issuer(gateway: &Gateway, url: &str, client: &str, thumbprint: &str) {
    let query = owned(&[
        ("Action", "CreateOpenIDConnectProvider"),
        ("Url", url),
        ("ClientIDList.member.1", client),
        ("ThumbprintList.member.1", thumbprint),
    ]);
    call(gateway, Call { method: Method::POST, bucket: "", key: "", query }).await;
}

/// `radosgw-admin` for the cluster of the environment: that of its release, where it is another than the machine's.
pub fn radosgw_admin() -> Command {
    if let Some(program) = std::env::var_os("S3CORE_TEST_RADOSGW_ADMIN") {
        return Command::new(program);
    }
    let directory =
        std::env::var_os("S3CORE_TEST_CEPH_DIR").expect("S3CORE_TEST_CEPH_DIR, as tests/ceph/up.sh writes it");
    let mut command = Command::new("radosgw-admin");
    command.arg("-c").arg(Path::new(&directory).join("ceph.conf"));
    command
}
