//! In whose name requests are sent.

use Kind::{Boolean, Document, List, Secret, Text, Time};

use super::super::row::{Kind, Row, Unit};
use super::HOUR;

options! {
    KEYS:

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
    KEYS_ORIGIN = Row::new(
        "keys.origin",
        Text,
        "What errors about the keys of Hadoop's configuration call the place that they come from. In Java: found out, where \
         Spark or a credential provider has put them there. Without it: the option.",
    );
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
}
