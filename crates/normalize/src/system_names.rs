//! What operating systems call their numbers of errors and signals.

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value};

type Names = HashMap<String, String>;

/// The names of one system.
#[derive(Deserialize)]
pub(crate) struct SystemNames {
    errno: Names,
    signals: Names,
    /// By signal; what all signals share is under the empty name.
    signal_codes: HashMap<String, Names>,
}

static SYSTEMS: LazyLock<HashMap<String, SystemNames>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/system_names.json")).expect("constant data, read by the tests")
});

/// Mach exceptions from number 1 on.
const MACH_EXCEPTIONS: [&str; 13] = [
    "EXC_BAD_ACCESS",
    "EXC_BAD_INSTRUCTION",
    "EXC_ARITHMETIC",
    "EXC_EMULATION",
    "EXC_SOFTWARE",
    "EXC_BREAKPOINT",
    "EXC_SYSCALL",
    "EXC_MACH_SYSCALL",
    "EXC_RPC_ALERT",
    "EXC_CRASH",
    "EXC_RESOURCE",
    "EXC_GUARD",
    "EXC_CORPSE_NOTIFY",
];

/// The name of a Mach exception.
pub(crate) fn mach_exception(number: i64) -> Option<&'static str> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    MACH_EXCEPTIONS.get(index).copied()
}

impl SystemNames {
    /// The names of the system that an event comes from, as its context says, else its debug information.
    pub(crate) fn of_event(event: &Map<String, Value>) -> Option<&'static Self> {
        let context = || event.get("contexts")?.get("os")?.get("name")?.as_str();
        let sdk = || event.get("debug_meta")?.get("sdk_info")?.get("sdk_name")?.as_str();
        let family = match context().or_else(sdk)?.to_ascii_lowercase().as_str() {
            "linux" | "android" => "linux",
            "windows" => "windows",
            "ios" | "ipados" | "macos" | "mac os x" | "tvos" | "visionos" | "watchos" => "darwin",
            _ => return None,
        };
        SYSTEMS.get(family)
    }

    pub(crate) fn errno(&self, number: i64) -> Option<&str> {
        self.errno.get(&number.to_string()).map(String::as_str)
    }

    pub(crate) fn signal(&self, number: i64) -> Option<&str> {
        self.signals.get(&number.to_string()).map(String::as_str)
    }

    /// The name of a signal's code: why it was sent.
    pub(crate) fn signal_code(&self, signal: &str, code: i64) -> Option<&str> {
        let code = code.to_string();
        let names = [self.signal_codes.get(signal), self.signal_codes.get("")];
        names.into_iter().flatten().find_map(|names| names.get(&code)).map(String::as_str)
    }
}
