//! The outermost layer: gives every request its id, writes one line of log and counts it.
//!
//! Neither the log nor the metrics hold a path, a query or an address: only the template of the
//! route.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use simurgh_app::ports::Entropy;
use tracing::Instrument as _;

use super::Reference;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id taken from a proxy, in octets.
const ID_OCTETS_MAX: usize = 64;
/// What stands for a route in the log when none matched.
const NO_ROUTE: &str = "none";

/// What the layer around a site knows.
#[derive(Clone)]
pub struct Observer {
    /// The site's name in the log and in metrics: `portal`, `console`.
    pub site: &'static str,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// Who stands in front of the site.
    pub proxies: Arc<Proxies>,
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

/// The proxies whose word counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The header in which they give the visitor's address. From anybody else it is taken away.
    pub address_header: Option<HeaderName>,
    /// Where they connect from.
    pub networks: Vec<Network>,
}

impl Proxies {
    fn include(&self, peer: Option<IpAddr>) -> bool {
        peer.is_some_and(|peer| self.networks.iter().any(|network| network.holds(peer)))
    }
}

/// A range of addresses, `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix_bits: u32,
}

/// The text is no address and no range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address such as 10.0.0.7 or a range such as 10.0.0.0/8 is expected")]
pub struct ParseNetworkError;

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| ParseNetworkError)?;
        let bits = if base.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| ParseNetworkError)?,
            None => bits,
        };
        (prefix_bits <= bits)
            .then_some(Self { base, prefix_bits })
            .ok_or(ParseNetworkError)
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differing = u32::from(base) ^ u32::from(address);
                differing.leading_zeros() >= self.prefix_bits
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differing = u128::from(base) ^ u128::from(address);
                differing.leading_zeros() >= self.prefix_bits
            }
            (IpAddr::V4(_) | IpAddr::V6(_), _) => false,
        }
    }
}

/// The route that answered, for layers further out than a nested router.
#[derive(Clone)]
struct Route(MatchedPath);

/// Middleware around a router that is nested where the outermost layer cannot see its routes.
pub async fn name_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(Route(route));
    }
    response
}

/// Middleware around a whole site: id, log and metrics of every request. A proxy's id and address
/// are believed only when the connection comes from the proxy.
pub async fn observe(
    State(observer): State<Observer>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip());
    let given = if observer.proxies.include(peer) {
        given_id(request.headers())
    } else {
        if let Some(header) = &observer.proxies.address_header {
            request.headers_mut().remove(header);
        }
        None
    };
    let id = given.unwrap_or_else(|| new_id(observer.entropy.as_ref()));
    request.extensions_mut().insert(Reference(id.clone()));
    let (site, method) = (observer.site, method(request.method()));
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", id = %id);
    let mut response = next.run(request).instrument(span.clone()).await;
    let named = response.extensions_mut().remove::<Route>();
    let route = named.map(|Route(route)| route).or(matched);
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let (status, elapsed) = (response.status().as_u16(), begun.elapsed());
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(site, method, route, status, millis, "answered"));
    let labels = [
        ("site", site.to_owned()),
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::counter!("simurgh_http_requests_total", &labels).increment(1);
    let labels = [("site", site.to_owned()), ("route", route.to_owned())];
    metrics::histogram!("simurgh_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// A method's name; anything may be sent as a method, so what nobody serves has one name.
fn method(method: &Method) -> &'static str {
    [
        ("GET", Method::GET),
        ("HEAD", Method::HEAD),
        ("POST", Method::POST),
        ("PUT", Method::PUT),
        ("PATCH", Method::PATCH),
        ("DELETE", Method::DELETE),
        ("OPTIONS", Method::OPTIONS),
    ]
    .into_iter()
    .find(|(_, known)| known == method)
    .map_or("other", |(name, _)| name)
}

fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let sound = (1..=ID_OCTETS_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
    sound.then(|| id.to_owned())
}

/// 16 letters and digits that are not mixed up when read aloud (Crockford's base 32): 80 bits.
fn new_id(entropy: &dyn Entropy) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut octets = [0; 16];
    entropy.fill(&mut octets);
    octets
        .iter()
        .filter_map(|octet| DIGITS.get(usize::from(octet % 32)))
        .map(|digit| char::from(*digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses() {
        for (network, address, holds) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let network: Network = network.parse().unwrap();
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(network.holds(address), holds, "{network:?} {address}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "proxy",
            "10.0.0.1/",
        ] {
            assert_eq!(text.parse::<Network>(), Err(ParseNetworkError), "{text}");
        }
    }
}
