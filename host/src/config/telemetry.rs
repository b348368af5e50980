//! `[telemetry]`: where traces go. Without it none are made.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::error::Complaint;

/// `[telemetry]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TelemetryConfig {
    /// The receiver's root, such as `http://127.0.0.1:4318`; traces are posted to `/v1/traces` below it (OTLP over HTTP).
    pub otlp_endpoint: String,
    /// Sent with every export, such as a key of the receiver. A value of the form `env:NAME` is read from the environment.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What the host calls itself there.
    #[serde(default = "service_name")]
    pub service_name: String,
    /// The part of the traces that begin here which is recorded, from 0 to 1. A trace that is continued is recorded if its
    /// `traceparent` says so.
    #[serde(default = "sample_ratio")]
    pub sample_ratio: f64,
    /// How long an export may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u32,
}

fn service_name() -> String {
    "handoff-host".to_owned()
}

const fn sample_ratio() -> f64 {
    1.0
}

const fn timeout_ms() -> u32 {
    5_000
}

impl TelemetryConfig {
    /// How long an export may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms as u64)
    }

    /// Where traces are posted to.
    pub fn traces_url(&self) -> String {
        format!("{}/v1/traces", self.otlp_endpoint.trim_end_matches('/'))
    }

    /// The headers with what the environment has. Fails with what is wrong, in the words of an operator.
    pub fn resolved_headers(&self) -> Result<BTreeMap<String, String>, String> {
        let resolve = |(name, value): (&String, &String)| match value.strip_prefix("env:") {
            None => Ok((name.clone(), value.clone())),
            Some(variable) => std::env::var(variable)
                .map(|value| (name.clone(), value))
                .map_err(|_| format!("[telemetry] headers: the environment has no variable {variable} for `{name}`")),
        };
        self.headers.iter().map(resolve).collect()
    }

    pub(super) fn validate(&self) -> Result<(), Complaint> {
        let complain = |key, message: String| Err(Complaint::new("telemetry", key, message));
        if !(self.otlp_endpoint.starts_with("http://") || self.otlp_endpoint.starts_with("https://")) {
            let message = format!(
                "is `{}`; write the receiver's root, such as http://127.0.0.1:4318",
                self.otlp_endpoint
            );
            return complain("otlp-endpoint", message);
        }
        if self.otlp_endpoint.trim_end_matches('/').ends_with("/v1/traces") {
            return complain(
                "otlp-endpoint",
                "is the receiver's root; leave /v1/traces out".to_owned(),
            );
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return complain(
                "sample-ratio",
                format!("is {}; write a number from 0 to 1", self.sample_ratio),
            );
        }
        if self.timeout_ms == 0 {
            return complain(
                "timeout-ms",
                "has to be 1 at least; leave it out for the default".to_owned(),
            );
        }
        Ok(())
    }
}
