//! Pictures on their way to the graphics card.

use std::sync::Arc;

use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions, Vec2};
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
