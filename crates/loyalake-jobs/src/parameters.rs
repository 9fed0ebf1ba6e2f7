//! The `$params` of SQL files: their defaults, what a configuration changes, and their literals.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use datafusion::sql::sqlparser::ast::{
    Array, ArrayElemTypeDef, CastKind, DataType, ExactNumberInfo, Expr, Ident, TypedString,
    UnaryOperator, Value,
};
use toml::Value as Toml;

use crate::config::nearest;
use crate::{Config, JobsError, Result};

/// The parameter that every run sets.
const AS_OF_DATE: &str = "as_of_date";

/// Types of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Boolean,
    Integer,
    Double,
    Varchar,
    Date,
    Strings,
    Doubles,
    /// The name of a column, which stands in SQL as that column.
    Column,
}

/// A parameter: its type, its value, and what it means.
#[derive(Debug, Clone)]
pub struct Parameter {
    kind: Type,
    value: Option<Toml>,
    /// The comment above its default.
    pub description: String,
}

/// All parameters of a project.
#[derive(Debug, Clone)]
pub struct Parameters(BTreeMap<String, Parameter>);

impl Parameters {
    /// Defaults (the text of `sql/parameters.toml`) with the configuration's values in their place.
    ///
    /// # Errors
    /// A value of another type than its default, a name that is neither a default nor used by a
    /// SQL file.
    pub(crate) fn try_new(defaults: &str, config: &Config, used: &[String]) -> Result<Self> {
        let table: toml::Table = toml::from_str(defaults).map_err(|error| JobsError::Config {
            message: format!("sql/parameters.toml: {}", error.message()),
            place: None,
        })?;
        let mut parameters = BTreeMap::new();
        for (name, value) in table {
            let description = comment_above(defaults, &name);
            let (kind, value) = declared(&name, value)?;
            parameters.insert(
                name,
                Parameter {
                    kind,
                    value,
                    description,
                },
            );
        }
        for (name, value) in &config.parameters {
            if name == AS_OF_DATE {
                return Err(config.error("as_of_date is set by --as-of, not by the config", name));
            }
            match parameters.get_mut(name) {
                Some(parameter) => {
                    parameter.value = Some(parameter.kind.check(name, value, config)?);
                }
                None if used.contains(name) => {
                    let (kind, value) = declared(name, value.clone())?;
                    let description = String::new();
                    parameters.insert(
                        name.clone(),
                        Parameter {
                            kind,
                            value,
                            description,
                        },
                    );
                }
                None => {
                    let known = parameters.keys().map(String::as_str);
                    let hint = nearest(name, known).unwrap_or_default();
                    let message = format!("unknown parameter '{name}'; did you mean '{hint}'?");
                    return Err(config.error(&message, name));
                }
            }
        }
        Ok(Self(parameters))
    }

    /// The same parameters for a run of one date.
    #[must_use]
    pub fn for_date(&self, as_of_date: NaiveDate) -> Self {
        let mut parameters = self.0.clone();
        let value = Some(Toml::String(as_of_date.to_string()));
        let description = "the date that the run describes".to_owned();
        parameters.insert(
            AS_OF_DATE.to_owned(),
            Parameter {
                kind: Type::Date,
                value,
                description,
            },
        );
        Self(parameters)
    }

    /// Names and parameters, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.0
            .iter()
            .map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// The literal that stands for `$name`.
    pub(crate) fn literal(&self, name: &str) -> Option<Expr> {
        self.0.get(name).map(Parameter::literal)
    }

    /// The parameter among `names` that names the column which a planner's message says is missing.
    pub(crate) fn of_missing_column<'a>(
        &self,
        names: &'a [String],
        message: &str,
    ) -> Option<&'a str> {
        let is_missing = |name: &&String| {
            let parameter = self.0.get(name.as_str());
            let column = parameter.filter(|parameter| parameter.kind == Type::Column);
            let column = column.and_then(|parameter| parameter.value.as_ref()?.as_str());
            column.is_some_and(|column| {
                [
                    format!("No field named {column}."),
                    format!("No field named \"{column}\"."),
                ]
                .iter()
                .any(|start| message.starts_with(start))
            })
        };
        names.iter().find(is_missing).map(String::as_str)
    }

    /// The name that looks most like an unknown one.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.0.keys().map(String::as_str))
    }

    /// A text parameter's value.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.value.as_ref()?.as_str()
    }

    /// A parameter's value as a number of days, None when it is no such number.
    pub(crate) fn days(&self, name: &str) -> Option<u64> {
        let days = self.0.get(name)?.value.as_ref()?.as_integer()?;
        u64::try_from(days).ok()
    }

    /// All values as JSON, for the record.
    pub fn to_json(&self) -> serde_json::Value {
        let value =
            |parameter: &Parameter| serde_json::to_value(&parameter.value).unwrap_or_default();
        self.0
            .iter()
            .map(|(name, parameter)| (name.clone(), value(parameter)))
            .collect()
    }
}

impl Parameter {
    /// The value as it would stand in a configuration, "NULL" where it has none.
    pub fn shown(&self) -> String {
        self.value
            .as_ref()
            .map_or_else(|| "NULL".to_owned(), ToString::to_string)
    }

    fn literal(&self) -> Expr {
        match &self.value {
            None => cast(Expr::value(Value::Null), self.kind),
            Some(Toml::String(text)) if self.kind == Type::Date => Expr::TypedString(TypedString {
                data_type: DataType::Date,
                value: Value::SingleQuotedString(text.clone()).into(),
                uses_odbc_syntax: false,
            }),
            Some(Toml::String(text)) if self.kind == Type::Column => {
                Expr::Identifier(Ident::with_quote('"', text))
            }
            Some(value) => literal(value),
        }
    }
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Varchar => "varchar",
            Self::Date => "date",
            Self::Strings => "list of strings",
            Self::Doubles => "list of doubles",
            Self::Column => "column",
        }
    }

    fn of(value: &Toml) -> Option<Self> {
        match value {
            Toml::Boolean(_) => Some(Self::Boolean),
            Toml::Integer(_) => Some(Self::Integer),
            Toml::Float(_) => Some(Self::Double),
            Toml::String(_) => Some(Self::Varchar),
            Toml::Array(items) if items.iter().all(Toml::is_str) => Some(Self::Strings),
            _ => None,
        }
    }

    /// The value as one of this type; an integer is a double where one is wanted.
    fn check(self, name: &str, value: &Toml, config: &Config) -> Result<Toml> {
        match (self, value) {
            #[expect(clippy::cast_precision_loss, reason = "parameters are small")]
            (Self::Double, Toml::Integer(whole)) => Ok(Toml::Float(*whole as f64)),
            (Self::Double, Toml::Float(number)) if !number.is_finite() => Err(config.error(
                &format!("parameter '{name}' must be a finite number, but is {number}"),
                name,
            )),
            (Self::Column, Toml::String(_)) => Ok(value.clone()),
            (Self::Doubles, Toml::Array(items)) => {
                let items = items
                    .iter()
                    .map(|item| Self::Double.check(name, item, config));
                Ok(Toml::Array(items.collect::<Result<_>>()?))
            }
            _ if Self::of(value) == Some(self) => Ok(value.clone()),
            _ => {
                let expected = self.name();
                let message = format!("parameter '{name}' must be a {expected}, but is {value}");
                Err(config.error(&message, name))
            }
        }
    }
}

/// A default's type and value; `{ type = "double" }` declares a parameter that is NULL unless
/// configured.
fn declared(name: &str, value: Toml) -> Result<(Type, Option<Toml>)> {
    let kind = match &value {
        Toml::Table(table) => {
            let types = [
                Type::Boolean,
                Type::Integer,
                Type::Double,
                Type::Varchar,
                Type::Date,
                Type::Doubles,
                Type::Column,
            ];
            let text = table.get("type").and_then(Toml::as_str).unwrap_or_default();
            return types
                .into_iter()
                .find(|kind| kind.name() == text)
                .map(|kind| (kind, None))
                .ok_or_else(|| JobsError::Config {
                    message: format!(
                        "parameter '{name}': {{ type = \"{text}\" }} is not a known type"
                    ),
                    place: None,
                });
        }
        other => Type::of(other),
    };
    let kind = kind.ok_or_else(|| JobsError::Config {
        message: format!("parameter '{name}' must be a boolean, number, string or list of strings"),
        place: None,
    })?;
    Ok((kind, Some(value)))
}

fn literal(value: &Toml) -> Expr {
    match value {
        Toml::Boolean(truth) => Expr::value(Value::Boolean(*truth)),
        Toml::Integer(number) => signed(number.unsigned_abs().to_string(), *number < 0),
        Toml::Float(number) => {
            let digits = signed(format!("{:e}", number.abs()), number.is_sign_negative());
            cast(digits, Type::Double)
        }
        Toml::Array(items) => Expr::Array(Array {
            elem: items.iter().map(literal).collect(),
            named: false,
        }),
        Toml::String(text) => Expr::value(Value::SingleQuotedString(text.clone())),
        Toml::Datetime(_) | Toml::Table(_) => Expr::value(Value::Null),
    }
}

fn signed(digits: String, is_negative: bool) -> Expr {
    let number = Expr::value(Value::Number(digits, false));
    if is_negative {
        return Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: Box::new(number),
        };
    }
    number
}

fn cast(expr: Expr, kind: Type) -> Expr {
    let data_type = match kind {
        Type::Boolean => DataType::Boolean,
        Type::Integer => DataType::BigInt(None),
        Type::Double => DataType::Double(ExactNumberInfo::None),
        Type::Varchar | Type::Strings | Type::Column => DataType::Varchar(None),
        Type::Doubles => {
            let item = Box::new(DataType::Double(ExactNumberInfo::None));
            DataType::Array(ArrayElemTypeDef::SquareBracket(item, None))
        }
        Type::Date => DataType::Date,
    };
    let expr = Box::new(expr);
    Expr::Cast {
        kind: CastKind::Cast,
        expr,
        data_type,
        array: false,
        format: None,
    }
}

/// The comment lines directly above `name = …`.
fn comment_above(text: &str, name: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_default = |line: &&str| line.split('=').next().is_some_and(|key| key.trim() == name);
    let Some(index) = lines.iter().position(is_default) else {
        return String::new();
    };
    let above = lines[..index]
        .iter()
        .rev()
        .map_while(|line| line.strip_prefix('#'));
    let mut words: Vec<&str> = above.map(str::trim).collect();
    words.reverse();
    words.join(" ")
}
