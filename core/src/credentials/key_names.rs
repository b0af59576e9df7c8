//! What the keys of a request are called where they come from, so that whoever is told of a wrong one looks in the right
//! place.

/// Access key, secret key and session token by name: an option, a variable, a profile, a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyNames([String; 3]);

/// How messages about refused keys call them, in the same order.
const IN_MESSAGES: [&str; 3] = ["fs.s3a.access.key", "fs.s3a.secret.key", "fs.s3a.session.token"];

impl KeyNames {
    /// Each has a name of its own.
    pub(super) fn new(names: [String; 3]) -> Self {
        Self(names)
    }

    /// All come from one place.
    pub(super) fn of_one_place(name: &str) -> Self {
        Self(std::array::from_fn(|_| name.to_owned()))
    }

    /// The message with these names in place of S3A's options.
    pub(super) fn put_into(&self, message: &str) -> String {
        let [access_key, secret_key, _] = &self.0;
        // One place is named once.
        let once = match access_key == secret_key {
            true => message.replace("fs.s3a.access.key, fs.s3a.secret.key", "fs.s3a.access.key"),
            false => message.to_owned(),
        };
        // In one pass: a name that is put in may itself hold an option.
        let mut named = String::new();
        let mut rest = once.as_str();
        while let Some((start, option, name)) = self.first_in(rest) {
            let (before, after) = rest.split_at(start);
            named.push_str(before);
            named.push_str(name);
            rest = after.strip_prefix(option).unwrap_or_default();
        }
        named + rest
    }

    fn first_in(&self, text: &str) -> Option<(usize, &'static str, &str)> {
        let found = IN_MESSAGES.into_iter().zip(&self.0);
        let found = found.filter_map(|(option, name)| Some((text.find(option)?, option, name.as_str())));
        found.min_by_key(|(start, ..)| *start)
    }
}

impl Default for KeyNames {
    fn default() -> Self {
        Self(IN_MESSAGES.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_its_name() {
        let names = ["AWS_ACCESS_KEY_ID", "fs.s3a.secret.key of somebody", "fs.s3a.access.key"];
        let names = KeyNames::new(names.map(str::to_owned));
        let message = "check fs.s3a.secret.key, fs.s3a.access.key (fs.s3a.session.token) and fs.s3a.endpoint";
        let named = "check fs.s3a.secret.key of somebody, AWS_ACCESS_KEY_ID (fs.s3a.access.key) and fs.s3a.endpoint";
        assert_eq!(names.put_into(message), named);
        assert_eq!(KeyNames::default().put_into(message), message);
    }

    #[test]
    fn keys_of_a_service_have_its_name() {
        let names = KeyNames::of_one_place("credential_process");
        assert_eq!(names.put_into("is not known: check fs.s3a.access.key"), "is not known: check credential_process");
        let both = "check fs.s3a.access.key, fs.s3a.secret.key and the clock";
        assert_eq!(names.put_into(both), "check credential_process and the clock");
        assert_eq!(names.put_into("another failure"), "another failure");
    }
}
