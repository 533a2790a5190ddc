//! Bodies of calls made small, to be kept as they came.

use std::io::{self, Read as _, Write as _};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

/// A body, made small.
///
/// # Errors
/// When it cannot be written, which memory never refuses.
pub fn deflated(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// A body as it came, of one that was made small. Some bodies are made to grow
/// beyond measure, so no more than `bytes_max` is read.
///
/// # Errors
/// When it is no such thing, or has more bytes than it may.
pub fn inflated(deflated: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let bytes_read = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    DeflateDecoder::new(deflated).take(bytes_read).read_to_end(&mut body)?;
    if body.len() > bytes_max {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_back_as_it_was() {
        const MAX: usize = 256 * 1024;
        let large: Vec<u8> = (0_u32..65_536).flat_map(u32::to_le_bytes).collect();
        for body in [&b""[..], b"{}", &large] {
            let kept = deflated(body).unwrap();
            assert_eq!(inflated(&kept, MAX).unwrap(), body);
        }
        let grown = deflated(&vec![0; MAX + 1]).unwrap();
        assert!(inflated(&grown, MAX).is_err());
        assert!(inflated(b"\xff\xff", MAX).is_err());
    }
}
