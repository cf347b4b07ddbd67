//! What a first visit loads: wasm, scripts and styles in brotli, as Cloudflare sends them.

use std::fs;
use std::io::Write;

use anyhow::Result;

use super::Figure;
use crate::paths;

/// Budget in bytes (design, section 6).
const BUDGET: f64 = 200.0 * 1024.0;

pub(super) fn run() -> Result<Vec<Figure>> {
    let mut total = 0;
    let mut figures = Vec::new();
    for entry in fs::read_dir(paths::root().join("app/dist/assets"))? {
        let path = entry?.path();
        let kind = path.extension().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
        if matches!(kind.as_str(), "wasm" | "js" | "css") {
            let size = brotli_size(&fs::read(&path)?)?;
            total += size;
            figures.push(Figure {
                name: format!("first load, {kind}, brotli"),
                value: size as f64,
                unit: "bytes",
                baseline: None,
            });
        }
    }
    let baseline = Some(("budget".to_owned(), BUDGET));
    figures.push(Figure { name: "first load, all, brotli".to_owned(), value: total as f64, unit: "bytes", baseline });
    Ok(figures)
}

fn brotli_size(bytes: &[u8]) -> Result<usize> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, 11, 22);
    writer.write_all(bytes)?;
    writer.flush()?;
    Ok(writer.into_inner().len())
}
