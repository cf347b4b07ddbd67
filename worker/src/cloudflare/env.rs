//! Bindings and secrets, named once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use worker::Env;
use worker::send::SendWrapper;

use super::blobs::R2;
use super::clock::PlatformClock;
use super::clock::PlatformRandom;
use super::d1::D1;
use super::hub::HubClient;
use super::jobs::Queue;
use super::mailer::PlatformMailer;
use crate::app::App;
use crate::app::Config;
use crate::app::SharedApp;
use crate::group::Grouped;
use crate::ports::JobError;
use crate::ports::Jobs;
use crate::ports::Live;

const DB: &str = "DB";
const MAIL: &str = "MAIL";
const JOBS: &str = "JOBS";
pub(super) const HUB: &str = "HUB";
pub(super) const EMAIL: &str = "EMAIL";
const TOKEN_SECRET: &str = "TOKEN_SECRET";
const SEAL_SECRET: &str = "SEAL_SECRET";
const DEV: &str = "MAILROOM_DEV";
const DNS_RESOLVER: &str = "DNS_RESOLVER";

/// Faults that development can switch on. Nothing sets them in production.
pub struct Faults {
    pub db: AtomicBool,
    pub blobs: AtomicBool,
    pub jobs: AtomicBool,
}

pub static DEV_FAULTS: Faults =
    Faults { db: AtomicBool::new(false), blobs: AtomicBool::new(false), jobs: AtomicBool::new(false) };

/// Which binding is missing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the binding or secret {0} is missing")]
pub struct Missing(pub &'static str);

fn has(env: &Env, name: &str) -> bool {
    js_sys::Reflect::get(env, &JsValue::from_str(name)).is_ok_and(|it| !it.is_undefined() && !it.is_null())
}

fn text(env: &Env, name: &str) -> Option<String> {
    js_sys::Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string().filter(|it| !it.is_empty())
}

/// Without a queue or hub the cron sweep and a reload do.
struct Absent;

#[async_trait(?Send)]
impl Jobs for Absent {
    async fn send(&self, _: &crate::jobs::Job, _: u32) -> Result<(), JobError> {
        Err(JobError("the binding JOBS is missing".to_owned()))
    }
}

#[async_trait(?Send)]
impl Live for Absent {
    async fn publish(&self, _: &[String]) {}
}

/// Puts the world together. A missing database, storage or token secret is an error that names it.
pub fn app_from_env(env: &Env) -> Result<SharedApp, Missing> {
    let bindings = [DB, MAIL, JOBS, HUB, EMAIL, TOKEN_SECRET, SEAL_SECRET, "LOGIN_LIMIT", "ASSETS"]
        .into_iter()
        .map(|name| (name.to_owned(), has(env, name)))
        .collect();
    let db = js_sys::Reflect::get(env, &JsValue::from_str(DB)).map_err(|_| Missing(DB))?;
    if db.is_undefined() {
        return Err(Missing(DB));
    }
    let config = Config {
        token_secret: text(env, TOKEN_SECRET).ok_or(Missing(TOKEN_SECRET))?,
        seal_secret: text(env, SEAL_SECRET).unwrap_or_default(),
        is_dev: text(env, DEV).is_some_and(|it| it == "1"),
        resolver: text(env, DNS_RESOLVER).unwrap_or_default(),
        bindings,
    };
    Ok(Arc::new(App {
        db: Box::new(Grouped::new(D1(SendWrapper::new(db.unchecked_into())))),
        blobs: Box::new(R2(env.bucket(MAIL).map_err(|_| Missing(MAIL))?)),
        jobs: env.queue(JOBS).map_or_else(|_| Box::new(Absent) as Box<dyn Jobs>, |it| Box::new(Queue(it))),
        live: env
            .durable_object(HUB)
            .map_or_else(|_| Box::new(Absent) as Box<dyn Live>, |it| Box::new(HubClient(SendWrapper::new(it)))),
        mailer: Box::new(PlatformMailer { env: env.clone(), is_dev: config.is_dev }),
        clock: Box::new(PlatformClock),
        random: Box::new(PlatformRandom),
        keys: Box::new(super::keys::WebCrypto),
        resolver: Box::new(super::resolver::DnsOverHttps),
        config,
    }))
}
