//! PutObject.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use crate::operations::answers::write_error;
use crate::operations::checksums::{checksum_type, set_checksums};
use crate::operations::conditions::{check_write, etag};
use crate::operations::{Answer, Operations};
use crate::storage::hexadecimal;
use crate::storage::object::Object;

pub(super) async fn put(gateway: &Operations, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
    let (input, headers) = (request.input, request.headers);
    let bucket = gateway.bucket(&input.bucket)?;
    let attributes = gateway.attributes(&headers, input.metadata)?;
    let received = gateway.receive(input.body, &headers, request.trailing_headers).await?;
    let behaviour = gateway.behaviour();
    let object = gateway
        .storage
        .put(&bucket, &input.key, |existing| {
            check_write(&headers, existing, behaviour, behaviour.put_if_match_unquotes)?;
            Ok(Object {
                key: input.key.clone(),
                etag: hexadecimal(&received.md5),
                modified: gateway.now(),
                attributes,
                checksums: received.checksums,
                parts: Vec::new(),
                data: received.data,
            })
        })
        .map_err(write_error)?;
    let mut output = PutObjectOutput {
        e_tag: Some(etag(&object.etag)),
        checksum_type: checksum_type(&object.checksums),
        ..PutObjectOutput::default()
    };
    set_checksums!(output, &object.checksums);
    Ok(S3Response::new(output))
}
