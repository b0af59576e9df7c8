//! Where the service is, and how its buckets are addressed.

use Kind::{Boolean, Text};

use super::super::row::{Kind, Row};

options! {
    ADDRESS:

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
}
