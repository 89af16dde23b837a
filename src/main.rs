//! The `gridplan` program; see `gridplan --help`.

fn main() -> std::process::ExitCode {
    gridplan::cli::main()
}
