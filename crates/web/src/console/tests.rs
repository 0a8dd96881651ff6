//! The console through its router, as a browser meets it.
