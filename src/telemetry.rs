//! The export of traces, as OTLP over HTTP, by the connections that the host uses for everything else.
//!
//! The exporter's own thread sends them in batches. What cannot be delivered is dropped: tracing never holds up a task.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, Error, Result};
use handoff_host::{config::TelemetryConfig, trace::TARGET};
use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::Handle;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
};

use crate::logging::Exporter;

/// How long the last spans may take to be delivered when the host stops.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// Traces are exported for as long as this lives.
#[derive(Debug)]
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Sets the export up; nothing is sent yet. `runtime` is what exports run on.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub(crate) fn start(config: &TelemetryConfig, runtime: Handle) -> Result<Self> {
        let headers = config.resolved_headers().map_err(Error::msg)?;
        let client = Client {
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(config.timeout())
                .build()
                .context("[telemetry]: set up HTTP")?,
            runtime,
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(config.traces_url())
            .with_timeout(config.timeout())
            .with_headers(headers.into_iter().collect::<HashMap<_, _>>())
            .build()
            .with_context(|| format!("[telemetry] otlp-endpoint = {:?}", config.otlp_endpoint))?;
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                config.sample_ratio,
            ))))
            .with_resource(resource)
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Self { provider })
    }

    /// What takes the spans.
    pub(crate) fn layer(&self) -> Exporter {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("handoff"))
            .with_location(false)
            .with_threads(false)
            .with_filter(filter_fn(|metadata| metadata.target() == TARGET).with_max_level_hint(LevelFilter::INFO))
            .boxed()
    }

    /// Delivers what is left. It blocks, at most for two seconds.
    pub(crate) fn finish(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_EXPORT) {
            tracing::warn!(%error, "the last traces could not be delivered");
        }
    }
}

/// Exports by `reqwest`. The exporter's thread has no asynchronous runtime of its own.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let exchange = async move {
            let answer = http.execute(request.try_into()?).await?;
            let mut response = Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                answer.headers().clone_into(headers);
            }
            Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
        };
        self.runtime.spawn(exchange).await?
    }
}
