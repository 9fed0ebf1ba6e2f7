//! Errors of stores: where, what, and how to mend it, and no secret.

use std::error::Error as _;
use std::sync::Arc;

use object_store::Error;

/// Longest text of an error that is repeated.
const LONGEST_TEXT: usize = 600;

/// What a store's answer means, by words that stand in it.
const MEANINGS: [(&[&str], &str); 8] = [
    (
        &[
            "NoSuchBucket",
            "ContainerNotFound",
            "bucket does not exist",
            "FilesystemNotFound",
        ],
        "the bucket or container does not exist; create it, or mend the location",
    ),
    (
        &[
            "/latest/api/token",
            "/latest/meta-data",
            "/metadata/identity",
            "/computeMetadata/",
            "metadata.google.internal",
        ],
        "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
         AZURE_STORAGE_ACCOUNT_KEY or GOOGLE_APPLICATION_CREDENTIALS in the environment, or run \
         where the platform gives a role",
    ),
    (
        &["Account must be specified"],
        "the account is not known; set azure_storage_account_name in [storage], or \
         AZURE_STORAGE_ACCOUNT_NAME in the environment",
    ),
    (
        &["URL scheme is not allowed"],
        "an http:// endpoint is refused unless the option aws_allow_http or azure_allow_http is \
         \"true\"",
    ),
    (
        &["Received redirect without LOCATION"],
        "the bucket is in another region; set aws_region",
    ),
    (
        &[
            "Connection refused",
            "dns error",
            "failed to lookup address",
        ],
        "the store can't be reached; check the endpoint and the network",
    ),
    (
        &[
            "connection closed before message completed",
            "Connection reset",
            "Broken pipe",
            "operation timed out",
        ],
        "the connection to the store was lost",
    ),
    (
        &["403 Forbidden", "401 Unauthorized"],
        "the credentials of the environment are not accepted, or don't allow this",
    ),
];

/// Turns a store's error into one that can be shown.
#[derive(Clone)]
pub(super) struct Explain {
    pub(super) address: Arc<str>,
    pub(super) secrets: Arc<[String]>,
}

impl std::fmt::Debug for Explain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.address)
    }
}

impl Explain {
    /// The same condition, in words that can be shown.
    pub(super) fn error(&self, error: Error) -> Error {
        let (words, is_known) = self.words(&error);
        let source = words.into();
        match error {
            Error::NotFound { path, .. } if !is_known => Error::NotFound { path, source },
            Error::AlreadyExists { path, .. } => Error::AlreadyExists { path, source },
            Error::Precondition { path, .. } => Error::Precondition { path, source },
            Error::NotModified { path, .. } => Error::NotModified { path, source },
            Error::NotImplemented { .. } | Error::InvalidPath { .. } => error,
            _ => Error::Generic {
                store: "object store",
                source,
            },
        }
    }

    /// What happened, and whether it is known what that means.
    fn words(&self, error: &Error) -> (String, bool) {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        let is_told = |words: &&str| text.contains(*words);
        let meaning = MEANINGS.iter().find(|(words, _)| words.iter().any(is_told));
        let mut text = without_markup(&text);
        for secret in self.secrets.iter() {
            text = text.replace(secret.as_str(), "***");
        }
        let text: String = text.chars().take(LONGEST_TEXT).collect();
        let words = match meaning {
            Some((_, meaning)) => format!("{}: {meaning} ({text})", self.address),
            None => format!("{}: {text}", self.address),
        };
        (words, meaning.is_some())
    }
}

/// A text with the code and the message of the XML in it, and nothing else of the XML: stores
/// repeat there what they were sent.
fn without_markup(text: &str) -> String {
    let plain = match text.find("<?xml").or_else(|| text.find('<')) {
        None => text.to_owned(),
        Some(start) => {
            let inside = |tag: &str| {
                let rest = text.split_once(&format!("<{tag}>"))?.1;
                Some(rest.split_once(&format!("</{tag}>"))?.0)
            };
            let code = inside("Code").unwrap_or("no code");
            let message = inside("Message").unwrap_or("no message");
            format!("{}{code}: {message}", &text[..start])
        }
    };
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(text: &str) -> Error {
        let explain = Explain {
            address: "s3://raw".into(),
            secrets: vec!["hunter2hunter2".to_owned()].into(),
        };
        explain.error(Error::NotFound {
            path: "orders".to_owned(),
            source: text.into(),
        })
    }

    #[test]
    fn what_stores_say_is_short_and_means_something() {
        let text = "Error performing GET: 404 Not Found: <?xml version=\"1.0\"?>\n<Error>\
            <Code>NoSuchBucket</Code><Message>The bucket\nis not there</Message></Error>";
        let error = explained(text);
        assert!(matches!(error, Error::Generic { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("s3://raw: the bucket or container does not exist"));
        assert!(text.ends_with("404 Not Found: NoSuchBucket: The bucket is not there)"));
    }

    #[test]
    fn what_is_not_there_stays_so_and_hides_secrets() {
        let error = explained("no key hunter2hunter2 <Token>AQoDYXdzEJr</Token>");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("no key ***"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("AQoDYXdzEJr"));
    }
}
