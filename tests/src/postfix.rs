//! Debian's Postfix as a peer: an instance of its own in a temporary folder, without the system's service.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::report::unique;
use crate::stack::{Supervised, free_local_port};

/// Services of a mail relay, none of them in a chroot (see master(5)).
const MASTER: &str = "
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - 20 smtp
relay unix - - n - 20 smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

/// A running relay; it ends with this value.
pub struct Postfix {
    root: PathBuf,
    address: SocketAddr,
    _master: Supervised,
}

impl Postfix {
    /// Relays by recipient domain: `routes` name the next server of each.
    pub fn start(routes: &[(&str, SocketAddr)]) -> Result<Self> {
        let root = std::env::temp_dir().join(format!("mailroom-postfix-{}", unique()));
        let address = SocketAddr::from(([127, 0, 0, 1], free_local_port()?));
        for folder in ["etc", "queue", "data"] {
            fs::create_dir_all(root.join(folder))?;
        }
        // Its daemons run as their own user and must get through.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755))?;
        let owner = Command::new("chown").arg("postfix").arg(root.join("data")).output().context("chown")?;
        if !owner.status.success() {
            bail!("Postfix needs root and its own user: {}", String::from_utf8_lossy(&owner.stderr).trim());
        }
        let transports: Vec<String> =
            routes.iter().map(|(domain, to)| format!("{domain}=smtp:[{}]:{}", to.ip(), to.port())).collect();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {root}/queue\ndata_directory = {root}/data\n\
             mail_owner = postfix\nsetgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             myhostname = relay.postfix.test\nmydestination =\nlocal_recipient_maps =\nalias_maps =\n\
             mynetworks = 127.0.0.0/8\nsmtpd_recipient_restrictions = permit_mynetworks, reject\n\
             smtpd_peername_lookup = no\ndisable_dns_lookups = yes\nbiff = no\n\
             transport_maps = inline:{{ {transports} }}\n\
             maillog_file = {root}/log\nmaillog_file_prefixes = /\nsmtputf8_enable = no\n",
            root = root.display(),
            transports = transports.join(", "),
        );
        fs::write(root.join("etc/main.cf"), main)?;
        fs::write(root.join("etc/master.cf"), format!("{} inet n - n - - smtpd{MASTER}", address))?;
        let mut command = Command::new("/usr/sbin/postfix");
        command.arg("-c").arg(root.join("etc")).arg("start-fg");
        let master = Supervised::start(&command, &root.join("output"))
            .context("Postfix does not start; `cargo xtask setup --tests` installs it (Debian package postfix)")?;
        let postfix = Self { root, address, _master: master };
        postfix.wait_until_it_listens()?;
        Ok(postfix)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tries everything in the queue now.
    pub fn flush(&self) -> Result<()> {
        self.run(&["/usr/sbin/postqueue", "-c", &self.etc(), "-f"]).map(drop)
    }

    /// What waits in the queue, one JSON object per line.
    pub fn queue(&self) -> Result<String> {
        self.run(&["/usr/sbin/postqueue", "-c", &self.etc(), "-j"])
    }

    /// What it logged.
    pub fn log(&self) -> String {
        ["log", "output"].map(|it| fs::read_to_string(self.root.join(it)).unwrap_or_default()).concat()
    }

    fn etc(&self) -> String {
        self.root.join("etc").display().to_string()
    }

    fn run(&self, command: &[&str]) -> Result<String> {
        let (program, args) = command.split_first().context("a command has a name")?;
        let output = Command::new(program).args(args).output().with_context(|| format!("{program} does not start"))?;
        if !output.status.success() {
            bail!("{}: {}\n{}", command.join(" "), String::from_utf8_lossy(&output.stderr), self.log());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn wait_until_it_listens(&self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(self.address).is_err() {
            if Instant::now() > end {
                bail!("Postfix does not listen on {}:\n{}", self.address, self.log());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = self.run(&["/usr/sbin/postfix", "-c", &self.etc(), "abort"]);
        let _ = fs::remove_dir_all(&self.root);
    }
}
