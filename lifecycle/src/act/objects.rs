//! What is done to single objects.

use std::time::SystemTime;

use futures::FutureExt;
use jiff::Timestamp;
use s3core::gateway::Gateway;
use s3core::ops::{
    AccessControlList, CopyObject, DeleteObject, DeleteObjects, GetObjectAcl, HeadObject, ListObjectsV2, ListedObject,
    ObjectHead, PutObjectAcl,
};
use s3core::{Error, ErrorKind, Result, run_all};

use crate::listing::{STANDARD, timestamp};
use crate::pace::{first, unleased};
use crate::plan::line::PlannedObject;

use super::markers::remove_version;

/// The conditions under which the gateway has been seen to remove an object only if it is the one that was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// By its ETag: `If-Match`.
    pub by_etag: bool,
    /// By its time: Radosgw's `x-amz-delete-if-unmodified-since`. An object that was removed and put back has the same
    /// ETag and another time.
    pub by_time: bool,
}

/// Says whether this process may still change anything: it holds the bucket's lease.
pub trait Permit: Send + Sync {
    /// Number of the lease.
    fn number(&self) -> u64;

    /// # Errors
    /// The lease is lost, or may be.
    fn check(&self) -> Result<()>;

    /// Whether any holder of these leases may have changed something at a time of the gateway's clock; true where that is not
    /// known.
    fn may_have_worked(&self, _leases: &[u64], _at: Timestamp) -> bool {
        true
    }

    /// Whether the process is asked to end: no other unit is begun.
    fn is_ending(&self) -> bool {
        false
    }
}

/// The objects of a bucket, in the hands of the holder of its lease.
#[derive(Clone, Copy)]
pub struct Objects<'a> {
    /// Where requests go. Its patience ends before the lease could be another's: a request that is sent again asks the
    /// permit no more.
    pub gateway: &'a Gateway,
    /// The same, which tries once.
    pub once: &'a Gateway,
    /// The bucket.
    pub bucket: &'a str,
    /// Looked at before each request that changes something.
    pub permit: &'a dyn Permit,
    /// How an object is removed.
    pub deletion: Deletion,
    /// Most requests at a time.
    pub at_once: usize,
}

/// What came of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// The copy is what was planned.
    AsPlanned,
    /// The source is something else now.
    Changed(String),
    /// There is no source.
    Gone,
    /// The gateway cannot copy it now, or not at all.
    Impossible(String),
    /// This user may not copy it.
    Refused(String),
}

/// What came of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Gone,
    /// It is something else now, and stays.
    Changed,
    /// This user may not remove it.
    Refused(String),
}

impl Objects<'_> {
    /// Copies `source`, which is to be the planned object, with all its properties but the ACL, into the same storage
    /// class: on Radosgw only then without its bytes.
    ///
    /// # Errors
    /// The permit's, and the gateway's where another attempt may help.
    pub async fn copy(&self, source: &str, target: &str, planned: &PlannedObject) -> Result<Copied> {
        self.copy_by(self.gateway, source, target, planned).await
    }

    /// The same in one attempt: whoever copies to a place that is to be empty looks again before the next one.
    ///
    /// # Errors
    /// As [`Objects::copy`].
    pub async fn copy_once(&self, source: &str, target: &str, planned: &PlannedObject) -> Result<Copied> {
        self.copy_by(self.once, source, target, planned).await
    }

    async fn copy_by(&self, gateway: &Gateway, source: &str, target: &str, planned: &PlannedObject) -> Result<Copied> {
        self.permit.check()?;
        let mut copy = CopyObject::new(self.bucket, source, self.bucket, target);
        copy.source.if_match = Some(planned.etag.clone());
        copy.storage_class = Some(planned.class.clone());
        match gateway.run(copy).await {
            Ok(copied) if copied.etag == planned.etag => Ok(Copied::AsPlanned),
            Ok(copied) => Ok(Copied::Changed(format!("its ETag is {}, not {}", copied.etag, planned.etag))),
            Err(failure) => match failure.kind() {
                ErrorKind::PreconditionFailed => Ok(Copied::Changed(format!("its ETag is not {}", planned.etag))),
                ErrorKind::NotFound => Ok(Copied::Gone),
                ErrorKind::AccessDenied => Ok(Copied::Refused(failure.to_string())),
                // An object that has moved to another cloud is unsupported, and a key that is too long behind the trash's
                // prefix is an invalid path.
                ErrorKind::QuotaExceeded | ErrorKind::Unsupported | ErrorKind::BadRequest | ErrorKind::InvalidPath => {
                    Ok(Copied::Impossible(failure.to_string()))
                }
                _ => Err(failure),
            },
        }
    }

    /// Removes the object if it is still the planned one.
    ///
    /// # Errors
    /// The permit's and the gateway's.
    pub async fn remove(&self, planned: &PlannedObject) -> Result<Removed> {
        if !self.deletion.by_etag && !self.deletion.by_time {
            let message = "this gateway removes an object whatever it has become: it honours neither If-Match nor \
                           x-amz-delete-if-unmodified-since";
            return Err(Error::new(ErrorKind::Unsupported, message).at(self.bucket, &planned.key));
        }
        let written = SystemTime::try_from(planned.written).map_err(|_| {
            let message = format!("the plan says it was written at {}, which no clock shows", planned.written);
            Error::new(ErrorKind::Internal, message).at(self.bucket, &planned.key)
        })?;
        self.permit.check()?;
        let delete = DeleteObject {
            if_match: self.deletion.by_etag.then(|| planned.etag.clone()),
            unmodified_since: self.deletion.by_time.then_some(written),
            ..DeleteObject::new(self.bucket, &planned.key)
        };
        match self.gateway.run(delete).await {
            Ok(deleted) if deleted.is_delete_marker => {
                // No condition was looked at: whatever was there is hidden.
                if let Some(marker) = &deleted.version_id {
                    first(unleased(remove_version(self, &planned.key, marker))).await?;
                }
                let message = "the bucket keeps versions by now, and it did not when this began: run the command again";
                Err(Error::new(ErrorKind::Changed, message).at(self.bucket, &planned.key))
            }
            Ok(_) => Ok(Removed::Gone),
            Err(failure) => match failure.kind() {
                ErrorKind::NotFound => Ok(Removed::Gone),
                ErrorKind::PreconditionFailed => Ok(Removed::Changed),
                ErrorKind::AccessDenied => Ok(Removed::Refused(failure.to_string())),
                _ => Err(failure),
            },
        }
    }

    /// Removes copies of objects that were put back: they have another time than the planned ones. Where an object is
    /// removed by its ETag alone, and of one that was never removed, copies stay until the trash is emptied: a holder that
    /// lost the lease without knowing it may have a removal on its way whose conditions the object meets.
    ///
    /// # Errors
    /// The permit's and the gateway's.
    pub async fn discard_if_safe(&self, copies: Vec<String>) -> Result<()> {
        if self.deletion.by_time { self.discard(copies).await } else { Ok(()) }
    }

    /// Removes copies.
    ///
    /// # Errors
    /// The permit's and the gateway's.
    pub async fn discard(&self, copies: Vec<String>) -> Result<()> {
        let (nameable, others): (Vec<_>, Vec<_>) = copies.into_iter().partition(|key| DeleteObjects::can_name(key));
        for keys in nameable.chunks(DeleteObjects::MOST_KEYS) {
            self.permit.check()?;
            let failures = self.gateway.run(DeleteObjects::new(self.bucket, keys.to_vec())).await?;
            if let Some(failure) = failures.into_iter().next() {
                return Err(failure.error);
            }
        }
        for key in others {
            self.permit.check()?;
            self.gateway.run(DeleteObject::new(self.bucket, &key)).await?;
        }
        Ok(())
    }

    /// Gives an object the access control list that it had. Where it belongs to another user now, who has copied it, they have the
    /// rights of an owner, and the former owner those that the list grants.
    ///
    /// # Errors
    /// The permit's and the gateway's.
    pub async fn set_acl(&self, key: &str, acl: &str) -> Result<()> {
        let list: AccessControlList = acl.parse()?;
        self.permit.check()?;
        let failure = match self.gateway.run(PutObjectAcl::new(self.bucket, key, list.clone())).await {
            Err(failure) if matches!(failure.kind(), ErrorKind::AccessDenied | ErrorKind::BadRequest) => failure,
            put => return put,
        };
        let owner = self.user(key).await?;
        if owner == list.owner() {
            return Err(failure);
        }
        self.permit.check()?;
        self.gateway.run(PutObjectAcl::new(self.bucket, key, list.owned_by(&owner)?)).await
    }

    /// The access control list of the planned object, where a copy made by `owner` would have another one. None also where
    /// the object is gone: the copy will tell. The reason where this user may not read it.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn acl(&self, key: &str, owner: &str) -> Result<Result<Option<String>, String>> {
        match self.gateway.run(GetObjectAcl::new(self.bucket, key)).await {
            Ok(list) if list.is_default(owner) => Ok(Ok(None)),
            Ok(list) => Ok(Ok(Some(list.as_str().to_owned()))),
            Err(failure) => match failure.kind() {
                ErrorKind::NotFound => Ok(Ok(None)),
                ErrorKind::AccessDenied => Ok(Err(failure.to_string())),
                _ => Err(failure),
            },
        }
    }

    /// Id of the user that this process acts for: the owner of what it has written.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn user(&self, written: &str) -> Result<String> {
        Ok(self.gateway.run(GetObjectAcl::new(self.bucket, written)).await?.owner().to_owned())
    }

    /// What is said of a version.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn head_version(&self, key: &str, version: &str) -> Result<ObjectHead> {
        let head = HeadObject { version_id: Some(version.to_owned()), ..HeadObject::new(self.bucket, key) };
        self.gateway.run(head).await
    }

    /// The object at `key`, if there is one, as a plan would name it.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn find(&self, key: &str) -> Result<Option<PlannedObject>> {
        match self.gateway.run(HeadObject::new(self.bucket, key)).await {
            Ok(head) => Ok(Some(PlannedObject {
                key: key.to_owned(),
                bytes: head.length,
                etag: head.etag.unwrap_or_default(),
                written: timestamp(head.modified),
                class: head.storage_class.unwrap_or_else(|| STANDARD.to_owned()),
            })),
            Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Shows everything below a prefix to `see`, in the order of keys.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn list(&self, prefix: &str, mut see: impl FnMut(PlannedObject) + Send) -> Result<()> {
        let mut list = ListObjectsV2::new(self.bucket, prefix);
        loop {
            let page = self.gateway.run(list.clone()).await?;
            page.objects.into_iter().map(listed).for_each(&mut see);
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok(()),
            }
        }
    }

    /// Runs `each` over `items`, several at a time, until one fails; those that were begun are waited for.
    ///
    /// # Errors
    /// The first failure.
    pub async fn for_all<'t, T, O, F>(&self, items: Vec<T>, each: impl Fn(T) -> F + Send + 't) -> Result<Vec<O>>
    where
        F: Future<Output = Result<O>> + Send + 't,
        T: Send + 't,
        O: Send,
    {
        let operations = items.into_iter().map(move |item| each(item).boxed());
        let (done, outcome) = run_all(Box::new(operations), self.at_once).await;
        outcome.map(|()| done)
    }
}

/// An object of a listing as a plan names it.
pub fn listed(object: ListedObject) -> PlannedObject {
    PlannedObject {
        key: object.key,
        bytes: object.length,
        etag: object.etag.unwrap_or_default(),
        written: timestamp(object.modified),
        class: object.storage_class.unwrap_or_else(|| STANDARD.to_owned()),
    }
}
