//! The whole program as processes on loopback: what a shell, a service manager and a browser see.

#[cfg(test)]
#[path = "program/cards.rs"]
mod cards;
#[cfg(test)]
#[path = "program/commands.rs"]
mod commands;
#[cfg(test)]
#[path = "program/demo.rs"]
mod demo;
#[cfg(test)]
#[path = "program/gateways.rs"]
mod gateways;
#[cfg(test)]
#[path = "program/process.rs"]
mod process;
#[cfg(test)]
#[path = "program/serve.rs"]
mod serve;
