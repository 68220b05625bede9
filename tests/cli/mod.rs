//! The program as it is used: what is typed, what comes out, how it ends.

mod checking;
mod comparing;
mod ending;
mod hostile;
mod inspecting;
mod interrupt;
mod keeping;
mod linting;
mod running;
mod showing;
mod sweeping;

use assert_cmd::Command;
use std::path::PathBuf;
use tempfile::TempDir;

/// A short run of a shop with a database, a topic and a crash.
const SHOP: &str = include_str!("shop.yaml");

/// A folder with a scenario in it, and the program started there.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn with(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
        Desk { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `eventflow` with these words.
    fn eventflow(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eventflow"));
        command.current_dir(self.folder.path()).args(words).env_remove("NO_COLOR");
        command
    }

    /// Runs the program: exit code, standard output, standard error.
    fn outcome(&self, words: &[&str]) -> (i32, String, String) {
        let output = self.eventflow(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The results that the last run wrote.
    fn results(&self, scenario: &str) -> serde_json::Value {
        let text = std::fs::read_to_string(self.path(&format!("reports/{scenario}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Everything in the folder, sorted.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}
