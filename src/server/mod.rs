//! The local map editor: one planner, one plan file, one browser on the same computer.
//!
//! It listens on 127.0.0.1 and lets nobody else in: the address carries a random token, requests whose `Host` or
//! `Origin` is not this server are refused (a page elsewhere cannot reach it through a name that points here), no
//! answer permits another origin to read it, and the page may load nothing from outside. The page holds no planning
//! rule: every change is an [`crate::edit::Edit`] and goes through the same function as `gridplan edit`.

mod guard;
mod routes;
mod session;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use guard::Door;
pub use routes::router;
pub use session::{Refused, Session};

use crate::pipeline::PlanError;
use crate::planfile::PlanFileError;

impl crate::model::Tell for ServeError {
    fn chinese(&self) -> String {
        match self {
            Self::File(error) => error.chinese(),
            Self::Plan(error) => error.chinese(),
            Self::Look { path, source } => {
                format!("无法查看 {}：{source}；请检查它是否存在、是否可读", path.display())
            }
            Self::Listen { port, source } => {
                format!("无法监听 127.0.0.1:{port}：{source}；请用 --port 换一个端口，或不给出以自动选择")
            }
            Self::NoToken(why) => format!("系统没有给出随机数用于地址：{why}；请重试"),
        }
    }
}

/// Why the editor does not start or stops.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The plan file.
    #[error(transparent)]
    File(#[from] PlanFileError),
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The file itself.
    #[error("cannot look at {path}: {source}; check that it exists and may be read")]
    Look {
        /// File.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The port.
    #[error(
        "cannot listen on 127.0.0.1:{port}: {source}; choose another --port, or leave it out for a free one"
    )]
    Listen {
        /// Port asked for; 0 for any.
        port: u16,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// No random numbers.
    #[error("the system gives no random numbers for the address: {0}; try again")]
    NoToken(String),
}

/// A session that requests share.
pub type Shared = Arc<Mutex<Session>>;

/// An editor that is ready to listen.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    door: Door,
    session: Shared,
}

impl Server {
    /// Takes a port on 127.0.0.1, a free one if none is asked for.
    ///
    /// # Errors
    /// [`ServeError::Listen`] if the port is taken.
    pub fn bind(session: Session, port: Option<u16>) -> Result<Self, ServeError> {
        let port = port.unwrap_or(0);
        let failed = |source| ServeError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        listener.set_nonblocking(true).map_err(failed)?;
        let door = Door { port, token: token()? };
        Ok(Self { listener, door, session: Arc::new(Mutex::new(session)) })
    }

    /// The address to open in a browser.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.door.port, self.door.token)
    }

    /// Answers requests until `stop` is set. While edits are unsaved it goes on, and tells their number once.
    ///
    /// # Errors
    /// [`ServeError::Listen`] if the system takes the port away.
    pub fn run(
        self,
        stop: Arc<AtomicBool>,
        tell_unsaved: impl Fn(usize) + Send + 'static,
    ) -> Result<(), ServeError> {
        let port = self.door.port;
        let failed = |source| ServeError::Listen { port, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let session = Arc::clone(&self.session);
        let stopped = async move {
            let mut told = false;
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                if !stop.load(Ordering::SeqCst) {
                    continue;
                }
                let unsaved = session.lock().unwrap_or_else(PoisonError::into_inner).unsaved();
                if unsaved == 0 {
                    return;
                }
                if !std::mem::replace(&mut told, true) {
                    tell_unsaved(unsaved);
                }
            }
        };
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener).map_err(failed)?;
            let routes = router(self.session, &self.door);
            axum::serve(listener, routes).with_graceful_shutdown(stopped).await.map_err(failed)
        })
    }
}

/// 128 random bits as hex.
fn token() -> Result<String, ServeError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| ServeError::NoToken(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
