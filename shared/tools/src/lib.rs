//! What the model may call, and what the operator hooks in before and after it.

mod budget;

pub use budget::Budget;
