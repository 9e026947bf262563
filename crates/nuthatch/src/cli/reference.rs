//! The reference of the command line, made from the definitions of the commands themselves.

use clap::CommandFactory as _;

/// Every command with its help, as Markdown.
pub(crate) fn reference() -> String {
    let mut command = super::Cli::command().term_width(100);
    command.build();
    let mut out = String::from(
        "# Command line\n\nMade from the commands' own help by `UPDATE_DOCS=1 cargo test -p nuthatch reference`; do not \
         edit.\n\nExit codes: 0 done, 1 failed, 2 wrong use. With `--json` every command prints one JSON value on standard \
         output.\n",
    );
    describe(&mut command, "nuthatch", &mut out);
    out
}

fn describe(command: &mut clap::Command, path: &str, out: &mut String) {
    let help: String = command
        .render_long_help()
        .to_string()
        .lines()
        .map(|line| format!("    {}", line.trim_end()).trim_end().to_owned() + "\n")
        .collect();
    *out += &format!("\n## `{path}`\n\n{help}");
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name());
        describe(sub, &path, out);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_references_are_current() {
        for (file, current) in
            [("command-line.md", super::reference()), ("configuration.md", crate::config::reference())]
        {
            let path = format!("{}/../../docs/{file}", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::write(&path, &current).expect("docs can be written");
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == current, "docs/{file} is stale: run UPDATE_DOCS=1 cargo test -p nuthatch reference");
        }
    }
}
