//! What of grouping a project can change.

use std::borrow::Cow;

use crate::Family;

/// Settings of grouping. The default is what every project starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of the algorithm; kept with each hash, so that a later one can live beside it.
    pub id: &'static str,
    /// Rules for frames of which the SDK did not say whether they are in the application, first match wins.
    pub frame_rules: Cow<'static, [FrameRule]>,
}

impl Default for Config {
    fn default() -> Self {
        Self { id: "nuthatch:2026-11", frame_rules: Cow::Borrowed(BUILT_IN) }
    }
}

/// Decides whether frames that match are in the application.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameRule {
    /// Only frames of this family.
    pub family: Option<Family>,
    /// What the frame must look like.
    pub matcher: Matcher,
    /// The decision.
    pub in_app: bool,
}

/// What a frame must look like.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// The file (absolute path, else relative) or the binary contains this text; `\` counts as `/`.
    PathContains(Cow<'static, str>),
    /// The file or the binary starts with this text.
    PathStarts(Cow<'static, str>),
    /// The module starts with this text.
    ModuleStarts(Cow<'static, str>),
    /// The function starts with this text.
    FunctionStarts(Cow<'static, str>),
}

const fn path(text: &'static str) -> FrameRule {
    FrameRule { family: None, matcher: Matcher::PathContains(Cow::Borrowed(text)), in_app: false }
}

const fn root(family: Option<Family>, text: &'static str, in_app: bool) -> FrameRule {
    FrameRule { family, matcher: Matcher::PathStarts(Cow::Borrowed(text)), in_app }
}

const fn native(text: &'static str) -> FrameRule {
    FrameRule { family: Some(Family::Native), matcher: Matcher::FunctionStarts(Cow::Borrowed(text)), in_app: false }
}

const fn module(text: &'static str) -> FrameRule {
    FrameRule { family: Some(Family::Other), matcher: Matcher::ModuleStarts(Cow::Borrowed(text)), in_app: false }
}

const fn app(text: &'static str) -> FrameRule {
    FrameRule { family: Some(Family::Native), matcher: Matcher::PathContains(Cow::Borrowed(text)), in_app: true }
}

/// Where libraries and runtimes live (`reference/grouping.md` §12).
const BUILT_IN: &[FrameRule] = &[
    path("/site-packages/"),
    path("/dist-packages/"),
    path("/node_modules/"),
    path("/go/pkg/mod/"),
    path("/.pub-cache/"),
    path("/.cargo/registry/"),
    path("/rustc/"),
    path("/vendor/"),
    path("/Cellar/"),
    path("/.local/share/"),
    path("//unpkg.com/"),
    path("//cdnjs.cloudflare.com/"),
    path("//cdn.jsdelivr.net/"),
    path("//esm.run/"),
    path("node:internal/"),
    root(None, "/lib/", false),
    root(None, "/usr/lib/", false),
    root(None, "/usr/local/lib/", false),
    root(Some(Family::Native), "/System/Library/", false),
    root(Some(Family::Native), "C:/Windows/", false),
    native("std::"),
    native("core::"),
    native("alloc::"),
    native("<std::"),
    native("<core::"),
    native("<alloc::"),
    native("__rust_"),
    native("__rustc::"),
    native("rust_begin_unwind"),
    native("backtrace::"),
    native("sentry::"),
    native("sentry_"),
    native("boost::"),
    native("__cxa_"),
    module("java."),
    module("javax."),
    module("jdk."),
    module("sun."),
    module("com.sun."),
    module("kotlin."),
    module("kotlinx."),
    module("scala."),
    module("akka."),
    module("android."),
    module("androidx."),
    module("com.android."),
    module("com.fasterxml."),
    module("org.apache."),
    module("org.springframework."),
    module("org.jboss."),
    module("org.postgresql."),
    module("io.netty."),
    module("io.ktor."),
    module("io.opentelemetry."),
    module("io.sentry."),
    module("reactor.core."),
    app("/var/containers/Bundle/Application/"),
    app("/private/var/containers/Bundle/Application/"),
    app("/Developer/CoreSimulator/Devices/"),
    app(".app/Contents/"),
    root(Some(Family::Native), "/Users/", true),
];
