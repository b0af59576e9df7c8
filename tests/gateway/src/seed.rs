//! Objects that are there without a request that put them.

use std::io;

use md5::{Digest, Md5};

use crate::gateway::Gateway;
use crate::operations::now;
use crate::storage::object::{Attributes, Object};
use crate::storage::{WriteError, hexadecimal};

impl Gateway {
    /// Puts an object with this content at each of these keys, without a request: a million are there in a second or two, and
    /// share the memory of their content. They are as old as [`Gateway::set_backdating`] says. Fails where the bucket is
    /// missing, and where the directory cannot be written.
    pub fn seed(&self, bucket: &str, content: &[u8], keys: impl IntoIterator<Item = String>) -> io::Result<()> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("there is no bucket {bucket}"));
        let found = self.storage.bucket(bucket).ok_or_else(missing)?;
        let mut writer = self.storage.writer(Some(content.len() as u64))?;
        writer.write(content)?;
        let data = writer.finish()?;
        let etag = hexadecimal(&Md5::digest(content));
        for key in keys {
            let object = Object {
                key: key.clone(),
                etag: etag.clone(),
                modified: now() - self.backdated(),
                attributes: Attributes { storage_class: "STANDARD".to_owned(), ..Attributes::default() },
                checksums: Vec::new(),
                parts: Vec::new(),
                data: data.clone(),
            };
            self.storage.put::<()>(&found, &key, |_| Ok(object)).map_err(|error| match error {
                WriteError::System(error) => error,
                WriteError::Refused(()) | WriteError::NoSuchBucket | WriteError::NoSuchUpload => missing(),
            })?;
        }
        Ok(())
    }
}
