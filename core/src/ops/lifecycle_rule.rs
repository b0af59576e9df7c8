//! A rule of a bucket's lifecycle configuration: what it says, and the XML that says it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>

use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::element::Element;
use super::xml;

/// A rule. Whatever it says, it goes back to the gateway as it came, with one exception.
///
/// Radosgw gives a prefix beside the `And` of a filter, and takes it only inside: what it gave, put as it is, would be a rule
/// without prefix, about the whole bucket. Conditions beside each other are put inside an `And`, as the API has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    xml: String,
    /// What is put, where that is not `xml`.
    corrected: Option<String>,
    id: String,
    is_enabled: bool,
    filter: RuleFilter,
    actions: Vec<RuleAction>,
}

/// Which objects a rule is about: those that fulfil all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFilter {
    /// First letters of their keys.
    pub prefix: String,
    /// Their tags: keys and values.
    pub tags: Vec<(String, String)>,
    /// More bytes than this.
    pub larger_than: Option<u64>,
    /// Fewer bytes than this.
    pub smaller_than: Option<u64>,
    /// Elements that no version of the API has that this crate knows.
    pub others: Vec<String>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleAction {
    /// Moves objects to a storage class.
    Transition {
        /// The class.
        class: String,
        /// Age in days; `None` where it has a date.
        days: Option<u32>,
    },
    /// Removes objects, by age or date.
    Expiration,
    /// Another one, by the name of its element.
    Other(String),
}

impl RuleAction {
    /// Name of its element, "Transition".
    pub fn name(&self) -> &str {
        match self {
            Self::Transition { .. } => "Transition",
            Self::Expiration => "Expiration",
            Self::Other(name) => name,
        }
    }
}

impl LifecycleRule {
    /// A rule that moves what begins with `prefix` to a storage class, once it is that many days old.
    ///
    /// # Errors
    /// `InvalidPath` for a prefix that no XML document can name.
    pub fn transition(id: &str, prefix: &str, days: u32, class: &str) -> Result<Self> {
        Self::transition_of(id, RuleFilter { prefix: prefix.to_owned(), ..RuleFilter::default() }, days, class)
    }

    /// The same, of those objects only that have a tag.
    ///
    /// # Errors
    /// As [`LifecycleRule::transition`].
    pub fn transition_of_tagged(id: &str, prefix: &str, tag: (&str, &str), days: u32, class: &str) -> Result<Self> {
        let tags = vec![(tag.0.to_owned(), tag.1.to_owned())];
        Self::transition_of(id, RuleFilter { prefix: prefix.to_owned(), tags, ..RuleFilter::default() }, days, class)
    }

    fn transition_of(id: &str, filter: RuleFilter, days: u32, class: &str) -> Result<Self> {
        if !xml::can_hold(&filter.prefix) {
            return Err(Error::new(
                ErrorKind::InvalidPath,
                format!("no lifecycle rule can name the prefix {:?}", filter.prefix),
            ));
        }
        let mut conditions = String::new();
        xml::append(&mut conditions, "Prefix", &filter.prefix);
        for (key, value) in &filter.tags {
            conditions.push_str("<Tag>");
            xml::append(&mut conditions, "Key", key);
            xml::append(&mut conditions, "Value", value);
            conditions.push_str("</Tag>");
        }
        if !filter.tags.is_empty() {
            conditions = format!("<And>{conditions}</And>");
        }
        let mut text = "<Rule>".to_owned();
        xml::append(&mut text, "ID", id);
        text.push_str(&format!("<Filter>{conditions}</Filter><Status>Enabled</Status><Transition>"));
        xml::append(&mut text, "Days", &days.to_string());
        xml::append(&mut text, "StorageClass", class);
        text.push_str("</Transition></Rule>");
        Ok(Self {
            xml: text,
            corrected: None,
            id: id.to_owned(),
            is_enabled: true,
            filter,
            actions: vec![RuleAction::Transition { class: class.to_owned(), days: Some(days) }],
        })
    }

    /// Reads a `Rule` element.
    fn read(element: &Element<'_>) -> Result<Self> {
        let mut rule = Self {
            xml: element.xml.to_owned(),
            corrected: None,
            id: String::new(),
            is_enabled: false,
            filter: RuleFilter::default(),
            actions: Vec::new(),
        };
        for part in element.children()? {
            match part.name.as_str() {
                "ID" => rule.id = part.text()?,
                "Status" => rule.is_enabled = part.text()?.trim() == "Enabled",
                // The form before filters.
                "Prefix" => rule.filter.prefix = part.text()?,
                "Filter" => {
                    rule.filter.read(&part)?;
                    let corrected = with_one_condition(&part)?;
                    rule.corrected = corrected.map(|filter| element.xml.replacen(part.xml, &filter, 1));
                }
                "Transition" => rule.actions.push(transition(&part)?),
                "Expiration" if expires(&part)? => rule.actions.push(RuleAction::Expiration),
                name => rule.actions.push(RuleAction::Other(name.to_owned())),
            }
        }
        Ok(rule)
    }

    /// The `Rule` element as it came.
    pub fn xml(&self) -> &str {
        &self.xml
    }

    /// Its name in the configuration.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it does anything.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Which objects it is about.
    pub fn filter(&self) -> &RuleFilter {
        &self.filter
    }

    /// What it does.
    pub fn actions(&self) -> &[RuleAction] {
        &self.actions
    }

    /// Whether the gateway says the same of it, in whatever words.
    pub fn means(&self, other: &Self) -> bool {
        (&self.id, self.is_enabled, &self.filter, &self.actions)
            == (&other.id, other.is_enabled, &other.filter, &other.actions)
    }

    /// Whether an object below `prefix` can be one that it is about. Tags and sizes are not looked at.
    pub fn meets(&self, prefix: &str) -> bool {
        self.filter.prefix.starts_with(prefix) || prefix.starts_with(&self.filter.prefix)
    }

    /// Whether it removes objects or moves them; not where it only tidies up uploads, old versions and delete markers.
    pub fn changes_objects(&self) -> bool {
        self.is_enabled && self.actions.iter().any(|action| !matches!(action, RuleAction::Other(_)))
    }
}

/// Reads a `Rule` element.
impl FromStr for LifecycleRule {
    type Err = Error;

    fn from_str(xml: &str) -> Result<Self> {
        match xml::root(xml).as_deref() {
            Some("Rule") => Self::read(&Element { name: "Rule".to_owned(), xml }),
            _ => Err(Error::new(ErrorKind::Corrupted, format!("this is no lifecycle rule: {xml:?}"))),
        }
    }
}

impl RuleFilter {
    /// Reads a `Filter` element or the `And` inside it.
    fn read(&mut self, element: &Element<'_>) -> Result<()> {
        for part in element.children()? {
            match part.name.as_str() {
                "Prefix" => self.prefix = part.text()?,
                "Tag" => self.tags.push(tag(&part)?),
                "ObjectSizeGreaterThan" => self.larger_than = part.text()?.trim().parse().ok(),
                "ObjectSizeLessThan" => self.smaller_than = part.text()?.trim().parse().ok(),
                "And" => self.read(&part)?,
                name => self.others.push(name.to_owned()),
            }
        }
        Ok(())
    }
}

/// A `Filter` element with a single condition at most, which may be an `And`; `None` where it is one already.
fn with_one_condition(filter: &Element<'_>) -> Result<Option<String>> {
    let conditions = filter.children()?;
    if conditions.len() < 2 {
        return Ok(None);
    }
    let (ands, beside): (Vec<_>, Vec<_>) = conditions.into_iter().partition(|part| part.name == "And");
    let mut inside: Vec<_> = beside;
    for and in &ands {
        for part in and.children()? {
            if part.name != "Prefix" || !inside.iter().any(|known| known.name == "Prefix") {
                inside.push(part);
            }
        }
    }
    let inside: String = inside.iter().map(|part| part.xml).collect();
    Ok(Some(format!("<Filter><And>{inside}</And></Filter>")))
}

fn tag(element: &Element<'_>) -> Result<(String, String)> {
    let mut tag = (String::new(), String::new());
    for part in element.children()? {
        match part.name.as_str() {
            "Key" => tag.0 = part.text()?,
            "Value" => tag.1 = part.text()?,
            _ => {}
        }
    }
    Ok(tag)
}

fn transition(element: &Element<'_>) -> Result<RuleAction> {
    let (mut class, mut days) = (String::new(), None);
    for part in element.children()? {
        match part.name.as_str() {
            "StorageClass" => class = part.text()?,
            "Days" => days = part.text()?.trim().parse().ok(),
            _ => {}
        }
    }
    Ok(RuleAction::Transition { class, days })
}

/// Not where only delete markers go.
fn expires(element: &Element<'_>) -> Result<bool> {
    Ok(element.children()?.iter().any(|part| part.name != "ExpiredObjectDeleteMarker"))
}

/// The rules of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifecycleConfiguration {
    /// The rules, in the gateway's order.
    pub rules: Vec<LifecycleRule>,
    /// What AWS calls the default minimum object size of transitions, a word that must go back with the rules.
    pub minimum_size: Option<String>,
}

/// Name of the document's root.
pub(super) const ROOT: &str = "LifecycleConfiguration";
/// Header that holds [`LifecycleConfiguration::minimum_size`].
pub(super) const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";

impl LifecycleConfiguration {
    pub(super) fn read(document: &Document) -> Result<Vec<LifecycleRule>> {
        let elements = Element::inside(document.text()?)?;
        elements.iter().filter(|element| element.name == "Rule").map(LifecycleRule::read).collect()
    }

    pub(super) fn document(&self) -> String {
        let mut document = format!("<{ROOT} xmlns=\"{}\">", xml::NAMESPACE);
        document.extend(self.rules.iter().map(|rule| rule.corrected.as_deref().unwrap_or(&rule.xml)));
        document.extend(["</", ROOT, ">"]);
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that rules can have.
    const FOREIGN: [&str; 5] = [
        "<Rule><ID>all of it</ID><Filter><And><Prefix>logs/&amp; more/</Prefix><Tag><Key>k</Key><Value> v </Value></Tag>\
         <Tag><Key>l</Key><Value/></Tag><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan>\
         <ObjectSizeLessThan>64000</ObjectSizeLessThan></And></Filter><Status>Enabled</Status>\n<Transition><Days>30</Days>\
         <StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Date>2030-01-01T00:00:00.000Z</Date>\
         <StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>365</Days></Expiration></Rule>",
        "<Rule><ID>old</ID><Prefix>tmp/</Prefix><Status>Disabled</Status><Expiration><Date>2030-01-01T00:00:00.000Z</Date>\
         </Expiration></Rule>",
        "<Rule><Status>Enabled</Status><Filter/><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>\
         </AbortIncompleteMultipartUpload><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>\
         <ID>tidy</ID></Rule>",
        "<Rule><ID>versions</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration>\
         <NoncurrentDays>3</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>\
         <NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>COLD</StorageClass>\
         </NoncurrentVersionTransition></Rule>",
        "<Rule><ID>new</ID><Filter><ArchiveZone/></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>",
    ];

    fn read(xml: &str) -> LifecycleRule {
        xml.parse().unwrap()
    }

    #[test]
    fn rules_stay_byte_for_byte_what_they_were() {
        for xml in FOREIGN {
            assert_eq!(read(xml).xml(), xml);
        }
        let rules: Vec<_> = FOREIGN.map(read).into();
        let document = LifecycleConfiguration { rules, minimum_size: None }.document();
        let inside: Vec<_> = Element::inside(&document).unwrap().into_iter().map(|element| element.xml).collect();
        assert_eq!(inside, FOREIGN);
    }

    #[test]
    fn conditions_beside_each_other_go_into_an_and() {
        let rule = |filter: &str| {
            format!(
                "<Rule><ID>a</ID><Filter>{filter}</Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
            )
        };
        let (prefix, one, two) = (
            "<Prefix>p/</Prefix>",
            "<Tag><Key>k</Key><Value>v</Value></Tag>",
            "<Tag><Key>l</Key><Value>w</Value></Tag>",
        );
        for (given, put) in [
            (format!("{prefix}<And>{one}{two}</And>"), format!("<And>{prefix}{one}{two}</And>")),
            (format!("<And>{one}{two}</And>{prefix}"), format!("<And>{prefix}{one}{two}</And>")),
            (format!("{prefix}<And>{prefix}{one}</And>"), format!("<And>{prefix}{one}</And>")),
            (format!("{prefix}{one}"), format!("<And>{prefix}{one}</And>")),
            (format!("<And>{prefix}{one}</And>"), format!("<And>{prefix}{one}</And>")),
            (one.to_owned(), one.to_owned()),
        ] {
            let given = read(&rule(&given));
            let document = LifecycleConfiguration { rules: vec![given.clone()], minimum_size: None }.document();
            assert!(document.contains(&rule(&put)), "{document}");
            let taken = read(&rule(&put));
            assert!(taken.means(&given), "{given:?}");
        }
    }

    #[test]
    fn what_a_rule_says_is_known() {
        let [all, old, tidy, versions, new] = FOREIGN.map(read);
        assert_eq!((all.id(), all.is_enabled(), old.is_enabled()), ("all of it", true, false));
        let filter = RuleFilter {
            prefix: "logs/& more/".into(),
            tags: vec![("k".into(), " v ".into()), ("l".into(), String::new())],
            larger_than: Some(500),
            smaller_than: Some(64_000),
            others: Vec::new(),
        };
        assert_eq!(all.filter(), &filter);
        let moves = |class: &str, days| RuleAction::Transition { class: class.into(), days };
        assert_eq!(all.actions(), [moves("STANDARD_IA", Some(30)), moves("GLACIER", None), RuleAction::Expiration]);
        assert_eq!(old.filter().prefix, "tmp/");
        let names = |rule: &LifecycleRule| rule.actions().iter().map(|act| act.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&tidy), ["AbortIncompleteMultipartUpload", "Expiration"]);
        assert_eq!(names(&versions), ["NoncurrentVersionExpiration", "NoncurrentVersionTransition"]);
        assert_eq!(new.filter().others, ["ArchiveZone"]);
        let changing = [&all, &old, &tidy, &versions, &new].map(LifecycleRule::changes_objects);
        assert_eq!(changing, [true, false, false, false, true]);
    }

    #[test]
    fn prefixes_meet_in_both_directions() {
        let rule = read("<Rule><Filter><Prefix>a/b/</Prefix></Filter><Status>Enabled</Status></Rule>");
        for (prefix, meets) in
            [("a/", true), ("a/b/", true), ("a/b/c/", true), ("", true), ("a/c/", false), ("b/", false)]
        {
            assert_eq!(rule.meets(prefix), meets, "{prefix}");
        }
    }

    #[test]
    fn an_own_rule_is_known_again_in_other_words() {
        let own = LifecycleRule::transition("s3core-1", "a&b/", 0, "COLD").unwrap();
        let said = read(own.xml());
        assert_eq!(said, own);
        let otherwise = "<Rule><ID>s3core-1</ID><Status>Enabled</Status><Transition><StorageClass>COLD</StorageClass><Days>0</Days>\
                         </Transition><Prefix>a&#38;b/</Prefix></Rule>";
        assert!(read(otherwise).means(&own) && read(otherwise) != own);
        assert!(!read(&otherwise.replace("COLD", "ICE")).means(&own));
        let error = LifecycleRule::transition("x", "a\u{1}/", 0, "COLD").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPath);
    }
}
