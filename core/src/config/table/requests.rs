//! What requests say besides their own operation.

use Kind::{Boolean, Choice, List, Secret, Text};

use super::super::requests;
use super::super::row::{Kind, Row};

options! {
    REQUESTS:

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
}
