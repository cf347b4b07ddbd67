//! Where the development servers say what they did: a file, the terminal, or nobody.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result};

#[derive(Clone, Default)]
pub struct Journal {
    file: Option<Arc<Mutex<File>>>,
}

impl Journal {
    pub fn silent() -> Self {
        Self::default()
    }

    /// Appends to `path`.
    pub fn file(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write the journal {}", path.display()))?;
        Ok(Self { file: Some(Arc::new(Mutex::new(file))) })
    }

    /// One line. A journal that cannot be written must not stop the mail, so errors are dropped.
    pub fn note(&self, line: impl AsRef<str>) {
        if let Some(file) = &self.file {
            let now = httpdate::fmt_http_date(SystemTime::now());
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(file, "{now} {}", line.as_ref());
        }
    }
}
