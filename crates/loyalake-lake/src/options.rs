//! Options of object stores: what a configuration may say, over what the environment says.

use std::collections::BTreeMap;
use std::str::FromStr;

use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;
use url::Url;

use crate::{LakeError, Result};

/// Prefixes of the environment variables that object stores understand.
const VARIABLE_PREFIXES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// Parts of option names that hold secrets: those come from the environment only.
const SECRET_PARTS: [&str; 9] = [
    "secret",
    "token",
    "password",
    "credential",
    "sas_key",
    "account_key",
    "access_key",
    "master_key",
    "customer_key",
];

/// Secrets that are shorter are not looked for in texts: they would be found everywhere.
const SHORTEST_SECRET: usize = 8;

/// `[storage]` of a configuration.
#[derive(Debug, Clone, Default)]
pub struct StorageOptions {
    /// Options of all locations.
    pub general: BTreeMap<String, String>,
    /// Options of the locations below a URL, over those of all locations.
    pub locations: BTreeMap<String, BTreeMap<String, String>>,
}

/// Options in the order in which they are applied: what comes later wins.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    environment: BTreeMap<String, String>,
    configured: StorageOptions,
}

impl StorageOptions {
    /// Refuses secrets and unknown names, which the stores would ignore without a word.
    fn check(&self) -> Result<()> {
        for prefix in self.locations.keys() {
            if !prefix.contains("://") {
                return Err(LakeError::BadStoragePrefix {
                    prefix: prefix.clone(),
                });
            }
            refuse_secrets(prefix)?;
        }
        let tables = self.locations.values().chain([&self.general]);
        for (key, value) in tables.flatten() {
            check_option(key, value)?;
        }
        Ok(())
    }
}

impl Layers {
    /// The options of a configuration over those of this process's environment.
    pub(crate) fn try_new(configured: &StorageOptions) -> Result<Self> {
        configured.check()?;
        let is_option = |name: &str| {
            let mut prefixes = VARIABLE_PREFIXES.iter();
            prefixes.any(|prefix| name.starts_with(prefix))
        };
        let variables = std::env::vars().filter(|(name, _)| is_option(name));
        Ok(Self {
            environment: variables
                .map(|(name, value)| (name.to_lowercase(), value))
                .collect(),
            configured: configured.clone(),
        })
    }

    /// The longest configured prefix of a URL.
    pub(crate) fn prefix_of(&self, url: &str) -> Option<&str> {
        let is_below = |prefix: &&str| {
            let rest = url.strip_prefix(prefix.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let prefixes = self.configured.locations.keys().map(String::as_str);
        prefixes
            .filter(is_below)
            .max_by_key(|prefix| prefix.trim_end_matches('/').len())
    }

    /// All options for the locations below a prefix.
    pub(crate) fn below(&self, prefix: Option<&str>) -> Vec<(&str, &str)> {
        let own = prefix.and_then(|prefix| self.configured.locations.get(prefix));
        let layers = [&self.environment, &self.configured.general];
        let options = layers.into_iter().chain(own).flatten();
        options
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }

    /// Values that nobody may read in a message.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let tables = self.configured.locations.values();
        let tables = tables.chain([&self.environment, &self.configured.general]);
        let mut secrets = Vec::new();
        for (key, value) in tables.flatten() {
            if is_secret(key) && value.len() >= SHORTEST_SECRET {
                secrets.push(value.clone());
            }
            let url = Url::parse(value).ok();
            secrets.extend(url.and_then(|url| url.password().map(str::to_owned)));
        }
        secrets
    }
}

/// Refuses a URL that may hold a secret: a password before the host, or a query string, which is
/// how signed URLs are written.
pub(crate) fn refuse_secrets(text: &str) -> Result<()> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(());
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    // the container of an Azure account is written as a user
    let is_container = scheme.starts_with('a') && !user.contains(':');
    let has_query = rest.contains(['?', '#']);
    if !has_query && (user.is_empty() || is_container) {
        return Ok(());
    }
    Err(LakeError::SecretInLocation {
        address: format!("{scheme}://{host}/…"),
    })
}

/// A configuration's text with stars for what may be a secret; every line keeps its length.
pub fn mask_secrets(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut is_storage = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let is_header = trimmed
            .strip_prefix('[')
            .is_some_and(|rest| rest.starts_with(char::is_alphabetic));
        if is_header {
            is_storage = trimmed.starts_with("[storage");
        }
        let may_be_secret = if is_storage && !is_header {
            !trimmed.is_empty() && !is_plain_option(trimmed)
        } else {
            trimmed.split('"').any(|text| refuse_secrets(text).is_err())
        };
        if may_be_secret {
            let key = line.find('=').map_or(0, |at| at + 1);
            let key = if is_secret(&line[..key].to_lowercase()) {
                key
            } else {
                0
            };
            masked.push_str(&line[..key]);
            let value = line[key..].trim_end_matches('\n');
            masked.push_str(&"*".repeat(value.len()));
            masked.push_str(&line[key + value.len()..]);
        } else {
            masked.push_str(line);
        }
    }
    masked
}

/// Whether a line is `name = value` and neither of them looks like a secret.
fn is_plain_option(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    let (key, value) = (key.trim(), value.trim());
    let is_name = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_';
    let is_text = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    let is_word = !value.is_empty() && value.chars().all(is_name);
    key.chars().all(is_name)
        && (is_text || is_word)
        && !is_secret(&key.to_lowercase())
        && refuse_secrets(value.trim_matches('"')).is_ok()
}

fn is_secret(key: &str) -> bool {
    SECRET_PARTS.iter().any(|part| key.contains(part))
}

fn check_option(key: &str, value: &str) -> Result<()> {
    let lower = key.to_lowercase();
    if is_secret(&lower) || refuse_secrets(value).is_err() {
        return Err(LakeError::Secret {
            key: key.to_owned(),
            variable: variable(&lower),
        });
    }
    let is_known = AmazonS3ConfigKey::from_str(&lower).is_ok()
        || GoogleConfigKey::from_str(&lower).is_ok()
        || AzureConfigKey::from_str(&lower).is_ok()
        || ClientConfigKey::from_str(&lower).is_ok();
    if is_known {
        return Ok(());
    }
    let known = [
        "aws_region",
        "aws_endpoint",
        "aws_allow_http",
        "aws_skip_signature",
        "azure_storage_account_name",
        "azure_storage_endpoint",
        "google_bucket",
        "timeout",
    ];
    let likeness = |known: &str| strsim::jaro_winkler(known, &lower);
    let nearest = known
        .into_iter()
        .max_by(|one, two| likeness(one).total_cmp(&likeness(two)));
    Err(LakeError::UnknownOption {
        key: key.to_owned(),
        nearest: nearest.unwrap_or_default().to_owned(),
    })
}

/// The environment variable that says what an option says.
fn variable(key: &str) -> String {
    let name = AmazonS3ConfigKey::from_str(key)
        .map(|key| key.as_ref().to_owned())
        .or_else(|_| AzureConfigKey::from_str(key).map(|key| key.as_ref().to_owned()))
        .or_else(|_| GoogleConfigKey::from_str(key).map(|key| key.as_ref().to_owned()));
    name.unwrap_or_else(|_| key.to_owned()).to_uppercase()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    fn table(options: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        options.iter().map(owned).collect()
    }

    fn layers(general: &[(&str, &str)], below: &[(&str, &[(&str, &str)])]) -> Result<Layers> {
        let locations = below
            .iter()
            .map(|(prefix, options)| ((*prefix).to_owned(), table(options)));
        Layers::try_new(&StorageOptions {
            general: table(general),
            locations: locations.collect(),
        })
    }

    #[test]
    fn secrets_are_refused_by_name_and_say_which_variable_to_set() {
        for (key, expected) in [
            ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
            ("access_key_id", "AWS_ACCESS_KEY_ID"),
            ("aws_session_token", "AWS_SESSION_TOKEN"),
            ("aws_sse_customer_key_base64", "AWS_SSE_CUSTOMER_KEY_BASE64"),
            ("azure_storage_access_key", "AZURE_STORAGE_ACCOUNT_KEY"),
            ("AZURE_STORAGE_MASTER_KEY", "AZURE_STORAGE_ACCOUNT_KEY"),
            ("sas_token", "AZURE_STORAGE_SAS_KEY"),
            ("google_service_account_key", "GOOGLE_SERVICE_ACCOUNT_KEY"),
            (
                "google_application_credentials",
                "GOOGLE_APPLICATION_CREDENTIALS",
            ),
        ] {
            let general = layers(&[(key, "hunter2")], &[]);
            let below = layers(&[], &[("s3://raw", &[(key, "hunter2")])]);
            for refused in [general, below] {
                let message = refused.err().expect("a secret is refused").to_string();
                assert!(message.contains(&format!("({expected})")), "{message}");
                assert!(!message.contains("hunter2"), "{message}");
            }
        }
    }

    #[test]
    fn secrets_in_urls_are_refused_and_not_repeated() {
        for url in [
            "s3://key:hunter2@bucket/orders",
            "s3://hunter2@bucket/orders",
            "https://account.blob.core.windows.net/c/o?sig=hunter2",
            "az://container:hunter2@account.dfs.core.windows.net/orders",
            "s3://bucket/orders#hunter2",
        ] {
            let message = refuse_secrets(url).expect_err("a secret").to_string();
            assert!(!message.contains("hunter2"), "{message}");
            let endpoint = check_option("aws_endpoint", url).expect_err("a secret");
            assert!(!endpoint.to_string().contains("hunter2"), "{endpoint}");
        }
        for url in [
            "s3://bucket/orders@2024/",
            "abfss://container@account.dfs.core.windows.net/orders",
            "data/why?",
        ] {
            assert!(refuse_secrets(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_config_is_shown_without_secrets_and_places_stay() {
        let plain = "[lake]\noutput = \"s3://a/b\" # why?\n[storage]\naws_region = \"x\"\n";
        assert_eq!(mask_secrets(plain), plain);
        for secret in [
            "[storage]\naws_session_token = \"hunter2\"\n",
            "[storage]\ntoken = [\n\"hunter2\",\n]",
            "[storage]\ntoken = \"\"\"\nhunter2==\n\"\"\"",
            "[storage]\n# old key: hunter2\n",
            "[storage.\"s3://raw\"]\naws_endpoint = \"http://me:hunter2@host\"",
            "[sources.orders]\nlocation = \"s3://me:hunter2@host/\"\n",
            "location = \"https://host/orders.csv?sig=hunter2\"",
            "a = \"s3://hunter2@raw\" # orders",
            "# az://me:hunter2@raw",
        ] {
            let masked = mask_secrets(secret);
            assert!(!masked.contains("hunter2"), "{masked}");
            let lengths = |text: &str| text.lines().map(str::len).collect::<Vec<_>>();
            assert_eq!(lengths(&masked), lengths(secret));
        }
    }

    #[test]
    fn unknown_options_offer_the_nearest() {
        let message = |refused: Result<Layers>| refused.err().map(|error| error.to_string());
        let unknown = message(layers(&[], &[("s3://raw", &[("aws_regoin", "x")])]));
        assert!(unknown.is_some_and(|message| message.contains("did you mean 'aws_region'?")));
        let prefix = message(layers(&[], &[("raw-bucket", &[])]));
        assert!(prefix.is_some_and(|message| message.contains("[storage.\"s3://raw-bucket\"]")));
        assert!(layers(&[("aws_region", "x"), ("timeout", "90 seconds")], &[]).is_ok());
    }

    #[test]
    fn the_longest_prefix_wins_and_ends_where_a_name_ends() {
        let below = ["s3://", "s3://raw", "s3://raw/2024/", "gs://raw"];
        let below: Vec<(&str, &[(&str, &str)])> =
            below.into_iter().map(|prefix| (prefix, &[][..])).collect();
        let layers = layers(&[], &below).expect("prefixes");
        for (url, expected) in [
            ("s3://raw/2024/orders/", Some("s3://raw/2024/")),
            ("s3://raw/2024", Some("s3://raw/2024/")),
            ("s3://raw/20245/", Some("s3://raw")),
            ("s3://raw-two/", Some("s3://")),
            ("gs://raw/orders", Some("gs://raw")),
            ("az://raw/orders", None),
        ] {
            assert_eq!(layers.prefix_of(url), expected, "{url}");
        }
    }

    #[test]
    fn a_location_is_over_the_rest_which_is_over_the_environment() {
        let mut layers = layers(
            &[("aws_region", "general")],
            &[("s3://raw", &[("aws_region", "own")])],
        )
        .expect("options");
        layers.environment = table(&[("aws_region", "environment")]);
        let regions = |prefix| -> Vec<&str> {
            layers
                .below(prefix)
                .into_iter()
                .map(|(_, value)| value)
                .collect()
        };
        assert_eq!(regions(Some("s3://raw")), ["environment", "general", "own"]);
        assert_eq!(regions(None), ["environment", "general"]);
    }
}
