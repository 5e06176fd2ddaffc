//! Numbers of every width, both byte orders: what is written is what the standard library's
//! conversions say, what is read is the same number, and half a number is an end too early.

mod mock;

use mock::Step::{Pending, Read};
use mock::{Mock, run};
use shinkan_io::{AsyncReadExt, AsyncWriteExt};
use std::io::ErrorKind;

macro_rules! numbers {
    ($($value:expr => $write:ident $read:ident $bytes:ident,)*) => {
        run(async {
            $(
                let value = $value;
                let expected = value.$bytes();
                let mut written = Vec::new();
                written.$write(value).await.unwrap();
                assert_eq!(written, expected, stringify!($write));

                let mut whole = &written[..];
                let read = whole.$read().await.unwrap();
                assert_eq!(read.$bytes(), expected, stringify!($read));
                assert!(whole.is_empty(), stringify!($read));

                // Nothing at all is an end too early as well.
                for have in [0, expected.len() - 1] {
                    let mut half = &written[..have];
                    let error = half.$read().await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, stringify!($read));
                }
            )*
        })
    };
}

#[test]
fn big_end_first() {
    numbers! {
        0xA1_u8 => write_u8 read_u8 to_be_bytes,
        -2_i8 => write_i8 read_i8 to_be_bytes,
        0xA1B2_u16 => write_u16 read_u16 to_be_bytes,
        -0x1A2B_i16 => write_i16 read_i16 to_be_bytes,
        0xA1B2_C3D4_u32 => write_u32 read_u32 to_be_bytes,
        -0x1A2B_3C4D_i32 => write_i32 read_i32 to_be_bytes,
        0xA1B2_C3D4_E5F6_0718_u64 => write_u64 read_u64 to_be_bytes,
        i64::MIN + 0x0102 => write_i64 read_i64 to_be_bytes,
        u128::MAX - 0x0102 => write_u128 read_u128 to_be_bytes,
        i128::MIN + 0x0102 => write_i128 read_i128 to_be_bytes,
        -1.5e-7_f32 => write_f32 read_f32 to_be_bytes,
        f64::NAN => write_f64 read_f64 to_be_bytes,
    }
}

#[test]
fn little_end_first() {
    numbers! {
        0xA1B2_u16 => write_u16_le read_u16_le to_le_bytes,
        -0x1A2B_i16 => write_i16_le read_i16_le to_le_bytes,
        0xA1B2_C3D4_u32 => write_u32_le read_u32_le to_le_bytes,
        -0x1A2B_3C4D_i32 => write_i32_le read_i32_le to_le_bytes,
        0xA1B2_C3D4_E5F6_0718_u64 => write_u64_le read_u64_le to_le_bytes,
        i64::MIN + 0x0102 => write_i64_le read_i64_le to_le_bytes,
        u128::MAX - 0x0102 => write_u128_le read_u128_le to_le_bytes,
        i128::MIN + 0x0102 => write_i128_le read_i128_le to_le_bytes,
        -1.5e-7_f32 => write_f32_le read_f32_le to_le_bytes,
        f64::NAN => write_f64_le read_f64_le to_le_bytes,
    }
}

#[test]
fn a_number_that_comes_in_pieces() {
    run(async {
        let mut source =
            Mock::new([Read(b"\x01"), Pending, Read(b"\x02\x03"), Pending, Read(b"\x04\x05")]);
        assert_eq!(source.read_u32().await.unwrap(), 0x0102_0304);
        assert_eq!(source.read_u8().await.unwrap(), 5);
    });
}
