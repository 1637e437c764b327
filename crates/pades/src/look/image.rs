//! Pictures of signatures and seals: a PNG, decoded once at upload and kept in the form a PDF needs.
//!
//! Colour and transparency become an image with a soft mask (ISO 32000-2, 11.6.5.2). For PDF/A-1, which knows no
//! transparency, the same picture is kept as a one-bit stencil in its prevailing colour (8.9.6.2).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    digest::Digest,
    form_version::FormVersion,
    pdf::{Dict, Increment, ObjRef, Object, deflate},
};

/// A picture ready to be written; plain data, so that a prepared revision is the same after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedImage {
    /// Version of this form.
    pub version: FormVersion<1>,
    /// SHA-256 of the PNG.
    pub png_sha256: Digest,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// RGB, deflated.
    #[serde(with = "crate::prepare::base64_bytes")]
    rgb: Vec<u8>,
    /// Opacity, deflated; empty if the picture is opaque.
    #[serde(with = "crate::prepare::base64_bytes")]
    alpha: Vec<u8>,
    /// One bit per pixel, 0 where ink is, deflated.
    #[serde(with = "crate::prepare::base64_bytes")]
    stencil: Vec<u8>,
    /// The prevailing colour of the ink.
    ink: [u8; 3],
}

/// The picture is not usable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadImage {
    /// It is not a PNG file, or damaged.
    #[error("this is not a PNG picture, or it is damaged: {0}")]
    NotPng(String),
    /// It has too many pixels.
    #[error("the picture has {width} × {height} pixels; at most {most} in each direction are allowed")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit.
        most: u32,
    },
    /// Nothing is drawn on it.
    #[error("the picture is empty: nothing on it is opaque")]
    Blank,
}

impl PreparedImage {
    /// Decodes a PNG.
    ///
    /// # Errors
    /// [`BadImage`].
    pub fn from_png(png: &[u8]) -> Result<Self, BadImage> {
        let damaged = |error: png::DecodingError| BadImage::NotPng(error.to_string());
        let limits = png::Limits { bytes: 64 << 20 };
        let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(png), limits);
        decoder
            .set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().map_err(damaged)?;
        let (width, height) = (reader.info().width, reader.info().height);
        if width == 0 || height == 0 || width > MOST_PIXELS || height > MOST_PIXELS {
            return Err(BadImage::TooLarge { width, height, most: MOST_PIXELS });
        }
        let size =
            reader.output_buffer_size().ok_or_else(|| BadImage::NotPng("its size overflows".to_owned()))?;
        let mut pixels = vec![0; size];
        let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
        pixels.truncate(frame.buffer_size());
        let (mut rgb, mut alpha) = (Vec::new(), Vec::new());
        let channels = frame.color_type.samples();
        for pixel in pixels.chunks_exact(channels) {
            match *pixel {
                [grey, opacity] => {
                    rgb.extend([grey; 3]);
                    alpha.push(opacity);
                }
                [r, g, b, opacity] => {
                    rgb.extend([r, g, b]);
                    alpha.push(opacity);
                }
                _ => return Err(BadImage::NotPng("an unexpected pixel format".to_owned())),
            }
        }
        Self::from_pixels(Digest::of(png), width, height, &rgb, &alpha)
    }

    fn from_pixels(
        png_sha256: Digest,
        width: u32,
        height: u32,
        rgb: &[u8],
        alpha: &[u8],
    ) -> Result<Self, BadImage> {
        let opaque = alpha.iter().all(|&opacity| opacity == 255);
        // On an opaque picture the ink is what is darker than paper.
        let is_ink = |pixel: &[u8], opacity: u8| {
            let light = pixel.iter().map(|&c| u32::from(c)).sum::<u32>() / 3;
            opacity >= 128 && (!opaque || light < 200)
        };
        let mut sums = [0_u64; 3];
        let mut inked = 0_u64;
        let stride = (width as usize).div_ceil(8);
        let mut stencil = vec![0xff_u8; stride * height as usize];
        for (index, (pixel, &opacity)) in rgb.chunks_exact(3).zip(alpha).enumerate() {
            if !is_ink(pixel, opacity) {
                continue;
            }
            inked += 1;
            for (sum, &channel) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(channel);
            }
            let (x, y) = (index % width as usize, index / width as usize);
            if let Some(byte) = stencil.get_mut(y * stride + x / 8) {
                *byte &= !(0x80 >> (x % 8));
            }
        }
        if inked == 0 {
            return Err(BadImage::Blank);
        }
        Ok(Self {
            version: FormVersion,
            png_sha256,
            width,
            height,
            rgb: deflate(rgb),
            alpha: if opaque { Vec::new() } else { deflate(alpha) },
            stencil: deflate(&stencil),
            ink: sums.map(|sum| u8::try_from(sum / inked).unwrap_or(u8::MAX)),
        })
    }

    /// Colour of the ink as three numbers from 0 to 1.
    pub(crate) fn ink(&self) -> [f64; 3] {
        self.ink.map(|channel| f64::from(channel) / 255.0)
    }

    /// Writes the image; as a stencil if `flat` (no transparency allowed).
    pub(crate) fn write(&self, out: &mut Increment, flat: bool) -> ObjRef {
        let base = |bits: i64| {
            Dict::new()
                .with("Type", Object::name("XObject"))
                .with("Subtype", Object::name("Image"))
                .with("Width", i64::from(self.width))
                .with("Height", i64::from(self.height))
                .with("BitsPerComponent", bits)
                .with("Filter", Object::name("FlateDecode"))
        };
        let image = out.allot();
        if flat {
            out.stream(image, &base(1).with("ImageMask", Object::Bool(true)), &self.stencil);
            return image;
        }
        let mut dict = base(8).with("ColorSpace", Object::name("DeviceRGB"));
        if !self.alpha.is_empty() {
            let mask = out.allot();
            dict.set("SMask", mask);
            out.stream(mask, &base(8).with("ColorSpace", Object::name("DeviceGray")), &self.alpha);
        }
        out.stream(image, &dict, &self.rgb);
        image
    }
}

const MOST_PIXELS: u32 = 4096;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A PNG of `width` × `height` with transparent ground and a coloured ring.
    pub(crate) fn ring(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (dx, dy) =
                    (f64::from(x) / f64::from(width) - 0.5, f64::from(y) / f64::from(height) - 0.5);
                let inked = (0.35..0.48).contains(&dx.hypot(dy));
                pixels.extend([colour[0], colour[1], colour[2], if inked { 255 } else { 0 }]);
            }
        }
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, width, height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        png
    }

    #[test]
    fn a_picture_survives_storage() {
        let image = PreparedImage::from_png(&ring(40, 30, [0, 0, 200])).unwrap();
        assert_eq!((image.width, image.height, image.ink), (40, 30, [0, 0, 200]));
        let stored = serde_json::to_string(&image).unwrap();
        assert_eq!(serde_json::from_str::<PreparedImage>(&stored).unwrap(), image);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(matches!(PreparedImage::from_png(b"GIF89a"), Err(BadImage::NotPng(_))));
    }
}
