//! The lines of a cart or an order, as they are asked for.

use aftercart::model::{
    cart::CartLine,
    order::{MAX_LINES, MAX_QUANTITY},
    product::Sku,
};

/// Why lines cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinesRefusal {
    /// Too many.
    #[error("There may be at most {MAX_LINES} lines.")]
    TooMany,
    /// A quantity that nobody sells.
    #[error("The quantity must be 1 to {MAX_QUANTITY}.")]
    Quantity {
        /// In which line, counted from 0.
        line: usize,
    },
    /// The same SKU twice.
    #[error("The SKU {sku} is in two lines; send one line with the sum.")]
    Repeated {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
}

impl LinesRefusal {
    /// What of the request is at fault.
    #[must_use]
    pub fn field(&self) -> String {
        match self {
            Self::TooMany => "lines".to_owned(),
            Self::Quantity { line } => format!("lines[{line}].quantity"),
            Self::Repeated { line, .. } => format!("lines[{line}].sku"),
        }
    }
}

/// The lines of a request: at most [`MAX_LINES`], each SKU once, 1 to
/// [`MAX_QUANTITY`] units of it.
///
/// # Errors
/// [`LinesRefusal`].
pub fn lines(asked: Vec<(Sku, i64)>) -> Result<Vec<CartLine>, LinesRefusal> {
    if asked.len() > MAX_LINES {
        return Err(LinesRefusal::TooMany);
    }
    let mut lines: Vec<CartLine> = Vec::with_capacity(asked.len());
    for (line, (sku, quantity)) in asked.into_iter().enumerate() {
        let fits = u32::try_from(quantity).ok().filter(|n| (1..=MAX_QUANTITY).contains(n));
        let quantity = fits.ok_or(LinesRefusal::Quantity { line })?;
        if lines.iter().any(|earlier| earlier.sku == sku) {
            return Err(LinesRefusal::Repeated { line, sku });
        }
        lines.push(CartLine { sku, quantity });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_nobody_can_take_are_named() {
        let sku = |name: &str| Sku::parse(name).unwrap();
        let line = |name: &str, quantity| (sku(name), quantity);
        for quantity in [0, -1, 1_000, 1_000_000_000, i64::MIN, i64::MAX] {
            let asked = vec![line("A", 1), line("B", quantity)];
            let refusal = lines(asked).unwrap_err();
            assert_eq!(refusal, LinesRefusal::Quantity { line: 1 });
            assert_eq!(refusal.field(), "lines[1].quantity");
        }
        let repeated = vec![line("A", 1), line("B", 1), line("A", 2)];
        assert_eq!(lines(repeated), Err(LinesRefusal::Repeated { line: 2, sku: sku("A") }));
        let many = |count: usize| (0..count).map(|n| line(&format!("S{n}"), 1)).collect();
        assert_eq!(lines(many(MAX_LINES + 1)), Err(LinesRefusal::TooMany));
        assert_eq!(lines(many(MAX_LINES)).unwrap().len(), MAX_LINES);
        assert_eq!(lines(many(0)).unwrap(), []);
    }
}
