//! Why a catalog has not done what it was asked for.

/// Why a catalog has not done what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is no metastore, or one of another language.
    #[error(
        "the Hive metastore {uri} cannot be reached, or does not answer ({reason}): look whether it runs, and correct \
         `catalog` in the policy; s3life speaks plain Thrift, and not with metastores that want SASL (Kerberos) or TLS"
    )]
    Unreachable {
        /// Where it was looked for.
        uri: String,
        /// What happened.
        reason: String,
    },
    /// The metastore has answered with an exception.
    #[error("the Hive metastore {uri} refuses {call} of {table}: {reason}")]
    Refused {
        /// The metastore.
        uri: String,
        /// What was called.
        call: &'static str,
        /// The table.
        table: String,
        /// The message of its exception.
        reason: String,
    },
    /// It does not know the table.
    #[error("the Hive metastore {uri} has no table {table}: correct `catalog` in the policy")]
    NoTable {
        /// The metastore.
        uri: String,
        /// The table.
        table: String,
    },
    /// Who drops a partition of it deletes data.
    #[error(
        "{table} in the Hive metastore {uri} is {kind}, and s3life drops partitions of external tables only, whose data \
         stays: make it external (in Hive: ALTER TABLE {table} SET TBLPROPERTIES ('EXTERNAL'='TRUE')), or take `catalog` \
         out of the policy"
    )]
    Managed {
        /// The metastore.
        uri: String,
        /// The table.
        table: String,
        /// What the metastore calls it.
        kind: String,
    },
    /// It has no partitions.
    #[error("{table} in the Hive metastore {uri} is not partitioned: correct `catalog` in the policy, or take it out")]
    NoPartitions {
        /// The metastore.
        uri: String,
        /// The table.
        table: String,
    },
}
