//! What the processes of a stack use: time of the processor and memory, from /proc.

use std::fs;

use anyhow::{Result, bail};

use crate::stack::Stack;

/// Of all workerd processes of a stack together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// Milliseconds of processor time since they started.
    pub(super) cpu: f64,
    /// Resident memory in MiB.
    pub(super) memory: f64,
}

/// Linux counts in hundredths of a second, whatever the kernel's own clock.
const TICK: f64 = 10.0;

pub(super) fn workerd(stack: &Stack) -> Result<Usage> {
    let mark = format!("WRANGLER_REGISTRY_PATH={}", stack.state().join("registry").display());
    let mut usage = Usage::default();
    let mut found = false;
    for entry in fs::read_dir("/proc")? {
        let folder = entry?.path();
        // Processes come and go while we look.
        let Ok(environment) = fs::read(folder.join("environ")) else { continue };
        let Ok(stat) = fs::read_to_string(folder.join("stat")) else { continue };
        if !stat.contains("(workerd)") || !environment.split(|it| *it == 0).any(|it| it == mark.as_bytes()) {
            continue;
        }
        found = true;
        // After the name in parentheses: state is field 3, utime 14, stime 15, rss (pages) 24 (proc(5)).
        let fields: Vec<f64> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(|it| it.parse().unwrap_or(0.0))
            .collect();
        let field = |n: usize| fields.get(n - 3).copied().unwrap_or(0.0);
        usage.cpu += (field(14) + field(15)) * TICK;
        usage.memory += field(24) * 4096.0 / (1024.0 * 1024.0);
    }
    if !found {
        bail!("no workerd runs with {mark}");
    }
    Ok(usage)
}
