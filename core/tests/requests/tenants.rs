//! Buckets of another tenant of Radosgw.

use s3core::ErrorKind;
use s3core::environment::{Random, SystemRandom};
use s3core::gateway::Gateway;
use s3core::ops::{CreateBucket, DeleteBucket};

use crate::support::admin::User;
use crate::support::files::Files;
use crate::support::{Place, Service, environment, gateway_settings, keys};
use crate::{read, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_bucket_is_found_by_its_option() {
    // The same bucket name twice: one without tenant, one of a tenant.
    let place = Place::at(Service::Ceph).await;
    let number = SystemRandom.bits() as u64;
    let access_key = format!("key{number:016x}");
    let user = User::make(&place.gateway, &format!("science{number:x}$curie"), &access_key, "radium").await;
    let tenant = user.name.split('$').next().unwrap().to_owned();
    let mut settings = gateway_settings(&place.running);
    settings.credentials = keys(&access_key, "radium");
    let gateway = Gateway::new(settings, environment());
    gateway.run(CreateBucket::new(&place.bucket, gateway.settings())).await.unwrap();

    let option = format!("fs.s3core.bucket.{}.tenant", place.bucket);
    let with_keys = |access_key: &str, secret_key: &str, tenant: &str| {
        let options = [("fs.s3a.access.key", access_key), ("fs.s3a.secret.key", secret_key), (&option, tenant)];
        Files::reaching(&place.running.url, &place.bucket, &options, 64 << 20)
    };
    let own = with_keys(&access_key, "radium", &tenant);
    write(&own, "a b/1", b"of the tenant").await.unwrap();
    write(&own, "large", &vec![7; 9 << 20]).await.unwrap();
    assert!(own.rename("a b", "c").await.unwrap(), "the source of a copy is named with the tenant too");
    assert_eq!(read(&own, "c/1").await.unwrap(), b"of the tenant");
    // The user's own tenant is the default, and for others no tenant is another bucket.
    assert_eq!(read(&with_keys(&access_key, "radium", ""), "c/1").await.unwrap(), b"of the tenant");
    let (dev, secret) = (place.running.access_key.as_str(), place.running.secret_key.as_str());
    place.put("c/1", "of nobody").await;
    assert_eq!(read(&with_keys(dev, secret, ""), "c/1").await.unwrap(), b"of nobody");
    let error = read(&with_keys(dev, secret, &tenant), "c/1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");

    assert!(own.delete("", true).await.is_ok());
    let _ = gateway.run(DeleteBucket::new(&place.bucket)).await;
    user.remove().await;
}
