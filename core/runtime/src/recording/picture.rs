//! A small picture of a frame.

use jiff::Timestamp;
use setpoint_store::history::Picture;
use setpoint_video::Frame;

/// Most columns of a kept picture.
const WIDTH: u32 = 320;

/// A frame as a small PNG, each pixel the mean of those it stands for.
///
/// # Errors
/// What the encoder said, or that the frame's bytes do not fit its size.
pub(super) fn small(source: &str, frame: &Frame) -> Result<Picture, png::EncodingError> {
    let (width, height, rgb) = shrunk(frame);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    let at = Timestamp::from_microsecond(frame.at.as_microsecond()).unwrap_or(frame.at);
    Ok(Picture { source: source.to_owned(), at, width, height, png: bytes })
}

/// Width, height and RGB bytes of the picture, every `n` columns and rows made one. Columns and
/// rows at the end that do not make `n` are left out.
fn shrunk(frame: &Frame) -> (u32, u32, Vec<u8>) {
    let every = frame.width.div_ceil(WIDTH).max(1);
    let (width, height) = (frame.width / every, (frame.height / every).max(1));
    let mut rgb = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            let (mut sums, mut count) = ([0_u32; 3], 0);
            for row in y * every..((y + 1) * every).min(frame.height) {
                for column in x * every..(x + 1) * every {
                    let at = (row as usize * frame.width as usize + column as usize) * 4;
                    let Some(pixel) = frame.rgba.get(at..at + 3) else { continue };
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(*value);
                    }
                    count += 1;
                }
            }
            if count > 0 {
                rgb.extend(sums.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX)));
            }
        }
    }
    (width, height, rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, height: u32) -> Frame {
        let pixels = (0..width * height).flat_map(|index| {
            let dark = index % width < width / 2;
            if dark { [10, 20, 30, 255] } else { [200, 100, 0, 255] }
        });
        Frame { width, height, rgba: pixels.collect(), sequence: 1, at: Timestamp::UNIX_EPOCH }
    }

    fn decoded(picture: &Picture) -> Vec<u8> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(&picture.png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (picture.width, picture.height));
        pixels
    }

    #[test]
    fn large_frames_become_small_and_keep_their_colours() {
        for (width, height) in [(1_280, 720), (641, 3), (320, 200), (5, 4), (1, 1), (1_000, 1)] {
            let picture = small("s", &frame(width, height)).unwrap();
            assert!(picture.width <= WIDTH && picture.width >= 1.min(width), "{width}");
            let pixels = decoded(&picture);
            if width > 1 {
                assert_eq!(pixels[..3], [10, 20, 30], "{width}×{height}");
            }
            assert_eq!(pixels[pixels.len() - 3..], [200, 100, 0], "{width}×{height}");
        }
    }

    #[test]
    fn a_frame_with_missing_bytes_is_an_error() {
        let mut frame = frame(8, 8);
        frame.rgba.truncate(100);
        assert!(small("s", &frame).is_err());
    }
}
