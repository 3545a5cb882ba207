//! The edges: what strangers, platforms and models send, and what of it may be seen where.

mod canary;
mod edges;
