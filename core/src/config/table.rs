//! The one table of options: what each is called in every source, how it is spelled and what it is when nobody says.
//!
//! A new option is one more entry here and one line where [`Options`](super::Options) is put together; spelling,
//! order of the sources, errors, `explain()` and `docs/options.md` follow from the entry.

use Kind::{Boolean, Choice, Count, Document, List, Secret, Size, Text, Time};

use super::read_policy::ReadPolicy;
use super::requests;
use super::row::{Kind, Row, Unit};

macro_rules! options {
    ($($constant:ident = $row:expr;)*) => {
        $(pub(crate) const $constant: Row = $row;)*

        /// Every option, grouped by subject.
        pub const TABLE: &[Row] = &[$($constant),*];
    };
}

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

options! {
    ENDPOINT = Row::new(
        "endpoint",
        Text,
        "Address of the S3 service: `host`, `host:port` or a URL without path. Without one it is Amazon's for \
         the region.",
    )
        .hadoop(&["endpoint"])
        .environment(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
        .profile("endpoint_url");
    CONNECTION_SSL_ENABLED = Row::new(
        "connection.ssl.enabled",
        Boolean,
        "Whether an endpoint written without `http://` or `https://` speaks TLS.",
    )
        .hadoop(&["connection.ssl.enabled"])
        .default("true");
    REGION = Row::new(
        "region",
        Text,
        "Region that signatures name. Ceph Radosgw takes any; without one it follows from an endpoint of \
         Amazon's.",
    )
        .hadoop(&["endpoint.region"])
        .environment(&["AWS_REGION", "AWS_DEFAULT_REGION"])
        .profile("region")
        .default("us-east-1");
    PATH_STYLE_ACCESS = Row::new(
        "path.style.access",
        Boolean,
        "`endpoint/bucket/key` rather than `bucket.endpoint/key`. Without it: true except for Amazon's \
         endpoints.",
    )
        .hadoop(&["path.style.access"])
        .shipped(&["false"]);

    ACCESS_KEY = Row::new(
        "access.key",
        Text,
        "Access key. It is taken together with a secret key from the same source only.",
    )
        .hadoop(&["access.key"])
        .environment(&["AWS_ACCESS_KEY_ID"])
        .profile("aws_access_key_id");
    SECRET_KEY = Row::new("secret.key", Secret, "Secret key that belongs to the access key.")
        .hadoop(&["secret.key"])
        .environment(&["AWS_SECRET_ACCESS_KEY"])
        .profile("aws_secret_access_key");
    SESSION_TOKEN = Row::new(
        "session.token",
        Secret,
        "Session token of temporary keys, from the same source as the keys.",
    )
        .hadoop(&["session.token"])
        .environment(&["AWS_SESSION_TOKEN"])
        .profile("aws_session_token");
    PROFILE = Row::new(
        "profile",
        Text,
        "Section of the AWS profile files. Named here or in Hadoop's configuration it goes before the \
         environment.",
    )
        .hadoop(&["auth.profile.name"])
        .environment(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
        .default("default");
    PROFILE_FILE = Row::new(
        "profile.file",
        Text,
        "File with the keys of profiles. Without it: `~/.aws/credentials`.",
    )
        .hadoop(&["auth.profile.file"])
        .environment(&["AWS_SHARED_CREDENTIALS_FILE"]);
    CREDENTIALS_PROVIDER = Row::new(
        "credentials.provider",
        List,
        "Where keys are looked for, in this order: `static`, `environment`, `web-identity`, `profile`, `container`, \
         `instance`, `assumed-role`, `anonymous`, or S3A's and the AWS SDKs' class names for them. Unless this is set, \
         the metadata service of instances is asked, and the token of a platform shown, on Amazon's endpoints only; \
         elsewhere the token is where `assumed.role.sts.endpoint` or `web.identity.*` is set.",
    )
        .hadoop(&["aws.credentials.provider"])
        .shipped(&[
            "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider, org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider, \
             com.amazonaws.auth.EnvironmentVariableCredentialsProvider, org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider",
            "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider, org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider, \
             software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider, \
             org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider",
        ])
        .default("static,environment,web-identity,profile,container,instance");
    ASSUMED_ROLE_ARN = Row::new("assumed.role.arn", Text, "Role that the provider `assumed-role` takes on.")
        .hadoop(&["assumed.role.arn"]);
    ASSUMED_ROLE_SESSION_NAME = Row::new(
        "assumed.role.session.name",
        Text,
        "Name of the session, for the logs of the service. Without it: the user's.",
    )
        .hadoop(&["assumed.role.session.name"]);
    ASSUMED_ROLE_SESSION_DURATION = Row::new(
        "assumed.role.session.duration",
        Time(Unit::Seconds),
        "For how long the role's keys are issued; new ones are asked for before they expire. Services take 15m to 12h.",
    )
        .hadoop(&["assumed.role.session.duration"])
        .default("30m")
        .range(1000, 12 * HOUR);
    ASSUMED_ROLE_POLICY = Row::new(
        "assumed.role.policy",
        Document,
        "A policy in JSON that narrows what the role may do.",
    )
        .hadoop(&["assumed.role.policy"]);
    ASSUMED_ROLE_EXTERNAL_ID = Row::new(
        "assumed.role.external.id",
        Secret,
        "External id that the role's trust policy asks for.",
    )
        .hadoop(&["assumed.role.external.id"]);
    ASSUMED_ROLE_CREDENTIALS_PROVIDER = Row::new(
        "assumed.role.credentials.provider",
        List,
        "Where the keys are looked for that the role is taken on with; names as for `credentials.provider`.",
    )
        .hadoop(&["assumed.role.credentials.provider"])
        .shipped(&["org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"])
        .default("static,environment");
    STS_ENDPOINT = Row::new(
        "assumed.role.sts.endpoint",
        Text,
        "Address of the Security Token Service. Without it: the endpoint itself, which is right for Radosgw, and \
         Amazon's service of the region on Amazon's endpoints.",
    )
        .hadoop(&["assumed.role.sts.endpoint"])
        .environment(&["AWS_ENDPOINT_URL_STS"]);
    STS_REGION = Row::new(
        "assumed.role.sts.endpoint.region",
        Text,
        "Region that signatures for the Security Token Service name. Without it: that of the bucket's endpoint.",
    )
        .hadoop(&["assumed.role.sts.endpoint.region"])
        .shipped(&["us-west-1"]);
    WEB_IDENTITY_TOKEN_FILE = Row::new(
        "web.identity.token.file",
        Text,
        "File with the token that the provider `web-identity` shows; read anew each time.",
    )
        .environment(&["AWS_WEB_IDENTITY_TOKEN_FILE"]);
    WEB_IDENTITY_ROLE_ARN = Row::new("web.identity.role.arn", Text, "Role that the token gives a right to.")
        .environment(&["AWS_ROLE_ARN"]);
    WEB_IDENTITY_SESSION_NAME = Row::new("web.identity.session.name", Text, "Name of the session.")
        .environment(&["AWS_ROLE_SESSION_NAME"]);
    CONTAINER_CREDENTIALS_URI = Row::new(
        "container.credentials.uri",
        Text,
        "Where the provider `container` asks: a URL, or a path at the address that ECS has.",
    )
        .environment(&["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
    CONTAINER_AUTHORIZATION_TOKEN = Row::new(
        "container.authorization.token",
        Secret,
        "Value of the header `Authorization` of that request.",
    )
        .environment(&["AWS_CONTAINER_AUTHORIZATION_TOKEN"]);
    CONTAINER_AUTHORIZATION_TOKEN_FILE = Row::new(
        "container.authorization.token.file",
        Text,
        "File with that value; read anew each time.",
    )
        .environment(&["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]);
    INSTANCE_METADATA_ENDPOINT = Row::new(
        "instance.metadata.endpoint",
        Text,
        "Where the provider `instance` asks (version 2 of the service). Without it: the address that EC2 has.",
    )
        .environment(&["AWS_EC2_METADATA_SERVICE_ENDPOINT"])
        .profile("ec2_metadata_service_endpoint");
    INSTANCE_METADATA_DISABLED = Row::new(
        "instance.metadata.disabled",
        Boolean,
        "Keeps the provider `instance` from asking.",
    )
        .environment(&["AWS_EC2_METADATA_DISABLED"])
        .default("false");
    ANONYMOUS = Row::new("anonymous", Boolean, "Sends requests unsigned, for public buckets.")
        .default("false");

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

    MULTIPART_SIZE = Row::new(
        "multipart.size",
        Size,
        "Size of an upload's parts, rounded up to a multiple of 4 MiB (Ceph's stripe); at least 8 MiB.",
    )
        .hadoop(&["multipart.size"])
        .default("64M")
        .range(1, 5 << 30);
    MULTIPART_THRESHOLD = Row::new(
        "multipart.threshold",
        Size,
        "Objects of at least this size are copied in parts; 5M to 5G. One request copies up to 5G, and on Radosgw \
         moves no bytes.",
    )
        .hadoop(&["multipart.threshold"])
        .shipped(&["128M", "128MB", "134217728"])
        .default("5G")
        .range(1, 5 << 40);
    FAST_UPLOAD_ACTIVE_BLOCKS = Row::new(
        "fast.upload.active.blocks",
        Count,
        "Parts of one open file that are on their way at the same time.",
    )
        .hadoop(&["fast.upload.active.blocks"])
        .default("4")
        .range(1, 1000);
    BUFFER_DIR = Row::new(
        "buffer.dir",
        List,
        "Directories for parts that find no room in memory; the first that can be written is used. Without \
         one: the system's temporary directory.",
    )
        .hadoop(&["buffer.dir"]);
    MEMORY_LIMIT = Row::new(
        "memory.limit",
        Size,
        "Native memory for the buffers of this process. Without it: chosen from what the machine or container \
         has, 64M to 256M.",
    )
        .range(16 << 20, 1 << 50);
    CREATE_STORAGE_CLASS = Row::new(
        "create.storage.class",
        Text,
        "Storage class of new objects. Without it: the bucket's own.",
    )
        .hadoop(&["create.storage.class"]);

    CONTENT_ENCODING = Row::new("object.content.encoding", Text, "`Content-Encoding` of new objects.")
        .hadoop(&["object.content.encoding"]);
    ACL = Row::new(
        "acl.default",
        Choice(requests::ACLS),
        "Canned ACL of new objects; S3A's names (`PublicRead`) too. Without it: the owner alone.",
    )
        .hadoop(&["acl.default"]);
    ENCRYPTION_ALGORITHM = Row::new(
        "encryption.algorithm",
        Text,
        "How the gateway encrypts objects: `AES256` (SSE-S3), `SSE-KMS`, `DSSE-KMS` or `SSE-C`. Without it: as the \
         bucket's own settings say.",
    )
        .hadoop(&["encryption.algorithm", "server-side-encryption-algorithm"]);
    ENCRYPTION_KEY = Row::new(
        "encryption.key",
        Secret,
        "Id of the key for `SSE-KMS` and `DSSE-KMS`, or the key itself for `SSE-C`: 256 bits in base64.",
    )
        .hadoop(&["encryption.key", "server-side-encryption.key", "server-side-encryption-key"]);
    ENCRYPTION_CONTEXT = Row::new(
        "encryption.context",
        Text,
        "Context for `SSE-KMS` and `DSSE-KMS`: pairs `name=value` with commas between.",
    )
        .hadoop(&["encryption.context"]);
    REQUESTER_PAYS = Row::new(
        "requester.pays.enabled",
        Boolean,
        "Agrees that the one who asks pays, as some buckets demand.",
    )
        .hadoop(&["requester.pays.enabled"])
        .default("false");
    CUSTOM_HEADERS = Row::new(
        "custom.headers",
        Secret,
        "Headers of every request: pairs `name=value` with commas between; a name with several values has semicolons \
         between these. Those that requests need themselves are refused.",
    )
        .hadoop(&["client.s3.custom.headers"]);
    AUDIT_ENABLED = Row::new(
        "audit.enabled",
        Boolean,
        "Whether requests of Hadoop's calls say in their Referer header which call, path, user and thread they are of, \
         in the form of S3A's audit.",
    )
        .hadoop(&["audit.enabled"])
        .default("true");
    AUDIT_REFERRER_ENABLED = Row::new("audit.referrer.enabled", Boolean, "The same; both must be true.")
        .hadoop(&["audit.referrer.enabled"])
        .default("true");
    AUDIT_REFERRER_FILTER = Row::new(
        "audit.referrer.filter",
        List,
        "Attributes that the Referer header leaves out, by S3A's names: `p1`, `pr`, `t0` and so on.",
    )
        .hadoop(&["audit.referrer.filter"]);
    AUDIT_PRINCIPAL = Row::new("audit.principal", Text, "User that the Referer header names. In Java: Hadoop's current user.");
    AUDIT_PROCESS = Row::new("audit.process", Text, "Process that the Referer header names. In Java: a random one.");
    AUDIT_JOB = Row::new("audit.job", Text, "Job that the Referer header names. In Java: the one of the configuration.");
    TENANT = Row::new(
        "tenant",
        Text,
        "Radosgw's tenant that the bucket belongs to, where it is not the user's own: `fs.s3core.bucket.B.tenant`.",
    );

    COMMITTER_THREADS = Row::new(
        "committer.threads",
        Count,
        "Files that the commit of a job makes visible at the same time.",
    )
        .hadoop(&["committer.threads"])
        .shipped(&["8"])
        .default("32")
        .range(1, 1000);
    COMMITTER_SMALL_FILE_SIZE = Row::new(
        "committer.small.file.size",
        Size,
        "Largest file that a task keeps until it is committed rather than uploads: one request instead of three. 1 MiB \
         of such files at most for each task.",
    )
        .default("256K")
        .range(0, 1 << 20);

    UPLOADS_MAX_AGE = Row::new(
        "uploads.max.age",
        Time(Unit::Seconds),
        "How long uploads of killed writers are kept, where nobody knows whose they are. The next job at the same \
         destination removes older ones.",
    )
        .default("24h")
        .range(HOUR, 3650 * DAY);
    UPLOADS_COMMITTED_MAX_AGE = Row::new(
        "uploads.committed.max.age",
        Time(Unit::Seconds),
        "How long a killed job is kept whose tasks were committed, so that it can be completed: `s3core uploads`.",
    )
        .default("7d")
        .range(HOUR, 3650 * DAY);

    MULTIPART_PURGE = Row::new(
        "multipart.purge",
        Boolean,
        "Whether the first write to a bucket removes old uploads that are pending anywhere in it. Those of committed tasks \
         stay.",
    )
        .hadoop(&["multipart.purge"])
        .default("false");
    MULTIPART_PURGE_AGE = Row::new(
        "multipart.purge.age",
        Time(Unit::Seconds),
        "How old these uploads are: older than any file takes to be written.",
    )
        .hadoop(&["multipart.purge.age"])
        .default("24h")
        .range(1000, 3650 * DAY);

    READ_AHEAD_LIMIT = Row::new(
        "read.ahead.limit",
        Size,
        "Most bytes that one open file holds ahead of a sequential reader.",
    )
        .default("32M")
        .range(64 << 10, 4 << 30);
    READAHEAD_RANGE = Row::new(
        "readahead.range",
        Size,
        "Least number of bytes that a random read asks the gateway for.",
    )
        .hadoop(&["readahead.range"])
        .default("64K")
        .range(0, 1 << 30);
    INPUT_FADVISE = Row::new(
        "experimental.input.fadvise",
        Choice(ReadPolicy::NAMES),
        "How files are expected to be read where the one who opens them does not say.",
    )
        .hadoop(&["experimental.input.fadvise"])
        .default("adaptive");
    PAGING_MAXIMUM = Row::new(
        "paging.maximum",
        Count,
        "Most keys that one answer to a listing holds; gateways have a limit of their own, mostly 1000.",
    )
        .hadoop(&["paging.maximum"])
        .default("1000")
        .range(1, 1_000_000);
    BULK_DELETE_PAGE_SIZE = Row::new(
        "bulk.delete.page.size",
        Count,
        "Objects that one request removes, and most files of one call of Hadoop's bulk delete.",
    )
        .hadoop(&["bulk.delete.page.size"])
        .default("250")
        .range(1, 1000);
    MULTIOBJECTDELETE_ENABLE = Row::new(
        "multiobjectdelete.enable",
        Boolean,
        "Whether several objects may be removed in one request; for services that do not know it.",
    )
        .hadoop(&["multiobjectdelete.enable"])
        .default("true");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_is_taken_twice() {
        let mut names = HashSet::new();
        let mut hadoop = HashSet::new();
        let mut environment = HashSet::new();
        for row in TABLE {
            assert!(names.insert(row.name), "{}", row.name);
            assert!(row.hadoop.iter().all(|name| hadoop.insert(*name)), "{}", row.name);
            assert!(row.environment.iter().all(|name| environment.insert(*name)), "{}", row.name);
        }
    }

    #[test]
    fn names_are_lower_case_words_between_dots() {
        for row in TABLE {
            assert!(
                row.name.split('.').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase())),
                "{}",
                row.name
            );
            assert!(!row.hadoop.iter().any(|name| name.starts_with("fs.")), "{}", row.name);
        }
    }
}
