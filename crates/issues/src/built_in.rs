//! The issue types that need no definition (`reference/issue-platform.md` §9).

use nuthatch_protocol::{Priority, TypeId};

use crate::{IssueType, issue_type::NoiseRule, quota::Quota};

/// A line of the table: what differs from [`IssueType::plain`].
pub(crate) struct BuiltIn {
    id: u32,
    slug: &'static str,
    name: &'static str,
    category: &'static str,
    former: Option<&'static str>,
    priority: Priority,
    /// Sightings until there is an issue; 0 for types without a noise rule.
    noise: u64,
    quota: u64,
    marks: &'static [Mark],
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Unreleased,
    StaysUnresolved,
    NeverEscalates,
    Unlisted,
    Quiet,
    ReadOnly,
    Detector,
}

use Mark::{Detector, NeverEscalates, Quiet, ReadOnly, StaysUnresolved, Unlisted, Unreleased};
use Priority::{High, Low, Medium};

#[expect(clippy::too_many_arguments, reason = "the columns of the table")]
const fn line(
    id: u32,
    slug: &'static str,
    name: &'static str,
    former: Option<&'static str>,
    category: &'static str,
    noise: u64,
    priority: Priority,
    quota: u64,
    marks: &'static [Mark],
) -> BuiltIn {
    BuiltIn { id, slug, name, category, former, priority, noise, quota, marks }
}

const PERFORMANCE: Option<&str> = Some("performance");
/// Neither silence nor rate changes the status.
const STEADY: &[Mark] = &[StaysUnresolved, NeverEscalates];
const UNRELEASED: &[Mark] = &[Unreleased];
const UNRELEASED_STEADY: &[Mark] = &[Unreleased, StaysUnresolved, NeverEscalates];
const UNRELEASED_NEVER_ESCALATES: &[Mark] = &[Unreleased, NeverEscalates];

#[rustfmt::skip]
const TYPES: [BuiltIn; 41] = [
    line(1, "error", "Error", None, "error", 0, Medium, 5, &[Detector]),
    line(1001, "performance_slow_db_query", "Slow DB Query", PERFORMANCE, "db_query", 100, Low, 5, &[]),
    line(1004, "performance_render_blocking_asset_span", "Large Render Blocking Asset", PERFORMANCE, "frontend", 3, Low, 5, &[]),
    line(1006, "performance_n_plus_one_db_queries", "N+1 Query", PERFORMANCE, "db_query", 3, Low, 5, &[]),
    line(1007, "performance_consecutive_db_queries", "Consecutive DB Queries", PERFORMANCE, "db_query", 15, Low, 5, &[]),
    line(1008, "performance_file_io_main_thread", "File IO on Main Thread", PERFORMANCE, "mobile", 3, Low, 5, &[]),
    line(1009, "performance_consecutive_http", "Consecutive HTTP", PERFORMANCE, "http_client", 5, Low, 5, &[]),
    line(1010, "performance_n_plus_one_api_calls", "N+1 API Call", PERFORMANCE, "http_client", 3, Low, 5, &[]),
    line(1011, "performance_m_n_plus_one_db_queries", "MN+1 Query (fingerprinting only)", PERFORMANCE, "db_query", 3, Low, 5, &[]),
    line(1012, "performance_uncompressed_assets", "Uncompressed Asset", PERFORMANCE, "frontend", 100, Low, 5, &[]),
    line(1013, "performance_db_main_thread", "DB on Main Thread", PERFORMANCE, "mobile", 3, Low, 5, &[]),
    line(1015, "performance_large_http_payload", "Large HTTP payload", PERFORMANCE, "http_client", 3, Low, 5, &[]),
    line(1016, "performance_http_overhead", "HTTP/1.1 Overhead", PERFORMANCE, "http_client", 20, Low, 5, &[]),
    line(1018, "performance_p95_endpoint_regression", "Endpoint Regression", PERFORMANCE, "metric", 0, Medium, 5, STEADY),
    line(1019, "performance_streamed_spans_exp", "Streamed Spans (Experimental)", PERFORMANCE, "metric", 0, Low, 5, UNRELEASED_STEADY),
    line(1020, "db_query_injection_vulnerability", "Potential Database Query Injection Vulnerability", PERFORMANCE, "db_query", 5, Medium, 5, UNRELEASED_STEADY),
    line(1021, "query_injection_vulnerability", "Potential Query Injection Vulnerability", PERFORMANCE, "db_query", 10, Medium, 5, UNRELEASED_STEADY),
    line(1906, "performance_n_plus_one_db_queries_experimental", "N+1 Query (Experimental)", PERFORMANCE, "db_query", 3, Low, 5, UNRELEASED),
    line(1910, "performance_n_plus_one_api_calls_experimental", "N+1 API Call (Experimental)", PERFORMANCE, "http_client", 3, Low, 5, UNRELEASED),
    line(1911, "performance_m_n_plus_one_db_queries_experimental", "MN+1 Query (Experimental)", PERFORMANCE, "db_query", 3, Low, 5, UNRELEASED),
    line(2001, "profile_file_io_main_thread", "File I/O on Main Thread", PERFORMANCE, "mobile", 0, Low, 5, &[]),
    line(2002, "profile_image_decode_main_thread", "Image Decoding on Main Thread", PERFORMANCE, "mobile", 0, Low, 5, &[]),
    line(2003, "profile_json_decode_main_thread", "JSON Decoding on Main Thread", PERFORMANCE, "mobile", 0, Low, 5, &[]),
    line(2007, "profile_regex_main_thread", "Regex on Main Thread", PERFORMANCE, "mobile", 0, Low, 5, &[]),
    line(2009, "profile_frame_drop", "Frame Drop", PERFORMANCE, "mobile", 2000, Low, 5, &[]),
    line(2011, "profile_function_regression", "Function Regression", PERFORMANCE, "metric", 0, Medium, 5, &[StaysUnresolved]),
    line(3501, "llm_detected_experimental", "LLM Detected Issue", None, "ai_detected", 0, Medium, 5, UNRELEASED_STEADY),
    line(3502, "llm_detected_experimental_v2", "LLM Detected Issue", None, "ai_detected", 0, Medium, 5, UNRELEASED_STEADY),
    line(4001, "monitor_check_in_failure", "Crons Monitor Failed", Some("cron"), "outage", 0, High, 60_000, &[Detector]),
    line(5002, "replay_click_rage", "Rage Click Detected", Some("replay"), "frontend", 0, Medium, 5, &[]),
    line(5003, "replay_hydration_error", "Hydration Error Detected", Some("replay"), "frontend", 0, Medium, 5, &[]),
    line(6001, "feedback", "Feedback", None, "feedback", 0, Medium, 1000, &[StaysUnresolved, NeverEscalates, Unlisted]),
    line(7001, "uptime_domain_failure", "Uptime Domain Monitor Failure", Some("uptime"), "outage", 0, High, 1000, &[StaysUnresolved, NeverEscalates, Detector]),
    line(8001, "metric_issue", "Metric issue triggered", Some("metric_alert"), "metric", 0, High, 100, &[StaysUnresolved, NeverEscalates, Quiet, ReadOnly, Detector]),
    // Not released either, but always taken.
    line(9001, "send-test-notification", "Send test notification", None, "test_notification", 0, Medium, 1000, &[NeverEscalates, Unlisted]),
    line(10001, "web_vitals", "Web Vitals", PERFORMANCE, "frontend", 0, Medium, 5, &[StaysUnresolved, NeverEscalates, Quiet]),
    line(11001, "preprod_static", "Static Analysis", None, "preprod", 0, Low, 5, UNRELEASED_NEVER_ESCALATES),
    line(11002, "preprod_delta", "Static Analysis Delta", None, "preprod", 0, Low, 5, UNRELEASED_NEVER_ESCALATES),
    line(11003, "preprod_size_analysis", "Size Analysis", None, "preprod", 0, Low, 5, &[Unreleased, NeverEscalates, Detector]),
    line(12001, "instrumentation_issue_experimental", "Instrumentation Issue", None, "instrumentation", 0, Low, 100, &[Unreleased, NeverEscalates, Unlisted]),
    line(13001, "sourcemap_configuration", "Source Map Configuration Issue", None, "configuration", 0, Low, 100, &[Unreleased, StaysUnresolved, NeverEscalates, Unlisted, Quiet, ReadOnly, Detector]),
];

impl BuiltIn {
    /// By number.
    pub(crate) const ALL: &'static [Self] = &TYPES;

    pub(crate) fn issue_type(&self) -> IssueType {
        let has = |mark| self.marks.contains(&mark);
        IssueType {
            former_category: self.former.map(str::to_owned),
            default_priority: self.priority,
            noise: (self.noise > 0).then(|| NoiseRule::after(self.noise)),
            creation_quota: Some(Quota::per_hour(self.quota)),
            is_released: !has(Unreleased),
            is_listed: !has(Unlisted),
            auto_resolves: !has(StaysUnresolved),
            escalates: !has(NeverEscalates),
            is_editable: !has(ReadOnly),
            notifies: !has(Quiet),
            has_detector: has(Detector),
            ..IssueType::plain(TypeId(self.id), self.slug, self.name, self.category)
        }
    }
}
