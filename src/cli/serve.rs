//! The verb `serve`: the map editor on this computer.

use super::Session;
use super::args::ServeArgs;
use super::outcome::Outcome;
use super::verbs::{Done, now, shown, user};
use crate::server::{self, Server};

pub(super) fn serve(args: &ServeArgs, session: &Session<'_>) -> Done {
    let lang = session.lang;
    session.screen.at(lang.pick("打开方案", "opening the plan"), 0.0);
    let who = args.who.clone().unwrap_or_else(user);
    let desk = server::Session::open(&args.file, lang, who, now)?;
    let server = Server::bind(desk, args.port)?;
    session.screen.done();
    // The address is the result, and it is needed while the program runs.
    println!("{}", server.address());
    eprintln!(
        "{}",
        lang.pick(
            "在本机浏览器中打开上面的地址；只有这台电脑能访问。按 Ctrl-C 结束。",
            "Open the address above in a browser on this computer; nobody else can. Ctrl-C ends it."
        )
    );
    let tell_unsaved = move |n: usize| {
        eprintln!(
            "{} {n} {}",
            lang.pick("还有", "there are"),
            lang.pick(
                "处编辑未保存：请在浏览器中保存，或再按一次 Ctrl-C 放弃。",
                "unsaved edits: save them in the browser, or press Ctrl-C again to give them up."
            )
        );
    };
    server.run(session.screen.stop_flag(), tell_unsaved)?;
    let mut outcome = Outcome::default();
    outcome.value("file", shown(&args.file));
    Ok(outcome)
}
