//! GetObjectAcl, PutObjectAcl, and the canned lists of writing requests.

use http::HeaderMap;
use s3s::dto;
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::operations::answers::{owner, write_error};
use crate::operations::attributes::text;
use crate::operations::{Answer, Operations, no_such_key};
use crate::storage::object::{Grant, Grantee, Object};

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

pub(super) async fn get(gateway: &Operations, request: S3Request<GetObjectAclInput>) -> Answer<GetObjectAclOutput> {
    let object = gateway.object(&request.input.bucket, &request.input.key)?;
    let grants = match &object.attributes.acl {
        Some(grants) => grants.iter().map(shown).collect(),
        None => vec![shown(&owners(Permission::FULL_CONTROL))],
    };
    Ok(S3Response::new(GetObjectAclOutput { grants: Some(grants), owner: Some(owner()), request_charged: None }))
}

/// Replaces all grants; the owner cannot change.
pub(super) async fn put(gateway: &Operations, request: S3Request<PutObjectAclInput>) -> Answer<PutObjectAclOutput> {
    let (input, headers) = (request.input, request.headers);
    let acl = match input.access_control_policy {
        Some(policy) => {
            if policy.owner.and_then(|owner| owner.id) != owner().id {
                return Err(S3ErrorCode::AccessDenied.into());
            }
            let grants = policy.grants.unwrap_or_default();
            Some(grants.into_iter().map(stored).collect::<S3Result<Vec<_>>>()?)
        }
        None if headers.contains_key("x-amz-acl") => canned(&headers)?,
        None => return Err(malformed()),
    };
    let bucket = gateway.bucket(&input.bucket)?;
    gateway
        .storage
        .put::<S3Error>(&bucket, &input.key, |existing| {
            let mut object: Object = existing.ok_or_else(no_such_key)?.clone();
            object.attributes.acl = acl;
            if gateway.behaviour().tagging_modifies {
                object.modified = gateway.now();
            }
            Ok(object)
        })
        .map_err(write_error)?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}

/// The grants that the header `x-amz-acl` stands for; `None` for those that every object has.
pub(super) fn canned(headers: &HeaderMap) -> S3Result<Option<Vec<Grant>>> {
    let everybody = |uri: &str, permission: &str| Grant {
        grantee: Grantee::Group(uri.to_owned()),
        permission: permission.to_owned(),
    };
    let others = match text(headers, "x-amz-acl") {
        None | Some("private" | "bucket-owner-read" | "bucket-owner-full-control") => return Ok(None),
        Some("public-read") => vec![everybody(ALL_USERS, Permission::READ)],
        Some("public-read-write") => {
            vec![everybody(ALL_USERS, Permission::READ), everybody(ALL_USERS, Permission::WRITE)]
        }
        Some("authenticated-read") => vec![everybody(AUTHENTICATED_USERS, Permission::READ)],
        Some(_) => return Err(S3ErrorCode::InvalidArgument.into()),
    };
    Ok(Some(std::iter::once(owners(Permission::FULL_CONTROL)).chain(others).collect()))
}

fn owners(permission: &str) -> Grant {
    Grant { grantee: Grantee::User(owner().id.unwrap_or_default()), permission: permission.to_owned() }
}

fn shown(grant: &Grant) -> dto::Grant {
    let (type_, id, uri) = match &grant.grantee {
        Grantee::User(id) => (Type::CANONICAL_USER, Some(id.clone()), None),
        Grantee::Group(uri) => (Type::GROUP, None, Some(uri.clone())),
    };
    dto::Grant {
        grantee: Some(dto::Grantee {
            display_name: id.clone(),
            email_address: None,
            id,
            type_: Type::from_static(type_),
            uri,
        }),
        permission: Some(grant.permission.clone().into()),
    }
}

fn stored(grant: dto::Grant) -> S3Result<Grant> {
    const KNOWN: [&str; 5] =
        [Permission::FULL_CONTROL, Permission::READ, Permission::READ_ACP, Permission::WRITE, Permission::WRITE_ACP];
    let grantee = grant.grantee.ok_or_else(malformed)?;
    let grantee = match (grantee.id, grantee.uri) {
        (Some(id), None) => Grantee::User(id),
        (None, Some(uri)) => Grantee::Group(uri),
        _ => return Err(malformed()),
    };
    let permission = grant.permission.map(|permission| permission.as_str().to_owned());
    let permission = permission.filter(|permission| KNOWN.contains(&permission.as_str())).ok_or_else(malformed)?;
    Ok(Grant { grantee, permission })
}

fn malformed() -> S3Error {
    S3Error::with_message(S3ErrorCode::MalformedACLError, "The list has another form than the schema asks for")
}
