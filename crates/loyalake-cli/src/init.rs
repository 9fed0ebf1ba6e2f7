//! `loyalake init`: a new project that runs as it is.

use std::fs;
use std::io::{ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Failure, Result};

/// Files of a new project.
const FILES: [(&str, &str); 4] = [
    ("lake.toml", include_str!("init/lake.toml")),
    ("README.md", include_str!("init/README.md")),
    (
        "data/orders/sample.csv",
        include_str!("init/data/orders/sample.csv"),
    ),
    (
        "sql/staging/stg_orders.sql.example",
        include_str!("init/sql/staging/stg_orders.sql.example"),
    ),
];

/// Make a new project: configuration, sample orders, an example of own SQL, a README
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake init shop && cd shop && loyalake check")]
pub(crate) struct InitArgs {
    /// The folder to make; one that exists must be empty
    folder: PathBuf,
}

pub(crate) fn init(args: &InitArgs) -> Result<()> {
    refuse_used(&args.folder)?;
    let mut out = stdout().lock();
    for (name, text) in FILES {
        let path = args.folder.join(name);
        write(&path, text).map_err(|source| Failure::Write {
            path: path.clone(),
            source,
        })?;
        writeln!(out, "{}", path.display())?;
    }
    let folder = args.folder.display();
    writeln!(
        out,
        "\nnext: cd {folder} && loyalake check && loyalake run --as-of 2026-03-31"
    )?;
    Ok(())
}

fn refuse_used(folder: &Path) -> Result<()> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::FolderNotEmpty {
            path: folder.to_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Failure::Read {
            path: folder.to_owned(),
            source,
        }),
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, text)
}
