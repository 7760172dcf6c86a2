//! A frame as PNG.

use setpoint_video::Frame;

/// Encodes a frame, quickly rather than small. Takes some milliseconds of processor time.
///
/// # Errors
/// What the encoder said, if the frame's bytes do not fit its size.
pub fn png(frame: &Frame) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, frame.width, frame.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&frame.rgba)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn frame(width: u32, height: u32, bytes: u8) -> Frame {
        let at = jiff::Timestamp::now();
        Frame { width, height, rgba: (0..bytes).collect(), sequence: 1, at }
    }

    #[test]
    fn decodes_to_the_same_pixels() {
        let frame = frame(5, 3, 60);
        let encoded = png(&frame).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(encoded)).read_info().unwrap();
        let mut pixels = vec![0; 60];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (5, 3, png::ColorType::Rgba));
        assert_eq!(pixels, frame.rgba);
    }

    #[test]
    fn frame_with_missing_bytes_is_an_error() {
        assert!(png(&frame(5, 3, 59)).is_err());
    }
}
