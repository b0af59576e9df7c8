//! A client one layer above the wire: it signs and sends, and tries nothing again.

use std::time::SystemTime;

use bytes::Bytes;
use http::Method;
use s3core::Result;
use s3core::gateway::{GatewaySettings, OperationRequest};
use s3core::http::connection::TrustSettings;
use s3core::http::connection::{HttpTransport, TransportSettings};
use s3core::http::{Endpoint, Limits, Payload, Request, Response, Transport};
use s3core::sign::{Identity, PayloadHash, Signer};
use sha2::{Digest, Sha256};

use crate::support::{Place, gateway_settings};

/// See the module.
pub(crate) struct Client {
    transport: HttpTransport,
    signer: Signer,
    identity: Option<Identity>,
    limits: Limits,
    bucket: String,
}

impl Client {
    /// A client of the place's endpoint and bucket.
    pub(crate) fn of(place: &Place) -> Self {
        let trust = TrustSettings { ca_file: None, additional: Vec::new(), use_system_store: false };
        Self::new(&gateway_settings(&place.running), trust, &place.bucket)
    }

    pub(crate) fn new(settings: &GatewaySettings, trust: TrustSettings, bucket: &str) -> Self {
        Self {
            transport: HttpTransport::new(TransportSettings { trust, ..TransportSettings::default() }).unwrap(),
            signer: Signer::new(settings),
            identity: settings.credentials.lasting().map(Identity::from),
            limits: settings.limits,
            bucket: bucket.to_owned(),
        }
    }

    pub(crate) fn sign(&self, method: Method, key: &str, query: &[(&'static str, &str)], body: Bytes) -> Request {
        let operation = OperationRequest {
            query: query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            payload_hash: PayloadHash::Sha256(Sha256::digest(&body).into()),
            payload: Payload::from(body),
            ..OperationRequest::new(method, &self.bucket, key)
        };
        self.signer.sign(operation, self.identity.as_ref(), SystemTime::now()).unwrap()
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.signer.endpoint(&self.bucket)
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        self.transport.send(&self.endpoint(), request, self.limits).await
    }

    /// Status and body of the answer.
    pub(crate) async fn exchange(
        &self,
        method: Method,
        key: &str,
        query: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<(u16, Bytes)> {
        let response = self.send(self.sign(method, key, query, body)).await?;
        Ok((response.status.as_u16(), response.body.collect(1 << 30).await?))
    }
}
