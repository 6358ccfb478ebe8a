//! Errors for the log: one line from the effect down to the first cause.

use std::error::Error;

/// Gives the error and its causes, joined by colons. A cause that the text before it already tells is left out, since
/// many libraries repeat theirs.
#[must_use]
pub fn chain(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut next = err.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn each_cause_is_told_once() {
        let err = Plan::read("{").unwrap_err();
        let text = chain(&err);
        assert_eq!(text.matches("EOF while parsing").count(), 1, "{text}");
        assert!(text.starts_with("plan cannot be read; the last one stays in force: "), "{text}");
    }
}
