//! Debian's Postfix as a neighbour: what Mailroom sends through, and what sends to Mailroom. An instance of its own with
//! configuration, queue and data in a temporary folder, on a free port of 127.0.0.1; the system's Postfix is not touched.
//! It ends with [`Postfix`]. Its master only runs as root.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::report::unique;
use crate::stack::Supervised;

const PROGRAM: &str = "/usr/sbin/postfix";
const POSTQUEUE: &str = "/usr/sbin/postqueue";
const POSTCONF: &str = "/usr/sbin/postconf";
const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// Where Postfix takes what it was given.
pub struct Routes<'a> {
    /// Domain and server of those that differ.
    pub domains: &'a [(&'a str, SocketAddr)],
    pub others: SocketAddr,
}

pub struct Postfix {
    process: Option<Supervised>,
    folder: PathBuf,
    address: SocketAddr,
}

impl Postfix {
    /// Whether it can run here. A machine that tests for others must be able to.
    pub fn is_possible() -> Result<bool> {
        if !Path::new(PROGRAM).exists() {
            bail!("{PROGRAM} is missing; `cargo xtask setup --tests` installs it (Debian package postfix)");
        }
        let is_root = rustix::process::geteuid().is_root();
        if !is_root && std::env::var_os("CI").is_some() {
            bail!("Postfix only runs as root, and a CI run must not leave it out");
        }
        Ok(is_root)
    }

    pub fn start(routes: &Routes<'_>) -> Result<Self> {
        // Beside no checkout: its processes are another user, who may not look into somebody's home.
        let folder = std::env::temp_dir().join(format!("mailroom-postfix-{}", unique()));
        for name in ["", "config", "queue", "data"] {
            fs::create_dir_all(folder.join(name))?;
            fs::set_permissions(folder.join(name), Permissions::from_mode(0o755))?;
        }
        let (user, group) = postfix_user()?;
        chown(folder.join("data"), Some(user), Some(group)).context("only root may start Postfix")?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        fs::write(folder.join("config/main.cf"), main_cf(&folder, routes))?;
        fs::write(folder.join("config/master.cf"), master_cf(port))?;
        let mut postfix = Self { process: None, folder, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        // Makes the folders of its queue.
        run(Command::new(PROGRAM).arg("-c").arg(postfix.config()).arg("check"))?;
        // `postfix start-fg` would be the usual way, but leaves our process group, and so might outlive us.
        let mut command = Command::new(MASTER);
        command.arg("-c").arg(postfix.config()).arg("-d");
        postfix.process = Some(Supervised::start(&command, &postfix.folder.join("log"))?);
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(postfix.address).is_err() {
            if Instant::now() > end {
                bail!("Postfix does not listen\n{}", postfix.log());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(postfix)
    }

    /// Where it takes mail.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Mails it still keeps, one JSON object each: `queue_name`, `recipients` with `delay_reason`.
    pub fn queue(&self) -> Result<Vec<serde_json::Value>> {
        let list = run(Command::new(POSTQUEUE).arg("-c").arg(self.config()).arg("-j"))?;
        list.lines().map(|it| Ok(serde_json::from_str(it)?)).collect()
    }

    /// Tries all it keeps again, now.
    pub fn flush(&self) -> Result<()> {
        run(Command::new(POSTQUEUE).arg("-c").arg(self.config()).arg("-f")).map(drop)
    }

    /// Changes a parameter while it runs.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        run(Command::new(POSTCONF).arg("-c").arg(self.config()).arg("-e").arg(format!("{name}={value}")))?;
        run(Command::new(PROGRAM).arg("-c").arg(self.config()).arg("reload")).map(drop)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn config(&self) -> PathBuf {
        self.folder.join("config")
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.process = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn main_cf(folder: &Path, routes: &Routes<'_>) -> String {
    let folder = folder.display();
    let domains: Vec<String> = routes
        .domains
        .iter()
        .map(|(domain, at)| format!("{{ {domain} = smtp:[{}]:{} }}", at.ip(), at.port()))
        .collect();
    format!(
        "compatibility_level = 3.6\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\n\
         maillog_file = /dev/stdout\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = relay.test\n\
         mydestination =\nalias_maps =\nalias_database =\nlocal_recipient_maps =\nmynetworks = 127.0.0.0/8\n\
         smtpd_relay_restrictions = permit_mynetworks, reject\nsmtpd_peername_lookup = no\nsmtp_tls_security_level =\n\
         smtp_dns_support_level = disabled\nmessage_size_limit = 52428800\nbiff = no\n\
         relayhost = [{ip}]:{port}\ntransport_maps = inline:{{ {domains} }}\n",
        ip = routes.others.ip(),
        port = routes.others.port(),
        domains = domains.join(", "),
    )
}

/// Without chroot, since the folder has none of the files that it would need.
fn master_cf(port: u16) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n\
         defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nflush unix n - n 1000? 0 flush\nsmtp unix - - n - - smtp\n\
         relay unix - - n - - smtp\nshowq unix n - n - - showq\nerror unix - - n - - error\nretry unix - - n - - error\n\
         discard unix - - n - - discard\nscache unix - - n - 1 scache\nanvil unix - - n - 1 anvil\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}

/// User and group that Debian made for it.
fn postfix_user() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let fields: Vec<&str> = users
        .lines()
        .find(|it| it.starts_with("postfix:"))
        .context("there is no user postfix; is the package configured?")?
        .split(':')
        .collect();
    match fields.as_slice() {
        [_, _, user, group, ..] => Ok((user.parse()?, group.parse()?)),
        _ => bail!("the line of postfix in /etc/passwd is not understood"),
    }
}
