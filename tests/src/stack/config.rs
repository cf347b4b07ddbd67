//! Configuration files of one stack. wrangler gives a Worker that is not its first one only the variables of the
//! `.dev.vars` beside its configuration (`--var` and `--env-file` do not reach it), so each stack has copies of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::options::StackOptions;
use super::secrets;
use crate::paths;

/// Keys of wrangler.toml that name a file or folder.
const PATH_KEYS: [&str; 3] = ["main", "directory", "migrations_dir"];

/// Writes them under the stack's state and returns them in the order in which wrangler wants them: the first one answers.
pub(super) fn write(options: &StackOptions) -> Result<Vec<PathBuf>> {
    let folder = options.state.join("config");
    let root = paths::root();
    let mut configs = vec![copy(&root.join("tests/poster"), &folder.join("poster"))?];
    let mailroom = copy(&root, &folder.join("mailroom"))?;
    secrets::write_vars(&mailroom.with_file_name(".dev.vars"), options)?;
    configs.push(mailroom);
    if options.null_worker {
        configs.push(copy(&root.join("tests/poster/null"), &folder.join("null"))?);
    }
    Ok(configs)
}

/// A configuration that only differs in where its migrations are.
pub(super) fn with_migrations(folder: &Path, migrations: &Path) -> Result<PathBuf> {
    let path = copy(&paths::root(), folder)?;
    let text = fs::read_to_string(&path)?;
    let line = |line: &str| match line.split_once(" = ") {
        Some(("migrations_dir", _)) => format!("migrations_dir = \"{}\"\n", migrations.display()),
        _ => format!("{line}\n"),
    };
    fs::write(&path, text.lines().map(line).collect::<String>())?;
    Ok(path)
}

fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    let source = from.join("wrangler.toml");
    let text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    fs::create_dir_all(to)?;
    let path = to.join("wrangler.toml");
    fs::write(&path, anchored(&text, from)).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// The same configuration for a file that lies elsewhere: relative paths become absolute ones.
fn anchored(text: &str, folder: &Path) -> String {
    let line = |line: &str| {
        let anchored = line.split_once(" = \"").and_then(|(key, rest)| {
            let value = rest.strip_suffix('"').filter(|_| PATH_KEYS.contains(&key.trim()))?;
            Some(format!("{key} = \"{}\"", folder.join(value).display()))
        });
        anchored.unwrap_or_else(|| line.to_owned()) + "\n"
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute_and_the_rest_stays() {
        let text = "name = \"main\"\nmain = \"build/index.js\"\n[assets]\ndirectory = \"app/dist\"\n";
        let expect = "name = \"main\"\nmain = \"/x/build/index.js\"\n[assets]\ndirectory = \"/x/app/dist\"\n";
        assert_eq!(anchored(text, Path::new("/x")), expect);
    }
}
