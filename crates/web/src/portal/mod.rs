//! The portal for customers.
