//! The one decoder of compressed bodies: capped, and stepwise, so that its caller decides where it runs and has
//! room for what comes out. Everything else that inflates is fenced off in `clippy.toml`.

use std::{
    cell::RefCell,
    io::{self, Read},
};

use bytes::{Buf as _, Bytes};

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Not at all.
    Identity,
    /// gzip, any number of members.
    Gzip,
    /// zlib, or raw deflate, which some clients take the word to mean.
    Deflate,
    /// brotli with its standard windows.
    Brotli,
    /// zstd, any number of frames.
    Zstd,
    /// xz, any number of streams; files only.
    Xz,
    /// bzip2, any number of streams; files only.
    Bzip2,
}

/// Largest zstd window, as a power of two: the 8 MiB that RFC 9659 sets for this content encoding.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Largest window of brotli's standard format, in bytes.
const BROTLI_WINDOW_MAX_BYTES: usize = 16 << 20;
/// Window and tables of deflate, in bytes, generously.
const DEFLATE_STATE_BYTES: usize = 64 << 10;
/// Largest memory of an xz decoder, in KiB: what its strongest preset asks for, and a little.
const XZ_MEMORY_MAX_KIB: u32 = 66 << 10;
/// Memory of a bzip2 decoder with its largest blocks, in bytes.
const BZIP2_STATE_BYTES: usize = 4 << 20;
/// Input buffer of the brotli reader, in bytes.
const BROTLI_INPUT_BYTES: usize = 4 << 10;
/// What a body is first expected to inflate to, as a multiple of its length. JSON is usually below.
const RATIO_EXPECTED: usize = 8;
/// Largest first allocation for output, in bytes.
const FIRST_OUTPUT_MAX_BYTES: usize = 256 << 10;

impl Encoding {
    /// Reads a `Content-Encoding`; `None` when it is not supported.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let names = [
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("br", Self::Brotli),
            ("zstd", Self::Zstd),
            ("identity", Self::Identity),
            ("", Self::Identity),
        ];
        names.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|(_, encoding)| encoding)
    }

    /// Most memory a decoder holds beside its output, in bytes.
    pub(crate) fn state_max_bytes(self) -> usize {
        match self {
            Self::Identity => 0,
            Self::Gzip | Self::Deflate => DEFLATE_STATE_BYTES,
            Self::Brotli => BROTLI_WINDOW_MAX_BYTES,
            Self::Zstd => 1 << ZSTD_WINDOW_LOG_MAX,
            Self::Xz => (XZ_MEMORY_MAX_KIB as usize) << 10,
            Self::Bzip2 => BZIP2_STATE_BYTES,
        }
    }
}

/// What a gzip member begins with (RFC 1952): its magic number, and deflate as the method.
const GZIP_MEMBER: &[u8] = b"\x1f\x8b\x08";

thread_local! {
    /// Kept, because making one takes as long as inflating a small event.
    static DECOMPRESSOR: RefCell<libdeflater::Decompressor> = RefCell::new(libdeflater::Decompressor::new());
}

/// Decompresses a body that is one gzip member of at most so many bytes, as nearly all are, in one go: in less than half the time
/// that [`Decoding`] takes. `None` when it is anything else, or damaged, which [`Decoding`] then says.
pub(crate) fn one_gzip_member(body: &[u8], limit: usize) -> Option<Bytes> {
    let (magic, rest) = body.split_at_checked(GZIP_MEMBER.len())?;
    // The last four bytes are the size of the last member.
    let size = usize::try_from(u32::from_le_bytes(*rest.last_chunk()?)).ok()?;
    // Where another member seems to begin, it may be one.
    if magic != GZIP_MEMBER || size > limit || memchr::memmem::find(rest, GZIP_MEMBER).is_some() {
        return None;
    }
    let mut out = vec![0; size];
    let inflated = DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.gzip_decompress(body, &mut out));
    (inflated.ok()? == size).then(|| out.into())
}

/// Why a body cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// Not what its encoding says, or cut off.
    #[error("{0}")]
    Corrupt(#[from] io::Error),
    /// More comes out than allowed.
    #[error("more than {0} bytes after decompression")]
    TooLarge(usize),
}

/// A body being decompressed.
pub(crate) struct Decoding {
    source: Box<dyn Read + Send>,
    out: Vec<u8>,
    limit: usize,
}

impl Decoding {
    /// Starts; at most `limit` bytes may come out.
    pub(crate) fn new(encoding: Encoding, body: Bytes, limit: usize) -> io::Result<Self> {
        let expected = body.len().saturating_mul(RATIO_EXPECTED).min(FIRST_OUTPUT_MAX_BYTES).min(limit + 1);
        Ok(Self { source: source(encoding, body)?, out: Vec::with_capacity(expected), limit })
    }

    /// Decompresses at most so many bytes more; whether that was the last of it.
    pub(crate) fn step(&mut self, bytes: usize) -> Result<bool, DecodeError> {
        let room = bytes.min(self.limit + 1 - self.out.len());
        let read = self.source.by_ref().take(room as u64).read_to_end(&mut self.out)?;
        if self.out.len() > self.limit {
            return Err(DecodeError::TooLarge(self.limit));
        }
        Ok(read < room)
    }

    /// What came out.
    pub(crate) fn finish(self) -> Bytes {
        Bytes::from(self.out)
    }

    /// Decompresses all at once, where the limit is small.
    pub(crate) fn run(encoding: Encoding, body: Bytes, limit: usize) -> Result<Bytes, DecodeError> {
        let mut decoding = Self::new(encoding, body, limit)?;
        decoding.step(limit + 1)?;
        Ok(decoding.finish())
    }
}

#[expect(clippy::disallowed_types, reason = "this is the capped decoder: `Decoding::step` bounds what is read")]
fn source(encoding: Encoding, body: Bytes) -> io::Result<Box<dyn Read + Send>> {
    let is_zlib = is_zlib(&body);
    // These bits start the large format, whose window is up to 1 GiB; the standard (RFC 7932) reserves them.
    let is_large_window = body.first().is_some_and(|byte| byte & 0x7f == 0x11);
    let body = body.reader();
    Ok(match encoding {
        Encoding::Identity => Box::new(body),
        Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(body)),
        Encoding::Deflate if is_zlib => Box::new(flate2::bufread::ZlibDecoder::new(body)),
        Encoding::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(body)),
        Encoding::Brotli if is_large_window => {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "brotli with a large window is not supported"));
        }
        Encoding::Brotli => Box::new(brotli::Decompressor::new(body, BROTLI_INPUT_BYTES)),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
        Encoding::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(body, true, XZ_MEMORY_MAX_KIB)),
        Encoding::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(body)),
    })
}

/// Whether a deflate body has the header of zlib (RFC 1950). No encoder starts a raw stream with these bits.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [cmf, flg, ..] if cmf & 0x0f == 8 && u16::from_be_bytes([*cmf, *flg]).is_multiple_of(31))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write};
    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8] = b"what an SDK sends, what an SDK sends, what an SDK sends";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { quality: 2, ..Default::default() };
        brotli::BrotliCompress(&mut &*bytes, &mut out, &parameters).unwrap();
        out
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(bytes, 3).unwrap()
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn compressed(bytes: &[u8]) -> Vec<(Encoding, Vec<u8>)> {
        vec![
            (Encoding::Gzip, gzip(bytes)),
            (Encoding::Deflate, zlib(bytes)),
            (Encoding::Deflate, raw_deflate(bytes)),
            (Encoding::Brotli, brotli(bytes)),
            (Encoding::Zstd, zstd(bytes)),
            (Encoding::Xz, xz(bytes)),
            (Encoding::Bzip2, bzip2(bytes)),
        ]
    }

    fn decode(encoding: Encoding, body: &[u8], limit: usize) -> Result<Bytes, DecodeError> {
        Decoding::run(encoding, Bytes::copy_from_slice(body), limit)
    }

    #[test]
    fn every_encoding_is_undone() {
        for (encoding, body) in compressed(TEXT) {
            assert_eq!(decode(encoding, &body, TEXT.len()).unwrap(), TEXT, "{encoding:?}");
        }
        assert_eq!(decode(Encoding::Identity, TEXT, TEXT.len()).unwrap(), TEXT);
    }

    #[test]
    fn streams_in_a_row_are_one_body() {
        for (encoding, one) in [
            (Encoding::Gzip, gzip(TEXT)),
            (Encoding::Zstd, zstd(TEXT)),
            (Encoding::Xz, xz(TEXT)),
            (Encoding::Bzip2, bzip2(TEXT)),
        ] {
            assert_eq!(decode(encoding, &one.repeat(3), 1000).unwrap(), TEXT.repeat(3), "{encoding:?}");
        }
    }

    #[test]
    fn a_byte_over_the_limit_is_too_large() {
        for (encoding, body) in compressed(TEXT) {
            let refused = decode(encoding, &body, TEXT.len() - 1);
            assert!(matches!(refused, Err(DecodeError::TooLarge(_))), "{encoding:?}");
        }
    }

    /// What comes out of a stream until it ends or is refused, in bytes, in steps of so many.
    fn produced(encoding: Encoding, body: Vec<u8>, limit: usize, step: usize) -> (usize, Result<bool, DecodeError>) {
        let mut decoding = Decoding::new(encoding, body.into(), limit).unwrap();
        let mut steps = std::iter::repeat_with(|| decoding.step(step));
        let end = steps.find(|step| !matches!(step, Ok(false))).unwrap();
        assert!(decoding.out.capacity() <= 4 * limit, "{encoding:?} holds {}", decoding.out.capacity());
        (decoding.out.len(), end)
    }

    #[test]
    fn no_bomb_lets_more_out_than_a_byte_over_the_limit() {
        const LIMIT: usize = 1 << 20;
        let mut bombs = compressed(&vec![0; 50 << 20]);
        // Many streams in a row, none of which is too large by itself; one of them ends at the limit exactly.
        let parts = compressed(&vec![0; LIMIT / 4]).into_iter().map(|(encoding, body)| (encoding, body.repeat(50)));
        let in_a_row = [Encoding::Gzip, Encoding::Zstd, Encoding::Xz, Encoding::Bzip2];
        bombs.extend(parts.filter(|(encoding, _)| in_a_row.contains(encoding)));
        assert_eq!(bombs.len(), 11);
        for (encoding, body) in bombs {
            for step in [LIMIT / 16, LIMIT / 3, 64 << 20] {
                let (bytes, end) = produced(encoding, body.clone(), LIMIT, step);
                assert!(matches!(end, Err(DecodeError::TooLarge(LIMIT))), "{encoding:?}: {end:?}");
                assert_eq!(bytes, LIMIT + 1, "{encoding:?} in steps of {step}");
            }
        }
    }

    #[test]
    fn a_bomb_in_a_bomb_stays_packed() {
        const LIMIT: usize = 1 << 20;
        let inner = gzip(&vec![0; 50 << 20]);
        let (bytes, end) = produced(Encoding::Gzip, gzip(&inner), LIMIT, 64 << 10);
        assert!(matches!(end, Ok(true)), "{end:?}");
        assert_eq!(bytes, inner.len());
    }

    #[test]
    fn cut_off_and_damaged_streams_are_corrupt() {
        for (encoding, body) in compressed(TEXT) {
            for damaged in [&body[..body.len() - 1], &body[..body.len() / 2], b"\xff\xff\xff\xff", b""] {
                let refused = decode(encoding, damaged, 1000);
                assert!(matches!(refused, Err(DecodeError::Corrupt(_))), "{encoding:?} {damaged:?}: {refused:?}");
            }
        }
    }

    #[test]
    fn a_zstd_window_above_the_bound_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(ZSTD_WINDOW_LOG_MAX + 1).unwrap();
        encoder.write_all(&vec![1; 20 << 20]).unwrap();
        let body = encoder.finish().unwrap();
        assert!(matches!(decode(Encoding::Zstd, &body, 64 << 20), Err(DecodeError::Corrupt(_))));
    }

    #[test]
    fn an_xz_dictionary_above_the_bound_is_refused() {
        let mut options = lzma_rust2::XzOptions::with_preset(1);
        options.lzma_options.dict_size = (XZ_MEMORY_MAX_KIB + 1) << 10;
        let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        encoder.write_all(TEXT).unwrap();
        let body = encoder.finish().unwrap();
        assert!(matches!(decode(Encoding::Xz, &body, 1000), Err(DecodeError::Corrupt(_))));
    }

    #[test]
    fn a_large_brotli_window_is_refused() {
        let mut body = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { lgwin: 28, large_window: true, ..Default::default() };
        brotli::BrotliCompress(&mut &*TEXT, &mut body, &parameters).unwrap();
        assert!(matches!(decode(Encoding::Brotli, &body, 1000), Err(DecodeError::Corrupt(_))));
    }

    #[test]
    fn one_member_is_inflated_in_one_go_within_the_limit() {
        let body = gzip(TEXT);
        assert_eq!(one_gzip_member(&body, TEXT.len()).unwrap(), TEXT);
        assert_eq!(one_gzip_member(&gzip(b""), 0).unwrap(), "");
        assert_eq!(one_gzip_member(&body, TEXT.len() - 1), None);
        // Each of the two says that it is the last one.
        assert_eq!(one_gzip_member(&body.repeat(2), 1000), None);
        assert_eq!(one_gzip_member(&zlib(TEXT), 1000), None);
    }

    proptest! {
        /// Whatever was sent, in one go comes out what comes out stepwise, or nothing.
        #[test]
        fn in_one_go_as_stepwise(
            members in prop::collection::vec(prop::collection::vec(0_u8..4, 0..300), 1..4),
            cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
            flipped in prop::option::weighted(0.3, (any::<prop::sample::Index>(), 0_u8..8)),
        ) {
            let mut body: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
            if let Some((at, bit)) = flipped {
                let at = at.index(body.len());
                body[at] ^= 1 << bit;
            }
            if let Some(at) = cut {
                let left = at.index(body.len());
                body.truncate(left);
            }
            if let Some(bytes) = one_gzip_member(&body, 1000) {
                prop_assert_eq!(bytes, decode(Encoding::Gzip, &body, 1000).unwrap());
            } else if members.len() == 1 && cut.is_none() && flipped.is_none() {
                prop_assert!(memchr::memmem::find(&body[1..], GZIP_MEMBER).is_some());
            }
        }
    }

    #[test]
    fn names_are_read_in_any_case() {
        for (name, encoding) in [("GZip", Encoding::Gzip), (" x-gzip ", Encoding::Gzip), ("BR", Encoding::Brotli)] {
            assert_eq!(Encoding::from_name(name), Some(encoding));
        }
        assert_eq!(Encoding::from_name("compress"), None);
        assert_eq!(Encoding::from_name("gzip, br"), None);
    }
}
