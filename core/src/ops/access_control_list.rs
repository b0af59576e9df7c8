//! An object's access control list, kept as the gateway words it, so that it can be given back as it was.

use std::str::FromStr;

use serde::Deserialize;

use crate::{Error, ErrorKind, Result};

use super::xml;

/// Name of the document's root.
pub(super) const ROOT: &str = "AccessControlPolicy";

/// Who may do what with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessControlList {
    document: String,
    owner: String,
    /// The one user with any right, where it is the right to everything.
    master: Option<String>,
}

impl AccessControlList {
    /// The XML document.
    pub fn as_str(&self) -> &str {
        &self.document
    }

    /// Id of the object's owner.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Whether it is what an object of this owner has without being given one: full control for the owner, nothing for
    /// anybody else. Copies have it whatever their source has, on AWS and on Radosgw, and belong to who makes them.
    pub fn is_default(&self, owner: &str) -> bool {
        self.owner == owner && self.master.as_deref() == Some(owner)
    }

    /// The same rights on an object of another owner: who had it keeps what the list grants.
    ///
    /// # Errors
    /// `Corrupted` where the document does not begin with its owner.
    pub fn owned_by(&self, owner: &str) -> Result<Self> {
        let id = |owner: &str| format!("<ID>{owner}</ID>");
        let list: Self = self.document.replacen(&id(&self.owner), &id(owner), 1).parse()?;
        if list.owner != owner {
            let message = format!("the owner of this access control list cannot be told: {:?}", self.document);
            return Err(Error::new(ErrorKind::Corrupted, message));
        }
        Ok(list)
    }
}

/// Reads the document.
impl FromStr for AccessControlList {
    type Err = Error;

    fn from_str(document: &str) -> Result<Self> {
        if xml::root(document).as_deref() != Some(ROOT) {
            return Err(Error::new(ErrorKind::Corrupted, format!("this is no access control list: {document:?}")));
        }
        let AccessControlPolicy { owner, access_control_list } = xml::parse(document)?;
        let master = match access_control_list.grant.as_slice() {
            [Grant { grantee: Grantee { id: Some(id) }, permission }] if permission == "FULL_CONTROL" => {
                Some(id.clone())
            }
            _ => None,
        };
        Ok(Self { document: document.to_owned(), owner: owner.id, master })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessControlPolicy {
    owner: Owner,
    #[serde(default)]
    access_control_list: Grants,
}

#[derive(Deserialize)]
struct Owner {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Grants {
    grant: Vec<Grant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Grant {
    grantee: Grantee,
    permission: String,
}

/// A group or somebody's address has no id.
#[derive(Deserialize)]
struct Grantee {
    #[serde(rename = "ID")]
    id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const XSI: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

    fn user(id: &str, permission: &str) -> String {
        format!(
            "<Grant><Grantee {XSI} xsi:type=\"CanonicalUser\"><ID>{id}</ID><DisplayName>d</DisplayName></Grantee>\
             <Permission>{permission}</Permission></Grant>"
        )
    }

    fn group(permission: &str) -> String {
        format!(
            "<Grant><Grantee {XSI} xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>\
             <Permission>{permission}</Permission></Grant>"
        )
    }

    /// As Radosgw writes it.
    fn list(owner: &str, grants: &[String]) -> AccessControlList {
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AccessControlPolicy xmlns=\"{}\"><Owner><ID>{owner}</ID>\
             <DisplayName>d</DisplayName></Owner><AccessControlList>{}</AccessControlList></AccessControlPolicy>",
            xml::NAMESPACE,
            grants.concat()
        );
        let list: AccessControlList = document.parse().unwrap();
        assert_eq!((list.as_str(), list.owner()), (document.as_str(), owner));
        list
    }

    #[test]
    fn a_list_of_another_owner_grants_the_same() {
        let grants = [user("dev", "FULL_CONTROL"), group("READ")];
        assert_eq!(list("dev", &grants).owned_by("ops").unwrap(), list("ops", &grants));
        // As one that the document words otherwise.
        let odd = AccessControlList { owner: "d&v".to_owned(), ..list("dev", &grants) };
        let refused = odd.owned_by("ops").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupted);
    }

    #[test]
    fn only_the_owners_full_control_is_the_default() {
        assert!(list("dev", &[user("dev", "FULL_CONTROL")]).is_default("dev"));
        for (owner, grants) in [
            ("dev", vec![]),
            ("dev", vec![user("dev", "READ")]),
            ("dev", vec![user("ops", "FULL_CONTROL")]),
            ("dev", vec![user("dev", "FULL_CONTROL"), user("ops", "READ")]),
            ("dev", vec![user("dev", "FULL_CONTROL"), group("READ")]),
            ("dev", vec![group("FULL_CONTROL")]),
            // A copy would belong to who makes it.
            ("ops", vec![user("ops", "FULL_CONTROL")]),
        ] {
            assert!(!list(owner, &grants).is_default("dev"), "{owner} {grants:?}");
        }
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for text in ["", "<Error/>", "<AccessControlPolicy>", "<AccessControlPolicy></AccessControlPolicy>"] {
            assert_eq!(text.parse::<AccessControlList>().unwrap_err().kind(), ErrorKind::Corrupted, "{text}");
        }
    }
}
