//! Ports as the connections that functions have: to AWS, and to everybody else.

use std::sync::Arc;

use aftercart::{
    aws::{Sending, Transport},
    run::outgoing::{Answering, Outgoing, OutgoingError, Stranger},
};
use bytes::Bytes;

use super::{
    CARRIERS,
    port::{Answer, Broken, Fault},
    process::Life,
};

type Response = http::Response<Bytes>;

/// The port as the way to AWS.
#[derive(Debug, Clone)]
pub(super) struct Connection(pub(super) Arc<Life>);

impl Transport for Connection {
    fn send(&self, request: http::Request<Bytes>) -> Sending {
        let life = Arc::clone(&self.0);
        Box::pin(async move {
            life.travel().await;
            let target = request.headers().get("x-amz-target");
            let target = target.and_then(|target| target.to_str().ok()).unwrap_or_default();
            let Answer { status, body } = match life.port.serve(target, request.body()) {
                Ok(answer) => answer,
                Err(Broken::Lost) => return Err(Broken::Lost.into()),
                Err(Broken::Died) => match life.end().await {},
            };
            Ok(http::Response::builder().status(status).body(body.to_string().into())?)
        })
    }
}

/// The port as the way to payment providers, carriers and the merchant's system.
#[derive(Debug, Clone)]
pub(super) struct Line(pub(super) Arc<Life>);

impl Outgoing for Line {
    fn call(&self, request: http::Request<Bytes>) -> Answering {
        let life = Arc::clone(&self.0);
        Box::pin(async move {
            life.travel().await;
            let operation = format!("{} {}", request.method(), request.uri().path());
            let fault = life.port.count(&operation, Vec::new());
            if let Err(broken) = Fault::arriving(fault) {
                return life.unanswered(broken, OutgoingError::Broken(broken.into())).await;
            }
            if fault == Some(Fault::Throttle) {
                let busy = http::Response::builder().status(429).body(Bytes::from("{}"));
                return busy.map_err(|error| OutgoingError::Broken(error.into()));
            }
            let answer = match life.port.broken() {
                Some((_, mutant)) => {
                    let mut last = None;
                    for request in mutant.asked(request, &life.port.outside.sky) {
                        last = Some(life.answer(request).await);
                    }
                    last.unwrap_or(Err(OutgoingError::Timeout))?
                }
                None => life.answer(request).await?,
            };
            match Fault::answering(fault) {
                Ok(()) => Ok(answer),
                Err(broken) => life.unanswered(broken, OutgoingError::Timeout).await,
            }
        })
    }
}

impl Life {
    /// The way of a call to the outside. Calls that are made side by side take
    /// turns here, as on a network.
    async fn travel(&self) {
        for _ in 0..self.port.turns() {
            tokio::task::yield_now().await;
        }
    }

    async fn unanswered<T>(
        &self,
        broken: Broken,
        error: OutgoingError,
    ) -> Result<T, OutgoingError> {
        match broken {
            Broken::Lost => Err(error),
            Broken::Died => match self.end().await {},
        }
    }

    /// Whoever is called answers.
    async fn answer(&self, request: http::Request<Bytes>) -> Result<Response, OutgoingError> {
        let outside = &self.port.outside;
        let stranger = request.extensions().get::<Stranger>().is_some();
        if let Some(line) = outside.merchant.line().filter(|_| stranger) {
            return line.call(request).await;
        }
        Ok(match request.uri().host() {
            _ if stranger => outside.merchant.answer(&request, outside.now())?,
            Some(CARRIERS) => outside.carriers.answer(&request),
            _ => outside.stand_ins.answer(&request),
        })
    }
}
