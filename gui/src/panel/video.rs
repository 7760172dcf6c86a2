//! Pictures on their way to the graphics card.

use std::sync::Arc;

use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions, Vec2};
use jiff::Timestamp;
use setpoint_video::Frame;

/// The texture of one source.
#[derive(Default)]
pub struct VideoTexture {
    texture: Option<TextureHandle>,
    size: [usize; 2],
    sequence: u64,
}

impl VideoTexture {
    /// Takes over a picture, if it is a newer one. Call it once a pass and never while the window
    /// is hidden: parts of a texture that wait for the card pile up.
    pub fn upload(&mut self, ctx: &Context, frame: &Frame) {
        if self.texture.is_some() && self.sequence == frame.sequence {
            return;
        }
        let size = [frame.width as usize, frame.height as usize];
        if size.contains(&0) || frame.rgba.len() != size[0] * size[1] * 4 {
            return;
        }
        self.sequence = frame.sequence;
        // The pictures are opaque, so premultiplied is the same and needs no arithmetic.
        let image = Arc::new(ColorImage::from_rgba_premultiplied(size, &frame.rgba));
        let options = TextureOptions::LINEAR;
        match &mut self.texture {
            Some(texture) if self.size == size => texture.set_partial([0, 0], image, options),
            Some(texture) => texture.set(image, options),
            None => self.texture = Some(ctx.load_texture("source", image, options)),
        }
        self.size = size;
    }

    /// What to draw, and its size in pixels.
    #[allow(clippy::cast_precision_loss, reason = "pictures are small")]
    pub fn shown(&self) -> Option<(TextureId, Vec2)> {
        let texture = self.texture.as_ref()?;
        Some((texture.id(), egui::vec2(self.size[0] as f32, self.size[1] as f32)))
    }
}

/// A picture that was kept as PNG, as a frame that can be drawn. `at` is when it arrived.
///
/// # Errors
/// What the decoder said; a picture in other than RGB or RGBA of eight bits is one of them.
pub fn read_png(bytes: &[u8], at: Timestamp) -> Result<Frame, png::DecodingError> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
    let mut reader = decoder.read_info()?;
    let size = reader.output_buffer_size().ok_or(png::DecodingError::LimitsExceeded)?;
    let mut rgba = vec![0; size];
    let info = reader.next_frame(&mut rgba)?;
    if info.color_type != png::ColorType::Rgba || info.bit_depth != png::BitDepth::Eight {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, "not a colour picture");
        return Err(error.into());
    }
    rgba.truncate(info.buffer_size());
    Ok(Frame { width: info.width, height: info.height, rgba, sequence: 1, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_pictures_can_be_drawn() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[1, 2, 3, 4, 5, 6]).unwrap();
        writer.finish().unwrap();
        let frame = read_png(&bytes, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((frame.width, frame.height), (2, 1));
        assert_eq!(frame.rgba, [1, 2, 3, 255, 4, 5, 6, 255]);
        assert!(read_png(&bytes[..20], Timestamp::UNIX_EPOCH).is_err());
    }
}
