//! A configuration with its SQL files, checked as far as that goes without looking at data.

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;
use loyalake_lake::{Engine, LocalEngine};

use crate::config::nearest;
use crate::contract::Contract;
use crate::earlier::{Earlier, PUBLISHED_SCHEMA};
use crate::graph::{Graph, RUN_SCHEMA};
use crate::library::{Library, parameter_defaults};
use crate::parameters::Parameters;
use crate::sql_file::{Kind, SqlFile};
use crate::supplied::SUPPLIED;
use crate::{Config, Result};

/// Schema of the inputs.
pub(crate) const SOURCE_SCHEMA: &str = "source";

/// Relations of schema `run`: what a run knows of itself.
const RUN_RELATIONS: [&str; 7] = [
    "current", "inputs", "tables", "audits", "warnings", "erased", SUPPLIED,
];

/// A configuration, its SQL files in order, its contracts and parameters.
#[derive(Debug, Clone)]
pub struct Project {
    /// The configuration.
    pub config: Config,
    /// Relations, audits and reports.
    pub graph: Graph,
    /// Contracts of the inputs, by name.
    pub contracts: Vec<Contract>,
    /// What relations read of earlier runs, by name.
    pub(crate) published: Vec<Earlier>,
    /// Parameters, without a date.
    pub parameters: Parameters,
    /// Changes when any SQL file changes.
    pub(crate) sql_fingerprint: String,
    /// What runs compute with.
    pub(crate) engine: Arc<dyn Engine>,
}

impl Project {
    /// Reads the SQL files of a configuration and checks that they fit together.
    ///
    /// # Errors
    /// Files that don't parse, inputs that nobody provides, unknown parameters, circles.
    pub fn open(config: Config) -> Result<Self> {
        let library = Library::read(&config)?;
        let mut used: Vec<String> = library
            .files()
            .flat_map(|file| file.parameters.clone())
            .collect();
        used.sort();
        let parameters = Parameters::try_new(parameter_defaults(), &config, &used)?;
        let contracts = library
            .of_kind(Kind::Source)
            .map(Contract::try_new)
            .collect::<Result<_>>()?;
        let published = library
            .of_kind(Kind::Published)
            .map(Earlier::try_new)
            .collect::<Result<_>>()?;
        let files = library
            .files()
            .filter(|file| !file.kind.is_contract())
            .cloned()
            .collect();
        let project = Self {
            config,
            graph: Graph::try_new(files)?,
            contracts,
            published,
            parameters,
            sql_fingerprint: library.fingerprint(),
            engine: Arc::new(LocalEngine),
        };
        project.time_zone()?;
        project.check_files()?;
        project.check_sources()?;
        let mut published = library.of_kind(Kind::Published);
        published.try_for_each(|file| project.check_published(file))?;
        Ok(project)
    }

    /// The same project, whose runs compute with `engine`.
    #[must_use]
    pub fn on(self, engine: Arc<dyn Engine>) -> Self {
        Self { engine, ..self }
    }

    /// The project of our own files alone, without inputs: for documentation.
    ///
    /// # Errors
    /// As for [`Project::open`].
    pub fn without_config() -> Result<Self> {
        let mut config = Config::parse(Path::new("lake.toml"), "lake.output = \"lake\"")?;
        let names = Library::read(&config)?;
        for file in names.of_kind(Kind::Source) {
            let name = file.name.clone();
            let absent = crate::config::SourceConfig::default();
            config.sources.insert(name, absent);
        }
        let mut project = Self::open(config)?;
        project.config.sources.clear();
        Ok(project)
    }

    /// The published tables, by name.
    pub fn marts(&self) -> Vec<&SqlFile> {
        let marts = self
            .graph
            .files()
            .iter()
            .filter(|file| file.kind == Kind::Mart);
        let mut marts: Vec<&SqlFile> = marts.collect();
        marts.sort_by(|one, two| one.name.cmp(&two.name));
        marts
    }

    /// The business's time zone.
    ///
    /// # Errors
    /// A name that no zone has.
    pub fn time_zone(&self) -> Result<Tz> {
        let name = self.parameters.text("time_zone").unwrap_or("UTC");
        name.parse().map_err(|_| {
            let zones = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let hint = nearest(name, zones).unwrap_or_default();
            let message = format!("unknown time_zone '{name}'; did you mean '{hint}'?");
            self.config.error(&message, name)
        })
    }

    /// The table whose row completes a run: the one that records the versions of the others.
    pub(crate) fn ledger(&self) -> Option<&SqlFile> {
        self.marts()
            .into_iter()
            .find(|file| self.graph.reads_run(file, "tables"))
    }

    /// The contract that a staging relation has to keep.
    pub(crate) fn contract_of(&self, file: &SqlFile) -> Option<&Contract> {
        let name = file.name.strip_prefix("stg_")?;
        let is_staging = file.kind == Kind::Staging;
        self.contracts
            .iter()
            .find(|contract| is_staging && contract.name == name)
    }

    fn check_files(&self) -> Result<()> {
        for file in self.graph.files() {
            for input in &file.inputs {
                self.check_input(file, input)?;
            }
            for name in &file.parameters {
                if name != "as_of_date" && self.parameters.literal(name).is_none() {
                    let hint = self.parameters.nearest(name).unwrap_or_default();
                    let message = format!(
                        "unknown parameter ${name}; did you mean ${hint}? a new one is declared \
                        by a value in [parameters]"
                    );
                    return Err(file.error(message, &format!("${name}")));
                }
            }
        }
        Ok(())
    }

    fn check_input(&self, file: &SqlFile, input: &str) -> Result<()> {
        let known = match input.split_once('.') {
            Some((SOURCE_SCHEMA, name)) => {
                self.config.sources.contains_key(name)
                    || self.contracts.iter().any(|contract| contract.name == name)
            }
            Some((RUN_SCHEMA, name)) => RUN_RELATIONS.contains(&name),
            Some((PUBLISHED_SCHEMA, name)) => {
                let mut published = self.published.iter();
                published.any(|earlier| earlier.contract.name == name)
            }
            Some(_) => false,
            None => self
                .graph
                .get(input)
                .is_some_and(|other| other.kind != Kind::Audit),
        };
        if known {
            return Ok(());
        }
        let relations = self.graph.files().iter().map(|file| file.name.clone());
        let sources = self.contracts.iter().map(|contract| &contract.name);
        let sources = sources.chain(self.config.sources.keys());
        let names: Vec<String> = relations
            .chain(sources.map(|name| format!("{SOURCE_SCHEMA}.{name}")))
            .collect();
        let hint = nearest(input, names.iter().map(String::as_str)).unwrap_or_default();
        let message = format!(
            "input '{input}' is no relation and no configured source; did you mean '{hint}'? \
             an input is configured as [sources.<name>] and read as source.<name>"
        );
        let word = input.rsplit('.').next().unwrap_or(input);
        Err(file.error(message, word))
    }

    /// What is read of earlier runs is a table of this project, and its age a number of days.
    fn check_published(&self, file: &SqlFile) -> Result<()> {
        let table = file.header("table").unwrap_or_default();
        let names: Vec<&str> = self.marts().iter().map(|mart| mart.name.as_str()).collect();
        if !names.contains(&table) {
            let hint = nearest(table, names).unwrap_or_default();
            let message = format!("no file in marts/ publishes '{table}'; did you mean '{hint}'?");
            return Err(file.error(message, table));
        }
        let Some(older) = file.header("older") else {
            return Ok(());
        };
        let name = older.strip_prefix('$').unwrap_or_default();
        if self.parameters.days(name).is_some() {
            return Ok(());
        }
        if let Some(value) = self.config.parameters.get(name) {
            let message =
                format!("parameter '{name}' must be a number of days, 0 or more, but is {value}");
            return Err(self.config.error(&message, name));
        }
        let message = format!(
            "`older: {older}` must be a parameter that is a number of days; write one such as \
             $transition_days"
        );
        Err(file.error(message, older))
    }

    /// Every configured source is read by somebody, and every required one is there.
    fn check_sources(&self) -> Result<()> {
        for name in self.config.sources.keys() {
            let input = format!("{SOURCE_SCHEMA}.{name}");
            if self.graph.readers(&input).next().is_none() {
                let names = self.contracts.iter().map(|contract| contract.name.as_str());
                let hint = nearest(name, names).unwrap_or_default();
                let message = format!(
                    "source '{name}' is read by no SQL file; did you mean '{hint}'? \
                     a source of your own is read as {input} by a file in sql.overrides"
                );
                return Err(self.config.error(&message, &format!("sources.{name}")));
            }
        }
        for contract in self
            .contracts
            .iter()
            .filter(|contract| contract.is_required)
        {
            let input = format!("{SOURCE_SCHEMA}.{}", contract.name);
            let is_read = self.graph.readers(&input).next().is_some();
            if is_read && !self.config.sources.contains_key(&contract.name) {
                let message = format!(
                    "source '{name}' is required; add [sources.{name}] with a location, \
                     or map your own tables in sql/staging/stg_{name}.sql",
                    name = contract.name
                );
                return Err(self.config.error(&message, "[sources"));
            }
        }
        Ok(())
    }
}

impl SqlFile {
    /// A hint for errors in this file: which of its inputs are the user's.
    pub(crate) fn overridden_inputs(&self, graph: &Graph) -> String {
        let own = self.inputs.iter().filter_map(|input| graph.get(input));
        let own: Vec<String> = own
            .filter(|file| file.is_override)
            .map(|file| {
                format!(
                    "; its input '{}' is yours ({}): does it return this column?",
                    file.name, file.path
                )
            })
            .collect();
        own.concat()
    }
}
