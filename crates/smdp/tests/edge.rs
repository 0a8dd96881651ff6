//! The SM-DP+ as phones and operators meet it: its router over a real store, a software eUICC with an LPA before it.

#[cfg(test)]
mod edge {
    pub(crate) mod place;
    pub(crate) mod raw;
    pub(crate) mod world;

    mod download;
    mod elsewhere;
    mod interop;
    mod operator;
    mod pairs;
    mod progress;
    mod tampering;
    mod tls;
}
