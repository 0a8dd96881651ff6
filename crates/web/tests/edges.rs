//! The edges of the portal and the console, in process: every route, whatever is sent to it.

#[cfg(test)]
#[path = "edges/account.rs"]
mod account;
#[cfg(test)]
#[path = "edges/bodies.rs"]
mod bodies;
#[cfg(test)]
#[path = "edges/headers.rs"]
mod headers;
#[cfg(test)]
#[path = "edges/hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "edges/identity.rs"]
mod identity;
#[cfg(test)]
#[path = "edges/ids.rs"]
mod ids;
#[cfg(test)]
#[path = "edges/machines.rs"]
mod machines;
#[cfg(test)]
#[path = "edges/proof.rs"]
mod proof;
#[cfg(test)]
#[path = "edges/routes.rs"]
mod routes;
#[cfg(test)]
#[path = "edges/tokens.rs"]
mod tokens;
#[cfg(test)]
#[path = "edges/world.rs"]
mod world;
