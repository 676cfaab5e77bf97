//! Where a request came from.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, request::Parts},
};
use lambda_http::request::RequestContext;

/// The caller's address, as the platform or the socket tells it; never as a header
/// claims it.
#[derive(Debug, Clone)]
pub(crate) struct ClientIp(pub(crate) Option<String>);

impl ClientIp {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let on_lambda = extensions.get().and_then(|context| match context {
            RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
            _ => None,
        });
        let on_socket = || {
            let ConnectInfo(address) = extensions.get::<ConnectInfo<SocketAddr>>()?;
            Some(address.ip().to_string())
        };
        Self(on_lambda.or_else(on_socket))
    }
}

impl<S: Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}
